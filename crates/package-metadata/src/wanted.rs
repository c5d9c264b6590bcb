//! What the recipe names: environment in, checked fields out.

use crate::Error;
use jamf::{Field, FieldValue, Setting};
use pipeline::{Env, EnvError, FileName, Key, Priority, RequiredProcessor, keys};

/// What the recipe wants of a record. A field that the recipe does not name is not in here, and stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The file that the record names.
    pub file: FileName,
    /// Named fields without the category, in the order of [`Field`].
    pub settings: Vec<Setting>,
    /// The category's name; `Some("")` means none.
    pub category: Option<String>,
    /// Whether a missing category is created.
    pub create_category: bool,
    /// Whether the recipe cares for records only.
    pub record_only: bool,
}

impl Wanted {
    /// Reads and checks what can be checked without a server.
    pub fn read(env: &Env) -> Result<Self, Error> {
        let file = packageable(keys::file_name(env)?)?;
        // An empty display name cannot be meant: Jamf Pro requires one, and AutoPkg's default is the empty string.
        let display_name = text(env, keys::PKG_DISPLAY_NAME, Field::DisplayName)?
            .filter(|setting| setting.value != FieldValue::Text(String::new()));
        let named = [
            display_name,
            text(env, keys::PKG_INFO, Field::Info)?,
            text(env, keys::PKG_NOTES, Field::Notes)?,
            priority(env)?,
            flag(env, keys::REBOOT_REQUIRED, Field::RebootRequired)?,
            disk_image_flag(env, keys::FILL_USER_TEMPLATE, Field::FillUserTemplate, &file)?,
            disk_image_flag(env, keys::FILL_EXISTING_USERS, Field::FillExistingUsers, &file)?,
            text(env, keys::OS_REQUIREMENTS, Field::OsRequirements)?,
            required_processor(env)?,
            flag(env, keys::SEND_NOTIFICATION, Field::SendNotification)?,
        ];
        Ok(Self {
            file,
            settings: named.into_iter().flatten().collect(),
            category: env.get(keys::PKG_CATEGORY)?,
            create_category: env.get(keys::CREATE_CATEGORY)?.unwrap_or(false),
            record_only: env.get(keys::RECORD_ONLY)?.unwrap_or(false),
        })
    }

    /// The display name, if the recipe names one.
    pub fn display_name(&self) -> Option<&str> {
        self.settings.iter().find_map(|setting| match &setting.value {
            FieldValue::Text(name) if setting.field == Field::DisplayName => Some(name.as_str()),
            _ => None,
        })
    }
}

fn packageable(file: FileName) -> Result<FileName, Error> {
    match extension(&file).as_str() {
        "pkg" | "mpkg" | "dmg" | "zip" => Ok(file),
        _ => Err(Error::UnsupportedFileType { file }),
    }
}

fn extension(file: &FileName) -> String {
    file.as_str().rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default()
}

fn text(env: &Env, key: Key<String>, field: Field) -> Result<Option<Setting>, EnvError> {
    Ok(env.get(key)?.map(|text| Setting { field, value: FieldValue::Text(text) }))
}

fn flag(env: &Env, key: Key<bool>, field: Field) -> Result<Option<Setting>, EnvError> {
    Ok(env.get(key)?.map(|flag| Setting { field, value: FieldValue::Flag(flag) }))
}

fn disk_image_flag(
    env: &Env,
    key: Key<bool>,
    field: Field,
    file: &FileName,
) -> Result<Option<Setting>, Error> {
    let setting = flag(env, key, field)?;
    let asked = setting.as_ref().is_some_and(|setting| setting.value == FieldValue::Flag(true));
    if asked && extension(file) != "dmg" {
        return Err(Error::DiskImageOnly { input: key.name(), file: file.clone() });
    }
    Ok(setting)
}

fn priority(env: &Env) -> Result<Option<Setting>, EnvError> {
    let setting = |priority: Priority| Setting {
        field: Field::Priority,
        value: FieldValue::Number(priority.get().into()),
    };
    Ok(env.get(keys::PKG_PRIORITY)?.map(setting))
}

fn required_processor(env: &Env) -> Result<Option<Setting>, EnvError> {
    let setting = |processor: RequiredProcessor| Setting {
        field: Field::RequiredProcessor,
        value: FieldValue::Text(processor.to_string()),
    };
    Ok(env.get(keys::REQUIRED_PROCESSOR)?.map(setting))
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;
    use pipeline::{Origin, Value};

    fn env(entries: &[(&str, Value)]) -> Env {
        let mut env = Env::new();
        for (name, value) in entries {
            env.insert(name, value.clone(), Origin::CommandLine, false);
        }
        env
    }

    fn string(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    fn refusal(entries: &[(&str, Value)]) -> String {
        Wanted::read(&env(entries)).unwrap_err().to_string()
    }

    #[test]
    fn only_what_is_set_is_named() {
        let wanted = Wanted::read(&env(&[
            ("pkg_path", string("/tmp/App.PKG")),
            ("pkg_priority", string("5")),
            ("required_processor", string("x86")),
            ("reboot_required", string("False")),
            ("pkg_notes", string("")),
            ("pkg_display_name", string("")),
        ]))
        .unwrap();
        let named: Vec<_> = wanted.settings.iter().map(|setting| (setting.field, &setting.value)).collect();
        assert_eq!(
            named,
            [
                (Field::Notes, &FieldValue::Text(String::new())),
                (Field::Priority, &FieldValue::Number(5)),
                (Field::RebootRequired, &FieldValue::Flag(false)),
                (Field::RequiredProcessor, &FieldValue::Text("x86".to_owned())),
            ]
        );
        assert_eq!((wanted.category, wanted.file.as_str()), (None, "App.PKG"));
    }

    #[test]
    fn what_jamf_pro_would_refuse_is_refused_here() {
        let name = ("pkg_name", string("App.pkg"));
        assert_snapshot!(refusal(&[("pkg_name", string("App.exe"))]), @"App.exe is no package to Jamf Pro: its name must end in .pkg, .mpkg, .dmg or .zip");
        assert_snapshot!(refusal(&[("pkg_name", string("pkg"))]), @"pkg is no package to Jamf Pro: its name must end in .pkg, .mpkg, .dmg or .zip");
        assert_snapshot!(refusal(&[name.clone(), ("fill_user_template", Value::Bool(true))]), @"fill_user_template is true for App.pkg: Jamf Pro allows it for a .dmg only");
        assert_snapshot!(refusal(&[name.clone(), ("fill_existing_users", Value::Bool(true))]), @"fill_existing_users is true for App.pkg: Jamf Pro allows it for a .dmg only");
    }

    /// So that checking a recipe finds them, without a run.
    #[test]
    fn values_that_are_always_wrong_do_not_fit_their_inputs() {
        let refusal = |name: &str, value: &Value| {
            crate::spec::SPEC.input(name).unwrap().check(value).unwrap_err().to_string()
        };
        assert_snapshot!(refusal("pkg_priority", &Value::Integer(99)), @"integer 99 is not a priority (a whole number from 1 to 20)");
        assert_snapshot!(refusal("priority", &Value::Integer(0)), @"integer 0 is not a priority (a whole number from 1 to 20)");
        assert_snapshot!(refusal("required_processor", &string("arm")), @r#"string "arm" is not a processor (None, ppc or x86)"#);
        assert_snapshot!(refusal("package_api", &string("clasic")), @r#"string "clasic" is not an API for package records (auto, pro or classic)"#);
    }

    #[test]
    fn disk_images_may_fill_homes_and_packages_may_say_that_they_do_not() {
        let fill = ("fill_user_template", Value::Bool(true));
        assert!(Wanted::read(&env(&[("pkg_name", string("Fonts.DMG")), fill])).is_ok());
        let keep = ("fill_user_template", Value::Bool(false));
        assert!(Wanted::read(&env(&[("pkg_name", string("App.pkg")), keep])).is_ok());
    }
}
