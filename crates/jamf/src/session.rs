use crate::retry::{Again, Attempts, Next};
use crate::settings::Settings;
use crate::tokens::Tokens;
use crate::transport::{Answer, Call, Server};
use crate::{Error, category, jcds, packages};
use pipeline::{BoxFuture, Context};
use std::sync::Arc;

/// One server and one account.
///
/// Reads marked *remembered* are asked once and kept until a write through this session makes them stale.
#[derive(Debug)]
pub struct Session {
    settings: Settings,
    server: Arc<Server>,
    tokens: Tokens,
    pub(crate) packages: packages::Known,
    pub(crate) categories: category::Known,
    pub(crate) jcds: jcds::Known,
}

impl Session {
    pub(crate) fn new(settings: Settings, server: Arc<Server>) -> Self {
        Self {
            tokens: Tokens::new(Arc::clone(&server), settings.account.clone()),
            packages: packages::Known::new(settings.package_api),
            categories: category::Known::default(),
            jcds: jcds::Known::default(),
            server,
            settings,
        }
    }

    /// The server's address, without a slash at the end.
    #[must_use]
    pub fn server(&self) -> &str {
        self.server.address().as_str()
    }

    pub(crate) fn is_for(&self, settings: &Settings) -> bool {
        self.settings == *settings
    }

    pub(crate) fn shared_server(&self) -> &Arc<Server> {
        &self.server
    }

    pub(crate) async fn close(&self, cx: &Context) {
        self.tokens.close(cx).await;
    }

    /// Sends with a fresh token until there is a success or a failure that will not pass.
    pub(crate) async fn send(&self, cx: &Context, call: &Call) -> Result<Answer, Error> {
        self.send_counting(cx, call, &mut self.server.attempts(call)).await
    }

    /// The same, for a caller to whom it matters how many tries it took.
    ///
    /// A 401 is answered with a new token, once: tokens end early, and a renewal by somebody else ends the requests in
    /// flight (`jamf-pro-api.md §2.2`).
    pub(crate) async fn send_counting(
        &self,
        cx: &Context,
        call: &Call,
        attempts: &mut Attempts,
    ) -> Result<Answer, Error> {
        let mut renewed = false;
        loop {
            let token = self.tokens.current(cx).await?;
            let outcome = self.server.exchange(cx, call, token.authorization()).await;
            if !renewed && matches!(&outcome, Ok(answer) if answer.status == 401) {
                self.tokens.replace(cx, &token).await?;
                renewed = true;
                continue;
            }
            match attempts.judge(outcome, cx.clock().now())? {
                Next::Done(answer) => return Ok(answer),
                Next::Again(again) => self.server.pause(cx, again).await?,
            }
        }
    }

    /// Sends; 404 is `None`.
    pub(crate) async fn send_if_there(&self, cx: &Context, call: &Call) -> Result<Option<Answer>, Error> {
        match self.send(cx, call).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.is_absence() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates something exactly once.
    ///
    /// When an answer is lost, nobody knows whether the server did it, and asking again could make a second one
    /// (`jamf-pro-api.md §13.3`). So `look` goes first; and when the server calls a repetition a duplicate, it is the
    /// lost one that it means.
    pub(crate) async fn create<T>(&self, cx: &Context, creation: Creation<'_, T>) -> Result<T, Error> {
        let Creation { what, call, read, look } = creation;
        let most = self.server.tries();
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
            match look().await {
                Ok(Some(found)) => {
                    cx.info(format!("{}; {what} was created all the same", crate::error::chain(&error)));
                    return Ok(found);
                }
                Ok(None) if !is_open => return Err(error),
                Ok(None) if made < most => {}
                Err(Error::Interrupted) => return Err(Error::Interrupted),
                Ok(None) | Err(_) => {
                    let request = call.request().clone();
                    return Err(Error::Uncertain { request, what, source: Box::new(error) });
                }
            }
            self.server.pause(cx, Again { error, made, most, ordered: None }).await?;
        }
    }
}

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
