use super::*;

const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

#[test]
fn parsing_and_printing_give_the_same_text() {
    let texts = [
        "localhost/app:1".to_owned(),
        "localhost:5000/team/app:v1.0".to_owned(),
        "[::1]:5000/a/b/c:x".to_owned(),
        format!("ghcr.io/team/app@{DIGEST}"),
        format!("ghcr.io/team/app:v1@{DIGEST}"),
    ];
    for text in texts {
        assert_eq!(text.parse::<Reference>().unwrap().to_string(), text);
    }
}

#[test]
fn the_oci_scheme_is_understood() {
    let reference: Reference = "oci://localhost:5000/app:1".parse().unwrap();
    assert_eq!(reference.to_string(), "localhost:5000/app:1");
}

#[test]
fn each_missing_part_has_its_own_error() {
    let parse = |text: &str| text.parse::<Reference>().unwrap_err();
    assert!(matches!(parse("app:1"), ReferenceError::NoRegistry(_)));
    assert!(matches!(parse("team/app:1"), ReferenceError::NoRegistry(_)));
    assert!(matches!(
        parse("localhost:5000/app"),
        ReferenceError::NoSelector(_)
    ));
    assert!(matches!(
        parse("localhost:5000/App:1"),
        ReferenceError::Repository(_)
    ));
    assert!(matches!(
        parse("localhost:5000/app:1+2"),
        ReferenceError::Tag(_)
    ));
    assert!(matches!(
        parse("localhost:5000/app@sha256:1"),
        ReferenceError::Digest(_)
    ));
    assert!(matches!(
        parse("host:port/app:1"),
        ReferenceError::Registry(_)
    ));
    assert!(matches!(parse("a@b.c/app:1"), ReferenceError::Registry(_)));
}

#[test]
fn loopback_hosts_are_known() {
    for (text, expected) in [
        ("localhost/a:1", true),
        ("registry.localhost:80/a:1", true),
        ("127.0.0.1:5000/a:1", true),
        ("127.9.9.9:5000/a:1", true),
        ("[::1]:5000/a:1", true),
        ("localhost.example.com/a:1", false),
        ("10.0.0.1:5000/a:1", false),
    ] {
        assert_eq!(
            text.parse::<Reference>().unwrap().is_loopback(),
            expected,
            "{text}"
        );
    }
}

#[test]
fn a_selector_with_a_colon_is_a_digest() {
    assert!(matches!(DIGEST.parse(), Ok(Selector::Digest(_))));
    assert!(matches!("v1".parse(), Ok(Selector::Tag(_))));
    assert!("sha256:bad".parse::<Selector>().is_err());
}
