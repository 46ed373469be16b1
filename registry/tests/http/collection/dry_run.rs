//! Whatever was pushed and deleted: a dry run says what the run after it does.

use std::time::Duration;

use proptest::prelude::*;
use wasmport_registry::storage::{CollectOptions, Collected, Store};

use super::{NOW, collect, push_index};
use crate::artifact::Artifact;
use crate::registry::Registry;

const REPOSITORIES: [&str; 2] = ["app", "app-b"];

/// What each artifact is about: some are about those that are about others.
const SUBJECTS: [Option<usize>; 8] = [
    None,
    None,
    Some(0),
    Some(2),
    Some(3),
    Some(1),
    Some(5),
    Some(0),
];

/// Something that a client does, with the number of a repository, of an artifact and of a tag.
#[derive(Clone, Copy, Debug)]
enum Step {
    Push(usize, usize, Option<usize>),
    PushIndex(usize, usize, Option<usize>),
    /// Under the tag in which cosign looks for signatures of another artifact.
    PushSignature(usize, usize, usize),
    DeleteManifest(usize, usize),
    DeleteTag(usize, usize),
    PushBlob(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let repository = || 0..REPOSITORIES.len();
    let artifact = || 0..SUBJECTS.len();
    let tag = || proptest::option::of(0..3_usize);
    prop_oneof![
        5 => (repository(), artifact(), tag()).prop_map(|(at, it, tag)| Step::Push(at, it, tag)),
        1 => (repository(), artifact(), tag()).prop_map(|(at, it, tag)| Step::PushIndex(at, it, tag)),
        1 => (repository(), artifact(), artifact())
            .prop_map(|(at, it, of)| Step::PushSignature(at, it, of)),
        4 => (repository(), artifact()).prop_map(|(at, it)| Step::DeleteManifest(at, it)),
        2 => (repository(), 0..3_usize).prop_map(|(at, tag)| Step::DeleteTag(at, tag)),
        1 => (repository(), artifact()).prop_map(|(at, it)| Step::PushBlob(at, it)),
    ]
}

fn artifact(number: usize) -> Artifact {
    let subject = SUBJECTS[number].map(|subject| artifact(subject).descriptor());
    let kind = subject.is_some().then_some("application/vnd.test");
    Artifact::other(number.to_string().as_bytes(), subject, kind)
}

async fn take(registry: &Registry, step: Step) {
    let name = |tag: Option<usize>, digest: &str| {
        tag.map_or(digest.to_owned(), |tag| format!("tag-{tag}"))
    };
    match step {
        Step::Push(at, it, tag) => {
            let artifact = artifact(it);
            let reference = name(tag, artifact.digest().as_str());
            let answer = registry.push(REPOSITORIES[at], &reference, &artifact).await;
            assert_eq!(answer.status, 201, "{}", answer.text());
        }
        Step::PushIndex(at, of, tag) => {
            let reference = name(tag, "");
            push_index(registry, REPOSITORIES[at], &reference, &artifact(of)).await;
        }
        Step::PushSignature(at, it, of) => {
            let tag = format!("sha256-{}.sig", artifact(of).digest().hex());
            let answer = registry.push(REPOSITORIES[at], &tag, &artifact(it)).await;
            assert_eq!(answer.status, 201, "{}", answer.text());
        }
        Step::DeleteManifest(at, it) => {
            let (at, digest) = (REPOSITORIES[at], artifact(it).digest());
            let path = format!("/v2/{at}/manifests/{digest}");
            registry.send("DELETE", &path, "").await;
        }
        Step::DeleteTag(at, tag) => {
            let path = format!("/v2/{}/manifests/tag-{tag}", REPOSITORIES[at]);
            registry.send("DELETE", &path, "").await;
        }
        Step::PushBlob(at, number) => {
            let bytes = format!("nobody uses {number}");
            registry.push_blob(REPOSITORIES[at], bytes.as_bytes()).await;
        }
    }
}

/// What a run says, but for how and when it came to say so.
fn said(run: Collected) -> Collected {
    Collected {
        dry_run: false,
        began: 0,
        seconds: 0.0,
        examined: 0,
        ..run
    }
}

async fn check(steps: &[Step], untagged_after: Option<Duration>) {
    let store = Store::in_memory();
    let registry = Registry::over_store(store.clone()).await;
    for step in steps {
        take(&registry, *step).await;
    }
    let real = CollectOptions {
        untagged_after,
        ..NOW
    };
    let dry = CollectOptions {
        dry_run: true,
        ..real
    };
    let would = said(collect(&store, dry).await);
    let again = said(collect(&store, dry).await);
    assert_eq!(would, again, "a dry run changes nothing");
    assert_eq!(would, said(collect(&store, real).await));
    registry.stop().await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_dry_run_says_what_the_run_after_it_does(
        steps in proptest::collection::vec(step(), 1..24),
        untagged in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(check(&steps, untagged.then_some(Duration::ZERO)));
    }
}

#[tokio::test]
async fn a_signature_of_a_signature_goes_with_it_in_a_dry_run_too() {
    // Artifact 0 is not there. Its signature, artifact 3, has one itself.
    let steps = [Step::PushSignature(0, 4, 3), Step::PushSignature(0, 3, 0)];
    check(&steps, None).await;
}
