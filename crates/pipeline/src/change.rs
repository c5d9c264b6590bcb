use serde::Serialize;
use std::fmt;

/// What a change does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Something new.
    Create,
    /// New bytes in place of old ones.
    Replace,
    /// Some fields of something that stays.
    Update,
    /// Something temporary is asked for.
    Obtain,
    /// The server is asked to look again, and what it says is checked.
    Prove,
    /// Bytes come from the server to this machine.
    Download,
    /// What an earlier run left goes.
    Remove,
}

/// What a change concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// Bytes in the distribution service.
    File,
    /// A package record.
    Record,
    /// A category.
    Category,
    /// Temporary credentials.
    Credentials,
    /// That file and record have arrived.
    Delivery,
    /// Something on this machine that an earlier run had no time to remove.
    LeftOver,
}

/// One field before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// The field, as the recipe names it.
    pub field: String,
    /// The value on the server; `None` where there was no object yet.
    pub old: Option<String>,
    /// The value that the recipe wants.
    pub new: String,
}

/// One change that a step would make. A plan prints it, a real run makes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What it does.
    pub verb: Verb,
    /// What it concerns.
    pub subject: Subject,
    /// The object's name.
    pub name: String,
    /// Why, where that is not plain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where on this machine something goes, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Bytes that it sends.
    pub bytes: u64,
    /// Bytes that it fetches.
    #[serde(skip_serializing_if = "is_zero")]
    pub fetches: u64,
    /// Whether it is sent with nothing else beside it.
    #[serde(skip)]
    pub alone: bool,
    /// Fields that it sets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Change {
    /// A change that moves no bytes and sets no fields.
    #[must_use]
    pub fn new(verb: Verb, subject: Subject, name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            verb,
            subject,
            name,
            reason: None,
            to: None,
            bytes: 0,
            fetches: 0,
            alone: false,
            fields: Vec::new(),
        }
    }

    /// Whether something stays different by it. Temporary credentials end, and a proof only looks.
    #[must_use]
    pub fn lasts(&self) -> bool {
        matches!(self.subject, Subject::File | Subject::Record | Subject::Category)
    }

    /// Adds the reason.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Adds the bytes to send.
    #[must_use]
    pub fn sending(mut self, bytes: u64) -> Self {
        self.bytes = bytes;
        self
    }

    /// The same, sent with nothing else beside it.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    /// Adds the bytes to fetch.
    #[must_use]
    pub fn fetching(mut self, bytes: u64) -> Self {
        self.fetches = bytes;
        self
    }

    /// Adds the place on this machine.
    #[must_use]
    pub fn to(mut self, place: impl Into<String>) -> Self {
        self.to = Some(place.into());
        self
    }

    /// Adds the fields to set.
    #[must_use]
    pub fn setting(mut self, fields: Vec<FieldChange>) -> Self {
        self.fields = fields;
        self
    }
}

/// One line without fields and bytes: `replace file Firefox.pkg (MD5 differs)`.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.verb {
            Verb::Create => "create",
            Verb::Replace => "replace",
            Verb::Update => "update",
            Verb::Obtain => "obtain",
            Verb::Prove => "prove",
            Verb::Download => "download",
            Verb::Remove => "remove",
        };
        let subject = match self.subject {
            Subject::File => "file",
            Subject::Record => "record",
            Subject::Category => "category",
            Subject::Credentials => "upload credentials for",
            Subject::Delivery => "delivery of",
            Subject::LeftOver => "left-over",
        };
        write!(f, "{verb} {subject} {}", self.name)?;
        if let Some(to) = &self.to {
            write!(f, " to {to}")?;
        }
        match &self.reason {
            Some(reason) => write!(f, " ({reason})"),
            None => Ok(()),
        }
    }
}
