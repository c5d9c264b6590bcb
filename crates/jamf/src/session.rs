use crate::answer::Answer;
use crate::facts::Facts;
use crate::known::{Categories, Packages};
use crate::retry::{Attempts, Next};
use crate::settings::Settings;
use crate::tokens::Tokens;
use crate::transport::{Call, Server};
use crate::{Error, jcds};
use pipeline::Context;
use std::sync::Arc;

/// One server and one account.
///
/// Reads marked *remembered* are asked once and kept until a write through this session makes them stale.
#[derive(Debug)]
pub struct Session {
    settings: Settings,
    server: Arc<Server>,
    tokens: Tokens,
    pub(crate) packages: Packages,
    pub(crate) categories: Categories,
    pub(crate) jcds: jcds::Known,
    pub(crate) facts: Facts,
}

impl Session {
    pub(crate) fn new(settings: Settings, server: Arc<Server>) -> Self {
        Self {
            tokens: Tokens::new(Arc::clone(&server), settings.account.clone()),
            packages: Packages::new(settings.package_api),
            categories: Categories::default(),
            jcds: jcds::Known::default(),
            facts: Facts::default(),
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
}
