//! What every request has at hand.

use std::sync::Arc;

use thiserror::Error;

use crate::access::Access;
use crate::admission::Admission;
use crate::policy_file::LoadedPolicy;
use crate::storage::Store;
use crate::uploads::Uploads;

/// The state of a registry. Cheap to clone.
#[derive(Clone, Debug)]
pub struct App {
    /// Everything that is kept.
    pub(crate) store: Store,
    /// Who decides what comes in and goes out.
    pub(crate) admission: Arc<Admission>,
    /// Who may do what.
    pub(crate) access: Arc<Access>,
    /// Uploads that are under way.
    pub(crate) uploads: Arc<Uploads>,
}

/// Why the artifacts that were held could not be decided on with the policy of this run.
#[derive(Debug, Error)]
#[error("failed to decide on the artifacts that were held")]
pub struct OpenAppError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl App {
    /// A registry over `store`. What was held when the store was last used is decided on
    /// with `policy`.
    pub async fn open(store: Store, policy: LoadedPolicy) -> Result<Self, OpenAppError> {
        let admission = Arc::new(Admission::new(store.clone(), policy));
        let settled = admission.settle_all().await;
        settled.map_err(|error| OpenAppError(error.into()))?;
        Ok(Self {
            store,
            admission,
            access: Arc::default(),
            uploads: Arc::default(),
        })
    }
}
