use crate::Error;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// Answers that are asked for once.
///
/// Callers with the same key at the same time share one asking; a failed asking is not remembered. An asking that was
/// under way when [`forget`](Memory::forget) was called still answers its callers, but nobody after them.
#[derive(Debug)]
pub(crate) struct Memory<K, V>(Mutex<HashMap<K, Arc<OnceCell<V>>>>);

impl<K, V> Default for Memory<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq, V: Clone> Memory<K, V> {
    /// What is remembered, else what `ask` gives. `ask` does not run when the answer is there.
    ///
    /// The asking is boxed: it is large, and callers that hold it in futures of their own would fill small stacks.
    pub(crate) async fn get(&self, key: K, ask: impl AsyncFnOnce() -> Result<V, Error>) -> Result<V, Error> {
        let cell = Arc::clone(self.cells().entry(key).or_default());
        cell.get_or_try_init(|| Box::pin(ask())).await.cloned()
    }

    /// What is remembered, without asking anybody.
    pub(crate) fn known(&self, key: &K) -> Option<V> {
        self.cells().get(key).and_then(|cell| cell.get().cloned())
    }

    /// Remembers an answer that nobody had to ask for.
    pub(crate) fn put(&self, key: K, value: V) {
        self.cells().insert(key, Arc::new(OnceCell::from(value)));
    }

    /// Forgets one answer.
    pub(crate) fn forget_one(&self, key: &K) {
        self.cells().remove(key);
    }

    /// Forgets everything: something was written.
    pub(crate) fn forget(&self) {
        self.cells().clear();
    }

    fn cells(&self) -> std::sync::MutexGuard<'_, HashMap<K, Arc<OnceCell<V>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn callers_at_the_same_time_share_one_asking() {
        let (memory, asked) = (Memory::default(), AtomicU32::new(0));
        let ask = async || {
            tokio::task::yield_now().await;
            Ok(asked.fetch_add(1, Ordering::Relaxed))
        };
        let (one, two) = tokio::join!(memory.get("key", ask), memory.get("key", ask));
        assert_eq!((one.unwrap(), two.unwrap()), (0, 0));
        memory.forget();
        assert_eq!(memory.get("key", ask).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn failures_and_outdated_answers_are_not_remembered() {
        let memory = Memory::default();
        assert!(memory.get("key", async || { Err(Error::Interrupted) }).await.is_err());
        let overtaken = memory.get("key", async || {
            memory.forget();
            Ok("old")
        });
        assert_eq!(overtaken.await.unwrap(), "old");
        assert_eq!(memory.get("key", async || { Ok("new") }).await.unwrap(), "new");
        memory.put("key", "newer");
        assert_eq!(memory.get("key", async || { Ok("never asked") }).await.unwrap(), "newer");
        memory.forget_one(&"key");
        assert_eq!(memory.get("key", async || { Ok("newest") }).await.unwrap(), "newest");
    }
}
