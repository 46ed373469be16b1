//! Tokens of robots: random, shown once, stored as hashes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use wasmport_artifact::Digest;

use super::tokens::seconds;
use crate::storage::{Robot, StorageError, Store};

/// What the tokens begin with, so that scanners for secrets find them.
const PREFIX: &str = "wasmport-robot.";

/// Longest name, in bytes.
const NAME_BYTES: usize = 64;

/// A new token for the robot `name`.
pub(crate) fn new_token(name: &str) -> Result<String, getrandom::Error> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    Ok(format!("{PREFIX}{name}.{}", URL_SAFE_NO_PAD.encode(secret)))
}

/// Whether a robot can have this name.
pub(crate) fn is_name(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.len() <= NAME_BYTES && name.bytes().all(known)
}

/// The name in what looks like the token of a robot.
pub(super) fn name_in(token: &str) -> Option<&str> {
    let (name, _) = token.strip_prefix(PREFIX)?.rsplit_once('.')?;
    is_name(name).then_some(name)
}

/// The robot that has this token and is not expired.
pub(super) async fn by_token(store: &Store, token: &str) -> Result<Option<Robot>, StorageError> {
    let Some(name) = name_in(token) else {
        return Ok(None);
    };
    let robot = store.robot(name).await?;
    // Digests of a random secret: how long the comparison takes tells nothing.
    Ok(robot.filter(|robot| robot.token == Digest::of(token.as_bytes()) && is_alive(robot)))
}

/// The robot that a token of ours was issued to, if it was not revoked since.
pub(super) async fn by_id(
    store: &Store,
    name: &str,
    id: &str,
) -> Result<Option<Robot>, StorageError> {
    let robot = store.robot(name).await?;
    Ok(robot.filter(|robot| robot.id == id && is_alive(robot)))
}

fn is_alive(robot: &Robot) -> bool {
    robot.expires.is_none_or(|expires| seconds() < expires)
}
