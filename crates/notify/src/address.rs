//! The address of a webhook, which is a secret.

use pipeline::{ExposeSecret as _, Reach, Secret};
use std::fmt;
use url::Url;

/// Shorter parts are parts of words.
const SHORTEST: usize = 4;
const IN_PLACE: &str = "(address)";

/// An address that may be asked.
#[derive(Clone)]
pub(crate) struct Address {
    url: Url,
    reach: Reach,
}

impl Address {
    /// Credentials in it are welcome: all of it is one.
    pub(crate) fn parse(secret: &Secret) -> Result<Self, &'static str> {
        let url: Url =
            secret.expose_secret().trim().parse().map_err(|_| "it cannot be read as an address")?;
        let host = url.host_str().ok_or("it has no host")?;
        let reach = Reach::of(url.scheme(), host)?;
        Ok(Self { url, reach })
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn reach(&self) -> Reach {
        self.reach
    }

    /// The same with one more part at the end of its path.
    pub(crate) fn below(&self, part: &str) -> Self {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(part);
        }
        Self { url, reach: self.reach }
    }

    /// The text without the address and its parts. Errors of TLS and DNS name hosts, and some hosts are as secret as paths.
    pub(crate) fn redact(&self, mut text: String) -> String {
        let url = &self.url;
        let parts = [Some(url.as_str()), url.host_str(), url.query(), Some(url.username()), url.password()];
        let mut parts: Vec<&str> =
            parts.into_iter().flatten().chain(url.path_segments().into_iter().flatten()).collect();
        parts.push(url.path());
        parts.retain(|part| part.len() >= SHORTEST);
        parts.sort_unstable_by_key(|part| std::cmp::Reverse(part.len()));
        for part in parts {
            text = text.replace(part, IN_PLACE);
        }
        text
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(IN_PLACE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Address, &'static str> {
        Address::parse(&Secret::from(text))
    }

    #[test]
    fn addresses_are_reached_in_their_ways() {
        for (text, reach) in [
            ("https://hooks.slack.com/services/T0/B0/x", Ok(Reach::Far)),
            (" https://me:secret@ntfy.example.com/pkgferry\n", Ok(Reach::Far)),
            ("https://localhost:8443/a", Ok(Reach::Loopback)),
            ("http://127.0.0.1:8080/a", Ok(Reach::PlainLoopback)),
            ("http://[::1]:8080/a", Ok(Reach::PlainLoopback)),
            ("http://hooks.example.com/a", Err("plain http is for this machine only")),
            ("http://127.0.0.1.example.com/a", Err("plain http is for this machine only")),
            ("hooks.slack.com/services/T0/B0/x", Err("it cannot be read as an address")),
            ("ftp://localhost/a", Err("it does not begin with https://")),
            ("mailto:jane@example.com", Err("it has no host")),
            ("", Err("it cannot be read as an address")),
        ] {
            assert_eq!(parsed(text).map(|address| address.reach()), reach, "{text}");
        }
    }

    #[test]
    fn no_part_of_an_address_shows() {
        let address = parsed("https://jane:pa55word@a1b2.example.com/hook/s3cr3t?key=t0k3n").unwrap();
        let text = "https://jane:pa55word@a1b2.example.com/hook/s3cr3t?key=t0k3n, a1b2.example.com, s3cr3t, pa55word";
        assert_eq!(address.redact(text.into()), "(address), (address), (address), (address)");
        assert_eq!(format!("{address:?}"), "(address)");
    }

    #[test]
    fn a_part_is_put_below() {
        let below = |text| parsed(text).unwrap().below("start").url().to_string();
        assert_eq!(below("https://hc-ping.com/uuid"), "https://hc-ping.com/uuid/start");
        assert_eq!(below("https://hc-ping.com/uuid/"), "https://hc-ping.com/uuid/start");
        assert_eq!(
            below("https://hc-ping.com/key/name?create=1"),
            "https://hc-ping.com/key/name/start?create=1"
        );
        assert_eq!(below("https://hc.example.com"), "https://hc.example.com/start");
    }
}
