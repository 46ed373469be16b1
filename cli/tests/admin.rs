//! `wasmport admin` against a registry with users and rules.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod command;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use command::{Answer, Registry, Sandbox};
use serde_json::{Value, json};

const HELLO: &str = r#"(component
    (import "wasi:cli/stdout@0.2.6" (instance (export "get-stdout" (func)))))"#;

const CONFIGURATION: &str = r#"
[server]
addr = "127.0.0.1:0"
[store]
directory = "store"
[access]
htpasswd = "users"
[[access.rule]]
repositories = ["**"]
who = ["user:root"]
allow = ["admin"]
[[access.rule]]
repositories = ["**"]
who = ["user:alice"]
allow = ["pull", "push"]
[[repository]]
repositories = ["team/**"]
quota = { bytes = "1 MiB" }
"#;

/// bcrypt of `alice-secret` and `root-secret`, at the lowest cost.
const USERS: &str = "\
alice:$2b$04$abcdefghijklmnopqrstuuHCSenwm8buK215m4R4q2ZmPL95d0lX2
root:$2b$04$abcdefghijklmnopqrstuuqWyIxCXjqFrb4XvO66rJGDGIEwV4BSe
";

/// base64 of `alice:alice-secret` and `root:root-secret`, as `docker login` stores them.
const ALICE: &str = "YWxpY2U6YWxpY2Utc2VjcmV0";
const ROOT: &str = "cm9vdDpyb290LXNlY3JldA==";

struct Place {
    sandbox: Sandbox,
    registry: Registry,
}

impl Place {
    fn guarded() -> Self {
        let sandbox = Sandbox::new();
        sandbox.write("registry.toml", CONFIGURATION);
        sandbox.write("users", USERS);
        sandbox.write_wasm("hello.wasm", HELLO);
        let words = ["serve", "--config", "registry.toml"];
        let registry = Registry::spawn(&mut sandbox.command(&words));
        for (user, login) in [("alice", ALICE), ("root", ROOT)] {
            let content = json!({ "auths": { &registry.address: { "auth": login } } });
            sandbox.write(&format!("{user}/config.json"), content.to_string());
        }
        Self { sandbox, registry }
    }

    /// What a command answers somebody, who is logged in as `docker login` does it.
    fn run_as(&self, user: &str, words: &[&str]) -> Answer {
        let mut command = self.sandbox.command(words);
        Answer::of(command.env("DOCKER_CONFIG", self.sandbox.path().join(user)))
    }

    fn json_as(&self, user: &str, words: &[&str]) -> Value {
        let answer = self.run_as(user, &[words, &["--format", "json"]].concat());
        assert_eq!(answer.code, 0, "{words:?}: {answer:?}");
        answer.json()
    }

    fn push_as(&self, user: &str, reference: &str) -> Answer {
        let reference = self.registry.reference(reference);
        self.run_as(user, &["push", "hello.wasm", &reference])
    }
}

#[test]
fn only_who_may_administer_gets_an_answer() {
    let place = Place::guarded();
    let host = place.registry.address.as_str();
    let quota = format!("{host}/team/app");
    let commands: [&[&str]; 7] = [
        &["admin", "reload", host],
        &["admin", "gc", host, "--dry-run"],
        &["admin", "quota", &quota],
        &["admin", "audit", host],
        &["admin", "robot", "create", host, "ci"],
        &["admin", "robot", "list", host],
        &["admin", "robot", "revoke", host, "ci"],
    ];
    for words in commands {
        let words = [words, &["--format", "json"]].concat();
        for (user, code, kind) in [("alice", 1, "denied"), ("nobody", 3, "unauthorized")] {
            let answer = place.run_as(user, &words);
            assert_eq!(answer.code, code, "{words:?} as {user}: {answer:?}");
            let error = answer.json()["error"].clone();
            assert_eq!(error["kind"], kind, "{words:?} as {user}: {answer:?}");
            assert!(error["hint"].is_string(), "{words:?} as {user}: {answer:?}");
        }
    }
    let robots = place.json_as("root", &["admin", "robot", "list", host]);
    assert_eq!(robots["robots"], json!([]));
}

#[test]
fn the_collector_runs_when_it_is_told_to() {
    let place = Place::guarded();
    let host = place.registry.address.as_str();
    assert_eq!(place.push_as("alice", "team/app:1.0").code, 0);
    let too_soon = place.run_as("root", &["admin", "gc", host]);
    assert_eq!(too_soon.code, 2, "{too_soon:?}");
    assert!(too_soon.stderr.contains("give a grace"), "{too_soon:?}");
    let told = place.json_as("root", &["admin", "gc", host, "--dry-run"]);
    assert_eq!(told["command"], "admin gc");
    assert_eq!(told["collected"]["dryRun"], true);
    let done = place.run_as("root", &["admin", "gc", host, "--grace", "0s"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.stdout.contains("removed 0 manifests"), "{done:?}");
    let audit = place.json_as("root", &["admin", "audit", host]);
    let lines = audit["lines"].as_array().unwrap().iter();
    let runs = lines.filter(|line| line["action"] == "gc" && line["who"] == "user:root");
    let verdicts: Vec<_> = runs.map(|line| line["verdict"].clone()).collect();
    assert_eq!(verdicts, ["refused", "dry-run", "done"]);
    let last = place.json_as("root", &["admin", "gc", host, "--last"]);
    let runs: Vec<_> = last["runs"].as_array().unwrap().iter().collect();
    assert_eq!(runs.len(), 2, "{last}");
    assert_eq!(
        [&runs[0]["dryRun"], &runs[1]["dryRun"]],
        [&json!(false), &json!(true)]
    );
    let text = place.run_as("root", &["admin", "gc", host, "--last"]);
    assert_eq!(text.stdout.lines().count(), 2, "{text:?}");
}

#[test]
fn a_reload_says_what_was_taken_and_what_was_not() {
    let place = Place::guarded();
    let host = place.registry.address.as_str();
    let reload = ["admin", "reload", host];
    let results = |answer: &Value| {
        let of = |one: &Value| {
            let (what, result) = (one["what"].as_str(), one["result"].as_str());
            (what.unwrap().to_owned(), result.unwrap().to_owned())
        };
        let all: Vec<_> = answer["reloaded"]
            .as_array()
            .unwrap()
            .iter()
            .map(of)
            .collect();
        all
    };
    let taken = |what: &str| (what.to_owned(), "taken".to_owned());
    let all = ["settings", "policy", "access"].map(taken);
    assert_eq!(results(&place.json_as("root", &reload)), all);

    place.sandbox.write(
        "registry.toml",
        CONFIGURATION.replace("[store]", "drain-delay = \"1s\"\n[store]"),
    );
    let told = place.json_as("root", &reload);
    assert_eq!(
        results(&told)[3],
        ("server".to_owned(), "restart".to_owned())
    );

    place.sandbox.write("users", "no htpasswd");
    let kept = place.run_as("root", &reload);
    assert_eq!(kept.code, 1, "{kept:?}");
    assert!(kept.stdout.contains("access       kept: "), "{kept:?}");
    // Root is still known, by the file of before.
    let audit = place.json_as("root", &["admin", "audit", host]);
    let lines = audit["lines"].as_array().unwrap();
    let is_told = |line: &Value| {
        line["action"] == "reload" && line["reference"] == "access" && line["verdict"] == "kept"
    };
    let line = lines.iter().find(|line| is_told(line)).unwrap();
    assert_eq!(line["who"], "user:root");
}

#[test]
fn a_quota_says_what_is_used_and_what_may_be() {
    let place = Place::guarded();
    assert_eq!(place.push_as("alice", "team/app:1.0").code, 0);
    assert_eq!(place.push_as("alice", "free:1.0").code, 0);
    let quota = |name: &str| {
        let name = place.registry.reference(name);
        place.json_as("root", &["admin", "quota", &name])
    };
    let limited = quota("team/app");
    assert_eq!(limited["repository"], "team/app");
    assert_eq!(limited["used"]["artifacts"], 1);
    assert_eq!(
        limited["quota"],
        json!({ "bytes": 1 << 20, "artifacts": null })
    );
    let free = quota("free");
    assert_eq!(free["used"], limited["used"]);
    assert_eq!(free["quota"], json!({ "bytes": null, "artifacts": null }));
}

#[test]
fn a_robot_pushes_until_it_is_revoked() {
    let place = Place::guarded();
    let host = place.registry.address.as_str();
    let create = ["admin", "robot", "create", host, "ci"];
    let allow = ["--allow", "apps/**=pull,push"];
    let made = place.run_as("root", &[&create[..], &allow].concat());
    assert_eq!(made.code, 0, "{made:?}");
    let token = made.stdout.trim_end();
    assert!(
        !token.contains(char::is_whitespace) && !made.stderr.contains(token),
        "{made:?}"
    );
    let again = place.run_as("root", &create);
    assert_eq!(again.code, 2, "{again:?}");
    assert!(again.stdout.is_empty(), "{again:?}");

    let login = json!({ "auths": { host: { "username": "x", "password": token } } });
    place.sandbox.write("ci/config.json", login.to_string());
    assert_eq!(place.push_as("ci", "apps/one:1").code, 0);
    assert_ne!(place.push_as("ci", "team/one:1").code, 0);

    let robots = place.json_as("root", &["admin", "robot", "list", host]);
    let rules = json!([{ "repositories": ["apps/**"], "allow": ["pull", "push"] }]);
    assert_eq!(robots["robots"][0]["rules"], rules);
    assert!(!robots.to_string().contains(token));
    let revoke = ["admin", "robot", "revoke", host, "ci"];
    assert_eq!(
        place.json_as("root", &revoke)["command"],
        "admin robot revoke"
    );
    assert_eq!(place.push_as("ci", "apps/two:1").code, 3);
    let gone = place.run_as("root", &revoke);
    assert_eq!(gone.code, 3, "{gone:?}");
    assert!(gone.stderr.contains("there is no robot `ci`"), "{gone:?}");

    let audit = place.json_as("root", &["admin", "audit", host]);
    let lines = audit["lines"].as_array().unwrap();
    let is = |line: &&Value, verdict: &str| line["reference"] == "ci" && line["verdict"] == verdict;
    assert!(lines.iter().any(|line| is(&line, "created")), "{audit}");
    assert!(lines.iter().any(|line| is(&line, "revoked")), "{audit}");
    let last = place.run_as("root", &["admin", "audit", host, "--last", "1"]);
    assert_eq!(last.stdout.lines().count(), 1, "{last:?}");
}

#[test]
fn a_robot_of_json_has_its_token_in_a_field() {
    let place = Place::guarded();
    let host = place.registry.address.as_str();
    let expires = ["--expires", "2999-01-01T00:00:00Z"];
    let create = ["admin", "robot", "create", host, "ci"];
    let made = place.json_as("root", &[&create[..], &expires].concat());
    assert_eq!(made["name"], "ci");
    assert_eq!(made["creator"], "user:root");
    assert_eq!(made["expires"], "2999-01-01T00:00:00Z");
    assert!(made["token"].as_str().unwrap().len() > 20, "{made}");
    for name in ["../gc", "a/b", "CI", ""] {
        let words = ["admin", "robot", "revoke", host, name];
        assert_eq!(place.run_as("root", &words).code, 2, "{name}");
    }
}

/// A server that is no registry of ours gives one request the answer `response`.
fn somebody_else(response: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _read = stream.read(&mut request).unwrap();
            let length = response.len();
            let status = if response.starts_with('<') {
                "200 OK"
            } else {
                "404 Not Found"
            };
            write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{response}"
            )
            .unwrap();
        }
    });
    address
}

#[test]
fn another_registry_is_told_from_ours() {
    let sandbox = Sandbox::new();
    for response in ["404 page not found", "<html>welcome</html>"] {
        let host = somebody_else(response);
        for words in [
            &["admin", "audit", &host][..],
            &["admin", "gc", &host],
            &["admin", "robot", "list", &host],
        ] {
            let answer = sandbox.run(&[words, &["--format", "json"]].concat());
            assert_eq!(answer.code, 3, "{answer:?}");
            let error = answer.json()["error"].clone();
            assert_eq!(error["kind"], "registry");
            let hint = error["hint"].as_str().unwrap();
            assert!(hint.contains("wasmport serve"), "{hint}");
        }
    }
}
