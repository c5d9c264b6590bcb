//! Which named fields a record does not hold yet. Pure: values in, differences out.

use jamf::{Field, FieldValue, Setting};
use pipeline::FieldChange;
use std::collections::BTreeMap;

/// What a record holds, as far as it was asked.
pub(crate) type Held = BTreeMap<Field, FieldValue>;

/// A field and what it is to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// A value that can be written as it is.
    Set(Setting),
    /// A category that has to be created first.
    NewCategory(String),
}

impl Wish {
    pub fn field(&self) -> Field {
        match self {
            Self::Set(setting) => setting.field,
            Self::NewCategory(_) => Field::Category,
        }
    }

    /// The value as a plan shows it.
    pub fn shown(&self) -> String {
        match self {
            Self::Set(setting) => shown(&setting.value),
            Self::NewCategory(name) => name.clone(),
        }
    }

    fn is_met_by(&self, held: &Held) -> bool {
        match self {
            Self::Set(setting) => agree(setting.field, held.get(&setting.field), &setting.value),
            Self::NewCategory(_) => false,
        }
    }
}

/// The wishes that the record does not meet, with what it holds instead.
pub(crate) fn diff(held: &Held, wishes: &[Wish]) -> Vec<FieldChange> {
    unmet(held, wishes)
        .map(|wish| FieldChange {
            field: label(wish.field()).to_owned(),
            old: Some(held.get(&wish.field()).map(shown).unwrap_or_default()),
            new: wish.shown(),
        })
        .collect()
}

/// The wishes that the record does not meet.
pub(crate) fn unmet<'a>(held: &'a Held, wishes: &'a [Wish]) -> impl Iterator<Item = &'a Wish> {
    wishes.iter().filter(|wish| !wish.is_met_by(held))
}

/// The changes of a record that is not there yet.
pub(crate) fn all(wishes: &[Wish]) -> Vec<FieldChange> {
    wishes
        .iter()
        .map(|wish| FieldChange { field: label(wish.field()).to_owned(), old: None, new: wish.shown() })
        .collect()
}

/// A field's short name, which `Arguments` may use too.
pub(crate) fn label(field: Field) -> &'static str {
    match field {
        Field::DisplayName => "display_name",
        Field::Category => "category",
        Field::Info => "info",
        Field::Notes => "notes",
        Field::Priority => "priority",
        Field::RebootRequired => "reboot_required",
        Field::FillUserTemplate => "fill_user_template",
        Field::FillExistingUsers => "fill_existing_users",
        Field::OsRequirements => "os_requirements",
        Field::RequiredProcessor => "required_processor",
        Field::SendNotification => "send_notification",
    }
}

/// No category is the empty string, as recipes write it.
fn shown(value: &FieldValue) -> String {
    match value {
        FieldValue::Text(text) => text.clone(),
        FieldValue::Flag(flag) => flag.to_string(),
        FieldValue::Number(number) => number.to_string(),
        FieldValue::Category(category) => {
            category.as_ref().map(|category| category.name.clone()).unwrap_or_default()
        }
    }
}

/// Whether a record holds a value, as far as anybody could tell. A server rewrites line ends and blanks
/// (`jamf-pro-api.md §6.3`) and leaves empty fields out (`§1.1`); counting that as a difference would write again on
/// every run.
fn agree(field: Field, held: Option<&FieldValue>, wanted: &FieldValue) -> bool {
    match (field, held, wanted) {
        (Field::OsRequirements, Some(FieldValue::Text(held)), FieldValue::Text(wanted)) => {
            versions(held).eq(versions(wanted))
        }
        (Field::RequiredProcessor, None, FieldValue::Text(wanted)) => wanted == "None",
        (_, Some(FieldValue::Text(held)), FieldValue::Text(wanted)) => lines(held) == lines(wanted),
        (_, None, FieldValue::Text(wanted)) => wanted.is_empty(),
        (_, None, FieldValue::Flag(wanted)) => !wanted,
        // Two servers' ways to say none aside, a category is its name: ids are not told by the Classic API.
        (_, Some(FieldValue::Category(held)), FieldValue::Category(wanted)) => {
            held.as_ref().map(|category| &category.name) == wanted.as_ref().map(|category| &category.name)
        }
        (_, None, FieldValue::Category(wanted)) => wanted.is_none(),
        (_, Some(held), wanted) => held == wanted,
        (_, None, FieldValue::Number(_)) => false,
    }
}

fn versions(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim)
}

fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").trim_end_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jamf::Category;

    fn text(text: &str) -> FieldValue {
        FieldValue::Text(text.to_owned())
    }

    fn category(id: u64, name: &str) -> FieldValue {
        FieldValue::Category(Some(Category { id, name: name.to_owned() }))
    }

    fn differs(field: Field, held: Option<FieldValue>, wanted: FieldValue) -> bool {
        let held: Held = held.into_iter().map(|value| (field, value)).collect();
        !diff(&held, &[Wish::Set(Setting { field, value: wanted })]).is_empty()
    }

    #[test]
    fn a_difference_shows_both_sides() {
        let held = Held::from([(Field::Priority, FieldValue::Number(10)), (Field::Notes, text("old"))]);
        let wishes = [
            Wish::NewCategory("Apps".to_owned()),
            Wish::Set(Setting { field: Field::Notes, value: text("new") }),
            Wish::Set(Setting { field: Field::Priority, value: FieldValue::Number(10) }),
        ];
        let change = |field: &str, old: &str, new: &str| FieldChange {
            field: field.to_owned(),
            old: Some(old.to_owned()),
            new: new.to_owned(),
        };
        assert_eq!(diff(&held, &wishes), [change("category", "", "Apps"), change("notes", "old", "new")]);
    }

    #[test]
    fn line_ends_make_no_difference_and_lines_do() {
        assert!(!differs(Field::Notes, Some(text("a\r\nb")), text("a\nb\n")));
        assert!(!differs(Field::Info, Some(text("a\rb")), text("a\nb")));
        assert!(differs(Field::Info, Some(text("a b")), text("a\nb")));
        assert!(differs(Field::Info, Some(text("a")), text("A")));
    }

    #[test]
    fn blanks_around_commas_make_no_difference_in_systems_only() {
        assert!(!differs(Field::OsRequirements, Some(text("14.x,15.x")), text(" 14.x , 15.x")));
        assert!(differs(Field::OsRequirements, Some(text("14.x")), text("14.x, 15.x")));
        assert!(!differs(Field::OsRequirements, None, text("")));
        assert!(differs(Field::Notes, Some(text("14.x,15.x")), text("14.x, 15.x")));
    }

    #[test]
    fn a_field_that_is_left_out_is_empty() {
        assert!(!differs(Field::Notes, None, text("")));
        assert!(!differs(Field::RebootRequired, None, FieldValue::Flag(false)));
        assert!(!differs(Field::RequiredProcessor, None, text("None")));
        assert!(!differs(Field::Category, None, FieldValue::Category(None)));
        assert!(differs(Field::Notes, None, text("x")));
        assert!(differs(Field::RebootRequired, None, FieldValue::Flag(true)));
        assert!(differs(Field::RequiredProcessor, None, text("x86")));
        assert!(differs(Field::Category, None, category(7, "Apps")));
        assert!(differs(Field::Priority, None, FieldValue::Number(10)));
    }

    #[test]
    fn a_category_is_its_name() {
        assert!(!differs(Field::Category, Some(category(0, "Apps")), category(7, "Apps")));
        assert!(differs(Field::Category, Some(category(7, "apps")), category(7, "Apps")));
        assert!(differs(Field::Category, Some(category(7, "Apps")), FieldValue::Category(None)));
    }
}
