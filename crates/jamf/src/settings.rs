//! Which server, which account, which API for records: what the environment says about it.

use crate::PackageApi;
use pipeline::{Diagnose, Env, EnvError, ExposeSecret as _, FailureKind, PackageApiChoice, Secret, keys};
use std::fmt;
use url::{Host, Url};

/// The settings do not name a server and an account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// An entry has the wrong type.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// No server.
    #[error("JSS_URL is not set")]
    NoServer,
    /// The address is no address of a server. It is not shown: people write passwords into addresses.
    #[error("JSS_URL is not the address of a server: {0}")]
    Address(&'static str),
    /// Credentials would travel in clear.
    #[error("JSS_URL begins with http://, so that credentials would travel to {0} in clear")]
    InClear(String),
    /// No account.
    #[error("no account is set")]
    NoAccount,
    /// Half of an account.
    #[error("{set} is set but {missing} is not")]
    HalfAnAccount {
        /// What is there.
        set: &'static str,
        /// What is not.
        missing: &'static str,
    },
}

impl Diagnose for SettingsError {
    fn kind(&self) -> FailureKind {
        FailureKind::Recipe
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Env(_) => return None,
            Self::NoServer | Self::Address(_) => {
                "set JSS_URL to something like https://example.jamfcloud.com"
            }
            Self::InClear(_) => "begin JSS_URL with https://",
            Self::NoAccount => {
                "set CLIENT_ID and CLIENT_SECRET (an API client), or API_USERNAME and API_PASSWORD"
            }
            Self::HalfAnAccount { missing, .. } => return Some(format!("set {missing} too, or neither")),
        };
        Some(hint.into())
    }
}

/// The address of a server: scheme, host, port, and perhaps a folder; never credentials, a query or a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    url: Url,
    text: String,
}

impl Address {
    fn parse(text: &str) -> Result<Self, SettingsError> {
        let text = text.trim();
        let full = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let mut url =
            Url::parse(&full).map_err(|_| SettingsError::Address("it cannot be read as an address"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(SettingsError::Address("credentials do not belong into it"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(SettingsError::Address("it goes on behind the server's path"));
        }
        match (url.scheme(), url.host()) {
            ("https", Some(_)) => {}
            ("http", Some(host)) if is_loopback(&host) => {}
            ("http", Some(host)) => return Err(SettingsError::InClear(host.to_string())),
            _ => return Err(SettingsError::Address("it has to begin with https://")),
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self { text: url.as_str().trim_end_matches('/').to_owned(), url })
    }

    /// The address of a call.
    pub(crate) fn of(&self, path: &str, query: Option<&str>) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", self.url.path().trim_end_matches('/')));
        url.set_query(query);
        url
    }

    /// Host and port.
    pub(crate) fn host(&self) -> &str {
        self.url.authority()
    }

    pub(crate) fn is_loopback(&self) -> bool {
        self.url.host().is_some_and(|host| is_loopback(&host))
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// A user account or an API client.
#[derive(Clone, Debug)]
pub(crate) enum Account {
    User { name: String, password: Secret },
    Client { id: String, secret: Secret },
}

impl Account {
    /// An API client is preferred: a user account may be refused where single sign-on is enforced
    /// (`jamf-pro-api.md §2.1`).
    fn from_env(env: &Env) -> Result<Self, SettingsError> {
        let client = pair(
            (keys::CLIENT_ID.name(), env.get(keys::CLIENT_ID)?),
            (keys::CLIENT_SECRET.name(), env.get(keys::CLIENT_SECRET)?),
        )?;
        let user = pair(
            (keys::API_USERNAME.name(), env.get(keys::API_USERNAME)?),
            (keys::API_PASSWORD.name(), env.get(keys::API_PASSWORD)?),
        )?;
        match (client, user) {
            (Some((id, secret)), _) => Ok(Self::Client { id, secret }),
            (None, Some((name, password))) => Ok(Self::User { name, password }),
            (None, None) => Err(SettingsError::NoAccount),
        }
    }

    fn parts(&self) -> (bool, &str, &str) {
        match self {
            Self::User { name, password } => (false, name, password.expose_secret()),
            Self::Client { id, secret } => (true, id, secret.expose_secret()),
        }
    }
}

impl PartialEq for Account {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User { name, .. } => write!(f, "user {name}"),
            Self::Client { id, .. } => write!(f, "API client {id}"),
        }
    }
}

/// Both, or neither; an empty entry is one that is not set.
fn pair(
    (id_key, id): (&'static str, Option<String>),
    (secret_key, secret): (&'static str, Option<Secret>),
) -> Result<Option<(String, Secret)>, SettingsError> {
    let id = id.filter(|id| !id.is_empty());
    let secret = secret.filter(|secret| !secret.expose_secret().is_empty());
    match (id, secret) {
        (Some(id), Some(secret)) => Ok(Some((id, secret))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(SettingsError::HalfAnAccount { set: id_key, missing: secret_key }),
        (None, Some(_)) => Err(SettingsError::HalfAnAccount { set: secret_key, missing: id_key }),
    }
}

/// Everything that tells one session from another.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) address: Address,
    pub(crate) account: Account,
    /// `None`: the server decides.
    pub(crate) package_api: Option<PackageApi>,
}

impl Settings {
    pub(crate) fn from_env(env: &Env) -> Result<Self, SettingsError> {
        let address = env.get(keys::JSS_URL)?.filter(|text| !text.trim().is_empty());
        let address = Address::parse(&address.ok_or(SettingsError::NoServer)?)?;
        let account = Account::from_env(env)?;
        let package_api = match env.get(keys::PACKAGE_API)? {
            None | Some(PackageApiChoice::Auto) => None,
            Some(PackageApiChoice::Pro) => Some(PackageApi::Pro),
            Some(PackageApiChoice::Classic) => Some(PackageApi::Classic),
        };
        Ok(Self { address, account, package_api })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline::{Origin, Value};

    fn settings(entries: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let mut env = Env::new();
        for (name, value) in entries {
            env.insert(name, Value::String((*value).to_owned()), Origin::CommandLine, false);
        }
        Settings::from_env(&env)
    }

    fn at(address: &str) -> Result<Settings, SettingsError> {
        settings(&[("JSS_URL", address), ("CLIENT_ID", "id"), ("CLIENT_SECRET", "hush")])
    }

    #[test]
    fn addresses_are_taken_as_people_write_them() {
        for (written, meant) in [
            ("https://example.jamfcloud.com", "https://example.jamfcloud.com"),
            (" https://example.jamfcloud.com// \n", "https://example.jamfcloud.com"),
            ("example.jamfcloud.com", "https://example.jamfcloud.com"),
            ("example.com:8443/jss/", "https://example.com:8443/jss"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:8080/", "http://[::1]:8080"),
            ("http://localhost:8080/", "http://localhost:8080"),
        ] {
            let settings = at(written).unwrap();
            assert_eq!(settings.address.as_str(), meant);
            let call = settings.address.of("/api/v1/packages", Some("page=0"));
            assert_eq!(call.as_str(), format!("{meant}/api/v1/packages?page=0"));
        }
    }

    #[test]
    fn other_addresses_are_refused_without_showing_them() {
        let fault = |address| at(address).unwrap_err().to_string();
        insta::assert_snapshot!(fault("https://me:pa55@example.com"), @"JSS_URL is not the address of a server: credentials do not belong into it");
        insta::assert_snapshot!(fault("https://example.com/?a=b"), @"JSS_URL is not the address of a server: it goes on behind the server's path");
        insta::assert_snapshot!(fault("ftp://example.com"), @"JSS_URL is not the address of a server: it has to begin with https://");
        insta::assert_snapshot!(fault("https://"), @"JSS_URL is not the address of a server: it cannot be read as an address");
        insta::assert_snapshot!(fault("http://example.com"), @"JSS_URL begins with http://, so that credentials would travel to example.com in clear");
        insta::assert_snapshot!(fault("  "), @"JSS_URL is not set");
    }

    #[test]
    fn an_api_client_goes_before_a_user_and_halves_are_refused() {
        let server = ("JSS_URL", "https://example.com");
        let user = [("API_USERNAME", "jane"), ("API_PASSWORD", "hush")];
        let client = [("CLIENT_ID", "id"), ("CLIENT_SECRET", "hush")];
        let account =
            |entries: &[(&str, &str)]| settings(entries).map(|settings| settings.account.to_string());

        let all = [server, user[0], user[1], client[0], client[1]];
        assert_eq!(account(&all).as_deref(), Ok("API client id"));
        assert_eq!(account(&[server, user[0], user[1], ("CLIENT_ID", "")]).as_deref(), Ok("user jane"));
        assert_eq!(account(&[server]), Err(SettingsError::NoAccount));
        assert_eq!(
            account(&[server, client[0], user[0], user[1]]),
            Err(SettingsError::HalfAnAccount { set: "CLIENT_ID", missing: "CLIENT_SECRET" })
        );
        assert_eq!(
            account(&[server, user[1]]),
            Err(SettingsError::HalfAnAccount { set: "API_PASSWORD", missing: "API_USERNAME" })
        );
    }

    #[test]
    fn the_api_for_records_can_be_forced() {
        let forced = |api| {
            let base = [
                ("JSS_URL", "a.example"),
                ("CLIENT_ID", "id"),
                ("CLIENT_SECRET", "hush"),
                ("package_api", api),
            ];
            settings(&base).map(|settings| settings.package_api)
        };
        assert_eq!(forced("auto"), Ok(None));
        assert_eq!(forced(""), Ok(None), "an empty variable of the process environment");
        assert_eq!(forced("pro"), Ok(Some(PackageApi::Pro)));
        assert_eq!(forced("classic"), Ok(Some(PackageApi::Classic)));
        insta::assert_snapshot!(forced("Classic").unwrap_err(), @"package_api (from -k) has the wrong type");
    }

    #[test]
    fn secrets_do_not_show() {
        let shown = format!("{:?}", at("example.com").unwrap());
        assert!(!shown.contains("hush"), "{shown}");
    }
}
