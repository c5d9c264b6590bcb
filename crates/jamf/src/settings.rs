//! Which server, which account, which API for records: what the environment says about it.

use crate::account::Account;
use crate::gateway::{self, AddressingChoice, GATEWAY_ADDRESSING, Gateway, REGIONS, Scope};
use crate::{PackageApi, ServerKind};
use pipeline::{Diagnose, Env, EnvError, FailureKind, Key, PackageApiChoice, is_loopback, keys};
use url::Url;

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
    /// No gateway is known in this region.
    #[error("JAMF_REGION is {0:?}, and only {regions} are known", regions = REGIONS.join(", "))]
    Region(String),
    /// A region is a gateway's, and a gateway leads to a tenant.
    #[error(
        "JAMF_REGION is set, and neither JAMF_TENANT_ID nor JAMF_ENVIRONMENT_ID says what its gateway is to lead to"
    )]
    NoScope,
    /// A request is for one of them.
    #[error("JAMF_TENANT_ID and JAMF_ENVIRONMENT_ID are both set")]
    TwoScopes,
    /// It could not stand in an address or a header.
    #[error("{0} is no id: it has signs other than letters, digits, - and _")]
    ScopeId(&'static str),
    /// Paths of the beta name tenants only.
    #[error("JAMF_ENVIRONMENT_ID is set, and this gateway takes a tenant in the path")]
    EnvironmentInPath,
    /// Gateways let API clients in and nobody else.
    #[error("a user account is set, and the Platform API gateway lets API clients in only")]
    UserAtGateway,
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
            Self::Region(_) => "for a gateway in another region set JSS_URL to its address",
            Self::NoScope => {
                "set JAMF_ENVIRONMENT_ID or JAMF_TENANT_ID (Jamf Account shows it), or set JSS_URL to the server's own \
                 address"
            }
            Self::TwoScopes => "set one of them: Jamf prefers environments",
            Self::ScopeId(_) => {
                "copy it from Jamf Account; it looks like 1f0e2d3c-4b5a-4978-8a9b-0c1d2e3f4a5b"
            }
            Self::EnvironmentInPath => {
                "set JAMF_TENANT_ID instead, or JSS_URL to https://us.api.jamfcloud.com or its like: the beta's gateways \
                 are retired"
            }
            Self::UserAtGateway => {
                "make an API client for the Platform API in Jamf Account and set CLIENT_ID and CLIENT_SECRET, or unset \
                 JAMF_TENANT_ID and JAMF_ENVIRONMENT_ID and set JSS_URL to the server's own address"
            }
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
        match (url.scheme(), url.host_str()) {
            ("https", Some(_)) => {}
            ("http", Some(host)) if is_loopback(host) => {}
            ("http", Some(host)) => return Err(SettingsError::InClear(host.to_owned())),
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
        self.url.host_str().is_some_and(is_loopback)
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

/// Everything that tells one session from another.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) address: Address,
    /// The address is a gateway's.
    pub(crate) gateway: Option<Gateway>,
    pub(crate) account: Account,
    /// `None`: the server decides.
    pub(crate) package_api: Option<PackageApi>,
}

impl Settings {
    pub(crate) fn from_env(env: &Env) -> Result<Self, SettingsError> {
        let scope = scope(env)?;
        let address = Address::parse(&address(env, scope.is_some())?)?;
        let gateway = scope.map(|scope| gateway(env, &address, scope)).transpose()?;
        let account = Account::from_env(env)?;
        if gateway.is_some() && matches!(account, Account::User { .. }) {
            return Err(SettingsError::UserAtGateway);
        }
        let package_api = match env.get(keys::PACKAGE_API)? {
            None | Some(PackageApiChoice::Auto) => None,
            Some(PackageApiChoice::Pro) => Some(PackageApi::Pro),
            Some(PackageApiChoice::Classic) => Some(PackageApi::Classic),
        };
        Ok(Self { address, gateway, account, package_api })
    }

    pub(crate) fn kind(&self) -> ServerKind {
        if self.gateway.is_some() { ServerKind::Gateway } else { ServerKind::Instance }
    }
}

/// An entry that says something.
fn filled(env: &Env, key: Key<String>) -> Result<Option<String>, EnvError> {
    let text = env.get(key)?.map(|text| text.trim().to_owned());
    Ok(text.filter(|text| !text.is_empty()))
}

/// `JSS_URL`, or the gateway of the region.
fn address(env: &Env, is_gateway: bool) -> Result<String, SettingsError> {
    match (filled(env, keys::JSS_URL)?, filled(env, keys::REGION)?) {
        (Some(address), _) => Ok(address),
        (None, Some(region)) if !REGIONS.contains(&&*region) => Err(SettingsError::Region(region)),
        (None, Some(region)) if is_gateway => Ok(gateway::address_of(&region)),
        (None, Some(_)) => Err(SettingsError::NoScope),
        (None, None) => Err(SettingsError::NoServer),
    }
}

/// What requests are for, if that has to be said, which makes the server a gateway.
fn scope(env: &Env) -> Result<Option<Scope>, SettingsError> {
    let id = |key: Key<String>| match filled(env, key)? {
        Some(id) if id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) => {
            // Gateways compare letter by letter, and know UUIDs in lower case (`jamf-pro-api.md §14`).
            let is_uuid = id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
            Ok(Some(if is_uuid { id.to_ascii_lowercase() } else { id }))
        }
        Some(_) => Err(SettingsError::ScopeId(key.name())),
        None => Ok(None),
    };
    match (id(keys::TENANT_ID)?, id(keys::ENVIRONMENT_ID)?) {
        (Some(_), Some(_)) => Err(SettingsError::TwoScopes),
        (Some(id), None) => Ok(Some(Scope::Tenant(id))),
        (None, Some(id)) => Ok(Some(Scope::Environment(id))),
        (None, None) => Ok(None),
    }
}

fn gateway(env: &Env, address: &Address, scope: Scope) -> Result<Gateway, SettingsError> {
    let choice = env.get(GATEWAY_ADDRESSING)?.unwrap_or(AddressingChoice::Auto);
    let is_in_path = gateway::has_tenant_in_path(choice, address.url.host_str().unwrap_or_default());
    match scope {
        Scope::Environment(_) if is_in_path => Err(SettingsError::EnvironmentInPath),
        scope => Ok(Gateway { scope, is_in_path }),
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

    const TENANT: &str = "1f0e2d3c-4b5a-4978-8a9b-0c1d2e3f4a5b";

    fn through(entries: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        settings(&[&[("CLIENT_ID", "id"), ("CLIENT_SECRET", "hush")], entries].concat())
    }

    #[test]
    fn a_tenant_or_an_environment_makes_a_gateway() {
        let seen = |entries: &[(&str, &str)]| {
            let settings = through(entries).unwrap();
            let gateway = settings.gateway.unwrap();
            let path = gateway.path("/api/v1/packages");
            let header = gateway.header().map(|(name, id)| format!(" {name}: {id}")).unwrap_or_default();
            format!("{}{header}", settings.address.of(&path, None))
        };
        insta::assert_snapshot!(
            seen(&[("JAMF_REGION", "eu"), ("JAMF_TENANT_ID", TENANT)]),
            @"https://eu.api.jamfcloud.com/pro/v1/packages x-tenant-id: 1f0e2d3c-4b5a-4978-8a9b-0c1d2e3f4a5b"
        );
        insta::assert_snapshot!(
            seen(&[("JAMF_REGION", "us"), ("JAMF_ENVIRONMENT_ID", " Production_1 "), ("JAMF_TENANT_ID", "")]),
            @"https://us.api.jamfcloud.com/pro/v1/packages x-environment-id: Production_1"
        );
        insta::assert_snapshot!(
            seen(&[("JSS_URL", "us.apigw.jamf.com"), ("JAMF_TENANT_ID", &TENANT.to_uppercase()), ("JAMF_REGION", "eu")]),
            @"https://us.apigw.jamf.com/api/pro/v1/tenant/1f0e2d3c-4b5a-4978-8a9b-0c1d2e3f4a5b/packages"
        );
        insta::assert_snapshot!(
            seen(&[("JSS_URL", "http://127.0.0.1:80"), ("JAMF_TENANT_ID", "t"), ("JAMF_GATEWAY_ADDRESSING", "path")]),
            @"http://127.0.0.1/api/pro/v1/tenant/t/packages"
        );
        let plain =
            through(&[("JSS_URL", "a.example"), ("JAMF_TENANT_ID", " "), ("JAMF_REGION", "us")]).unwrap();
        assert_eq!((plain.gateway.clone(), plain.kind()), (None, ServerKind::Instance));
    }

    #[test]
    fn gateways_that_make_no_sense_are_refused() {
        let fault = |entries: &[(&str, &str)]| {
            let fault = through(entries).unwrap_err();
            format!("{fault}\n{}", fault.hint().unwrap_or_default())
        };
        let tenant = ("JAMF_TENANT_ID", TENANT);
        insta::assert_snapshot!(fault(&[("JAMF_REGION", "us1"), tenant]), @r#"
        JAMF_REGION is "us1", and only us, eu, apac are known
        for a gateway in another region set JSS_URL to its address
        "#);
        insta::assert_snapshot!(fault(&[("JAMF_REGION", "us")]), @r"
        JAMF_REGION is set, and neither JAMF_TENANT_ID nor JAMF_ENVIRONMENT_ID says what its gateway is to lead to
        set JAMF_ENVIRONMENT_ID or JAMF_TENANT_ID (Jamf Account shows it), or set JSS_URL to the server's own address
        ");
        insta::assert_snapshot!(fault(&[("JAMF_REGION", "us"), tenant, ("JAMF_ENVIRONMENT_ID", "e")]), @r"
        JAMF_TENANT_ID and JAMF_ENVIRONMENT_ID are both set
        set one of them: Jamf prefers environments
        ");
        insta::assert_snapshot!(fault(&[("JAMF_REGION", "us"), ("JAMF_ENVIRONMENT_ID", "a/b")]), @r"
        JAMF_ENVIRONMENT_ID is no id: it has signs other than letters, digits, - and _
        copy it from Jamf Account; it looks like 1f0e2d3c-4b5a-4978-8a9b-0c1d2e3f4a5b
        ");
        insta::assert_snapshot!(fault(&[("JSS_URL", "eu.apigw.jamf.com"), ("JAMF_ENVIRONMENT_ID", "e")]), @r"
        JAMF_ENVIRONMENT_ID is set, and this gateway takes a tenant in the path
        set JAMF_TENANT_ID instead, or JSS_URL to https://us.api.jamfcloud.com or its like: the beta's gateways are retired
        ");
        assert_eq!(through(&[tenant]), Err(SettingsError::NoServer));
        let user = [("JAMF_REGION", "us"), tenant, ("API_USERNAME", "jane"), ("API_PASSWORD", "hush")];
        assert_eq!(settings(&user), Err(SettingsError::UserAtGateway));
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
