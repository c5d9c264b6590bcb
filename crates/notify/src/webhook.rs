use crate::address::Address;
use crate::client::Letter;
use crate::summary::Summary;
use crate::{Error, json, slack, teams};
use bytes::Bytes;
use pipeline::Secret;
use reqwest::Method;
use serde_json::Value;
use std::fmt;
use std::str::FromStr;

/// What listens at a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Slack's incoming webhooks, and what understands their `text`.
    Slack,
    /// A workflow of Teams ("When a Teams webhook request is received").
    Teams,
    /// A program that reads the run as JSON.
    Json,
}

impl Service {
    /// The word for it in settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::Json => "json",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Text is none of `slack`, `teams` and `json`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not slack, teams or json")]
pub struct InvalidService(String);

impl FromStr for Service {
    type Err = InvalidService;

    fn from_str(text: &str) -> Result<Self, InvalidService> {
        let all = [Self::Slack, Self::Teams, Self::Json];
        all.into_iter().find(|one| one.as_str() == text).ok_or_else(|| InvalidService(text.to_owned()))
    }
}

/// What is sent to a service about a run.
#[must_use]
pub fn payload(service: Service, summary: &Summary) -> Value {
    match service {
        Service::Slack => slack::message(summary),
        Service::Teams => teams::message(summary),
        Service::Json => json::message(summary),
    }
}

/// Where a message goes.
#[derive(Clone, Debug)]
pub struct Webhook {
    service: Service,
    label: String,
    address: Address,
}

impl Webhook {
    /// `label` is what messages call it, such as the name of the setting that it comes from.
    ///
    /// # Errors
    /// When the address is none that may be asked.
    pub fn new(service: Service, label: impl Into<String>, address: &Secret) -> Result<Self, Error> {
        let label = label.into();
        match Address::parse(address) {
            Ok(address) => Ok(Self { service, label, address }),
            Err(reason) => Err(Error::Address { label, reason }),
        }
    }

    /// What messages call it.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    pub(crate) fn letter(&self, summary: &Summary) -> Letter {
        let text = payload(self.service, summary).to_string();
        // Without the character set, Teams' limit is half of what it says.
        Letter { method: Method::POST, body: Some(("application/json; charset=utf-8", Bytes::from(text))) }
    }
}
