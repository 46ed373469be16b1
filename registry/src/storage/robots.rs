//! Robots: names for machines, whose tokens are stored as hashes only.

use serde::{Deserialize, Serialize};
use wasmport_artifact::Digest;
use wasmport_policies::RepositoryPattern;

use super::error::StorageError;
use super::keys::{Key, Prefix};
use super::records::{Batch, CommitError};
use super::store::{PAGE, Store, decode, encode};
use crate::access::Action;
use crate::settings::patterns;

/// A robot, as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Robot {
    pub(crate) name: String,
    /// Tells it from a later one of the same name.
    pub(crate) id: String,
    /// The hash of its token, which is random and so needs no slower one.
    pub(crate) token: Digest,
    /// Who made it.
    pub(crate) creator: String,
    /// Seconds since 1970.
    pub(crate) created: u64,
    /// From then on it is nobody, in seconds since 1970.
    pub(crate) expires: Option<u64>,
    /// What it may do besides the rules.
    pub(crate) rules: Vec<RobotRule>,
}

/// What a robot may do somewhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RobotRule {
    #[serde(with = "patterns")]
    pub(crate) repositories: Vec<RepositoryPattern>,
    pub(crate) allow: Vec<Action>,
}

impl Store {
    /// Keeps a robot. False when there is one of its name.
    pub(crate) async fn put_robot(&self, robot: &Robot) -> Result<bool, StorageError> {
        let key = Key::robot(&robot.name);
        let committed = self
            .commit(Batch::new().put_if_absent(key, encode(robot)))
            .await;
        match committed {
            Ok(()) => Ok(true),
            Err(CommitError::Changed(_)) => Ok(false),
            Err(CommitError::Storage(error)) => Err(error),
        }
    }

    /// The robot of this name.
    pub(crate) async fn robot(&self, name: &str) -> Result<Option<Robot>, StorageError> {
        let key = Key::robot(name);
        let record = self.records.get(&key).await?;
        record.map(|record| decode(&key, &record)).transpose()
    }

    /// All robots, by name.
    pub(crate) async fn robots(&self) -> Result<Vec<Robot>, StorageError> {
        let (prefix, mut robots) = (Prefix::robots(), Vec::new());
        let mut after: Option<Key> = None;
        loop {
            let page = self.records.list(&prefix, after.as_ref(), PAGE).await?;
            for (key, record) in &page {
                robots.push(decode(key, record)?);
            }
            if page.len() < PAGE {
                return Ok(robots);
            }
            after = page.into_iter().last().map(|(key, _)| key);
        }
    }

    /// Forgets a robot. False when there is none of this name.
    pub(crate) async fn delete_robot(&self, name: &str) -> Result<bool, StorageError> {
        let key = Key::robot(name);
        if self.records.get(&key).await?.is_none() {
            return Ok(false);
        }
        match self.commit(Batch::new().delete(key)).await {
            Ok(()) => Ok(true),
            Err(CommitError::Changed(_)) => Ok(false),
            Err(CommitError::Storage(error)) => Err(error),
        }
    }
}
