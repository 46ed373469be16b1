//! What every storage engine promises, checked on every engine.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and so may what it calls"
)]

/// Makes one module of tests for each engine.
macro_rules! contract {
    ($engine:expr => $($promise:ident),* $(,)?) => {$(
        #[tokio::test]
        async fn $promise() {
            // The directory lives as long as the engine.
            let (_directory, engine) = $engine;
            super::$promise(engine).await;
        }
    )*};
}

mod blobs;
mod records;
