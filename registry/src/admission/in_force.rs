//! The policy that decides now. Another one can take its place while requests are answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use wasmport_artifact::Digest;

use crate::policy_file::LoadedPolicy;

/// A policy, and how its decisions are told from those of another.
#[derive(Debug)]
pub(crate) struct PolicyInForce {
    pub(super) loaded: LoadedPolicy,
    pub(super) digest: Digest,
    epoch: u64,
}

/// The place of the policy in force.
#[derive(Debug)]
pub(super) struct InForce {
    current: ArcSwap<PolicyInForce>,
    epochs: AtomicU64,
}

impl InForce {
    pub(super) fn new(loaded: LoadedPolicy) -> Self {
        Self {
            current: ArcSwap::from_pointee(PolicyInForce::new(loaded, 0)),
            epochs: AtomicU64::new(1),
        }
    }

    /// The policy that a request is decided with from beginning to end.
    pub(super) fn get(&self) -> Arc<PolicyInForce> {
        self.current.load_full()
    }

    /// Counted from the start of the process.
    pub(super) fn epoch(&self) -> u64 {
        self.current.load().epoch
    }

    /// From when this returns no request begins with the old policy.
    pub(super) fn replace(&self, loaded: LoadedPolicy) {
        let epoch = self.epochs.fetch_add(1, Ordering::SeqCst);
        self.current
            .store(Arc::new(PolicyInForce::new(loaded, epoch)));
    }
}

impl PolicyInForce {
    fn new(loaded: LoadedPolicy, epoch: u64) -> Self {
        Self {
            digest: loaded.digest(),
            loaded,
            epoch,
        }
    }
}
