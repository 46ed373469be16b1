//! After a restart: is everything there that was acknowledged, and nothing half?

use std::collections::BTreeSet;

use serde_json::Value;
use wasmport_artifact::Digest;

use crate::ledger::Register;
use crate::server::{Answer, Server};
use crate::worker::{Worker, hashes_right};

/// Of what nothing happened to since the last check, one in so many is checked each time.
const SAMPLE: u64 = 30;

impl Worker {
    /// Checks what happened since the last time and a few others, or everything.
    pub(crate) async fn check(mut self, server: &Server, everything: bool) -> Self {
        let blobs: Vec<Digest> = self.ledger.blobs.keys().cloned().collect();
        for digest in blobs {
            let is_hot = self
                .ledger
                .blobs
                .get(&digest)
                .is_some_and(|known| known.is_hot);
            if !everything && !is_hot && !self.random.one_in(SAMPLE) {
                continue;
            }
            let answer = get(server, &self.path(&format!("blobs/{digest}"))).await;
            let register = self.ledger.blobs.entry(digest.clone()).or_default();
            settle_content(register, &answer, &digest);
            self.checked += 1;
        }
        let manifests: Vec<Digest> = self.ledger.manifests.keys().cloned().collect();
        for digest in manifests {
            let is_hot = self
                .ledger
                .manifests
                .get(&digest)
                .is_some_and(|known| known.is_hot);
            if !everything && !is_hot && !self.random.one_in(SAMPLE) {
                continue;
            }
            let answer = get(server, &self.path(&format!("manifests/{digest}"))).await;
            let register = self.ledger.manifests.entry(digest.clone()).or_default();
            settle_content(register, &answer, &digest);
            if answer.status == 200 {
                self.check_parts(server, &answer).await;
            }
            self.checked += 1;
        }
        self.check_tags(server).await;
        self.check_sessions(server).await;
        self
    }

    /// A manifest that is served is whole: its blobs are served too.
    async fn check_parts(&self, server: &Server, manifest: &Answer) {
        let manifest: Value = serde_json::from_slice(&manifest.body).unwrap();
        let layers = manifest["layers"].as_array().unwrap().iter();
        for part in layers.chain([&manifest["config"]]) {
            let digest: Digest = part["digest"].as_str().unwrap().parse().unwrap();
            let answer = get(server, &self.path(&format!("blobs/{digest}"))).await;
            hashes_right(&answer, &digest);
        }
    }

    async fn check_tags(&mut self, server: &Server) {
        let mut there = BTreeSet::new();
        let tags: Vec<String> = self.ledger.tags.keys().cloned().collect();
        for tag in tags {
            let answer = get(server, &self.path(&format!("manifests/{tag}"))).await;
            let found = (answer.status == 200).then(|| Digest::of(&answer.body));
            assert!(matches!(answer.status, 200 | 404), "{}", answer.text());
            let register = self.ledger.tags.entry(tag.clone()).or_default();
            assert!(
                register.allows(found.as_ref()),
                "{}: the tag `{tag}` points to {found:?}, but {register:?}",
                self.repository,
            );
            if found.is_some() {
                there.insert(tag);
            }
            register.settle(found);
            register.is_hot = false;
            self.checked += 1;
        }
        let answer = get(server, &self.path("tags/list")).await;
        if answer.status == 200 {
            let listed: Value = serde_json::from_slice(&answer.body).unwrap();
            let listed = listed["tags"].as_array().unwrap().iter();
            let listed: BTreeSet<_> = listed.map(|tag| tag.as_str().unwrap().to_owned()).collect();
            assert_eq!(listed, there);
        } else {
            assert_eq!((answer.status, there.len()), (404, 0));
        }
    }

    /// Every upload of which a part was acknowledged goes on from there.
    async fn check_sessions(&mut self, server: &Server) {
        for mut session in std::mem::take(&mut self.ledger.sessions) {
            let answer = get(server, &session.location).await;
            let received = match answer.status {
                204 => received(&answer),
                status => {
                    assert_eq!(status, 404, "{}", answer.text());
                    0
                }
            };
            // An upload that has ended is none any more, or one of which nothing has arrived.
            let blob = self.ledger.blobs.get(&Digest::of(&session.bytes));
            let is_there = blob.is_some_and(|blob| blob.sure().is_some());
            if received == 0 && session.may_be_done && is_there {
                continue;
            }
            assert!(
                (session.acknowledged..=session.sent).contains(&received),
                "{received} bytes are there, {} were acknowledged, {} sent: {}",
                session.acknowledged,
                session.sent,
                session.location
            );
            if answer.status == 404 {
                continue;
            }
            session.acknowledged = received;
            answer.header("location").clone_into(&mut session.location);
            let length = session.bytes.len();
            self.ledger.sessions.push(session);
            self.send_chunk(server, length).await.unwrap();
            self.finish(server).await.unwrap();
            self.resumed += 1;
        }
    }
}

fn received(answer: &Answer) -> usize {
    let (_, last) = answer.header("range").split_once('-').unwrap();
    let last: usize = last.parse().unwrap();
    // `0-0` stands for one byte and for none.
    if last == 0 { 0 } else { last + 1 }
}

async fn get(server: &Server, path: &str) -> Answer {
    let answer = server.get(path).await;
    answer.unwrap_or_else(|_| panic!("the server did not answer `{path}`"))
}

fn settle_content(register: &mut Register<()>, answer: &Answer, digest: &Digest) {
    assert!(matches!(answer.status, 200 | 404), "{}", answer.text());
    let found = (answer.status == 200).then_some(());
    if found.is_some() {
        hashes_right(answer, digest);
    }
    assert!(
        register.allows(found.as_ref()),
        "`{digest}` answers {}, but {register:?}",
        answer.status
    );
    register.settle(found);
    register.is_hot = false;
}
