//! A client that pushes, moves, deletes and reads in a repository of its own until the
//! connection breaks, and writes down what it was told.

use std::sync::atomic::{AtomicBool, Ordering};

use wasmport_artifact::{Descriptor, Digest, ImageManifest, media_type};

use crate::ledger::{Ledger, Session};
use crate::random::Random;
use crate::server::{Answer, Broken, Server};

/// Blobs that all repositories push, so that they write the same files.
const COMMON: u64 = 20;

pub(crate) struct Worker {
    pub(crate) repository: String,
    pub(crate) random: Random,
    pub(crate) ledger: Ledger,
    /// Blobs that no manifest names.
    loose: Vec<Digest>,
    pub(crate) acknowledged: u64,
    pub(crate) checked: u64,
    pub(crate) resumed: u64,
}

impl Worker {
    pub(crate) fn new(number: u64, random: Random) -> Self {
        Self {
            repository: format!("crash/worker{number}"),
            random,
            ledger: Ledger::default(),
            loose: Vec::new(),
            acknowledged: 0,
            checked: 0,
            resumed: 0,
        }
    }

    /// Works until the server is gone.
    pub(crate) async fn work(mut self, server: &Server, is_killed: &AtomicBool) -> Self {
        while self.step(server).await.is_ok() {}
        assert!(
            is_killed.load(Ordering::SeqCst),
            "a connection broke before the server was killed"
        );
        self
    }

    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/v2/{}/{rest}", self.repository)
    }

    async fn step(&mut self, server: &Server) -> Result<(), Broken> {
        match self.random.below(100) {
            0..50 => self.push(server).await,
            50..62 => self.move_tag(server).await,
            62..77 => self.upload_in_chunks(server).await,
            77..82 => self.push_loose(server).await,
            82..86 => self.delete_loose(server).await,
            86..89 => self.delete_tag(server).await,
            89..93 => self.delete_manifest(server).await,
            _ => self.read(server).await,
        }
    }

    /// Small ones mostly, some that are files of their own, and few that are large.
    fn content(&mut self) -> Vec<u8> {
        if self.random.one_in(4) {
            let number = self.random.below(COMMON);
            return Random::new(number).bytes(100 + number * 3000);
        }
        let length = match self.random.below(20) {
            0 => 500_000 + self.random.below(500_000),
            1..6 => 20_000 + self.random.below(150_000),
            _ => 1 + self.random.below(3_000),
        };
        self.random.bytes(length)
    }

    async fn push(&mut self, server: &Server) -> Result<(), Broken> {
        let (config, layer) = (self.random.bytes(60), self.content());
        for bytes in [&config, &layer] {
            self.push_blob(server, bytes).await?;
        }
        let manifest = ImageManifest::new(
            Descriptor::of("application/vnd.crash.config", &config),
            vec![Descriptor::of("application/octet-stream", &layer)],
        );
        let bytes = manifest.to_bytes();
        let tag = self.random.below(6);
        let tag = (tag > 0).then(|| format!("v{tag}"));
        self.put_manifest(server, bytes, tag).await
    }

    async fn push_blob(&mut self, server: &Server, bytes: &[u8]) -> Result<Digest, Broken> {
        let digest = Digest::of(bytes);
        let register = self.ledger.blobs.entry(digest.clone()).or_default();
        register.begin(Some(()));
        let path = self.path(&format!("blobs/uploads/?digest={digest}"));
        let request = server.request("POST", &path).body(bytes.to_vec());
        let answer = server.send(request).await?;
        assert_eq!(answer.status, 201, "{path}: {}", answer.text());
        self.done_blob(&digest);
        Ok(digest)
    }

    pub(crate) fn done_blob(&mut self, digest: &Digest) {
        self.acknowledged += 1;
        self.ledger.blobs.entry(digest.clone()).or_default().done();
    }

    async fn put_manifest(
        &mut self,
        server: &Server,
        bytes: Vec<u8>,
        tag: Option<String>,
    ) -> Result<(), Broken> {
        let digest = Digest::of(&bytes);
        let register = self.ledger.manifests.entry(digest.clone()).or_default();
        register.begin(Some(()));
        if let Some(tag) = &tag {
            let register = self.ledger.tags.entry(tag.clone()).or_default();
            register.begin(Some(digest.clone()));
        }
        let reference = tag.clone().unwrap_or_else(|| digest.to_string());
        let path = self.path(&format!("manifests/{reference}"));
        let request = server.request("PUT", &path).body(bytes);
        let request = request.header("content-type", media_type::IMAGE_MANIFEST);
        let answer = server.send(request).await?;
        assert_eq!(answer.status, 201, "{path}: {}", answer.text());
        self.acknowledged += 1;
        self.ledger.manifests.entry(digest).or_default().done();
        if let Some(tag) = tag {
            self.ledger.tags.entry(tag).or_default().done();
        }
        Ok(())
    }

    async fn move_tag(&mut self, server: &Server) -> Result<(), Broken> {
        let there = self.ledger.sure_manifests();
        let Some(digest) = self.random.pick(&there).cloned() else {
            return Ok(());
        };
        let path = self.path(&format!("manifests/{digest}"));
        let answer = server.get(&path).await?;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let tag = format!("v{}", self.random.below(6));
        self.put_manifest(server, answer.body, Some(tag)).await
    }

    /// Some uploads are left half done, and gone on with after a crash.
    async fn upload_in_chunks(&mut self, server: &Server) -> Result<(), Broken> {
        let bytes = self.content();
        let answer = server
            .send(server.request("POST", &self.path("blobs/uploads/")))
            .await?;
        assert_eq!(answer.status, 202, "{}", answer.text());
        self.ledger.sessions.push(Session {
            location: answer.header("location").to_owned(),
            bytes,
            acknowledged: 0,
            sent: 0,
            may_be_done: false,
        });
        let pieces = 1 + self.random.below(4);
        for piece in 1..=pieces {
            let length = self.session().bytes.len();
            let end = if piece == pieces {
                length
            } else {
                length * usize::try_from(piece).unwrap() / usize::try_from(pieces).unwrap()
            };
            if self.random.one_in(6) {
                return Ok(());
            }
            self.send_chunk(server, end).await?;
        }
        self.finish(server).await
    }

    fn session(&mut self) -> &mut Session {
        self.ledger.sessions.last_mut().unwrap()
    }

    /// Sends the newest session's bytes up to `end`.
    pub(crate) async fn send_chunk(&mut self, server: &Server, end: usize) -> Result<(), Broken> {
        let session = self.session();
        let start = session.acknowledged;
        if start == end {
            return Ok(());
        }
        session.sent = end;
        let request = server
            .request("PATCH", &session.location)
            .header("content-range", format!("{start}-{}", end - 1))
            .body(session.bytes[start..end].to_vec());
        let answer = server.send(request).await?;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let session = self.session();
        session.acknowledged = end;
        answer.header("location").clone_into(&mut session.location);
        self.acknowledged += 1;
        Ok(())
    }

    /// Ends the newest session.
    pub(crate) async fn finish(&mut self, server: &Server) -> Result<(), Broken> {
        let session = self.session();
        session.may_be_done = true;
        let digest = Digest::of(&session.bytes);
        let mark = if session.location.contains('?') {
            '&'
        } else {
            '?'
        };
        let location = format!("{}{mark}digest={digest}", session.location);
        let register = self.ledger.blobs.entry(digest.clone()).or_default();
        register.begin(Some(()));
        let request = server.request("PUT", &location).header("content-length", 0);
        let answer = server.send(request).await?;
        assert_eq!(answer.status, 201, "{location}: {}", answer.text());
        self.done_blob(&digest);
        self.ledger.sessions.pop();
        Ok(())
    }

    async fn push_loose(&mut self, server: &Server) -> Result<(), Broken> {
        let length = 200 + self.random.below(30_000);
        let bytes = self.random.bytes(length);
        let digest = self.push_blob(server, &bytes).await?;
        self.loose.push(digest);
        Ok(())
    }

    async fn delete_loose(&mut self, server: &Server) -> Result<(), Broken> {
        let Some(digest) = self.loose.pop() else {
            return Ok(());
        };
        let register = self.ledger.blobs.entry(digest.clone()).or_default();
        register.begin(None);
        self.delete(server, &format!("blobs/{digest}")).await?;
        self.ledger.blobs.entry(digest).or_default().done();
        Ok(())
    }

    async fn delete_tag(&mut self, server: &Server) -> Result<(), Broken> {
        let tag = format!("v{}", self.random.below(6));
        let register = self.ledger.tags.entry(tag.clone()).or_default();
        register.begin(None);
        self.delete(server, &format!("manifests/{tag}")).await?;
        self.ledger.tags.entry(tag).or_default().done();
        Ok(())
    }

    async fn delete_manifest(&mut self, server: &Server) -> Result<(), Broken> {
        let there = self.ledger.sure_manifests();
        let Some(digest) = self.random.pick(&there).cloned() else {
            return Ok(());
        };
        self.ledger.begin_delete(&digest);
        self.delete(server, &format!("manifests/{digest}")).await?;
        self.ledger.end_delete(&digest);
        Ok(())
    }

    /// Afterwards it is gone. It may not have been there.
    async fn delete(&mut self, server: &Server, what: &str) -> Result<(), Broken> {
        let path = self.path(what);
        let answer = server.send(server.request("DELETE", &path)).await?;
        let text = answer.text();
        assert!(matches!(answer.status, 202 | 404), "{path}: {text}");
        self.acknowledged += 1;
        Ok(())
    }

    async fn read(&mut self, server: &Server) -> Result<(), Broken> {
        let there = self.ledger.sure_manifests();
        let Some(digest) = self.random.pick(&there).cloned() else {
            return Ok(());
        };
        let answer = server
            .get(&self.path(&format!("manifests/{digest}")))
            .await?;
        hashes_right(&answer, &digest);
        Ok(())
    }
}

pub(crate) fn hashes_right(answer: &Answer, digest: &Digest) {
    assert_eq!(answer.status, 200, "{digest}: {}", answer.text());
    assert_eq!(Digest::of(&answer.body), *digest);
}
