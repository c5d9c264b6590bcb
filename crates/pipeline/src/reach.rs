use std::net::IpAddr;

/// Which way an address is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Over TLS, by the system's proxy if it has one.
    Far,
    /// On this machine over TLS, where no proxy could find it.
    Loopback,
    /// On this machine in clear.
    PlainLoopback,
}

impl Reach {
    /// The way to an address with this scheme and this host, as a parsed URL has them.
    ///
    /// # Errors
    /// Why it may not be asked: what is sent in clear may not leave the machine.
    pub fn of(scheme: &str, host: &str) -> Result<Self, &'static str> {
        match scheme {
            "https" if is_loopback(host) => Ok(Self::Loopback),
            "https" => Ok(Self::Far),
            "http" if is_loopback(host) => Ok(Self::PlainLoopback),
            "http" => Err("plain http is for this machine only"),
            _ => Err("it does not begin with https://"),
        }
    }
}

/// Whether a host of a parsed URL, where IPv6 has brackets, is this machine whatever a resolver says (RFC 6761 §6.3).
///
/// ```
/// use pipeline::is_loopback;
/// assert!(["localhost", "jamf.localhost", "127.0.0.1", "127.9.9.9", "[::1]"].into_iter().all(is_loopback));
/// assert!(!["127.0.0.1.example.com", "notlocalhost", "10.0.0.1", "[::2]", ""].into_iter().any(is_loopback));
/// ```
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}
