//! Robots: made, used and revoked.

use serde_json::json;

use super::guarded;
use crate::registry::{Answer, Registry};

const ROBOTS: &str = "/_wasmport/v1/robots";

async fn create(registry: &Registry, name: &str) -> String {
    let wanted = json!({
        "name": name,
        "rules": [{ "repositories": ["team/*"], "allow": ["pull"] }],
    });
    let request = registry.as_user("root", "POST", ROBOTS);
    let answer = Answer::of(request.body(wanted.to_string())).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_robot_does_what_it_was_made_for_until_it_is_revoked() {
    let registry = guarded("").await;
    registry.push_as("alice", "team/app").await;
    let robot = create(&registry, "ci").await;
    let path = "/v2/team/app/manifests/1.0";
    let basic = || {
        registry
            .request("GET", path)
            .basic_auth("anything", Some(&robot))
    };
    assert_eq!(Answer::of(basic()).await.status, 200);
    let put = registry.request("PUT", path).bearer_auth(&robot);
    assert_eq!(Answer::of(put).await.status, 403);
    let form = format!(
        "grant_type=refresh_token&refresh_token={robot}&service=wasmport&scope=repository:team/app:pull"
    );
    let token = registry.send("POST", "/token", form).await.json();
    let token = token["token"].as_str().unwrap().to_owned();
    let bearer = || registry.request("GET", path).bearer_auth(&token);
    assert_eq!(Answer::of(bearer()).await.status, 200);

    let list = Answer::of(registry.as_user("root", "GET", ROBOTS)).await;
    assert_eq!(list.json()["robots"][0]["name"], "ci");
    assert!(!list.text().contains(&robot), "the token was shown once");
    let one = format!("{ROBOTS}/ci");
    assert_eq!(
        Answer::of(registry.as_user("alice", "DELETE", &one))
            .await
            .status,
        403
    );
    assert_eq!(
        Answer::of(registry.as_user("root", "DELETE", &one))
            .await
            .status,
        204
    );
    assert_eq!(Answer::of(basic()).await.status, 401);
    assert_eq!(
        Answer::of(bearer()).await.status,
        401,
        "the token that it got is nothing, too"
    );
    // Another one of its name does not bring the old token back.
    create(&registry, "ci").await;
    assert_eq!(Answer::of(basic()).await.status, 401);
    assert_eq!(Answer::of(bearer()).await.status, 401);
}

#[tokio::test]
async fn a_robot_is_made_by_who_administers_and_as_it_should_be() {
    let registry = guarded("").await;
    create(&registry, "ci").await;
    for (user, wanted, status) in [
        ("alice", json!({ "name": "x" }), 403),
        ("root", json!({ "name": "ci" }), 409),
        ("root", json!({ "name": "../x" }), 400),
        ("root", json!({ "name": "" }), 400),
        ("root", json!({ "name": "x", "power": "all" }), 400),
        (
            "root",
            json!({ "name": "x", "expires": "2001-01-01T00:00:00Z" }),
            400,
        ),
        (
            "root",
            json!({ "name": "x", "rules": [{ "repositories": ["**x"], "allow": [] }] }),
            400,
        ),
    ] {
        let request = registry
            .as_user(user, "POST", ROBOTS)
            .body(wanted.to_string());
        assert_eq!(Answer::of(request).await.status, status, "{wanted}");
    }
    let forged = "wasmport-robot.ci.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let request = registry.request("GET", "/v2/").bearer_auth(forged);
    assert_eq!(Answer::of(request).await.status, 401);
}
