use crate::error::Request;
use crate::privilege;
use crate::said::Said;
use pipeline::{Diagnose, FailureKind};
use reqwest::StatusCode;

/// An answer other than success: what was asked, what was answered, and which privilege the call takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{request} was answered with {status}{}{}", said_so(.said), lacking(*.status, *.privilege))]
pub struct Rejection {
    pub(crate) request: Request,
    pub(crate) status: StatusCode,
    pub(crate) said: Said,
    pub(crate) privilege: Option<&'static str>,
}

fn said_so(said: &Said) -> String {
    said.sentence.as_ref().map(|sentence| format!(": {sentence}")).unwrap_or_default()
}

fn lacking(status: StatusCode, privilege: Option<&'static str>) -> String {
    match privilege {
        Some(privilege) if status == StatusCode::FORBIDDEN => {
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

    /// The privilege that the call takes.
    #[must_use]
    pub fn privilege(&self) -> Option<&'static str> {
        self.privilege
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
            401 => {
                "the server refuses a token that it gave a moment ago: run again; if that does not help, check the account in Jamf Pro"
            }
            403 => return self.privilege.map(privilege_advice),
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

    fn duplicate_advice(&self) -> String {
        match self.said.faults.iter().find_map(|fault| fault.field.as_deref()) {
            Some("fileName") => "another package record names this file already: give the file another name".into(),
            Some("name") => "something of this name was created in the meantime: run again".into(),
            _ => "another package record has this display name already: set pkg_display_name, or run again if it is this package's".into(),
        }
    }
}

fn privilege_advice(privilege: &'static str) -> String {
    let old = privilege::old_spelling(privilege)
        .map(|old| format!("; before Jamf Pro 11.20 it is called “{old}”"))
        .unwrap_or_default();
    format!(
        "give the API role the privilege “{privilege}” in Settings > API roles and clients (a user account: Settings > User \
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
