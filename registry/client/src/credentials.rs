//! User names and passwords, as `docker login` keeps them.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use docker_credential::{CredentialRetrievalError, DockerCredential};
use oci_client::secrets::RegistryAuth;
use thiserror::Error;

/// The key under which Docker itself keeps the credentials of Docker Hub.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// Where credentials come from.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// From nowhere.
    Anonymous,
    /// From `config.json` in this directory (`~/.docker`, or what `DOCKER_CONFIG` says)
    /// and the credential helpers that it names. Without the file there are none.
    Docker {
        /// The directory.
        directory: PathBuf,
    },
    /// These.
    Password {
        /// The user.
        username: String,
        /// The password or access token.
        password: String,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => formatter.write_str("Anonymous"),
            Self::Docker { directory } => formatter
                .debug_struct("Docker")
                .field("directory", directory)
                .finish(),
            Self::Password { username, .. } => formatter
                .debug_struct("Password")
                .field("username", username)
                .finish_non_exhaustive(),
        }
    }
}

/// Why there are credentials but they cannot be read.
#[derive(Debug, Error)]
pub enum CredentialsError {
    /// The file is there and cannot be opened.
    #[error("`{path}` cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A credential helper failed, or the file is not what Docker writes.
    #[error("`{path}` has no usable credentials for `{registry}`: {reason}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The registry.
        registry: String,
        /// What the file or the helper is wrong about.
        reason: String,
    },
    /// An identity token, which needs a protocol that we do not speak.
    #[error("`{path}` holds an identity token for `{registry}`, expected a user name and password")]
    IdentityToken {
        /// The file.
        path: PathBuf,
        /// The registry.
        registry: String,
    },
}

impl Credentials {
    /// Looks up what to send to `registry`. May run a credential helper, so it blocks.
    pub(crate) fn look_up(&self, registry: &str) -> Result<RegistryAuth, CredentialsError> {
        match self {
            Self::Anonymous => Ok(RegistryAuth::Anonymous),
            Self::Docker { directory } => from_docker(&directory.join("config.json"), registry),
            Self::Password { username, password } => {
                Ok(RegistryAuth::Basic(username.clone(), password.clone()))
            }
        }
    }
}

fn from_docker(path: &Path, registry: &str) -> Result<RegistryAuth, CredentialsError> {
    let keys: &[&str] = match registry {
        "docker.io" | "index.docker.io" | "registry-1.docker.io" => &[DOCKER_HUB_KEY, "docker.io"],
        _ => &[registry],
    };
    for key in keys {
        match look_up_key(path, key)? {
            RegistryAuth::Anonymous => {}
            found => return Ok(found),
        }
    }
    Ok(RegistryAuth::Anonymous)
}

fn look_up_key(path: &Path, key: &str) -> Result<RegistryAuth, CredentialsError> {
    let file = match File::open(path) {
        Ok(file) => BufReader::new(file),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(RegistryAuth::Anonymous),
        Err(source) => {
            let path = path.to_owned();
            return Err(CredentialsError::Unreadable { path, source });
        }
    };
    match docker_credential::get_credential_from_reader(file, key) {
        Ok(DockerCredential::UsernamePassword(username, password)) => {
            Ok(RegistryAuth::Basic(username, password))
        }
        Ok(DockerCredential::IdentityToken(_)) => Err(CredentialsError::IdentityToken {
            path: path.to_owned(),
            registry: key.to_owned(),
        }),
        Err(error) if means_none(&error) => Ok(RegistryAuth::Anonymous),
        Err(error) => Err(CredentialsError::Unusable {
            path: path.to_owned(),
            registry: key.to_owned(),
            reason: reason(&error),
        }),
    }
}

/// True when there are no credentials, which is not an error.
fn means_none(error: &CredentialRetrievalError) -> bool {
    match error {
        CredentialRetrievalError::NoCredentialConfigured => true,
        // What every helper prints when it has none (docker-credential-helpers, "Usage").
        CredentialRetrievalError::HelperFailure { stdout, .. } => {
            stdout.contains("credentials not found")
        }
        _ => false,
    }
}

/// The helper's own words in one line, where it has any.
fn reason(error: &CredentialRetrievalError) -> String {
    match error {
        CredentialRetrievalError::HelperFailure {
            helper,
            stdout,
            stderr,
        } => {
            let words: Vec<&str> = stderr
                .split_whitespace()
                .chain(stdout.split_whitespace())
                .collect();
            format!("`{helper}` failed: {}", words.join(" "))
        }
        CredentialRetrievalError::HelperCommunicationError => {
            "the credential helper that it names cannot be run".to_owned()
        }
        CredentialRetrievalError::ConfigReadError => "it is not Docker's JSON".to_owned(),
        CredentialRetrievalError::CredentialDecodingError => {
            "`auth` is not base64 of `user:password`".to_owned()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look_up(config: &str, registry: &str) -> Result<RegistryAuth, CredentialsError> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("config.json"), config).unwrap();
        let directory = directory.path().to_owned();
        Credentials::Docker { directory }.look_up(registry)
    }

    fn user(name: &str) -> RegistryAuth {
        RegistryAuth::Basic(name.to_owned(), "secret".to_owned())
    }

    #[test]
    fn no_config_and_no_entry_mean_anonymous() {
        let directory = tempfile::tempdir().unwrap().path().join("not-there");
        let credentials = Credentials::Docker { directory };
        assert_eq!(
            credentials.look_up("ghcr.io").unwrap(),
            RegistryAuth::Anonymous
        );
        assert_eq!(look_up("{}", "ghcr.io").unwrap(), RegistryAuth::Anonymous);
    }

    #[test]
    fn an_entry_is_found_by_host_and_port() {
        // `me:secret`
        let config = r#"{"auths":{"host.test:5000":{"auth":"bWU6c2VjcmV0"}}}"#;
        assert_eq!(look_up(config, "host.test:5000").unwrap(), user("me"));
        assert_eq!(
            look_up(config, "host.test").unwrap(),
            RegistryAuth::Anonymous
        );
    }

    #[test]
    fn docker_hub_is_found_under_its_old_key_and_its_name() {
        let old = r#"{"auths":{"https://index.docker.io/v1/":{"auth":"bWU6c2VjcmV0"}}}"#;
        let new = r#"{"auths":{"docker.io":{"auth":"bWU6c2VjcmV0"}}}"#;
        assert_eq!(look_up(old, "docker.io").unwrap(), user("me"));
        assert_eq!(look_up(new, "docker.io").unwrap(), user("me"));
    }

    #[test]
    fn what_is_there_but_unusable_is_an_error() {
        let error = look_up("not json", "ghcr.io").unwrap_err();
        assert!(error.to_string().contains("not Docker's JSON"), "{error}");
        let no_helper = r#"{"credsStore":"wasmport-test-has-no-such-helper"}"#;
        let error = look_up(no_helper, "ghcr.io").unwrap_err();
        assert!(error.to_string().contains("cannot be run"), "{error}");
        let token = r#"{"auths":{"ghcr.io":{"identitytoken":"x"}}}"#;
        let error = look_up(token, "ghcr.io").unwrap_err();
        assert!(matches!(error, CredentialsError::IdentityToken { .. }));
    }

    #[test]
    fn a_helper_that_has_nothing_means_anonymous() {
        let failure = |stdout: &str| CredentialRetrievalError::HelperFailure {
            helper: "docker-credential-x".to_owned(),
            stdout: stdout.to_owned(),
            stderr: String::new(),
        };
        assert!(means_none(&failure(
            "credentials not found in native keychain\n"
        )));
        assert!(!means_none(&failure("the keychain is locked\n")));
    }

    #[test]
    fn a_password_is_not_in_the_debug_text() {
        let credentials = Credentials::Password {
            username: "me".to_owned(),
            password: "hunter2".to_owned(),
        };
        assert!(!format!("{credentials:?}").contains("hunter2"));
    }
}
