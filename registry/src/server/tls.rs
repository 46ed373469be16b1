//! TLS: the certificate that the registry shows, those that it asks for, and how both are
//! replaced while it runs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    self, RootCertStore, ServerConfig, SupportedProtocolVersion, sign::CertifiedKey,
};
use tokio_rustls::server::TlsStream;

use tracing::{error, info};
use wasmport_artifact::with_causes;

use super::stop::Stop;
use crate::settings::Timespan;

/// What clients and the registry may agree on, the better first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Largest PEM file, in bytes. A bundle of all public authorities has a fifth of it.
const PEM_BYTES: u64 = 1024 * 1024;

/// `[tls]`: the certificate that the registry shows, and those that it asks for.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TlsSettings {
    /// PEM file with the registry's certificate, and those that lead to its authority.
    pub certificate: PathBuf,
    /// PEM file with the private key of the certificate.
    pub key: PathBuf,
    /// PEM file with the authorities of client certificates. Default: none, and clients are
    /// not asked.
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
    /// Whether clients have to show a certificate, once there is a `client-ca`: `request` or
    /// `require`. Default: `request`.
    #[serde(default)]
    pub client_certificates: ClientCertificates,
    /// The oldest version of TLS: `1.2` or `1.3`. Default: `1.2`.
    #[serde(default)]
    pub min_version: MinVersion,
    /// How often to look whether the files have changed; `0s` is never, and they are read
    /// again at a reload only. Default: `1m`.
    #[serde(default = "default_check_interval")]
    pub check_interval: Timespan,
}

/// Whether clients have to show a certificate.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientCertificates {
    /// They may; if they do, it has to be good.
    #[default]
    Request,
    /// They must.
    Require,
}

/// The oldest version of TLS.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub enum MinVersion {
    /// What all clients of the last ten years speak.
    #[default]
    #[serde(rename = "1.2")]
    Tls12,
    /// The version of 2018.
    #[serde(rename = "1.3")]
    Tls13,
}

/// Why TLS cannot be spoken.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file could not be read.
    #[error("failed to read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("`{}` holds no {expected} in PEM", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
        /// What is wrong, if it is PEM at all.
        source: PemError,
    },
    /// The key is not the certificate's, or is of a kind that cannot be used.
    #[error("the certificate `{}` and the key `{}` cannot be used", certificate.display(), key.display())]
    Pair {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// Why not.
        source: rustls::Error,
    },
    /// An authority is none.
    #[error("the authorities in `{}` cannot be used", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// TLS as it is spoken now.
#[derive(Debug)]
pub(crate) struct Tls {
    settings: ArcSwap<TlsSettings>,
    config: ArcSwap<ServerConfig>,
    // Of the files as they were read last, whether they were good or not.
    stamps: Mutex<Vec<Stamp>>,
}

/// When this is the same, a file is.
type Stamp = Option<(SystemTime, u64, u64)>;

fn default_check_interval() -> Timespan {
    Timespan::minutes(1)
}

impl TlsSettings {
    /// Settings with this certificate and key, and the rest as it is by default.
    pub fn new(certificate: PathBuf, key: PathBuf) -> Self {
        Self {
            certificate,
            key,
            client_ca: None,
            client_certificates: ClientCertificates::default(),
            min_version: MinVersion::default(),
            check_interval: default_check_interval(),
        }
    }

    /// Makes the paths relative to `directory` ones that can be opened from here.
    pub(crate) fn resolve(&mut self, directory: &Path) {
        let own = [&mut self.certificate, &mut self.key].into_iter();
        for path in own.chain(&mut self.client_ca) {
            crate::settings::resolve(path, directory);
        }
    }

    fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.certificate, &self.key]
            .into_iter()
            .chain(&self.client_ca)
    }

    fn stamps(&self) -> Vec<Stamp> {
        let stamp = |path: &PathBuf| {
            let file = fs::metadata(path).ok()?;
            Some((file.modified().ok()?, file.len(), inode(&file)))
        };
        self.files().map(stamp).collect()
    }
}

/// Another one when a file was renamed to the place of one that is as old and as long.
#[cfg(unix)]
fn inode(file: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(file)
}

#[cfg(not(unix))]
fn inode(_: &fs::Metadata) -> u64 {
    0
}

impl Tls {
    /// Reads the files.
    pub(crate) fn load(settings: TlsSettings) -> Result<Self, TlsError> {
        // Before the files are read, so that a change in between is seen.
        let stamps = Mutex::new(settings.stamps());
        let config = ArcSwap::from_pointee(load(&settings)?);
        Ok(Self {
            settings: ArcSwap::from_pointee(settings),
            config,
            stamps,
        })
    }

    /// Reads the files that these settings name, and uses both from now on if they are good.
    /// To speak TLS no longer takes a restart.
    pub(crate) fn replace(&self, settings: Option<TlsSettings>) -> Result<(), TlsError> {
        let settings = settings.map_or_else(|| self.settings.load_full(), Arc::new);
        let stamps = settings.stamps();
        self.config.store(Arc::new(load(&settings)?));
        self.settings.store(settings);
        *self.stamps.lock().unwrap_or_else(PoisonError::into_inner) = stamps;
        Ok(())
    }

    /// Reads the files again. When they are not good, what was there before stays.
    fn reload(&self) -> Result<(), TlsError> {
        let settings = self.settings.load_full();
        *self.stamps.lock().unwrap_or_else(PoisonError::into_inner) = settings.stamps();
        self.config.store(Arc::new(load(&settings)?));
        Ok(())
    }

    /// Reads the files again if they have changed since they were read. `None` if not.
    pub(crate) fn reload_changed(&self) -> Option<Result<(), TlsError>> {
        let stamps = self.settings.load().stamps();
        let has_changed = *self.stamps.lock().unwrap_or_else(PoisonError::into_inner) != stamps;
        has_changed.then(|| self.reload())
    }

    /// How often to look whether the files have changed.
    pub(crate) fn check_interval(&self) -> Timespan {
        self.settings.load().check_interval
    }

    pub(super) async fn accept(&self, socket: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(self.config.load_full())
            .accept(socket)
            .await
    }
}

/// Replaces the certificates when their files change, until the server stops.
pub(super) async fn watch_certificates(tls: Arc<Tls>, stop: Stop) {
    let interval = tls.check_interval().duration();
    if interval.is_zero() {
        return;
    }
    let mut stopped = pin!(stop.stopped());
    while timeout(interval, &mut stopped).await.is_err() {
        match tls.reload_changed() {
            None => {}
            Some(Ok(())) => info!("took the new certificates"),
            Some(Err(error)) => {
                let error = with_causes(&error);
                error!(%error, "kept the old certificates, since the new ones are not good");
            }
        }
    }
}

/// The certificate that the client showed, verified.
pub(super) fn client_certificate(stream: &TlsStream<TcpStream>) -> Option<Arc<[u8]>> {
    let (_, session) = stream.get_ref();
    let certificate = session.peer_certificates()?.first()?;
    Some(certificate.as_ref().into())
}

fn load(settings: &TlsSettings) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let pair = certified_key(settings, &provider)?;
    let versions: &[&SupportedProtocolVersion] = match settings.min_version {
        MinVersion::Tls12 => &[&TLS13, &TLS12],
        MinVersion::Tls13 => &[&TLS13],
    };
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(|source| unusable(settings, source))?;
    let builder = match &settings.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => builder.with_client_cert_verifier(verifier(settings, path, provider)?),
    };
    let resolver = rustls::sign::SingleCertAndKey::from(pair);
    let mut config = builder.with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(config)
}

fn certified_key(
    settings: &TlsSettings,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsError> {
    let chain = certificates(&settings.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&read(&settings.key)?);
    let key = key.map_err(|source| TlsError::Pem {
        path: settings.key.clone(),
        expected: "private key",
        source,
    })?;
    CertifiedKey::from_der(chain, key, provider).map_err(|source| unusable(settings, source))
}

fn verifier(
    settings: &TlsSettings,
    path: &Path,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(path)? {
        roots
            .add(authority)
            .map_err(|error| not_an_authority(path, error.into()))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = match settings.client_certificates {
        ClientCertificates::Request => builder.allow_unauthenticated(),
        ClientCertificates::Require => builder,
    };
    let built = builder.build();
    built.map_err(|error: VerifierBuilderError| not_an_authority(path, error.into()))
}

/// The certificates in a file, at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let found = found.and_then(|found| {
        if found.is_empty() {
            return Err(PemError::NoItemsFound);
        }
        Ok(found)
    });
    found.map_err(|source| TlsError::Pem {
        path: path.to_owned(),
        expected: "certificate",
        source,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(PEM_BYTES).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(bytes),
        Err(source) => Err(TlsError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

fn unusable(settings: &TlsSettings, source: rustls::Error) -> TlsError {
    TlsError::Pair {
        certificate: settings.certificate.clone(),
        key: settings.key.clone(),
        source,
    }
}

fn not_an_authority(path: &Path, source: Box<dyn std::error::Error + Send + Sync>) -> TlsError {
    TlsError::Authority {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests;
