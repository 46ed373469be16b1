//! How much is inspected at one time: a few things of the whole registry, and fewer of each
//! repository, so that nobody takes all the places.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use wasmport_artifact::RepositoryName;

/// How many things are inspected at once. Each has a processor, and memory for the largest
/// Wasm.
const INSPECTIONS: usize = 4;

/// How many of them may be for one repository.
const OF_A_REPOSITORY: usize = 2;

/// The places for inspections.
#[derive(Debug)]
pub(super) struct Inspections {
    all: Arc<Semaphore>,
    repositories: Mutex<HashMap<RepositoryName, Weak<Semaphore>>>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    _of_all: Result<OwnedSemaphorePermit, AcquireError>,
    _of_repository: Result<OwnedSemaphorePermit, AcquireError>,
}

impl Default for Inspections {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(INSPECTIONS)),
            repositories: Mutex::default(),
        }
    }
}

impl Inspections {
    /// Waits for a place for this repository.
    pub(super) async fn permit(&self, repository: &RepositoryName) -> Permit {
        // First the own one: who waits for it keeps nobody else from working.
        let of_repository = self.places_of(repository).acquire_owned().await;
        Permit {
            _of_all: Arc::clone(&self.all).acquire_owned().await,
            _of_repository: of_repository,
        }
    }

    fn places_of(&self, repository: &RepositoryName) -> Arc<Semaphore> {
        let repositories = self.repositories.lock();
        let mut repositories = repositories.unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = repositories.get(repository).and_then(Weak::upgrade) {
            return places;
        }
        // As many as there are requests under way.
        repositories.retain(|_, places| places.strong_count() > 0);
        let places = Arc::new(Semaphore::new(OF_A_REPOSITORY));
        repositories.insert(repository.clone(), Arc::downgrade(&places));
        places
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn one_repository_leaves_places_for_others() {
        let inspections = Inspections::default();
        let [one, other, third] = ["one", "other", "third"].map(|name| name.parse().unwrap());
        let held = [
            inspections.permit(&one).await,
            inspections.permit(&one).await,
        ];
        assert!(inspections.permit(&one).now_or_never().is_none());
        let more = [
            inspections.permit(&other).await,
            inspections.permit(&other).await,
        ];
        assert!(inspections.permit(&third).now_or_never().is_none());
        drop(more);
        assert!(inspections.permit(&one).now_or_never().is_none());
        assert!(inspections.permit(&third).now_or_never().is_some());
        drop(held);
        assert!(inspections.permit(&one).now_or_never().is_some());
    }
}
