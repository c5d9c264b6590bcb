//! Creating something exactly once.

use crate::answer::Answer;
use crate::call::Call;
use crate::retry::{Again, most_after};
use crate::{Error, Session};
use pipeline::{BoxFuture, Context};

/// How to create something, and how to find it.
pub(crate) struct Creation<'a, T> {
    /// What it is, with its name: it stands in messages.
    pub(crate) what: String,
    pub(crate) call: Call,
    /// What the answer says was created.
    pub(crate) read: fn(&Answer) -> Result<T, Error>,
    /// Looks for it on the server.
    pub(crate) look: Box<dyn Fn() -> BoxFuture<'a, Result<Option<T>, Error>> + Send + Sync + 'a>,
}

impl Session {
    /// Creates something exactly once.
    ///
    /// When an answer is lost, nobody knows whether the server did it, and asking again could make a second one
    /// (`jamf-pro-api.md §13.3`). So `look` goes first; and when the server calls a repetition a duplicate, it is the
    /// lost one that it means.
    pub(crate) async fn create<T>(&self, cx: &Context, creation: Creation<'_, T>) -> Result<T, Error> {
        let Creation { what, call, read, look } = creation;
        let mut most = self.shared_server().tries();
        let mut made = 0;
        loop {
            let error = match self.send(cx, &call).await.and_then(|answer| read(&answer)) {
                Ok(created) => return Ok(created),
                Err(error) => error,
            };
            // What is not sent leaves open what was sent before.
            let is_open =
                error.leaves_outcome_open() || (made > 0 && matches!(error, Error::Connection { .. }));
            let was_lost_before = made > 0 && error.is_duplicate();
            if !(is_open || was_lost_before) {
                return Err(error);
            }
            made += 1;
            most = most_after(&error, most);
            match look().await {
                Ok(Some(found)) => {
                    cx.info(format!("{}; {what} was created all the same", crate::error::chain(&error)));
                    return Ok(found);
                }
                Ok(None) if !is_open => return Err(error),
                Ok(None) if made < most => {}
                Err(Error::Interrupted) => return Err(Error::Interrupted),
                Ok(None) | Err(_) => {
                    let request = self.shared_server().request(&call);
                    return Err(Error::Uncertain { request, what, source: Box::new(error) });
                }
            }
            self.shared_server().pause(cx, Again { error, made, most, ordered: None }).await?;
        }
    }
}
