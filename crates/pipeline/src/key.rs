use crate::Typed;
use std::marker::PhantomData;

/// The name of an environment entry together with its type, in one constant.
///
/// ```
/// use pipeline::{Env, Key, Origin};
/// const WIDTH: Key<u32> = Key::new("width");
/// let mut env = Env::new();
/// env.set(WIDTH, 10, Origin::CommandLine);
/// assert_eq!(env.get(WIDTH)?, Some(10));
/// # Ok::<(), pipeline::EnvError>(())
/// ```
pub struct Key<T> {
    name: &'static str,
    of: PhantomData<fn() -> T>,
}

impl<T: Typed> Key<T> {
    /// Joins a name and a type.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, of: PhantomData }
    }

    /// The name, as recipes write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> std::fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}
