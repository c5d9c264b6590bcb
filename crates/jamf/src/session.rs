use crate::answer::Answer;
use crate::call::Call;
use crate::facts::Facts;
use crate::known::{Categories, Packages};
use crate::lapse::Lapse;
use crate::pace::{Allowance, Pace};
use crate::retry::{Attempts, Next};
use crate::settings::Settings;
use crate::tokens::Tokens;
use crate::transport::Server;
use crate::watch::{Warned, Watch};
use crate::{Error, Listing, ServerKind, jcds};
use pipeline::Context;
use std::sync::Arc;

/// One server and one account.
///
/// Reads marked *remembered* are asked once and kept until a write through this session makes them stale. What is looked up in a
/// [listing](crate::Listing) is as old as that, but for what this session wrote, or read by itself, since.
///
/// So what somebody else changes meanwhile is noticed late, though not too late: [`update_package`](Session::update_package) reads
/// the record before it writes it; [`create_package`](Session::create_package) is refused by the server where there is one
/// already (the Classic API goes by the display name alone, `jamf-pro-api.md §6.3`), and its names are asked for anew from then
/// on; and who replaces a file asks for [the list as it is now](Session::jcds_files_now) before it deletes the old one.
#[derive(Debug)]
pub struct Session {
    settings: Settings,
    name: String,
    server: Arc<Server>,
    tokens: Tokens,
    pace: Arc<Pace>,
    watch: Watch,
    pub(crate) packages: Packages,
    pub(crate) categories: Categories,
    pub(crate) jcds: jcds::Known,
    pub(crate) facts: Facts,
}

impl Session {
    pub(crate) fn new(settings: Settings, server: Arc<Server>, pace: Arc<Pace>, warned: Arc<Warned>) -> Self {
        let address = settings.address.as_str();
        Self {
            name: match &settings.gateway {
                None => address.to_owned(),
                Some(gateway) => format!("{address} ({})", gateway.scope),
            },
            pace,
            watch: Watch::new(warned),
            tokens: Tokens::new(Arc::clone(&server), settings.account.clone()),
            packages: Packages::new(settings.package_api),
            categories: Categories::default(),
            jcds: jcds::Known::default(),
            facts: Facts::default(),
            server,
            settings,
        }
    }

    /// What tells the server from others: its address, without a slash at the end; of a gateway also the tenant or the
    /// environment, as in `https://us.api.jamfcloud.com (tenant 1f0e…)`.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.name
    }

    /// What kind of server it is.
    #[must_use]
    pub fn kind(&self) -> ServerKind {
        self.settings.kind()
    }

    pub(crate) fn is_for(&self, settings: &Settings) -> bool {
        self.settings == *settings
    }

    /// Whether a session with these settings has the same budget of requests: a gateway counts those of each API client.
    pub(crate) fn pace_of(&self, settings: &Settings) -> Option<&Arc<Pace>> {
        let is_same =
            self.settings.address == settings.address && self.settings.account.id() == settings.account.id();
        is_same.then_some(&self.pace)
    }

    /// Whether all records and all categories are listed, and not asked for one by one.
    pub(crate) fn lists_all(&self) -> bool {
        self.server.config().listing == Listing::Whole
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    pub(crate) fn pace(&self) -> &Pace {
        &self.pace
    }

    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    pub(crate) fn shared_server(&self) -> &Arc<Server> {
        &self.server
    }

    pub(crate) async fn close(&self, cx: &Context) {
        self.tokens.close(cx).await;
    }

    /// Asks, unless it [lapsed](Lapse).
    pub(crate) async fn unless_lapsed<V>(
        &self,
        cx: &Context,
        lapse: &Lapse,
        ask: impl AsyncFnOnce() -> Result<V, Error>,
    ) -> Result<V, Error> {
        lapse.ask(cx, self.server.life(), ask).await
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
        self.hold_against_schema(cx, call).await?;
        let mut renewed = false;
        loop {
            let token = self.tokens.current(cx).await?;
            self.pace.wait(cx).await?;
            let outcome = self.server.exchange(cx, call, token.authorization()).await;
            self.learn(cx, &outcome);
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

    /// Learns what an answer says of the gateway's limit.
    pub(crate) fn learn(&self, cx: &Context, outcome: &Result<Answer, Error>) {
        let told =
            outcome.as_ref().ok().and_then(|answer| Allowance::read(&answer.headers, cx.clock().now()));
        if let Some(told) = told {
            self.pace.learn(told);
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
