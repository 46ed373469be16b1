//! `wasmport keygen`: a pair of keys as cosign keeps them.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use wasmport_signature::PrivateKey;

use crate::environment;
use crate::error::{Failure, Kind};
use crate::files::{self, Access};
use crate::output::Answer;

/// Make a pair of keys for signing
///
/// The private key is ECDSA P-256, encrypted with the password in `COSIGN_PASSWORD` (asked
/// for where it is not set). cosign reads both files.
#[derive(Args, Debug)]
pub(crate) struct KeygenArgs {
    /// Where the keys go: PREFIX.key and PREFIX.pub
    #[arg(short = 'o', long, value_name = "PREFIX", default_value = "wasmport")]
    output_key_prefix: String,
}

/// The two files, and what the public key is known by.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Keys {
    private_key: PathBuf,
    public_key: PathBuf,
    fingerprint: String,
}

pub(crate) fn run(args: &KeygenArgs) -> Result<Keys, Failure> {
    let private_path = PathBuf::from(format!("{}.key", args.output_key_prefix));
    let public_path = PathBuf::from(format!("{}.pub", args.output_key_prefix));
    for path in [&private_path, &public_path] {
        if path.exists() {
            return Err(Failure::new(
                Kind::Usage,
                format!("`{}` is already there", path.display()),
            )
            .hint("keys are not overwritten; choose another name with `--output-key-prefix`"));
        }
    }
    let password = environment::new_password()?;
    let failed = |error: &(dyn std::error::Error + 'static)| {
        Failure::caused(Kind::Io, "failed to make a key", error)
    };
    let key = PrivateKey::generate().map_err(|error| failed(&error))?;
    let pem = key
        .to_encrypted_pem(password.as_bytes())
        .map_err(|error| failed(&error))?;
    let public = key.public_key();
    files::create(&private_path, &pem, Access::Private)?;
    files::create(&public_path, &public.to_pem(), Access::Public)?;
    Ok(Keys {
        private_key: private_path,
        public_key: public_path,
        fingerprint: public.fingerprint(),
    })
}

impl Answer for Keys {
    fn to_text(&self) -> String {
        format!(
            "private key  {}\npublic key   {}\nfingerprint  {}",
            self.private_key.display(),
            self.public_key.display(),
            self.fingerprint
        )
    }
}
