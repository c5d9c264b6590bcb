use super::refusal::Refusal;
use crate::{Addressing, Gateway};
use http::HeaderMap;

/// Calls that sign in and out and tell who is signed in: the gateway does that itself (`§14`).
const NOT_OFFERED: [&str; 2] = ["auth", "oauth"];

/// What an address of the gateway asks for. Everything is as it was sent, percent-encoding included.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked<'p> {
    api: Api<'p>,
    /// If the path names it.
    tenant: Option<&'p str>,
    /// What comes after it.
    rest: &'p str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Api<'p> {
    Pro { version: &'p str },
    Classic,
}

/// Reads a path, if it is one of the gateway's.
pub(super) fn read(path: &str, addressing: Addressing) -> Option<Asked<'_>> {
    let path = match addressing {
        Addressing::TenantInPath => path.strip_prefix("/api")?,
        Addressing::TenantHeader | Addressing::EnvironmentHeader => path,
    };
    let (api, rest) = match path.strip_prefix("/proclassic/") {
        Some(rest) => (Api::Classic, rest),
        None => {
            let (version, rest) = path.strip_prefix("/pro/")?.split_once('/')?;
            let number = version.strip_prefix('v')?;
            let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            (is_number.then_some(Api::Pro { version })?, rest)
        }
    };
    let (tenant, rest) = match addressing {
        Addressing::TenantInPath => {
            let (tenant, rest) = rest.strip_prefix("tenant/")?.split_once('/')?;
            (Some(tenant), rest)
        }
        Addressing::TenantHeader | Addressing::EnvironmentHeader => (None, rest),
    };
    Some(Asked { api, tenant, rest })
}

impl Asked<'_> {
    /// The path of the same call at the server itself, if it is for this tenant and offered at all.
    pub(super) fn admitted(&self, gateway: &Gateway, headers: &HeaderMap) -> Result<String, Refusal> {
        let tenant = match gateway.addressing.header() {
            None => self.tenant,
            Some(name) => headers.get(name).map(|value| value.to_str().unwrap_or_default()),
        };
        let tenant = tenant.ok_or(Refusal::NoScope)?;
        if tenant != gateway.tenant.to_string() {
            return Err(Refusal::ForeignScope(tenant.to_owned()));
        }
        let rest = self.rest;
        match self.api {
            Api::Classic => Ok(format!("/JSSResource/{rest}")),
            Api::Pro { .. } if NOT_OFFERED.contains(&rest.split('/').next().unwrap_or_default()) => {
                Err(Refusal::NotOffered)
            }
            Api::Pro { version } => Ok(format!("/api/{version}/{rest}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_oneof, proptest};
    use proptest::strategy::{Just, Strategy};

    const TENANT: &str = "1f0e2d3c-4b5a-4978-8a9b-0c1d2e3f4a5b";

    fn gateway(addressing: Addressing) -> Gateway {
        Gateway { addressing, ..Gateway::new(TENANT.parse().unwrap()) }
    }

    /// What becomes of a path, with the header that it wants.
    fn lead(path: &str, addressing: Addressing) -> Option<Result<String, Refusal>> {
        let mut headers = HeaderMap::new();
        if let Some(name) = addressing.header() {
            headers.insert(name, TENANT.parse().unwrap());
        }
        read(path, addressing).map(|asked| asked.admitted(&gateway(addressing), &headers))
    }

    #[test]
    fn paths_that_are_no_address_of_the_gateway() {
        for path in [
            "/",
            "/api/v1/packages",
            "/JSSResource/packages",
            "/api/pro/v1/packages",
            "/api/pro/tenant/1f0e2d3c-4b5a-4978-8a9b-0c1d2e3f4a5b/v1/packages",
            "/api/pro/v1/tenant/1f0e2d3c-4b5a-4978-8a9b-0c1d2e3f4a5b",
            "/api/pro/x1/tenant/1f0e2d3c-4b5a-4978-8a9b-0c1d2e3f4a5b/packages",
            "/api/pro/v/tenant/1f0e2d3c-4b5a-4978-8a9b-0c1d2e3f4a5b/packages",
            "/api/proclassic/packages",
            "/pro/v1/packages",
        ] {
            assert_eq!(read(path, Addressing::TenantInPath), None, "{path}");
        }
        for path in
            ["/", "/api/pro/v1/packages", "/api/v1/packages", "/pro/packages", "/proclassic", "/pro/v1"]
        {
            assert_eq!(read(path, Addressing::TenantHeader), None, "{path}");
        }
    }

    #[test]
    fn only_this_tenant_in_this_spelling() {
        for other in ["1F0E2D3C-4B5A-4978-8A9B-0C1D2E3F4A5B", "1f0e2d3c4b5a49788a9b0c1d2e3f4a5b", ""] {
            let path = format!("/api/pro/v1/tenant/{other}/packages");
            let refused = Some(Err(Refusal::ForeignScope(other.to_owned())));
            assert_eq!(lead(&path, Addressing::TenantInPath), refused);
        }
        let asked = read("/pro/v1/packages", Addressing::TenantHeader).unwrap();
        assert_eq!(
            asked.admitted(&gateway(Addressing::TenantHeader), &HeaderMap::new()),
            Err(Refusal::NoScope)
        );
    }

    proptest! {
        /// The addresses that the connection tells lead to the calls that they stand for.
        #[test]
        fn a_connection_leads_where_it_says(
            addressing in prop_oneof![Just(Addressing::TenantInPath), Just(Addressing::TenantHeader), Just(Addressing::EnvironmentHeader)],
            rest in "[a-z%0-9+;. -]{0,12}(/[a-z%0-9/-]{0,12})?"
                .prop_filter("not offered", |rest| !rest.starts_with("auth") && !rest.starts_with("oauth")),
        ) {
            let connection = gateway(addressing).connection("");
            assert_eq!(lead(&format!("{}/{rest}", connection.pro_url), addressing), Some(Ok(format!("/api/v1/{rest}"))));
            assert_eq!(
                lead(&format!("{}/{rest}", connection.classic_url), addressing),
                Some(Ok(format!("/JSSResource/{rest}")))
            );
        }

        #[test]
        fn no_path_leads_to_a_sign_in(path in "(/(api|pro|v1|proclassic|tenant|auth|oauth|token|1f0e2d3c-4b5a-4978-8a9b-0c1d2e3f4a5b)){1,8}") {
            for addressing in [Addressing::TenantInPath, Addressing::TenantHeader] {
                if let Some(Ok(target)) = lead(&path, addressing) {
                    assert!(!target.starts_with("/api/v1/auth/") && !target.starts_with("/api/v1/oauth/"), "{target}");
                }
            }
        }
    }
}
