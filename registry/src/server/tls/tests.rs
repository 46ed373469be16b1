use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::*;

/// Writes a certificate and its key to `name`.pem and `name`.key.
fn write(directory: &TempDir, name: &str) -> TlsSettings {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new([name.to_owned()]).unwrap();
    let path = |ending| directory.path().join(format!("{name}.{ending}"));
    fs::write(path("key"), key.serialize_pem()).unwrap();
    fs::write(path("pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    TlsSettings::new(path("pem"), path("key"))
}

#[test]
fn what_is_wrong_is_named_and_what_was_there_stays() {
    let directory = TempDir::new().unwrap();
    let (settings, other) = (write(&directory, "a"), write(&directory, "b"));
    let tls = Tls::load(settings.clone()).unwrap();
    let before = tls.config.load_full();
    let good = fs::read(&settings.key).unwrap();
    assert!(tls.reload_changed().is_none());

    fs::copy(&other.key, &settings.key).unwrap();
    let error = tls.reload().unwrap_err();
    assert!(matches!(error, TlsError::Pair { .. }), "{error}");
    fs::write(&settings.key, "no key").unwrap();
    let error = tls.reload_changed().unwrap().unwrap_err();
    assert!(matches!(error, TlsError::Pem { .. }), "{error}");
    assert!(error.to_string().contains("a.key"), "{error}");
    assert!(tls.reload_changed().is_none(), "it is said once");
    fs::remove_file(&settings.key).unwrap();
    let error = tls.reload_changed().unwrap().unwrap_err();
    assert!(matches!(error, TlsError::Read { .. }), "{error}");
    assert!(Arc::ptr_eq(&before, &tls.config.load_full()));

    fs::write(&settings.key, good).unwrap();
    tls.reload_changed().unwrap().unwrap();
    assert!(!Arc::ptr_eq(&before, &tls.config.load_full()));
}

#[test]
fn authorities_must_be_certificates() {
    let directory = TempDir::new().unwrap();
    let mut settings = write(&directory, "a");
    settings.client_ca = Some(settings.key.clone());
    let error = Tls::load(settings).unwrap_err();
    assert!(
        matches!(
            error,
            TlsError::Pem {
                expected: "certificate",
                ..
            }
        ),
        "{error}"
    );
}
