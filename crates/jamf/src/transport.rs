//! One server: how a call leaves, and how its answer comes back.

use crate::answer::Answer;
use crate::error::{Phase, Request};
use crate::redact::Redactor;
use crate::retry::{Again, Attempts, Next, Repeat, backoff};
use crate::settings::Address;
use crate::{Config, Error, encode};
use bytes::{Bytes, BytesMut};
use pipeline::{Context, Effect, ExposeSecret as _, Secret};
use reqwest::header::{ACCEPT, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use reqwest::{Client, Method, Response, redirect};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use url::Url;

/// Jamf asks for no more at a time (`jamf-pro-api.md §13.2`).
pub(crate) const CONNECTIONS: usize = 5;
/// A server that sends a client round in circles is given up after as many.
const REDIRECTS: usize = 5;
/// What Jamf sends here is text: no list of packages comes near, and what does would fill the memory.
const LARGEST_SUCCESS: usize = 64 << 20;
/// Why it refused stands at the beginning; what comes after it is not waited for.
const LARGEST_FAILURE: usize = 1 << 20;

/// The language of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Xml,
    Form,
}

impl Format {
    fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Xml => "application/xml",
            Self::Form => "application/x-www-form-urlencoded",
        }
    }
}

/// A request as data. It has no `Debug`: the body of a sign-in is a secret.
pub(crate) struct Call {
    request: Request,
    query: Option<String>,
    body: Option<(Format, Bytes)>,
    accept: Format,
    effect: Effect,
    privilege: Option<&'static str>,
    repeat: Repeat,
}

impl Call {
    /// `path` is percent-encoded.
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Self {
        let effect = if method == Method::GET { Effect::Read } else { Effect::Write };
        let repeat = if method == Method::POST { Repeat::UnlessDone } else { Repeat::Always };
        let request = Request { method, path: path.into() };
        Self { request, query: None, body: None, accept: Format::Json, effect, privilege: None, repeat }
    }

    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    pub(crate) fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path)
    }

    /// The privilege that a 403 names.
    pub(crate) fn needs(mut self, privilege: &'static str) -> Self {
        self.privilege = Some(privilege);
        self
    }

    pub(crate) fn query(mut self, pairs: &[(&str, &str)]) -> Self {
        self.query = Some(encode::pairs(pairs));
        self
    }

    pub(crate) fn body(mut self, format: Format, bytes: impl Into<Bytes>) -> Self {
        self.body = Some((format, bytes.into()));
        self
    }

    pub(crate) fn json(self, value: &serde_json::Value) -> Self {
        self.body(Format::Json, value.to_string())
    }

    pub(crate) fn accept(mut self, format: Format) -> Self {
        self.accept = format;
        self
    }

    /// It opens, renews or ends a session.
    pub(crate) fn signs_in(mut self) -> Self {
        self.effect = Effect::SignIn;
        self.repeatable()
    }

    /// Sending it twice does no harm, although it is a POST.
    pub(crate) fn repeatable(mut self) -> Self {
        self.repeat = Repeat::Always;
        self
    }

    pub(crate) fn request(&self) -> &Request {
        &self.request
    }
}

/// What a request proves about who sends it.
#[derive(Clone, Copy)]
pub(crate) enum Authorization<'a> {
    Nobody,
    Basic(&'a str, &'a Secret),
    Bearer(&'a Secret),
}

/// A server with its connections and its cookies. Sessions of several accounts share it.
#[derive(Debug)]
pub(crate) struct Server {
    address: Address,
    client: Client,
    places: Semaphore,
    config: Config,
    redactor: Arc<Redactor>,
    random: Mutex<fastrand::Rng>,
}

impl Server {
    /// Cookies are kept for all accounts of the server: they choose a node (`jamf-pro-api.md §13.1`). A loopback server
    /// is reached without the system's proxy, which could not find it.
    pub(crate) fn new(address: Address, config: &Config) -> Result<Self, Error> {
        let builder = Client::builder()
            .user_agent(&config.user_agent)
            .connect_timeout(config.timeouts.connect)
            .pool_max_idle_per_host(CONNECTIONS)
            .cookie_store(true)
            // Both are done here, where every sending passes the boundary.
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never());
        let builder = if address.is_loopback() { builder.no_proxy() } else { builder };
        // Without TLS nobody needs the system's trust store, which is empty on some small machines.
        let builder = if address.is_encrypted() { builder } else { builder.tls_certs_only([]) };
        Ok(Self {
            client: builder.build().map_err(|error| Error::Client(error.into()))?,
            address,
            places: Semaphore::new(CONNECTIONS),
            random: Mutex::new(fastrand::Rng::with_seed(config.seed)),
            config: config.clone(),
            redactor: Arc::default(),
        })
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Knows the secrets of everybody who talks to this server.
    pub(crate) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    pub(crate) fn attempts(&self, call: &Call) -> Attempts {
        Attempts::new(&self.config.retry, call.repeat)
    }

    /// Tries in all of one call.
    pub(crate) fn tries(&self) -> u32 {
        self.config.retry.tries.max(1)
    }

    /// Sends until there is a success or a failure that will not pass.
    pub(crate) async fn send(
        &self,
        cx: &Context,
        call: &Call,
        authorization: Authorization<'_>,
    ) -> Result<Answer, Error> {
        let mut attempts = self.attempts(call);
        loop {
            let outcome = self.exchange(cx, call, authorization).await;
            match attempts.judge(outcome, cx.clock().now())? {
                Next::Done(answer) => return Ok(answer),
                Next::Again(again) => self.pause(cx, again).await?,
            }
        }
    }

    /// Tells why, and waits.
    pub(crate) async fn pause(&self, cx: &Context, again: Again) -> Result<(), Error> {
        let Again { error, made, most, ordered } = again;
        let pause = ordered.unwrap_or_else(|| {
            let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
            backoff(&self.config.retry, made, &mut random)
        });
        let next = made + 1;
        let why = crate::error::chain(&error);
        cx.warn(format!("{why}; trying again in {:.1} s (try {next} of {most})", pause.as_secs_f64()));
        wait(cx, pause).await
    }

    /// Sends once, whatever the status of the answer. Ends early when the run is cancelled.
    pub(crate) async fn exchange(
        &self,
        cx: &Context,
        call: &Call,
        authorization: Authorization<'_>,
    ) -> Result<Answer, Error> {
        let sending = self.exchange_to_the_end(cx, call, authorization);
        cx.cancelled().run_until_cancelled(sending).await.unwrap_or(Err(Error::Interrupted))
    }

    /// The same, also when the run is cancelled already.
    pub(crate) async fn exchange_to_the_end(
        &self,
        cx: &Context,
        call: &Call,
        authorization: Authorization<'_>,
    ) -> Result<Answer, Error> {
        // Nobody closes the semaphore, so waiting for a place does not fail; it is held until the body is read.
        let _place = self.places.acquire().await;
        let mut url = self.address.of(&call.request.path, call.query.as_deref());
        for _ in 0..=REDIRECTS {
            cx.boundary().pass(call.effect, call.request.method.as_str(), url.path())?;
            let response = self.head(call, &url, authorization).await?;
            match self.redirected(call, &response)? {
                Some(next) => url = next,
                None => return self.answer(call, response).await,
            }
        }
        Err(self.elsewhere(call, url))
    }

    /// Sends, and waits for the first byte of the answer.
    async fn head(
        &self,
        call: &Call,
        url: &Url,
        authorization: Authorization<'_>,
    ) -> Result<Response, Error> {
        let mut request = self
            .client
            .request(call.request.method.clone(), url.clone())
            .header(ACCEPT, call.accept.content_type());
        request = match authorization {
            Authorization::Nobody => request,
            Authorization::Basic(name, password) => request.basic_auth(name, Some(password.expose_secret())),
            Authorization::Bearer(token) => request.bearer_auth(token.expose_secret()),
        };
        if let Some((format, bytes)) = &call.body {
            request = request.header(CONTENT_TYPE, format.content_type()).body(bytes.clone());
        }
        // Making the connection has a limit of its own; bodies sent here are small.
        let limit = self.config.timeouts.header;
        let sending = tokio::time::timeout(self.config.timeouts.connect + limit, request.send());
        let response = match sending.await {
            Ok(Ok(response)) => response,
            Ok(Err(source)) => return Err(self.broken(call, source)),
            Err(_) => return Err(late(call, Phase::Header, limit)),
        };
        tracing::debug!(method = %call.request.method, path = url.path(), status = response.status().as_u16());
        Ok(response)
    }

    /// Reads the body; as long as it moves it may take as long as it takes, but not more room than there is reason for.
    async fn answer(&self, call: &Call, mut response: Response) -> Result<Answer, Error> {
        let limit = self.config.timeouts.idle;
        let mut body = BytesMut::new();
        let largest = if response.status().is_success() { LARGEST_SUCCESS } else { LARGEST_FAILURE };
        while body.len() <= largest {
            match tokio::time::timeout(limit, response.chunk()).await {
                Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
                Ok(Ok(None)) => break,
                Ok(Err(source)) => return Err(self.broken(call, source)),
                Err(_) => return Err(late(call, Phase::Body, limit)),
            }
        }
        if body.len() > largest {
            if response.status().is_success() {
                return Err(Error::TooLarge { request: call.request.clone(), limit: largest });
            }
            body.truncate(largest);
        }
        Ok(Answer {
            request: call.request.clone(),
            privilege: call.privilege,
            status: response.status(),
            retry_after: header(&response, RETRY_AFTER),
            body: body.freeze(),
            redactor: Arc::clone(&self.redactor),
        })
    }

    /// Where a redirection leads. Only reads follow, and only to the same place: another server is one that the settings
    /// do not name, and another path is a page for people, such as the one that signs them in. What that page answers
    /// would say nothing about what was asked.
    fn redirected(&self, call: &Call, response: &Response) -> Result<Option<Url>, Error> {
        let is_redirection = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
        let Some(location) = header(response, LOCATION).filter(|_| is_redirection) else { return Ok(None) };
        let Ok(next) = response.url().join(&location) else { return Ok(None) };
        let here = response.url();
        if call.request.method == Method::GET && next.origin() == here.origin() && next.path() == here.path()
        {
            return Ok(Some(next));
        }
        Err(self.elsewhere(call, next))
    }

    fn elsewhere(&self, call: &Call, mut to: Url) -> Error {
        to.set_query(None);
        to.set_fragment(None);
        Error::Redirected { request: call.request.clone(), to: self.redactor.redact(to.into()) }
    }

    fn broken(&self, call: &Call, source: reqwest::Error) -> Error {
        Error::Connection {
            request: call.request.clone(),
            host: self.address.host().to_owned(),
            source: source.without_url(),
        }
    }
}

/// Waits on the clock of the run, and ends early when the run is cancelled.
pub(crate) async fn wait(cx: &Context, pause: Duration) -> Result<(), Error> {
    cx.cancelled().run_until_cancelled(cx.clock().sleep(pause)).await.ok_or(Error::Interrupted)
}

fn late(call: &Call, phase: Phase, limit: Duration) -> Error {
    Error::Timeout { request: call.request.clone(), phase, limit }
}

fn header(response: &Response, name: reqwest::header::HeaderName) -> Option<String> {
    response.headers().get(name)?.to_str().ok().map(str::to_owned)
}
