//! Where the bytes come from: an address that may end at any time, shared by all ranges.

use crate::Error;
use crate::request::Limits;
use pipeline::{Context, Diagnose, FileName, Reach};
use reqwest::{Client, redirect};
use url::Url;

/// Hands out addresses of one file. Each serves for a while; after that, another one has to be asked for.
pub trait AddressSource: Send + Sync {
    /// Why there is none.
    type Error: Diagnose;

    /// Asks for an address.
    ///
    /// # Errors
    /// When there is none to be had.
    fn address(&self, cx: &Context) -> impl Future<Output = Result<Url, Self::Error>> + Send;
}

/// An address that never ends, for a server that serves without signatures.
impl AddressSource for Url {
    type Error = pipeline::EnvError;

    async fn address(&self, _cx: &Context) -> Result<Url, Self::Error> {
        Ok(self.clone())
    }
}

/// An address as it was handed out, and connections to it.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    /// Counts the addresses of this download.
    pub number: u64,
    pub url: Url,
    /// Host and port, for messages.
    pub host: String,
    pub client: Client,
    reach: Reach,
}

/// Which way an address is reached, if it may be asked.
fn reach_of(url: &Url) -> Result<Reach, &'static str> {
    let host = url.host_str().ok_or("it has no host")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it holds credentials, which must not be sent");
    }
    Reach::of(url.scheme(), host)
}

/// A client that knows nothing of Jamf Pro: no token, no cookie, no name. HTTP/1.1, so that ranges side by side have
/// connections of their own.
fn client(reach: Reach, connections: usize, limits: Limits) -> Result<Client, reqwest::Error> {
    let builder = Client::builder()
        .http1_only()
        .connect_timeout(limits.connect())
        .pool_max_idle_per_host(connections)
        .tcp_nodelay(true)
        // Both are done here, where every sending passes the boundary.
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never());
    let builder = if reach == Reach::Far { builder } else { builder.no_proxy() };
    // Without TLS nobody needs the system's trust store, which is empty on some small machines.
    let builder = if reach == Reach::PlainLoopback { builder.tls_certs_only([]) } else { builder };
    builder.build()
}

/// The address that is good now, for all ranges.
pub(crate) struct Addresses<'a, S> {
    pub source: &'a S,
    pub file: &'a FileName,
    /// How many requests there are at a time.
    pub connections: usize,
    pub limits: Limits,
    pub cx: &'a Context,
    current: tokio::sync::Mutex<Option<Lease>>,
}

impl<'a, S: AddressSource> Addresses<'a, S> {
    pub(crate) fn new(
        source: &'a S,
        file: &'a FileName,
        connections: usize,
        limits: Limits,
        cx: &'a Context,
    ) -> Self {
        Self { source, file, connections, limits, cx, current: tokio::sync::Mutex::default() }
    }

    /// The address that is good now. Whoever was refused says by which one; the first to say so asks for another, and all
    /// others wait for that.
    pub(crate) async fn lease(&self, refused: Option<u64>) -> Result<Lease, Error> {
        let mut current = self.current.lock().await;
        if let Some(lease) =
            current.as_ref().filter(|lease| refused.is_none_or(|number| number < lease.number))
        {
            return Ok(lease.clone());
        }
        let url = self.source.address(self.cx).await.map_err(|error| Error::no_address(self.file, error))?;
        let unusable = |reason| Error::UnusableAddress { file: self.file.clone(), reason };
        let reach = reach_of(&url).map_err(unusable)?;
        let lease = Lease {
            number: current.as_ref().map_or(0, |old| old.number + 1),
            host: url.authority().to_owned(),
            client: match current.as_ref().filter(|old| old.reach == reach) {
                Some(old) => old.client.clone(),
                None => client(reach, self.connections, self.limits).map_err(Error::Client)?,
            },
            url,
            reach,
        };
        *current = Some(lease.clone());
        Ok(lease)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_reached_in_their_ways() {
        for (url, reach) in [
            ("https://cdn.example.com/a?Signature=b", Ok(Reach::Far)),
            ("https://localhost:8443/a", Ok(Reach::Loopback)),
            ("http://127.0.0.1:8080/a", Ok(Reach::PlainLoopback)),
            ("http://[::1]:8080/a", Ok(Reach::PlainLoopback)),
            ("http://cdn.example.com/a", Err("plain http is for this machine only")),
            ("http://127.0.0.1.example.com/a", Err("plain http is for this machine only")),
            ("https://me:secret@cdn.example.com/a", Err("it holds credentials, which must not be sent")),
            ("file:///etc/passwd", Err("it has no host")),
            ("ftp://localhost/a", Err("it does not begin with https://")),
        ] {
            assert_eq!(reach_of(&url.parse().unwrap()), reach, "{url}");
        }
    }
}
