//! What goes along with a file: the fields of its record.

use crate::servers::Target;
use jamf::{Field, FieldValue, Package};
use pipeline::{Env, Origin, Value, keys};

/// Entries that carry a record over to `target`. What the record leaves empty is left alone there, and so is what the target's
/// own table, the environment or `-k` say: one may have another category on each server.
///
/// Fields that only the Classic API knows stay behind, since the Pro API could not take them.
pub fn carried(record: &Package, category: Option<&str>, target: &Target) -> Env {
    let mut env = Env::new();
    let mut carry = |name: &str, value: Value| {
        let is_empty = matches!(&value, Value::String(text) if text.is_empty());
        if !is_empty && !says_itself(target, name) {
            env.insert(name, value, Origin::Flag("--from"), false);
        }
    };
    carry(keys::PKG_DISPLAY_NAME.name(), Value::String(record.display_name.clone()));
    if let Some(category) = category {
        carry(keys::PKG_CATEGORY.name(), Value::String(category.to_owned()));
    }
    for (field, value) in &record.values {
        if let (Some(name), Some(value)) = (name(*field), written(value)) {
            carry(name, value);
        }
    }
    env
}

/// Whether the target's own settings name the entry.
fn says_itself(target: &Target, name: &str) -> bool {
    let of_table =
        target.preferences.entry(name).is_some_and(|entry| matches!(entry.origin(), Origin::Server { .. }));
    of_table || target.overrides.contains(name)
}

fn name(field: Field) -> Option<&'static str> {
    Some(match field {
        Field::DisplayName | Field::Category => return None,
        Field::Info => keys::PKG_INFO.name(),
        Field::Notes => keys::PKG_NOTES.name(),
        Field::Priority => keys::PKG_PRIORITY.name(),
        Field::RebootRequired => keys::REBOOT_REQUIRED.name(),
        Field::FillUserTemplate => keys::FILL_USER_TEMPLATE.name(),
        Field::FillExistingUsers => keys::FILL_EXISTING_USERS.name(),
        Field::OsRequirements => keys::OS_REQUIREMENTS.name(),
        Field::RequiredProcessor | Field::SendNotification => return None,
    })
}

fn written(value: &FieldValue) -> Option<Value> {
    Some(match value {
        FieldValue::Text(text) => Value::String(text.clone()),
        FieldValue::Flag(flag) => Value::Bool(*flag),
        FieldValue::Number(number) => Value::Integer((*number).into()),
        FieldValue::Category(_) => return None,
    })
}
