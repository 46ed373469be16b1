//! The workloads. Those of `zb` (zot's benchmark) are as it defines them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use futures_util::future::try_join_all;
use hyper::{Method, StatusCode};

use crate::Options;
use crate::artifact::{Artifact, mix, wasm_size};
use crate::client::Client;
use crate::push::How;
use crate::target::Target;

/// What is done again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// zb: layer and config, each with POST and PUT, and the manifest, into a new repository
    PushMonolith,
    /// zb: layer and config, each with POST, PATCH and PUT, and the manifest, into a new repository
    PushChunked,
    /// zb: HEAD and GET of manifest, config and layer
    Pull,
    /// zb: push monolith, 20 % of `--size`, 70 % of ten times and 10 % of a hundred times that
    PushMixed,
    /// zb: pull, 20 % of `--size`, 70 % of ten times and 10 % of a hundred times that
    PullMixed,
    /// zb: three pulls for each push
    PullPush,
    /// zb: the catalog, after as many pushes, at most a thousand
    Catalog,
    /// Unique components of 30 kB to 5 MB, each into a repository of its own
    PushWasm,
    /// Unique components of `--size` bytes, each under a new tag of one repository a connection
    PushSmall,
    /// Unique manifests over the same blobs, each under a new tag of one repository a connection
    PushManifest,
    /// The whole of a component of 30 kB to 5 MB
    PullWasm,
    /// GET of a manifest by its tag
    ManifestByTag,
    /// GET of a layer of `--size` bytes
    Blob,
}

/// What was measured.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// How long each operation took.
    pub(crate) latencies: Vec<Duration>,
    /// What went wrong, in words.
    pub(crate) errors: Vec<String>,
    /// How many requests were answered.
    pub(crate) requests: u64,
    /// How many bytes of bodies went over the line.
    pub(crate) bytes: u64,
    /// How long the operations took together.
    pub(crate) steady: Duration,
    /// The same with what came before and after.
    pub(crate) total: Duration,
}

/// An artifact, and where it is or shall be.
#[derive(Clone)]
struct Item {
    repository: String,
    artifact: Arc<Artifact>,
}

/// One operation.
#[derive(Clone)]
enum Step {
    Push(Item, How, String),
    /// A push of as many bytes that no push had before, made when its turn comes.
    PushLater(usize),
    PutManifest(Item, String),
    Pull(Item),
    Manifest(Item),
    Blob(Item),
    Catalog,
}

/// The tag of everything that has a repository of its own.
const TAG: &str = "latest";

/// Does the workload on all connections at once.
pub(crate) async fn run(target: &Target, options: &Options) -> anyhow::Result<Measured> {
    let begun = Instant::now();
    let each = options.operations.div_ceil(options.connections.max(1));
    let workers = 0..options.connections;
    let plans = try_join_all(workers.map(|_| plan(target, options, each))).await?;
    let started = Instant::now();
    let done = plans.iter().map(|steps| work(target, options, steps));
    let done = futures_util::future::join_all(done).await;
    let steady = started.elapsed();
    if options.cleanup {
        try_join_all(plans.iter().map(|steps| clean_up(target, steps))).await?;
    }
    let mut measured = Measured {
        steady,
        total: begun.elapsed(),
        ..Measured::default()
    };
    for one in done {
        measured.latencies.extend(one.latencies);
        measured.errors.extend(one.errors);
        measured.requests += one.requests;
        measured.bytes += one.bytes;
    }
    Ok(measured)
}

async fn work(target: &Target, options: &Options, steps: &[Step]) -> Measured {
    let mut client = Client::new(target);
    let mut maker = Maker::new(target, options);
    let mut measured = Measured::default();
    for step in steps {
        let made;
        let step = match step {
            Step::PushLater(size) => {
                made = maker.push(*size);
                &made
            }
            ready => ready,
        };
        let begun = Instant::now();
        match step.run(&mut client).await {
            Ok(()) => measured.latencies.push(begun.elapsed()),
            Err(error) => measured.errors.push(format!("{error:#}")),
        }
    }
    measured.requests = client.requests;
    measured.bytes = client.bytes;
    measured
}

async fn clean_up(target: &Target, steps: &[Step]) -> anyhow::Result<()> {
    let mut client = Client::new(target);
    for step in steps {
        if let Step::Push(item, ..) = step {
            client.delete(&item.repository, &item.artifact).await?;
        }
    }
    Ok(())
}

impl Step {
    async fn run(&self, client: &mut Client<'_>) -> anyhow::Result<()> {
        match self {
            Self::Push(item, how, tag) => {
                client
                    .push(&item.repository, tag, &item.artifact, *how)
                    .await
            }
            Self::PushLater(_) => Ok(()),
            Self::PutManifest(item, tag) => {
                client
                    .put_manifest(&item.repository, tag, &item.artifact)
                    .await
            }
            Self::Pull(item) => client.pull(&item.repository, TAG, &item.artifact).await,
            Self::Manifest(item) => {
                let (repository, artifact) = (&item.repository, &item.artifact);
                client
                    .manifest(Method::GET, repository, TAG, artifact)
                    .await
            }
            Self::Blob(item) => {
                let layer = &item.artifact.layer;
                let path = format!("/v2/{}/blobs/{}", item.repository, layer.digest);
                client.get(&path, None, &layer.bytes).await.map(drop)
            }
            Self::Catalog => {
                let catalog = client.send(Method::GET, "/v2/_catalog", None, StatusCode::OK);
                catalog.await.map(drop)
            }
        }
    }
}

/// What one connection will do, with everything made and pushed that must be there before.
async fn plan(target: &Target, options: &Options, each: usize) -> anyhow::Result<Vec<Step>> {
    use Workload as W;
    let mut maker = Maker::new(target, options);
    let mut steps = Vec::with_capacity(each);
    match options.workload {
        W::PushMonolith | W::PushChunked | W::PushMixed => {
            for _ in 0..each {
                let size = maker.size();
                steps.push(if options.bounded {
                    Step::PushLater(size)
                } else {
                    maker.push(size)
                });
            }
        }
        W::PullPush => {
            let item = maker.pushed(options.size).await?;
            for at in 0..each {
                steps.push(match at % 4 {
                    3 => maker.push(options.size),
                    _ => Step::Pull(item.clone()),
                });
            }
        }
        W::Pull | W::PullMixed => {
            let sizes = [1, 10, 100].map(|times| options.size.saturating_mul(times));
            let wanted = if options.workload == W::Pull { 1 } else { 3 };
            let mut items = Vec::new();
            for size in sizes.into_iter().take(wanted) {
                items.push(maker.pushed(size).await?);
            }
            for _ in 0..each {
                let size = maker.size();
                let item = items
                    .iter()
                    .find(|item| item.artifact.layer.bytes.len() == size);
                steps.extend(item.cloned().map(Step::Pull));
            }
        }
        W::Catalog => {
            for _ in 0..each.min(1_000 / options.connections.max(1)) {
                maker.pushed(options.size).await?;
            }
            steps.resize(each, Step::Catalog);
        }
        W::ManifestByTag => steps.resize(each, Step::Manifest(maker.pushed_wasm(30_000).await?)),
        W::Blob => steps.resize(each, Step::Blob(maker.pushed(options.size).await?)),
        W::PushWasm | W::PushSmall => {
            let shared = target.repository();
            for at in 0..each {
                let mut item = maker.wasm(options.size)?;
                let mut tag = TAG.to_owned();
                if options.workload == W::PushSmall {
                    (item.repository, tag) = (shared.clone(), format!("v{at}"));
                }
                steps.push(Step::Push(item, How::Monolith, tag));
            }
        }
        W::PushManifest => {
            let item = maker.pushed_wasm(30_000).await?;
            for at in 0..each {
                let artifact = Arc::new(item.artifact.noted(target.number()));
                let item = Item {
                    artifact,
                    ..item.clone()
                };
                steps.push(Step::PutManifest(item, format!("v{at}")));
            }
        }
        W::PullWasm => {
            for _ in 0..each {
                let size = wasm_size(target.number());
                steps.push(Step::Pull(maker.pushed_wasm(size).await?));
            }
        }
    }
    Ok(steps)
}

/// Makes artifacts for one connection.
struct Maker<'a> {
    target: &'a Target,
    options: &'a Options,
    client: Client<'a>,
    /// What is pushed again and again, by its size.
    same: Vec<Arc<Artifact>>,
}

impl<'a> Maker<'a> {
    fn new(target: &'a Target, options: &'a Options) -> Self {
        Self {
            target,
            options,
            client: Client::new(target),
            same: Vec::new(),
        }
    }

    /// The size of the next blob, by the shares of `zb` in the mixed workloads.
    fn size(&self) -> usize {
        let size = self.options.size;
        if !matches!(
            self.options.workload,
            Workload::PushMixed | Workload::PullMixed
        ) {
            return size;
        }
        match mix(self.target.number()) % 100 {
            0..20 => size,
            20..90 => size.saturating_mul(10),
            _ => size.saturating_mul(100),
        }
    }

    fn push(&mut self, size: usize) -> Step {
        let how = match self.options.workload {
            Workload::PushChunked => How::Streamed,
            _ => How::Monolith,
        };
        Step::Push(self.item(size), how, TAG.to_owned())
    }

    fn item(&mut self, size: usize) -> Item {
        let same = self.same.iter().find(|same| same.layer.bytes.len() == size);
        let artifact = match same {
            Some(same) if !self.options.unique => Arc::clone(same),
            _ => {
                // What all connections push without `--unique` is the same for all.
                let number = if self.options.unique {
                    self.target.number()
                } else {
                    1
                };
                let made = Arc::new(Artifact::sparse(size, number));
                if !self.options.unique {
                    self.same.push(Arc::clone(&made));
                }
                made
            }
        };
        Item {
            repository: self.target.repository(),
            artifact,
        }
    }

    fn wasm(&mut self, size: usize) -> anyhow::Result<Item> {
        let number = self.target.number();
        let size = match self.options.workload {
            Workload::PushWasm => wasm_size(number),
            _ => size,
        };
        Ok(Item {
            repository: self.target.repository(),
            artifact: Arc::new(Artifact::wasm(size, number)?),
        })
    }

    async fn pushed(&mut self, size: usize) -> anyhow::Result<Item> {
        let item = self.item(size);
        self.put(item).await
    }

    async fn pushed_wasm(&mut self, size: usize) -> anyhow::Result<Item> {
        let item = self.wasm(size)?;
        self.put(item).await
    }

    async fn put(&mut self, item: Item) -> anyhow::Result<Item> {
        let (repository, artifact) = (&item.repository, &item.artifact);
        self.client
            .push(repository, TAG, artifact, How::Monolith)
            .await?;
        Ok(item)
    }
}
