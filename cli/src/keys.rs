//! Key files that a user names with `--key` and `--sign-key`.

use std::path::{Path, PathBuf};

use wasmport_signature::{KeyError, PrivateKey, PublicKey};

use crate::environment;
use crate::error::{Failure, Kind};
use crate::files;

/// A public key and the file it came from.
#[derive(Debug)]
pub(crate) struct TrustedKey {
    pub(crate) path: PathBuf,
    pub(crate) key: PublicKey,
}

/// Reads public keys. The same key twice would count twice, so it is refused.
pub(crate) fn read_public(paths: &[PathBuf]) -> Result<Vec<TrustedKey>, Failure> {
    let mut keys: Vec<TrustedKey> = Vec::new();
    for path in paths {
        let pem = files::read_text(path)?;
        let key = PublicKey::from_pem(&pem).map_err(|error| bad_key(path, &error))?;
        if let Some(same) = keys
            .iter()
            .find(|known| known.key.fingerprint() == key.fingerprint())
        {
            let message = format!(
                "`{}` and `{}` are the same key",
                same.path.display(),
                path.display()
            );
            return Err(Failure::new(Kind::Usage, message));
        }
        keys.push(TrustedKey {
            path: path.clone(),
            key,
        });
    }
    Ok(keys)
}

/// Reads a private key, with its password from the environment or the terminal.
pub(crate) fn read_private(path: &Path) -> Result<PrivateKey, Failure> {
    let pem = files::read_text(path)?;
    let password = environment::password()?;
    PrivateKey::from_encrypted_pem(&pem, password.as_bytes()).map_err(|error| bad_key(path, &error))
}

fn bad_key(path: &Path, error: &KeyError) -> Failure {
    let failure = Failure::caused(
        Kind::Input,
        &format!("failed to read the key `{}`", path.display()),
        error,
    );
    match error {
        KeyError::WrongPassword => {
            failure.hint("is COSIGN_PASSWORD set to the password that the key was made with?")
        }
        _ => failure,
    }
}
