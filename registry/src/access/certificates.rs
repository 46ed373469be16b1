//! Names for client certificates, which TLS has verified.

use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::settings::CertificateSettings;

/// The name that the first fitting entry gives to a certificate.
pub(super) fn name_of<'a>(entries: &'a [CertificateSettings], der: &[u8]) -> Option<&'a str> {
    let certificate = Certificate::from_der(der).ok()?;
    let subject = certificate.tbs_certificate.subject.to_string();
    let alternatives = alternatives(&certificate);
    let fits = |entry: &&CertificateSettings| {
        let subject_fits = entry.subject.as_ref().is_none_or(|it| *it == subject);
        let san_fits = entry
            .san
            .as_ref()
            .is_none_or(|it| alternatives.contains(it));
        // An entry that says nothing fits nothing.
        subject_fits && san_fits && (entry.subject.is_some() || entry.san.is_some())
    };
    entries.iter().find(fits).map(|entry| entry.name.as_str())
}

fn alternatives(certificate: &Certificate) -> Vec<String> {
    let Ok(Some((_, names))) = certificate.tbs_certificate.get::<SubjectAltName>() else {
        return Vec::new();
    };
    let name = |name: &GeneralName| match name {
        GeneralName::DnsName(name) => Some(format!("DNS:{}", name.as_str())),
        GeneralName::UniformResourceIdentifier(name) => Some(format!("URI:{}", name.as_str())),
        GeneralName::Rfc822Name(name) => Some(format!("email:{}", name.as_str())),
        _ => None,
    };
    names.0.iter().filter_map(name).collect()
}
