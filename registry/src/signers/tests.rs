//! Which signers are refused when a policy is loaded.

use crate::policy_file::{LoadPolicyError, LoadedPolicy};

use super::*;

/// Loads a policy with these signers, beside a trusted root.
fn load(rest: &str) -> Result<LoadedPolicy, LoadSignerError> {
    let directory = tempfile::tempdir().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/signatures");
    fs::copy(
        folder.join("trusted-root.json"),
        directory.path().join("root.json"),
    )
    .unwrap();
    fs::write(directory.path().join("junk.json"), "{}").unwrap();
    let path = directory.path().join("policy.toml");
    fs::write(&path, format!("schema = 1\n{rest}")).unwrap();
    match LoadedPolicy::load(path.to_str().unwrap()) {
        Ok(loaded) => Ok(loaded),
        Err(LoadPolicyError::Signer(error)) => Err(error),
        Err(error) => panic!("{error}"),
    }
}

fn signer(name: &str, identity: &str, root: &str) -> String {
    format!(
        "[signer.{name}]\nissuer = \"https://issuer.example\"\nidentity = \"{identity}\"\n\
         trusted-root = \"{root}\"\n"
    )
}

fn rule(signatures: &str) -> String {
    format!("[[rule]]\nid = \"a\"\nrepositories = [\"**\"]\n{signatures}\n")
}

const BOTH: &str = "from = [\"company\", \"release\"]";

/// A signer that could be the other.
fn two() -> String {
    let company = signer("company", "https://git.example/acme/**", "root.json");
    let release = signer("release", "https://git.example/acme/app/*", "root.json");
    format!("{company}{release}")
}

#[test]
fn signers_of_one_root_share_it() {
    let loaded = load(&two()).unwrap();
    let roots = loaded.trust.iter().map(|(_, authority)| match authority {
        Authority::Identity(identity) => Arc::as_ptr(&identity.root),
        Authority::Key(_) => panic!("expected an identity"),
    });
    let roots: BTreeSet<_> = roots.collect();
    assert_eq!(roots.len(), 1);
}

#[test]
fn a_root_that_is_not_there_or_none_is_named_with_its_signer() {
    let identity = "https://git.example/acme/app";
    let error = load(&signer("ci", identity, "none.json")).unwrap_err();
    let words = error.to_string();
    assert!(
        matches!(error, LoadSignerError::Read { .. }) && words.contains("none.json"),
        "{words}"
    );
    assert!(
        words.contains("the trusted root of the signer `ci`"),
        "{words}"
    );
    let error = load(&signer("ci", identity, "junk.json")).unwrap_err();
    assert!(
        matches!(error, LoadSignerError::TrustedRoot { .. }),
        "{error}"
    );
}

#[test]
fn one_identity_that_could_count_twice_is_refused_where_two_must_sign() {
    for counted in [
        rule(&format!("signatures = {{ require = 2, {BOTH} }}")),
        rule(&format!(
            "attestations = [{{ predicate = \"https://a.example/v1\", require = 2, {BOTH} }}]"
        )),
    ] {
        let error = load(&format!("{counted}{}", two())).unwrap_err();
        let LoadSignerError::SameIdentity { first, second, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!([first, second], ["company", "release"]);
        assert!(error.to_string().contains("policy.toml:5:"), "{error}");
    }
}

#[test]
fn identities_may_overlap_where_one_is_enough_or_only_one_is_asked() {
    for counted in [
        rule(&format!("signatures = {{ require = 1, {BOTH} }}")),
        rule("signatures = { require = 1, from = [\"release\"] }"),
    ] {
        load(&format!("{counted}{}", two())).unwrap();
    }
    let mail = signer("release", "*@acme.dev", "root.json");
    let company = signer("company", "https://git.example/acme/**", "root.json");
    let counted = rule(&format!("signatures = {{ require = 2, {BOTH} }}"));
    load(&format!("{counted}{company}{mail}")).unwrap();
}
