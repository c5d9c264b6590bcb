//! The Platform API gateway: another way to the same calls, with its own addresses (`jamf-pro-api.md §14`).

use pipeline::{Key, Kind, Typed, Value, WrongType};
use reqwest::header::HeaderName;
use std::fmt;

/// How requests to a gateway say which tenant they are for: `auto` (default: by the host), `header` or `path`.
pub const GATEWAY_ADDRESSING: Key<AddressingChoice> = Key::new("JAMF_GATEWAY_ADDRESSING");

/// The host of the public beta, which had the tenant in the path.
const BETA_HOST: &str = ".apigw.jamf.com";
/// Regions whose gateways have an address of this kind (`user-pains.md` section 3).
pub(crate) const REGIONS: [&str; 3] = ["us", "eu", "apac"];

/// What kind of server a session talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ServerKind {
    /// Jamf Pro itself.
    Instance,
    /// The Platform API gateway in front of it.
    Gateway,
}

/// How requests to a gateway say which tenant they are for, as a setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AddressingChoice {
    /// As the host has it. Empty text says so too.
    #[default]
    Auto,
    /// In a header: the API since its release.
    Header,
    /// In the path: the public beta.
    Path,
}

/// `auto`, `header` or `path`.
impl Typed for AddressingChoice {
    const KIND: Kind = Kind::String;

    fn read(value: &Value) -> Result<Self, WrongType> {
        match value {
            Value::String(text) if text.is_empty() || text == "auto" => Ok(Self::Auto),
            Value::String(text) if text == "header" => Ok(Self::Header),
            Value::String(text) if text == "path" => Ok(Self::Path),
            _ => Err(WrongType::new("one of auto, header, path", value)),
        }
    }

    fn write(self) -> Value {
        let word = match self {
            Self::Auto => "auto",
            Self::Header => "header",
            Self::Path => "path",
        };
        Value::String(word.to_owned())
    }
}

/// What a gateway leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Tenant(String),
    Environment(String),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant(id) => write!(f, "tenant {id}"),
            Self::Environment(id) => write!(f, "environment {id}"),
        }
    }
}

/// A gateway as the settings name it: what it leads to, and how requests say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gateway {
    pub(crate) scope: Scope,
    pub(crate) is_in_path: bool,
}

/// Whether requests to this host have the tenant in their paths.
pub(crate) fn has_tenant_in_path(choice: AddressingChoice, host: &str) -> bool {
    match choice {
        AddressingChoice::Auto => host.to_ascii_lowercase().ends_with(BETA_HOST),
        AddressingChoice::Header => false,
        AddressingChoice::Path => true,
    }
}

/// The address of a region's gateway.
pub(crate) fn address_of(region: &str) -> String {
    format!("https://{region}.api.jamfcloud.com")
}

impl Gateway {
    /// Where a call of the server itself is served. What is no call of either API, such as the sign-in of the gateway, stays
    /// as it is.
    pub(crate) fn path(&self, path: &str) -> String {
        let (api, tenant) = match &self.scope {
            Scope::Tenant(id) | Scope::Environment(id) if self.is_in_path => {
                ("/api", format!("/tenant/{id}"))
            }
            _ => ("", String::new()),
        };
        if let Some(rest) = path.strip_prefix("/JSSResource") {
            return format!("{api}/proclassic{tenant}{rest}");
        }
        match path.strip_prefix("/api/").and_then(|rest| rest.split_once('/')) {
            Some((version, rest)) => format!("{api}/pro/{version}{tenant}/{rest}"),
            None => path.to_owned(),
        }
    }

    /// The header that says what a request is for, unless the path does.
    pub(crate) fn header(&self) -> Option<(HeaderName, &str)> {
        let (name, id) = match &self.scope {
            Scope::Tenant(id) => (HeaderName::from_static("x-tenant-id"), id),
            Scope::Environment(id) => (HeaderName::from_static("x-environment-id"), id),
        };
        (!self.is_in_path).then_some((name, id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn gateway(is_in_path: bool) -> Gateway {
        Gateway { scope: Scope::Tenant("1f0e".into()), is_in_path }
    }

    #[test]
    fn calls_have_their_places_behind_a_gateway() {
        for (call, in_header, in_path) in [
            ("/api/v1/packages", "/pro/v1/packages", "/api/pro/v1/tenant/1f0e/packages"),
            (
                "/api/v1/packages/7/upload",
                "/pro/v1/packages/7/upload",
                "/api/pro/v1/tenant/1f0e/packages/7/upload",
            ),
            ("/api/v2/a%2Fb", "/pro/v2/a%2Fb", "/api/pro/v2/tenant/1f0e/a%2Fb"),
            (
                "/JSSResource/packages/id/0",
                "/proclassic/packages/id/0",
                "/api/proclassic/tenant/1f0e/packages/id/0",
            ),
            ("/auth/token", "/auth/token", "/auth/token"),
            ("/oauth2/token", "/oauth2/token", "/oauth2/token"),
        ] {
            assert_eq!(gateway(false).path(call), in_header);
            assert_eq!(gateway(true).path(call), in_path);
        }
    }

    #[test]
    fn the_host_says_where_the_tenant_stands() {
        for (host, in_path) in [
            ("us.api.jamfcloud.com", false),
            ("us.apigw.jamf.com", true),
            ("EU.APIGW.JAMF.COM", true),
            ("apigw.jamf.com.example.com", false),
            ("127.0.0.1", false),
        ] {
            assert_eq!(has_tenant_in_path(AddressingChoice::Auto, host), in_path, "{host}");
        }
        assert!(has_tenant_in_path(AddressingChoice::Path, "us.api.jamfcloud.com"));
        assert!(!has_tenant_in_path(AddressingChoice::Header, "us.apigw.jamf.com"));
    }

    proptest! {
        #[test]
        fn a_choice_reads_back(choice in prop_oneof![
            Just(AddressingChoice::Auto), Just(AddressingChoice::Header), Just(AddressingChoice::Path)
        ]) {
            prop_assert_eq!(AddressingChoice::read(&choice.write()), Ok(choice));
        }

        #[test]
        fn no_path_is_too_odd(path in "(/(api|v1|JSSResource|packages|auth)){0,6}/?\\PC{0,8}", in_path: bool) {
            let led = gateway(in_path).path(&path);
            prop_assert!(led == path || led.contains("/pro"), "{}", led);
        }
    }
}
