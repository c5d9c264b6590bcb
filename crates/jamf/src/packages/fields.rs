//! What the two APIs call a field, and how they write its value.

use crate::{Error, Field, FieldValue, Setting};
use serde_json::Value;

impl Field {
    /// What the field is called in a sentence.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::DisplayName => "the display name",
            Self::Category => "the category",
            Self::Info => "the info",
            Self::Notes => "the notes",
            Self::Priority => "the priority",
            Self::RebootRequired => "the restart",
            Self::FillUserTemplate => "filling the user template",
            Self::FillExistingUsers => "filling existing users",
            Self::OsRequirements => "the OS requirements",
            Self::RequiredProcessor => "the required processor",
            Self::SendNotification => "the notification",
        }
    }

    /// Its key in the Pro API (`jamf-pro-api.md §5.1`).
    pub(super) fn key(self) -> Option<&'static str> {
        Some(match self {
            Self::DisplayName => "packageName",
            Self::Category => "categoryId",
            Self::Info => "info",
            Self::Notes => "notes",
            Self::Priority => "priority",
            Self::RebootRequired => "rebootRequired",
            Self::FillUserTemplate => "fillUserTemplate",
            Self::FillExistingUsers => "fillExistingUsers",
            Self::OsRequirements => "osRequirements",
            Self::RequiredProcessor | Self::SendNotification => return None,
        })
    }

    /// Its element in the Classic API (`jamf-pro-api.md §6.3`).
    pub(super) fn element(self) -> &'static str {
        match self {
            Self::DisplayName => "name",
            Self::Category => "category",
            Self::Info => "info",
            Self::Notes => "notes",
            Self::Priority => "priority",
            Self::RebootRequired => "reboot_required",
            Self::FillUserTemplate => "fill_user_template",
            Self::FillExistingUsers => "fill_existing_users",
            Self::OsRequirements => "os_requirements",
            Self::RequiredProcessor => "required_processor",
            Self::SendNotification => "send_notification",
        }
    }
}

/// The kind of value that a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Text,
    Flag,
    Number,
    Category,
}

/// Fields with their kinds, without the category, which records name in their own ways.
pub(super) const PLAIN: [(Field, Holds); 10] = [
    (Field::DisplayName, Holds::Text),
    (Field::Info, Holds::Text),
    (Field::Notes, Holds::Text),
    (Field::Priority, Holds::Number),
    (Field::RebootRequired, Holds::Flag),
    (Field::FillUserTemplate, Holds::Flag),
    (Field::FillExistingUsers, Holds::Flag),
    (Field::OsRequirements, Holds::Text),
    (Field::RequiredProcessor, Holds::Text),
    (Field::SendNotification, Holds::Flag),
];

impl Setting {
    /// Checks that the value is of the field's kind.
    pub(super) fn checked(&self) -> Result<&FieldValue, Error> {
        let found = match &self.value {
            FieldValue::Text(_) => Holds::Text,
            FieldValue::Flag(_) => Holds::Flag,
            FieldValue::Number(_) => Holds::Number,
            FieldValue::Category(_) => Holds::Category,
        };
        let plain = PLAIN.iter().find(|(field, _)| *field == self.field);
        if found == plain.map_or(Holds::Category, |(_, holds)| *holds) {
            Ok(&self.value)
        } else {
            Err(Error::Unwritable { field: self.field, found: format!("{:?}", self.value) })
        }
    }
}

impl FieldValue {
    /// As the Pro API writes it: a category by its id, none as `-1` (`jamf-pro-api.md §1.1`).
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => Value::from(text.as_str()),
            Self::Flag(flag) => Value::from(*flag),
            Self::Number(number) => Value::from(*number),
            Self::Category(None) => Value::from("-1"),
            Self::Category(Some(category)) => Value::from(category.id.to_string()),
        }
    }

    /// As the Classic API writes it: a category by its name, none as nothing (`jamf-pro-api.md §6.3`).
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Category(None) => String::new(),
            Self::Category(Some(category)) => category.name.clone(),
        }
    }
}
