use super::*;
use crate::error::Kind;

const DENIED: &str =
    r#"{"errors":[{"code":"DENIED","message":"imports sockets","detail":{"findings":[1]}}]}"#;

#[test]
fn a_denial_keeps_the_errors_as_they_came() {
    let failure = from_status(403, None, DENIED.as_bytes());
    let Failure::Denied { message, errors } = failure else {
        panic!("{failure:?}")
    };
    assert_eq!(message, "DENIED imports sockets");
    let sent: Value = serde_json::from_str(DENIED).unwrap();
    assert_eq!(errors, sent["errors"]);
}

#[test]
fn each_status_has_its_kind() {
    for (status, kind) in [
        (400, Kind::Rejected),
        (401, Kind::Unauthorized),
        (403, Kind::Denied),
        (404, Kind::NotFound),
        (413, Kind::Rejected),
        (429, Kind::Busy),
        (500, Kind::Busy),
        (503, Kind::Busy),
    ] {
        assert_eq!(from_status(status, None, &[]).kind(), kind, "{status}");
    }
}

#[test]
fn a_body_that_is_not_json_is_cut_to_one_short_line() {
    let body = "<html>\n  <p>bad gateway</p>".to_owned() + &" x".repeat(1000);
    let message = message(502, &Value::Null, body.as_bytes());
    assert!(
        message.starts_with("<html> <p>bad gateway</p> x"),
        "{message}"
    );
    assert_eq!(message.chars().count(), 200);
}

#[test]
fn what_oci_client_takes_from_an_error_answer_is_found_again() {
    let envelope = serde_json::from_str(DENIED).unwrap();
    let url = String::new();
    let failure = from_oci(OciDistributionError::RegistryError { envelope, url });
    assert_eq!(failure.kind(), Kind::Denied);
    let url = String::new();
    let (code, message) = (403, DENIED.to_owned());
    let failure = from_oci(OciDistributionError::ServerError { code, url, message });
    assert_eq!(failure.kind(), Kind::Denied);
}
