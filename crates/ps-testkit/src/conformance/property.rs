//! One promise, and what comes of holding a store to it.

use std::{any::Any, fmt, panic::AssertUnwindSafe, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};

use super::{Harness, report::runtime, secrets::Secrets};

/// A promise by the sentence that states it, and how to hold the store of a harness to it.
pub struct Property<H: Harness> {
    suite: &'static str,
    name: &'static str,
    act: fn(Arc<H::Store>) -> BoxFuture<'static, Secrets>,
}

impl<H: Harness> Property<H> {
    pub(crate) fn new(
        suite: &'static str,
        name: &'static str,
        act: fn(Arc<H::Store>) -> BoxFuture<'static, Secrets>,
    ) -> Self {
        Self { suite, name, act }
    }

    /// The suite that it stands in.
    #[must_use]
    pub fn suite(&self) -> &'static str {
        self.suite
    }

    /// The promise, with underscores for spaces.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Holds a fresh store to it. Needs a multi-threaded tokio runtime.
    ///
    /// # Errors
    /// [`Broken`], with what was found instead.
    pub async fn check(&self, harness: &H) -> Result<(), Broken> {
        let checked = AssertUnwindSafe(self.prove(harness)).catch_unwind().await;
        checked.map_err(|panic| Broken(said(&*panic)))
    }

    /// Panics where the store does not hold it.
    async fn prove(&self, harness: &H) {
        let store = harness.fresh().await;
        let secrets = (self.act)(Arc::clone(&store)).await;
        if !secrets.is_empty() {
            let dump = harness.dump(&store).await;
            secrets.are_not_in(&dump.expect("the harness gives no dump to look through"));
        }
    }
}

impl<H: Harness> fmt::Debug for Property<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Property({}::{})", self.suite, self.name)
    }
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it panicked").to_owned()
}

/// A store does not hold what it promises, and this is how it showed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Broken(String);

/// One property as a test: what [`conformance!`](crate::conformance!) makes of each.
pub fn hold<H: Harness>(harness: &H, properties: &[Property<H>], name: &str) {
    let mut all = properties.iter();
    let property = all.find(|property| property.name == name);
    let property = property.expect("each name stands in the list it was taken from");
    runtime().block_on(property.prove(harness));
}
