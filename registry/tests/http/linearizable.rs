//! Tags are linearizable: clients move, swap, delete and read a few at once, and what they were
//! answered could have come from one register each.

mod checker;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::join_all;
use wasmport_artifact::media_type;

use crate::artifact::Artifact;
use crate::random::{Random, seed};
use crate::registry::{Answer, Registry};
use checker::{Call, Operation, Value, is_linearizable};

const TAGS: [&str; 3] = ["latest", "stable", "1.0"];
const CLIENTS: u64 = 6;
const CALLS: usize = 40;

/// The moments at which requests are sent and answered, in their order.
static MOMENT: AtomicU64 = AtomicU64::new(0);

struct Client {
    registry: Arc<Registry>,
    random: Random,
    number: u32,
    /// What it saw last, by tag.
    seen: [Value; TAGS.len()],
    /// What it did, by tag.
    calls: [Vec<Call>; TAGS.len()],
}

/// Each value is a manifest of its own over the same blobs.
fn artifact(value: u32) -> Artifact {
    let kind = format!("application/vnd.value.v{value}");
    Artifact::other(b"layer", None, Some(&kind))
}

fn value_of(answer: &Answer) -> Value {
    if answer.status == 404 {
        return None;
    }
    assert_eq!(answer.status, 200, "{}", answer.text());
    let kind = answer.json()["artifactType"].as_str().unwrap().to_owned();
    let number = kind.strip_prefix("application/vnd.value.v").unwrap();
    Some(number.parse().unwrap())
}

impl Client {
    async fn work(mut self) -> Self {
        for _ in 0..CALLS {
            let at = usize::try_from(self.random.below(TAGS.len() as u64)).unwrap();
            let called = MOMENT.fetch_add(1, Ordering::SeqCst);
            let operation = match self.random.below(10) {
                0..3 => self.write(at).await,
                3..5 => self.swap(at).await,
                5 => self.delete(at).await,
                _ => self.read(at).await,
            };
            let answered = MOMENT.fetch_add(1, Ordering::SeqCst);
            self.calls[at].push(Call {
                operation,
                called,
                answered,
            });
        }
        self
    }

    fn path(at: usize) -> String {
        format!("/v2/app/manifests/{}", TAGS[at])
    }

    fn next(&mut self) -> u32 {
        self.number += u32::try_from(CLIENTS).unwrap();
        self.number
    }

    async fn put(&self, at: usize, value: u32, condition: Option<(&str, String)>) -> Answer {
        let request = self.registry.request("PUT", &Self::path(at));
        let mut request = request.header("content-type", media_type::IMAGE_MANIFEST);
        if let Some((name, value)) = condition {
            request = request.header(name, value);
        }
        Answer::of(request.body(artifact(value).manifest)).await
    }

    async fn write(&mut self, at: usize) -> Operation {
        let value = self.next();
        let answer = self.put(at, value, None).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        self.seen[at] = Some(value);
        Operation::Write(value)
    }

    async fn swap(&mut self, at: usize) -> Operation {
        let (from, to) = (self.seen[at], self.next());
        let condition = match from {
            Some(from) => ("if-match", format!("\"{}\"", artifact(from).digest())),
            None => ("if-none-match", "*".to_owned()),
        };
        let answer = self.put(at, to, Some(condition)).await;
        let done = answer.status == 201;
        assert!(done || answer.status == 412, "{}", answer.text());
        if done {
            self.seen[at] = Some(to);
        }
        Operation::Swap { from, to, done }
    }

    async fn delete(&mut self, at: usize) -> Operation {
        let answer = self.registry.send("DELETE", &Self::path(at), "").await;
        assert!(
            matches!(answer.status.as_u16(), 202 | 404),
            "{}",
            answer.text()
        );
        self.seen[at] = None;
        Operation::Delete(answer.status == 202)
    }

    async fn read(&mut self, at: usize) -> Operation {
        let value = value_of(&self.registry.get(&Self::path(at)).await);
        self.seen[at] = value;
        Operation::Read(value)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_are_linearizable() {
    let seed = seed();
    let mut random = Random::new(seed);
    let registry = Arc::new(Registry::start().await);
    for blob in &artifact(0).blobs {
        registry.push_blob("app", blob).await;
    }
    let clients = (0..u32::try_from(CLIENTS).unwrap()).map(|number| {
        let client = Client {
            registry: Arc::clone(&registry),
            random: random.fork(),
            number,
            seen: [None; TAGS.len()],
            calls: Default::default(),
        };
        tokio::spawn(client.work())
    });
    let clients: Vec<Client> = join_all(clients)
        .await
        .into_iter()
        .map(|done| done.unwrap())
        .collect();
    for (at, tag) in TAGS.iter().enumerate() {
        let calls = clients.iter().flat_map(|client| client.calls[at].clone());
        let calls: Vec<Call> = calls.collect();
        assert!(calls.len() > 20);
        assert!(
            is_linearizable(&calls),
            "seed {seed}: the tag `{tag}` is not linearizable: {calls:#?}"
        );
    }
}
