use indexmap::IndexMap;
use pipeline::{AnyProcessor, Processor, Spec};
use std::sync::Arc;

/// Two processors claim one name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two processors are called {0}")]
pub struct DuplicateProcessor(pub &'static str);

/// The processors that recipes may name.
///
/// It holds processors rather than constructors: a processor keeps nothing between steps, so one serves them all.
#[derive(Default)]
pub struct Registry {
    processors: IndexMap<&'static str, Box<dyn AnyProcessor>>,
}

impl Registry {
    /// Adds a processor under the name that its [`Spec`] declares.
    ///
    /// # Errors
    /// When the name is taken.
    pub fn register<P: Processor>(&mut self, processor: P) -> Result<(), DuplicateProcessor> {
        let name = processor.spec().name;
        match self.processors.insert(name, Box::new(Arc::new(processor))) {
            None => Ok(()),
            Some(_) => Err(DuplicateProcessor(name)),
        }
    }

    /// What the processors declare, in the order in which they were registered.
    #[must_use]
    pub fn specs(&self) -> Vec<&'static Spec> {
        self.processors.values().map(|processor| processor.spec()).collect()
    }

    /// The processor of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&dyn AnyProcessor> {
        self.processors.get(name).map(|processor| &**processor)
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.processors.keys()).finish()
    }
}
