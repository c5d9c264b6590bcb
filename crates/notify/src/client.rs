//! One sending: a request and its answer, whatever the status.

use crate::Error;
use crate::address::Address;
use crate::error::Cause;
use crate::sender::Config;
use bytes::Bytes;
use pipeline::Reach;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Method, Response, redirect};

/// Why it refused stands at the beginning.
const LARGEST_ANSWER: usize = 4096;
/// Longer ones are no names of errors.
const LONGEST_CODE: usize = 60;

/// What is sent.
#[derive(Clone)]
pub(crate) struct Letter {
    pub method: Method,
    pub body: Option<(&'static str, Bytes)>,
}

/// An answer with another status than success.
pub(crate) struct Refusal {
    pub error: Error,
    /// As the header has it.
    pub retry_after: Option<String>,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { error, retry_after: None }
    }
}

/// A client for one address.
pub(crate) struct Channel<'a> {
    label: &'a str,
    address: &'a Address,
    client: Client,
}

impl<'a> Channel<'a> {
    pub(crate) fn open(label: &'a str, address: &'a Address, config: &Config) -> Result<Self, Error> {
        let builder = Client::builder()
            .user_agent(&config.user_agent)
            .connect_timeout(config.limits.each)
            // Both are done here, where every sending passes the boundary.
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never());
        let reach = address.reach();
        let builder = if reach == Reach::Far { builder } else { builder.no_proxy() };
        // Without TLS nobody needs the system's trust store, which is empty on some small machines.
        let builder = if reach == Reach::PlainLoopback { builder.tls_certs_only([]) } else { builder };
        let broken = |error| Error::Client { label: label.to_owned(), source: cause(address, error) };
        Ok(Self { label, address, client: builder.build().map_err(broken)? })
    }

    pub(crate) async fn exchange(&self, letter: &Letter) -> Result<(), Refusal> {
        let mut request = self.client.request(letter.method.clone(), self.address.url().clone());
        if let Some((content_type, body)) = &letter.body {
            request = request.header(CONTENT_TYPE, *content_type).body(body.clone());
        }
        let mut response = request.send().await.map_err(|error| self.broken(error))?;
        let status = response.status();
        tracing::debug!(label = self.label, status = status.as_u16());
        if status.is_success() {
            return Ok(());
        }
        let label = self.label.to_owned();
        if status.is_redirection() {
            return Err(Error::Redirected { label, status: status.as_u16() }.into());
        }
        let retry_after =
            response.headers().get(RETRY_AFTER).and_then(|text| text.to_str().ok()).map(str::to_owned);
        let code = self.code(&mut response).await;
        Err(Refusal { error: Error::Status { label, status: status.as_u16(), code }, retry_after })
    }

    fn broken(&self, error: reqwest::Error) -> Error {
        Error::Connection { label: self.label.to_owned(), source: cause(self.address, error) }
    }

    /// What the service calls its refusal: Slack answers with one word, Azure with `{"error": {"code": …}}`. Nothing else of
    /// an answer is shown: some repeat the address.
    async fn code(&self, response: &mut Response) -> Option<String> {
        let mut text = Vec::new();
        while text.len() < LARGEST_ANSWER {
            match response.chunk().await {
                Ok(Some(chunk)) => text.extend_from_slice(&chunk),
                _ => break,
            }
        }
        let text = String::from_utf8_lossy(&text);
        let json = serde_json::from_str::<serde_json::Value>(&text).ok();
        let code = match &json {
            Some(json) => json.pointer("/error/code").or_else(|| json.get("code"))?.as_str()?,
            None => text.trim(),
        };
        let is_word = !code.is_empty()
            && code.len() <= LONGEST_CODE
            && code.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        (is_word && self.address.redact(code.to_owned()) == code).then(|| code.to_owned())
    }
}

fn cause(address: &Address, error: reqwest::Error) -> Cause {
    let chain: Vec<_> = pipeline::causes(&error.without_url()).collect();
    Cause(address.redact(chain.join(": ")))
}
