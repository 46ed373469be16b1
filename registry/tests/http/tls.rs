//! HTTPS: what is agreed on, who must show what, and certificates that are replaced.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http_body_util::Empty;
use hyper::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use wasmport_registry::{ClientCertificates, MinVersion, TlsSettings};

use crate::raw::{Tuned, soon, within};

static OLD: [&SupportedProtocolVersion; 1] = [&TLS12];
static NEW: [&SupportedProtocolVersion; 1] = [&TLS13];
static BOTH: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// An authority, and the files that it makes.
pub(crate) struct Authority {
    directory: TempDir,
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

/// A certificate and its key, in files.
pub(crate) struct Pair {
    certificate: PathBuf,
    key: PathBuf,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join("ca.pem"), certificate.pem()).unwrap();
        Self {
            directory,
            issuer: Issuer::new(params, key),
            certificate: certificate.der().clone(),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// Writes a certificate for `localhost`.
    pub(crate) fn issue(&self, name: &str) -> Pair {
        self.issue_with(name, |_| {})
    }

    /// The same, after `set` had its turn.
    pub(crate) fn issue_with(&self, name: &str, set: impl FnOnce(&mut CertificateParams)) -> Pair {
        let pair = Pair {
            certificate: self.directory.path().join(format!("{name}.pem")),
            key: self.directory.path().join(format!("{name}.key")),
        };
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        set(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        fs::write(&pair.key, key.serialize_pem()).unwrap();
        fs::write(&pair.certificate, certificate.pem()).unwrap();
        pair
    }
}

impl Pair {
    pub(crate) fn settings(&self) -> TlsSettings {
        TlsSettings::new(self.certificate.clone(), self.key.clone())
    }

    fn certificates(&self) -> Vec<CertificateDer<'static>> {
        vec![CertificateDer::from_pem_file(&self.certificate).unwrap()]
    }
}

/// How a client speaks TLS.
pub(crate) struct Speaker<'a> {
    authority: &'a Authority,
    pub(crate) certificate: Option<&'a Pair>,
    protocols: &'a [&'a [u8]],
    versions: &'a [&'static SupportedProtocolVersion],
}

impl<'a> Speaker<'a> {
    pub(crate) fn new(authority: &'a Authority) -> Self {
        Self {
            authority,
            certificate: None,
            protocols: &[b"http/1.1"],
            versions: &BOTH,
        }
    }

    async fn connect(&self, registry: &Tuned) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.certificate.clone()).unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(self.versions)
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match self.certificate {
            None => config.with_no_client_auth(),
            Some(pair) => {
                let key = PrivateKeyDer::from_pem_file(&pair.key).unwrap();
                config
                    .with_client_auth_cert(pair.certificates(), key)
                    .unwrap()
            }
        };
        config.alpn_protocols = self.protocols.iter().map(|name| name.to_vec()).collect();
        let socket = TcpStream::connect(registry.addr).await?;
        let connector = TlsConnector::from(Arc::new(config));
        connector
            .connect("localhost".try_into().unwrap(), socket)
            .await
    }

    /// The status line of an answer. In TLS 1.3 a client learns that it was refused only then.
    async fn ask(&self, registry: &Tuned) -> std::io::Result<String> {
        self.ask_for(registry, "GET", "/v2/", "").await
    }

    /// The same of another request.
    pub(crate) async fn ask_for(
        &self,
        registry: &Tuned,
        method: &str,
        target: &str,
        body: &str,
    ) -> std::io::Result<String> {
        let mut stream = self.connect(registry).await?;
        let length = body.len();
        let request = format!(
            "{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer.lines().next().unwrap_or_default().to_owned())
    }
}

async fn registry_with(settings: TlsSettings) -> Tuned {
    Tuned::start(|config| config.settings.tls = Some(settings)).await
}

/// The certificate that the registry shows.
async fn shown(registry: &Tuned, authority: &Authority) -> CertificateDer<'static> {
    let stream = Speaker::new(authority).connect(registry).await.unwrap();
    let (_, session) = stream.get_ref();
    session.peer_certificates().unwrap()[0].clone()
}

#[tokio::test]
async fn it_speaks_http_1_over_both_versions_of_tls() {
    let authority = Authority::new();
    let registry = registry_with(authority.issue("a").settings()).await;
    for versions in [&OLD, &NEW] {
        let mut speaker = Speaker::new(&authority);
        speaker.versions = versions;
        assert_eq!(speaker.ask(&registry).await.unwrap(), "HTTP/1.1 200 OK");
    }
}

#[tokio::test]
async fn it_speaks_http_2_with_who_offers_it() {
    let authority = Authority::new();
    let registry = registry_with(authority.issue("a").settings()).await;
    let mut speaker = Speaker::new(&authority);
    speaker.protocols = &[b"h2", b"http/1.1"];
    let stream = speaker.connect(&registry).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let shaken = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = shaken.await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("https://localhost/v2/").body(Empty::<bytes::Bytes>::new());
    let answer = sender.send_request(request.unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.version(), hyper::Version::HTTP_2);
}

#[tokio::test]
async fn a_version_that_is_too_old_is_refused() {
    let authority = Authority::new();
    let mut settings = authority.issue("a").settings();
    settings.min_version = MinVersion::Tls13;
    let registry = registry_with(settings).await;
    let mut speaker = Speaker::new(&authority);
    assert!(speaker.ask(&registry).await.is_ok());
    speaker.versions = &OLD;
    assert!(speaker.ask(&registry).await.is_err());
}

#[tokio::test]
async fn a_client_shows_a_good_certificate_or_none_where_it_is_only_asked() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (good, bad) = (authority.issue("client"), other.issue("client"));
    for (wanted, without) in [
        (ClientCertificates::Request, true),
        (ClientCertificates::Require, false),
    ] {
        let mut settings = authority.issue("a").settings();
        settings.client_ca = Some(authority.path());
        settings.client_certificates = wanted;
        let registry = registry_with(settings).await;
        for (certificate, is_let_in) in [(Some(&good), true), (Some(&bad), false), (None, without)]
        {
            let mut speaker = Speaker::new(&authority);
            speaker.certificate = certificate;
            let asked = speaker.ask(&registry).await;
            assert_eq!(asked.is_ok(), is_let_in, "{wanted:?} {asked:?}");
        }
    }
}

#[tokio::test]
async fn plain_http_and_a_handshake_that_never_ends_are_cut() {
    let authority = Authority::new();
    let settings = authority.issue("a").settings();
    let registry = Tuned::start(|config| {
        config.settings.tls = Some(settings);
        config.settings.server.header_timeout = soon();
    })
    .await;
    let mut raw = registry.connect().await;
    raw.send("GET /v2/ HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(!raw.closed().await.starts_with(b"HTTP"));
    assert_eq!(registry.connect().await.closed().await, b"");
}

#[tokio::test]
async fn a_new_certificate_is_taken_while_it_runs_and_a_wrong_one_is_not() {
    let authority = Authority::new();
    let used = authority.issue("used");
    let mut settings = used.settings();
    settings.check_interval = soon();
    let registry = registry_with(settings).await;
    assert_eq!(shown(&registry, &authority).await, used.certificates()[0]);
    let first = replace(&used, &authority.issue("first"));
    within(async { while shown(&registry, &authority).await != first {} }).await;
    // The key of another certificate: what was there is shown for as long as it is wrong.
    let second = authority.issue("second");
    let old_key = fs::read(&used.key).unwrap();
    fs::write(&used.certificate, "nothing").unwrap();
    assert_eq!(shown(&registry, &authority).await, first);
    let second = replace(&used, &second);
    assert_ne!(fs::read(&used.key).unwrap(), old_key);
    let mut seen = shown(&registry, &authority).await;
    within(async {
        while seen != second {
            assert_eq!(seen, first);
            seen = shown(&registry, &authority).await;
        }
    })
    .await;
}

/// Puts a certificate where another one is, as what renews them does.
fn replace(used: &Pair, new: &Pair) -> CertificateDer<'static> {
    let put = |from: &Path, to: &Path| fs::rename(from, to).unwrap();
    let certificate = new.certificates().remove(0);
    put(&new.certificate, &used.certificate);
    put(&new.key, &used.key);
    certificate
}
