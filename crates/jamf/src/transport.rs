//! One server: how a call leaves, and how its answer comes back.

use crate::answer::Answer;
use crate::call::Call;
use crate::error::{Phase, Request};
use crate::gateway::Gateway;
use crate::lapse::Life;
use crate::redact::Redactor;
use crate::retry::{Again, Attempts, Next, backoff, is_passing};
use crate::settings::Address;
use crate::{Config, Error, ServerKind};
use bytes::BytesMut;
use pipeline::{Context, Effect, ExposeSecret as _, Secret};
use reqwest::cookie::Jar;
use reqwest::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use reqwest::{Client, ClientBuilder, Method, RequestBuilder, Response, redirect};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

/// Jamf asks for no more at a time (`jamf-pro-api.md §13.2`).
pub(crate) const CONNECTIONS: usize = 5;
/// A server that sends a client round in circles is given up after as many.
const REDIRECTS: usize = 5;
/// What Jamf sends here is text: no list of packages comes near, and what does would fill the memory.
const LARGEST_SUCCESS: usize = 64 << 20;
/// Why it refused stands at the beginning; what comes after it is not waited for.
const LARGEST_FAILURE: usize = 1 << 20;

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
    gateway: Option<Gateway>,
    client: Client,
    /// For bodies that take long; made when there is one.
    carrier: OnceLock<Client>,
    cookies: Arc<Jar>,
    places: Semaphore,
    config: Config,
    redactor: Arc<Redactor>,
    random: Mutex<fastrand::Rng>,
    life: Life,
}

impl Server {
    /// Cookies are kept for all accounts of the server: they choose a node (`jamf-pro-api.md §13.1`). A loopback server
    /// is reached without the system's proxy, which could not find it.
    pub(crate) fn new(address: Address, gateway: Option<Gateway>, config: &Config) -> Result<Self, Error> {
        let cookies = Arc::new(Jar::default());
        let builder = client(&address, &cookies, config).pool_max_idle_per_host(CONNECTIONS);
        Ok(Self {
            client: builder.build().map_err(|error| Error::Client(error.into()))?,
            carrier: OnceLock::new(),
            cookies,
            address,
            gateway,
            places: Semaphore::new(CONNECTIONS),
            random: Mutex::new(fastrand::Rng::with_seed(config.seed)),
            config: config.clone(),
            redactor: Arc::default(),
            life: Life::default(),
        })
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    pub(crate) fn gateway(&self) -> Option<&Gateway> {
        self.gateway.as_ref()
    }

    pub(crate) fn kind(&self) -> ServerKind {
        if self.gateway.is_some() { ServerKind::Gateway } else { ServerKind::Instance }
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// A client for a body that takes long. It speaks HTTP/1.1, where nothing else waits behind such a body and no window
    /// slows it down, over a connection of its own, which cannot have gone stale in a pool.
    pub(crate) fn carrier(&self) -> Result<&Client, Error> {
        if let Some(carrier) = self.carrier.get() {
            return Ok(carrier);
        }
        let builder =
            client(&self.address, &self.cookies, &self.config).http1_only().pool_max_idle_per_host(0);
        let carrier = builder.build().map_err(|error| Error::Client(error.into()))?;
        Ok(self.carrier.get_or_init(|| carrier))
    }

    /// What stands between the parts of a form: long enough that no file holds it by chance.
    pub(crate) fn boundary(&self) -> String {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        format!("pkgferry-{:032x}", random.u128(..))
    }

    /// One of the connections that a server grants, until it is dropped.
    pub(crate) async fn place(&self) -> Option<SemaphorePermit<'_>> {
        // Nobody closes the semaphore, so waiting for a place does not fail.
        self.places.acquire().await.ok()
    }

    /// The request as it is sent to this kind of server.
    pub(crate) fn request(&self, call: &Call) -> Request {
        let behind = self.gateway.as_ref().map(|gateway| gateway.path(&call.request.path).into());
        Request { behind, ..call.request.clone() }
    }

    /// Knows the secrets of everybody who talks to this server.
    pub(crate) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Whether it answers at all. A busy or broken server's word does not count.
    pub(crate) fn life(&self) -> &Life {
        &self.life
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
        // It is held until the body is read.
        let _place = self.place().await;
        let request = self.request(call);
        let mut url = self.url(call, &request);
        for _ in 0..=REDIRECTS {
            self.pass(cx, call, &url)?;
            let response = self.head(call, &request, &url, authorization).await?;
            match self.redirected(&request, &response)? {
                Some(next) => url = next,
                None => return self.answer(call, request, response).await,
            }
        }
        Err(self.elsewhere(&request, url))
    }

    pub(crate) fn url(&self, call: &Call, request: &Request) -> Url {
        self.address.of(request.sent(), call.query.as_deref())
    }

    /// The gate that every sending passes.
    pub(crate) fn pass(&self, cx: &Context, call: &Call, url: &Url) -> Result<(), Error> {
        Ok(cx.boundary().pass(call.effect, call.request.method.as_str(), url.path())?)
    }

    /// Sends, and waits for the first byte of the answer.
    async fn head(
        &self,
        call: &Call,
        request: &Request,
        url: &Url,
        authorization: Authorization<'_>,
    ) -> Result<Response, Error> {
        let mut sending = self.prepare(&self.client, call, url, authorization);
        if let Some((format, bytes)) = &call.body {
            sending = sending.header(CONTENT_TYPE, format.content_type()).body(bytes.clone());
        }
        // Making the connection has a limit of its own; bodies sent here are small.
        let limit = self.config.timeouts.header;
        let sending = tokio::time::timeout(self.config.timeouts.connect + limit, sending.send());
        let response = match sending.await {
            Ok(Ok(response)) => response,
            Ok(Err(source)) => return Err(self.broken(request, source)),
            Err(_) => return Err(late(request, Phase::Header, limit)),
        };
        tracing::debug!(method = %request.method, path = url.path(), status = response.status().as_u16());
        Ok(response)
    }

    /// Everything but the body. What a request is for concerns the calls behind a gateway, not its sign-in.
    pub(crate) fn prepare(
        &self,
        client: &Client,
        call: &Call,
        url: &Url,
        authorization: Authorization<'_>,
    ) -> RequestBuilder {
        let request = client
            .request(call.request.method.clone(), url.clone())
            .header(ACCEPT, call.accept.content_type());
        let request = match self.gateway.as_ref().and_then(Gateway::header) {
            Some((name, id)) if call.effect != Effect::SignIn => request.header(name, id),
            _ => request,
        };
        match authorization {
            Authorization::Nobody => request,
            Authorization::Basic(name, password) => request.basic_auth(name, Some(password.expose_secret())),
            Authorization::Bearer(token) => request.bearer_auth(token.expose_secret()),
        }
    }

    /// Reads the body; as long as it moves it may take as long as it takes, but not more room than there is reason for.
    pub(crate) async fn answer(
        &self,
        call: &Call,
        request: Request,
        mut response: Response,
    ) -> Result<Answer, Error> {
        let limit = self.config.timeouts.idle;
        let mut body = BytesMut::new();
        let largest = if response.status().is_success() { LARGEST_SUCCESS } else { LARGEST_FAILURE };
        while body.len() <= largest {
            match tokio::time::timeout(limit, response.chunk()).await {
                Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
                Ok(Ok(None)) => break,
                Ok(Err(source)) => return Err(self.broken(&request, source)),
                Err(_) => return Err(late(&request, Phase::Body, limit)),
            }
        }
        if body.len() > largest {
            if response.status().is_success() {
                return Err(Error::TooLarge { request, limit: largest });
            }
            body.truncate(largest);
        }
        if !is_passing(response.status().as_u16()) {
            self.life.answered();
        }
        Ok(Answer {
            request,
            kind: self.kind(),
            privilege: call.privilege,
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body: body.freeze(),
            redactor: Arc::clone(&self.redactor),
        })
    }

    /// Where a redirection leads. Only reads follow, and only to the same place: another server is one that the settings
    /// do not name, and another path is a page for people, such as the one that signs them in. What that page answers
    /// would say nothing about what was asked.
    pub(crate) fn redirected(&self, request: &Request, response: &Response) -> Result<Option<Url>, Error> {
        let is_redirection = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
        let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
        let Some(location) = location.filter(|_| is_redirection) else { return Ok(None) };
        let Ok(next) = response.url().join(location) else { return Ok(None) };
        let here = response.url();
        if request.method == Method::GET && next.origin() == here.origin() && next.path() == here.path() {
            return Ok(Some(next));
        }
        Err(self.elsewhere(request, next))
    }

    fn elsewhere(&self, request: &Request, mut to: Url) -> Error {
        to.set_query(None);
        to.set_fragment(None);
        Error::Redirected { request: request.clone(), to: self.redactor.redact(to.into()) }
    }

    pub(crate) fn broken(&self, request: &Request, source: reqwest::Error) -> Error {
        Error::Connection {
            request: request.clone(),
            host: self.address.host().to_owned(),
            source: source.without_url(),
        }
    }
}

/// Waits on the clock of the run, and ends early when the run is cancelled.
pub(crate) async fn wait(cx: &Context, pause: Duration) -> Result<(), Error> {
    cx.cancelled().run_until_cancelled(cx.clock().sleep(pause)).await.ok_or(Error::Interrupted)
}

pub(crate) fn late(request: &Request, phase: Phase, limit: Duration) -> Error {
    Error::Timeout { request: request.clone(), phase, limit }
}

fn client(address: &Address, cookies: &Arc<Jar>, config: &Config) -> ClientBuilder {
    let builder = Client::builder()
        .user_agent(&config.user_agent)
        .connect_timeout(config.timeouts.connect)
        .cookie_provider(Arc::clone(cookies))
        // Both are done here, where every sending passes the boundary.
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never());
    let builder = if address.is_loopback() { builder.no_proxy() } else { builder };
    // Without TLS nobody needs the system's trust store, which is empty on some small machines.
    if address.is_encrypted() { builder } else { builder.tls_certs_only([]) }
}
