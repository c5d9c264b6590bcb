use crate::error::Request;
use crate::said::Said;
use crate::{Privilege, ServerKind, trace};
use pipeline::{Diagnose, FailureKind};
use reqwest::StatusCode;

/// What a gateway says to the right client about somebody else's tenant.
const FOREIGN: &str = "OWNERSHIP_FORBIDDEN";

/// An answer other than success: what was asked, what was answered, and which privilege the call takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{request} was answered with {status}{}{}{}", said_so(.said), lacking(self), trace::suffix(.trace.as_ref()))]
pub struct Rejection {
    pub(crate) request: Request,
    pub(crate) status: StatusCode,
    pub(crate) said: Said,
    pub(crate) privilege: Option<Privilege>,
    pub(crate) kind: ServerKind,
    /// What a gateway calls the request by.
    pub(crate) trace: Option<String>,
}

fn said_so(said: &Said) -> String {
    said.sentence.as_ref().map(|sentence| format!(": {sentence}")).unwrap_or_default()
}

fn lacking(rejection: &Rejection) -> String {
    match rejection.privilege() {
        Some(privilege) if rejection.is_lack_of_privilege() => {
            format!("; it takes the privilege “{privilege}”")
        }
        _ => String::new(),
    }
}

impl Rejection {
    /// What was asked.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// What Jamf said, as a sentence.
    #[must_use]
    pub fn said(&self) -> Option<&str> {
        self.said.sentence.as_deref()
    }

    /// The privilege that the call takes, as this kind of server spells it.
    #[must_use]
    pub fn privilege(&self) -> Option<&'static str> {
        self.privilege.map(|privilege| privilege.name(None, self.kind))
    }

    /// The id under which a gateway knows the request.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        self.trace.as_deref()
    }

    /// Something in between refused, which knows nothing of privileges: it answers with a page, where the Pro API answers
    /// with JSON (`user-pains.md` section 3).
    fn is_from_the_edge(&self) -> bool {
        self.status == StatusCode::FORBIDDEN
            && self.said.is_page
            && !self.request.path.starts_with("/JSSResource")
    }

    fn is_lack_of_privilege(&self) -> bool {
        self.status == StatusCode::FORBIDDEN && !self.is_from_the_edge() && !self.said.has_code(FOREIGN)
    }

    fn sends_a_file(&self) -> bool {
        self.request.path.starts_with("/api/v1/packages/") && self.request.path.ends_with("/upload")
    }

    /// The Pro API names the field (`jamf-pro-api.md §5.3`), the Classic API says `Duplicate name` (§6.5).
    pub(crate) fn is_duplicate(&self) -> bool {
        self.said.has_code("DUPLICATE_FIELD")
            || (self.status == StatusCode::CONFLICT
                && self.said().is_some_and(|said| said.contains("Duplicate")))
    }

    fn advice(&self) -> Option<String> {
        if self.is_duplicate() {
            return Some(self.duplicate_advice());
        }
        if self.said.has_code("UNSUPPORTED_FILE_TYPE") {
            return Some("Jamf Pro takes files whose names end in pkg, mpkg, dmg or zip".into());
        }
        let advice = match self.status() {
            401 if self.sends_a_file() => {
                "the server refuses a token that was new when the upload began: if the upload takes longer than the token \
                 lives, give the API client a longer access token lifetime in Settings > API roles and clients (Jamf's \
                 default is 60 seconds)"
            }
            401 => {
                "the server refuses a token that it gave a moment ago: run again; if that does not help, check the account in Jamf Pro"
            }
            403 if self.is_from_the_edge() => return Some(self.edge_advice()),
            403 if self.said.has_code(FOREIGN) => {
                "check JAMF_TENANT_ID or JAMF_ENVIRONMENT_ID, and that the API client belongs to the same organization"
            }
            403 => return self.privilege.map(|privilege| privilege_advice(privilege, self.kind)),
            _ if self.said.has_code("INVALID_FILE_NAME") => {
                "the record names another file, or the server reads the name otherwise: look at the record in Jamf Pro, \
                 and keep to names of plain letters"
            }
            413 if self.sends_a_file() => {
                "a proxy in front of the server limits the size of requests; with route: jcds the file does not pass it"
            }
            404 if self.request.path.starts_with("/api/v1/packages") => {
                "the package record is gone, or this server is older than Jamf Pro 11.5: then set package_api to classic"
            }
            413 => "a proxy in front of the server refuses requests of this size",
            429 | 503 => "the server is busy: try again later",
            500..=599 => "the server or a proxy in front of it failed: try again later",
            _ => return None,
        };
        Some(advice.into())
    }

    fn edge_advice(&self) -> String {
        let who = match self.kind {
            ServerKind::Instance => "something in front of the server, such as a firewall,",
            ServerKind::Gateway => "the edge of the gateway",
        };
        let what = if self.sends_a_file() {
            "with route: jcds the file does not pass it"
        } else {
            "ask those who run it whether it lets this address and this call through"
        };
        format!("{who} refused this and not Jamf Pro: {what}")
    }

    fn duplicate_advice(&self) -> String {
        match self.said.faults.iter().find_map(|fault| fault.field.as_deref()) {
            Some("fileName") => "another package record names this file already: give the file another name".into(),
            Some("name") => "something of this name was created in the meantime: run again".into(),
            _ => "another package record has this display name already: set pkg_display_name, or run again if it is this package's".into(),
        }
    }
}

fn privilege_advice(privilege: Privilege, kind: ServerKind) -> String {
    let name = privilege.name(None, kind);
    if kind == ServerKind::Gateway {
        return format!("give the API client the permission “{name}” in Jamf Account");
    }
    let old = privilege
        .old_name()
        .map(|old| format!("; before Jamf Pro 11.20 it is called “{old}”"))
        .unwrap_or_default();
    format!(
        "give the API role the privilege “{name}” in Settings > API roles and clients (a user account: Settings > User \
         accounts and groups){old}"
    )
}

impl Diagnose for Rejection {
    fn kind(&self) -> FailureKind {
        match self.status() {
            401 | 403 => FailureKind::Access,
            _ => FailureKind::Remote,
        }
    }

    fn hint(&self) -> Option<String> {
        self.advice()
    }
}
