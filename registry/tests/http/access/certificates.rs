//! Client certificates, from the handshake to what their owners may do.

use std::fs;

use rcgen::{CertificateParams, DnType, SanType, date_time_ymd};
use wasmport_artifact::Digest;
use wasmport_registry::config::Settings;
use wasmport_registry::{Config, LoadedPolicy, Server, StoreLocation};

use crate::raw::Tuned;
use crate::tls::{Authority, Pair, Speaker};

const RULES: &str = r#"
[[access.certificate]]
name = "builder"
subject = "O=Octo,CN=builder"
[[access.certificate]]
name = "reader"
san = "URI:spiffe://octo/reader"
[[access.rule]]
repositories = ["team/**"]
who = ["cert:builder"]
allow = ["pull", "push"]
[[access.rule]]
repositories = ["team/**"]
who = ["cert:reader"]
allow = ["pull"]
"#;

/// A registry that asks for certificates of `clients`.
async fn registry(authority: &Authority, clients: &Authority) -> Server {
    let mut tls = authority.issue("registry").settings();
    tls.client_ca = Some(clients.path());
    let policy = LoadedPolicy::load("preset:standard").unwrap();
    let addr = "127.0.0.1:0".parse().unwrap();
    let mut config = Config::new(addr, StoreLocation::Memory, policy);
    config.settings = Settings::parse("registry.toml".as_ref(), RULES).unwrap();
    config.settings.tls = Some(tls);
    Server::bind(config).await.unwrap()
}

fn named(params: &mut CertificateParams, organisation: &str, name: &str) {
    let subject = &mut params.distinguished_name;
    *subject = rcgen::DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject.push(DnType::OrganizationName, organisation);
}

fn builder(authority: &Authority) -> Pair {
    authority.issue_with("builder", |params| named(params, "Octo", "builder"))
}

/// The status that who shows this certificate gets for a push.
async fn push(
    registry: &Tuned,
    authority: &Authority,
    certificate: Option<&Pair>,
) -> std::io::Result<String> {
    let target = format!("/v2/team/app/blobs/uploads/?digest={}", Digest::of(b"x"));
    ask(registry, authority, certificate, "POST", &target).await
}

async fn ask(
    registry: &Tuned,
    authority: &Authority,
    certificate: Option<&Pair>,
    method: &str,
    target: &str,
) -> std::io::Result<String> {
    let mut speaker = Speaker::new(authority);
    speaker.certificate = certificate;
    let line = speaker.ask_for(registry, method, target, "x").await?;
    Ok(line.split(' ').nth(1).unwrap_or_default().to_owned())
}

#[tokio::test]
async fn the_owner_of_a_certificate_may_do_what_the_rules_say() {
    let authority = Authority::new();
    let registry = Tuned::of(registry(&authority, &authority).await);
    let builder = builder(&authority);
    let reader = authority.issue_with("reader", |params| {
        let uri = "spiffe://octo/reader".try_into().unwrap();
        params.subject_alt_names = vec![SanType::URI(uri)];
    });
    let stranger = authority.issue_with("stranger", |params| named(params, "Other", "builder"));
    let tags = "/v2/team/app/tags/list";
    // 404 is an answer to who may ask, before there is anything.
    for (certificate, list, pushed) in [
        (Some(&builder), "404", "201"),
        (Some(&reader), "200", "403"),
        (Some(&stranger), "401", "401"),
        (None, "401", "401"),
    ] {
        let listed = ask(&registry, &authority, certificate, "GET", tags).await;
        assert_eq!(listed.unwrap(), list);
        let answer = push(&registry, &authority, certificate).await;
        assert_eq!(answer.unwrap(), pushed);
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_good_is_refused_whatever_it_says() {
    let (authority, other) = (Authority::new(), Authority::new());
    let registry = Tuned::of(registry(&authority, &authority).await);
    let expired = authority.issue_with("expired", |params| {
        named(params, "Octo", "builder");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    for certificate in [&expired, &builder(&other)] {
        let asked = push(&registry, &authority, Some(certificate)).await;
        assert!(asked.is_err(), "{asked:?}");
    }
    let good = push(&registry, &authority, Some(&builder(&authority))).await;
    assert_eq!(good.unwrap(), "201");
}

#[tokio::test]
async fn other_authorities_count_after_a_reload() {
    let (authority, old, new) = (Authority::new(), Authority::new(), Authority::new());
    let server = registry(&authority, &old).await;
    let reloader = server.reloader();
    let registry = Tuned::of(server);
    let (before, after) = (builder(&old), builder(&new));
    assert_eq!(
        push(&registry, &authority, Some(&before)).await.unwrap(),
        "201"
    );
    assert!(push(&registry, &authority, Some(&after)).await.is_err());

    fs::write(old.path(), "no authority").unwrap();
    assert!(reloader.reload().await[0].error.is_some());
    assert_eq!(
        push(&registry, &authority, Some(&before)).await.unwrap(),
        "201"
    );

    fs::copy(new.path(), old.path()).unwrap();
    assert!(reloader.reload().await[0].error.is_none());
    assert!(push(&registry, &authority, Some(&before)).await.is_err());
    assert_eq!(
        push(&registry, &authority, Some(&after)).await.unwrap(),
        "201"
    );
}
