//! A secret shows nowhere: not in `Debug`, not in `Display`, not in an error.

use crate::origins;
use jiff::Timestamp;
use pipeline::{
    Dict, Env, Failure, FileName, Key, Md5, Origin, Outputs, PackageId, Secret, Typed, Value, Verdict, keys,
};
use proptest::prelude::*;
use std::path::PathBuf;

/// Text that does not turn up anywhere by chance.
fn secrets() -> impl Strategy<Value = String> {
    "[!-~]{4}§[ -~äöü]{4,20}§"
}

/// The forms in which text could leak: as it is, and escaped by `{:?}`.
fn assert_hidden(shown: &str, secret: &str) -> Result<(), TestCaseError> {
    let escaped = format!("{secret:?}");
    prop_assert!(!shown.contains(secret), "{shown}");
    prop_assert!(!shown.contains(escaped.trim_matches('"')), "{shown}");
    prop_assert!(!shown.contains('§'), "{shown}");
    Ok(())
}

/// Everything that reading the entry as a `T` says.
fn refusal<T: Typed>(env: &Env, name: &'static str) -> String {
    match env.get(Key::<T>::new(name)) {
        Ok(_) => String::new(),
        Err(error) => {
            let texts = format!("{error} {error:?}");
            let failure = Failure::from(error);
            format!("{texts} {failure} {failure:?} {:?}", failure.chain())
        }
    }
}

fn everything_said(env: &Env, name: &'static str) -> String {
    let entry = env.entry(name).unwrap();
    [
        format!("{env:?} {entry:?} {entry:#?} {}", entry.shown()),
        refusal::<bool>(env, name),
        refusal::<u32>(env, name),
        refusal::<u64>(env, name),
        refusal::<i64>(env, name),
        refusal::<Timestamp>(env, name),
        refusal::<FileName>(env, name),
        refusal::<Md5>(env, name),
        refusal::<PackageId>(env, name),
        refusal::<Verdict>(env, name),
        refusal::<PathBuf>(env, name),
        refusal::<Vec<String>>(env, name),
        refusal::<Dict>(env, name),
        refusal::<Secret>(env, name),
    ]
    .join(" ")
}

proptest! {
    /// Names that are secret are so whoever sets them and in whatever shape.
    #[test]
    fn secret_names(secret in secrets(), name in prop::sample::select(keys::SECRETS), origin in origins(), shape in 0..3) {
        let text = Value::String(secret.clone());
        let value = match shape {
            0 => text,
            1 => Value::Array(vec![text]),
            _ => Value::Dict([(secret.clone(), text)].into_iter().collect()),
        };
        let mut env = Env::new();
        env.insert(name, value, origin, false);
        assert_hidden(&everything_said(&env, name), &secret)?;
    }

    /// A value that was made from a secret is as secret as that.
    #[test]
    fn values_made_from_secrets(secret in secrets(), origin in origins()) {
        let mut env = Env::new();
        env.insert("pkg_info", Value::String(format!("the password is {secret}")), origin, true);
        assert_hidden(&everything_said(&env, "pkg_info"), &secret)?;
    }

    /// Also under a name that nobody knows as secret, and after the way through a step's outputs and an overlay.
    #[test]
    fn secret_types(secret in secrets(), origin in origins()) {
        const TOKEN: Key<Secret> = Key::new("some_token");
        let mut env = Env::new();
        env.set(TOKEN, Secret::from(secret.clone()), origin);
        assert_hidden(&everything_said(&env, "some_token"), &secret)?;

        let mut outputs = Outputs::default();
        outputs.set(TOKEN, Secret::from(secret.clone()));
        assert_hidden(&format!("{outputs:?}"), &secret)?;
        let mut env = Env::new();
        env.overlay(&outputs.from_step(1));
        prop_assert!(env.entry("some_token").unwrap().is_secret());
        assert_hidden(&everything_said(&env, "some_token"), &secret)?;
    }
}

#[test]
fn a_secret_as_a_person_sees_it() {
    let mut env = Env::new();
    env.set(keys::CLIENT_SECRET, Secret::from("hunter2"), Origin::Variable("CLIENT_SECRET".into()));
    env.set(keys::CLIENT_ID, "me".to_owned(), Origin::CommandLine);
    insta::assert_snapshot!(format!("{env:#?}"), @r#"
    Env {
        entries: {
            "CLIENT_SECRET": (secret) from environment variable CLIENT_SECRET,
            "CLIENT_ID": "me" from -k,
        },
    }
    "#);
}
