use wasmport_artifact::{Selector, media_type};
use wasmport_client::{Access, Credentials, Kind};

use crate::stand_in::{Call, StandIn, access, answer, answer_with};

const MANIFEST: &[u8] = br#"{"schemaVersion":2,"config":{"mediaType":"x","size":2,
    "digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[]}"#;

fn tag() -> Selector {
    Selector::Tag("v1".parse().unwrap())
}

fn as_user() -> Access {
    let credentials = Credentials::Password {
        username: "me".to_owned(),
        password: "secret".to_owned(),
    };
    Access {
        credentials,
        ..access()
    }
}

/// `me:secret`
const BASIC: &str = "Basic bWU6c2VjcmV0";

/// A registry that wants a user name and password with each request.
async fn basic() -> StandIn {
    let stand_in = StandIn::with(|call: &Call, _| {
        let challenge = [("www-authenticate", r#"Basic realm="Registry""#)];
        let knows = call.authorization.as_deref() == Some(BASIC);
        (!knows).then(|| answer_with(401, &challenge, ""))
    });
    let stand_in = stand_in.await;
    stand_in.hold_manifest("v1", media_type::IMAGE_MANIFEST, MANIFEST);
    stand_in
}

/// A registry that wants a token, which it gives to `me` itself. Each token is good for
/// so many requests.
async fn with_tokens(requests: usize) -> StandIn {
    let state = std::sync::Mutex::new((0, 0));
    let stand_in = StandIn::with(move |call: &Call, _| {
        let mut state = state.lock().unwrap();
        let (issued, used) = &mut *state;
        if call.path.starts_with("/token") {
            if call.authorization.as_deref() != Some(BASIC) {
                return Some(answer(401, "who are you?"));
            }
            (*issued, *used) = (*issued + 1, 0);
            return Some(answer(200, format!(r#"{{"token":"t{issued}"}}"#)));
        }
        let good = format!("Bearer t{issued}");
        if call.authorization.as_ref() == Some(&good) && *used < requests {
            *used += 1;
            return None;
        }
        let host = call.host.as_deref().unwrap();
        let challenge = format!(r#"Bearer realm="http://{host}/token",service="test""#);
        Some(answer_with(401, &[("www-authenticate", &challenge)], ""))
    });
    let stand_in = stand_in.await;
    stand_in.hold_manifest("v1", media_type::IMAGE_MANIFEST, MANIFEST);
    stand_in
}

#[tokio::test]
async fn without_credentials_a_closed_registry_says_unauthorized() {
    let registry = basic().await.connect().await;
    let error = registry.get_manifest(&tag()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unauthorized);
    assert!(error.hint().unwrap().contains("log in"));
}

#[tokio::test]
async fn a_user_name_and_password_open_it() {
    let registry = basic().await.connect_with(&as_user()).await.unwrap();
    registry.get_manifest(&tag()).await.unwrap();
}

#[tokio::test]
async fn credentials_come_from_dockers_config() {
    let stand_in = basic().await;
    let directory = tempfile::tempdir().unwrap();
    let config = format!(
        r#"{{"auths":{{"{}":{{"auth":"bWU6c2VjcmV0"}}}}}}"#,
        stand_in.host()
    );
    std::fs::write(directory.path().join("config.json"), config).unwrap();
    let directory = directory.path().to_owned();
    let credentials = Credentials::Docker { directory };
    let access = Access {
        credentials,
        ..access()
    };
    let registry = stand_in.connect_with(&access).await.unwrap();
    registry.get_manifest(&tag()).await.unwrap();
}

#[tokio::test]
async fn a_broken_docker_config_is_an_error_before_anything_is_sent() {
    let stand_in = basic().await;
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("config.json"), "{").unwrap();
    let directory = directory.path().to_owned();
    let credentials = Credentials::Docker { directory };
    let access = Access {
        credentials,
        ..access()
    };
    let error = stand_in.connect_with(&access).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Credentials);
    assert!(stand_in.calls().is_empty());
}

#[tokio::test]
async fn a_token_is_fetched_once_and_carried_by_every_request() {
    let stand_in = with_tokens(100).await;
    let registry = stand_in.connect_with(&as_user()).await.unwrap();
    registry.get_manifest(&tag()).await.unwrap();
    registry.get_manifest(&tag()).await.unwrap();
    assert_eq!(stand_in.count("GET", "/token"), 1);
    let asked = stand_in
        .calls()
        .into_iter()
        .find(|call| call.is("GET", "/token"))
        .unwrap();
    assert!(
        asked.path.contains("scope=repository%3Ateam%2Fapp%3Apull"),
        "{}",
        asked.path
    );
}

#[tokio::test]
async fn a_token_that_is_no_longer_good_is_replaced() {
    let stand_in = with_tokens(1).await;
    let registry = stand_in.connect_with(&as_user()).await.unwrap();
    registry.get_manifest(&tag()).await.unwrap();
    registry.get_manifest(&tag()).await.unwrap();
    assert_eq!(stand_in.count("GET", "/token"), 2);
}

#[tokio::test]
async fn a_new_token_that_is_refused_is_the_end() {
    let stand_in = with_tokens(0).await;
    let registry = stand_in.connect_with(&as_user()).await.unwrap();
    let error = registry.get_manifest(&tag()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unauthorized);
    assert_eq!(stand_in.count("GET", "/token"), 1);
}

#[tokio::test]
async fn a_wrong_password_is_told_by_the_token_server() {
    let stand_in = with_tokens(100).await;
    let credentials = Credentials::Password {
        username: "me".to_owned(),
        password: "wrong".to_owned(),
    };
    let access = Access {
        credentials,
        ..access()
    };
    let registry = stand_in.connect_with(&access).await.unwrap();
    let error = registry.get_manifest(&tag()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unauthorized);
    assert!(
        error.failure().to_string().contains("who are you?"),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_upload_elsewhere_goes_without_credentials() {
    let elsewhere = StandIn::start().await;
    let location = format!("http://{}/v2/team/app/blobs/uploads/1", elsewhere.host());
    let registry = StandIn::with(move |call: &Call, _| {
        let challenge = [("www-authenticate", r#"Basic realm="Registry""#)];
        if call.authorization.as_deref() != Some(BASIC) {
            return Some(answer_with(401, &challenge, ""));
        }
        let redirect = [("location", location.as_str())];
        call.is("POST", "/uploads/")
            .then(|| answer_with(202, &redirect, ""))
    });
    let registry = registry.await.connect_with(&as_user()).await.unwrap();
    let blob = wasmport_artifact::Descriptor::of("application/octet-stream", b"content");
    let content = bytes::Bytes::from_static(b"content");
    registry.push_blob_bytes(&blob, &content).await.unwrap();
    assert_eq!(elsewhere.blob(&blob.digest).unwrap(), "content");
    assert!(
        elsewhere
            .calls()
            .iter()
            .all(|call| call.authorization.is_none())
    );
}

#[tokio::test]
async fn credentials_are_not_sent_in_plain_text_over_a_network() {
    let stand_in = StandIn::with(|_: &Call, _| {
        let challenge = r#"Bearer realm="http://192.0.2.1/token",service="test""#;
        Some(answer_with(401, &[("www-authenticate", challenge)], ""))
    });
    let registry = stand_in.await.connect_with(&as_user()).await.unwrap();
    let error = registry.get_manifest(&tag()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Tls);
    assert!(
        error.failure().to_string().contains("192.0.2.1"),
        "{error:?}"
    );
}
