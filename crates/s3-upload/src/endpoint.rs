//! Where S3 is.

use crate::Error;
use pipeline::is_loopback;
use url::Url;

/// Amazon's S3, or another server that speaks its protocol.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Endpoint {
    /// `https://{bucket}.s3.{region}.amazonaws.com` (`jamf-pro-api.md §9.1`).
    Amazon,
    /// `{address}/{bucket}`: path-style, because such servers seldom have a name for every bucket.
    Other(Url),
}

impl Endpoint {
    /// Reads `PKGFERRY_S3_ENDPOINT`. Plain HTTP carries credentials in the open, so it may not leave the machine.
    pub(crate) fn parse(setting: Option<&str>) -> Result<Self, Error> {
        let Some(text) = setting.filter(|text| !text.is_empty()) else { return Ok(Self::Amazon) };
        let wrong = |reason| Error::Endpoint { endpoint: text.to_owned(), reason };
        let url: Url =
            text.parse().map_err(|_| wrong("it is not an address such as https://s3.example.com"))?;
        match url.scheme() {
            _ if !url.username().is_empty() || url.password().is_some() => {
                // Not even the address is repeated: it holds a password.
                let endpoint = url.host_str().unwrap_or_default().to_owned();
                Err(Error::Endpoint { endpoint, reason: "it may not hold credentials" })
            }
            _ if url.query().is_some() || url.fragment().is_some() => Err(wrong("it has a query")),
            "https" => Ok(Self::Other(url)),
            "http" if url.host_str().is_some_and(is_loopback) => Ok(Self::Other(url)),
            "http" => Err(wrong("plain http is for this machine only; use https")),
            _ => Err(wrong("it takes https, or http for this machine")),
        }
    }

    /// The address, unless it is Amazon's.
    pub(crate) fn address(&self) -> Option<&str> {
        match self {
            Self::Amazon => None,
            Self::Other(url) => Some(url.as_str()),
        }
    }

    /// Who is asked, for messages.
    pub(crate) fn host(&self, bucket: &str, region: &str) -> String {
        match self {
            Self::Amazon => format!("{bucket}.s3.{region}.amazonaws.com"),
            Self::Other(url) => {
                let host = url.host_str().unwrap_or_default();
                url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_the_machine() {
        for good in [
            "https://s3.example.com",
            "https://s3.example.com:8443/base",
            "http://127.0.0.1:9000",
            "http://[::1]:9",
            "http://localhost:1",
        ] {
            assert!(matches!(Endpoint::parse(Some(good)), Ok(Endpoint::Other(_))), "{good}");
        }
        for bad in [
            "http://s3.example.com",
            "http://10.0.0.1",
            "ftp://localhost",
            "s3.example.com",
            "https://h/?a=b",
        ] {
            assert!(Endpoint::parse(Some(bad)).is_err(), "{bad}");
        }
        assert_eq!(Endpoint::parse(None).unwrap(), Endpoint::Amazon);
        assert_eq!(Endpoint::parse(Some("")).unwrap(), Endpoint::Amazon);
    }

    #[test]
    fn a_password_in_the_address_is_not_repeated() {
        let error = Endpoint::parse(Some("https://user:hunter2@s3.example.com")).unwrap_err();
        insta::assert_snapshot!(error, @"PKGFERRY_S3_ENDPOINT s3.example.com cannot be used: it may not hold credentials");
    }

    #[test]
    fn hosts_are_named_as_they_are_asked() {
        let amazon = Endpoint::Amazon.host("jcds", "eu-central-1");
        assert_eq!(amazon, "jcds.s3.eu-central-1.amazonaws.com");
        let other = Endpoint::parse(Some("http://127.0.0.1:9000/")).unwrap().host("jcds", "eu-central-1");
        assert_eq!(other, "127.0.0.1:9000");
    }
}
