use crate::account::Account;
use crate::error::Request;
use crate::said::Said;
use crate::{ServerKind, trace};
use pipeline::{Diagnose, FailureKind};
use reqwest::StatusCode;

/// The server does not let the account in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{server} does not let {account} in: {request} was answered with {status}{}{}", .said.sentence.as_ref().map(|said| format!(": {said}")).unwrap_or_default(), trace::suffix(.trace.as_ref()))]
pub struct SignInError {
    server: String,
    account: String,
    is_client: bool,
    request: Request,
    status: StatusCode,
    said: Said,
    kind: ServerKind,
    trace: Option<String>,
}

impl SignInError {
    pub(crate) fn new(server: &str, account: &Account, rejection: crate::Rejection) -> Self {
        Self {
            server: server.to_owned(),
            account: account.to_string(),
            is_client: matches!(account, Account::Client { .. }),
            request: rejection.request,
            status: rejection.status,
            said: rejection.said,
            kind: rejection.kind,
            trace: rejection.trace,
        }
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }
}

impl Diagnose for SignInError {
    fn kind(&self) -> FailureKind {
        FailureKind::Access
    }

    fn hint(&self) -> Option<String> {
        let hint = if self.kind == ServerKind::Gateway {
            match self.status {
                StatusCode::NOT_FOUND => {
                    "check that JSS_URL is the address of a Platform API gateway, such as https://us.api.jamfcloud.com"
                }
                _ => {
                    "check CLIENT_ID and CLIENT_SECRET: gateways take API clients of Jamf Account, not those of Jamf Pro, \
                     and each only in its own region"
                }
            }
        } else if self.status == StatusCode::NOT_FOUND {
            "check that JSS_URL is the address of a Jamf Pro server, 10.49 or later for API clients"
        } else if self.said.has_code("USER_EXPIRED_PASSWORD") {
            "change the password of the account in Jamf Pro"
        } else if self.is_client {
            "check CLIENT_ID and CLIENT_SECRET, and that the API client is enabled in Settings > API roles and clients"
        } else {
            "check API_USERNAME and API_PASSWORD; where single sign-on is enforced, use an API client instead"
        };
        Some(hint.into())
    }
}
