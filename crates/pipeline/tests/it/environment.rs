use crate::{TEXT, origins, values};
use pipeline::{Env, EnvError, Key, Origin, Value, keys};
use proptest::prelude::*;
use std::path::PathBuf;

#[derive(Clone, Debug)]
enum Step {
    Insert(String, Value, Origin),
    Remove(String),
    Overlay(Vec<(String, Value, Origin)>),
}

fn steps() -> impl Strategy<Value = Step> {
    let name = || "[abcd]";
    prop_oneof![
        3 => (name(), values(), origins()).prop_map(|(name, value, origin)| Step::Insert(name, value, origin)),
        1 => name().prop_map(Step::Remove),
        1 => prop::collection::vec((name(), values(), origins()), 0..4).prop_map(Step::Overlay),
    ]
}

type Model = Vec<(String, Value, Origin)>;

fn insert(model: &mut Model, name: String, value: Value, origin: Origin) {
    match model.iter_mut().find(|entry| entry.0 == name) {
        Some(entry) => *entry = (name, value, origin),
        None => model.push((name, value, origin)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The last to set an entry counts, and is remembered; the place is the one where the name first came up.
    #[test]
    fn the_last_one_wins_and_keeps_its_origin(steps in prop::collection::vec(steps(), 0..20)) {
        let (mut env, mut model) = (Env::new(), Model::new());
        for step in steps {
            match step {
                Step::Insert(name, value, origin) => {
                    env.insert(&name, value.clone(), origin.clone(), false);
                    insert(&mut model, name, value, origin);
                }
                Step::Remove(name) => {
                    let removed = env.remove(&name).map(|entry| entry.value().clone());
                    let index = model.iter().position(|entry| entry.0 == name);
                    prop_assert_eq!(removed, index.map(|index| model.remove(index).1));
                }
                Step::Overlay(entries) => {
                    let (mut other, mut unique) = (Env::new(), Model::new());
                    for (name, value, origin) in entries {
                        other.insert(&name, value.clone(), origin.clone(), false);
                        insert(&mut unique, name, value, origin);
                    }
                    env.overlay(&other);
                    for (name, value, origin) in unique {
                        insert(&mut model, name, value, origin);
                    }
                }
            }
            let held: Model = env
                .iter()
                .map(|(name, entry)| (name.to_owned(), entry.value().clone(), entry.origin().clone()))
                .collect();
            prop_assert_eq!(&held, &model);
            for name in ["a", "b", "c", "d"] {
                prop_assert_eq!(env.contains(name), model.iter().any(|entry| entry.0 == name));
                prop_assert_eq!(env.entry(name).is_some(), env.contains(name));
            }
        }
    }

    #[test]
    fn a_typed_entry_reads_back(text: String, origin in origins()) {
        let mut env = Env::new();
        env.set(TEXT, text.clone(), origin.clone());
        prop_assert_eq!(env.need(TEXT), Ok(text));
        prop_assert_eq!(env.entry("text").unwrap().origin(), &origin);
    }
}

#[test]
fn what_is_missing_and_what_is_wrong() {
    let mut env = Env::new();
    assert_eq!(env.get(keys::FORCE), Ok(None));
    assert_eq!(env.need(keys::FORCE), Err(EnvError::Missing("force")));
    env.insert("force", Value::String("maybe".into()), Origin::Input("/recipes/App.yaml".into()), false);
    let failure = pipeline::Failure::from(env.need(keys::FORCE).unwrap_err());
    insta::assert_snapshot!(failure, @r#"force (from Input of /recipes/App.yaml) has the wrong type: string "maybe" is not a bool (true or false)"#);
    assert_eq!(failure.kind(), pipeline::FailureKind::Recipe);
}

#[test]
fn who_set_it_in_words() {
    let origins = [
        Origin::Settings("/etc/pkgferry.toml".into()),
        Origin::Variable("JSS_URL".into()),
        Origin::Runner,
        Origin::Input("/recipes/App.yaml".into()),
        Origin::CommandLine,
        Origin::Sandbox,
        Origin::Default("s3-upload"),
        Origin::Argument(2),
        Origin::Output(3),
    ];
    insta::assert_snapshot!(origins.map(|origin| origin.to_string()).join("\n"), @r"
    settings file /etc/pkgferry.toml
    environment variable JSS_URL
    pkgferry
    Input of /recipes/App.yaml
    -k
    rehearsal server
    default of s3-upload
    Arguments of step 2
    output of step 3
    ");
}

#[test]
fn the_file_name_of_a_package() {
    let named = |name: Option<&str>, path: Option<&str>| {
        let mut env = Env::new();
        if let Some(name) = name {
            env.insert("pkg_name", Value::String(name.into()), Origin::CommandLine, false);
        }
        if let Some(path) = path {
            env.set(keys::PKG_PATH, PathBuf::from(path), Origin::Argument(1));
        }
        keys::file_name(&env)
            .map(|name| name.to_string())
            .map_err(|error| pipeline::Failure::from(error).to_string())
    };
    assert_eq!(named(Some("Given.pkg"), Some("/a/Other.pkg")).as_deref(), Ok("Given.pkg"));
    assert_eq!(named(None, Some("/a/App 1.0 (Mac).pkg")).as_deref(), Ok("App 1.0 (Mac).pkg"));
    assert_eq!(named(None, Some("App.pkg")).as_deref(), Ok("App.pkg"));
    let refusals = [named(None, None), named(Some("a/b.pkg"), None), named(None, Some("/"))];
    insta::assert_snapshot!(refusals.map(Result::unwrap_err).join("\n"), @r#"
    pkg_name is not set
    pkg_name (from -k) has the wrong type: string "a/b.pkg" is not a file name (not empty, no `/`, at most 255 bytes)
    pkg_path (from Arguments of step 1) has the wrong type: string "" is not a file name (not empty, no `/`, at most 255 bytes)
    "#);
}

#[test]
fn keys_of_secrets_are_secret_by_name_and_by_type() {
    fn is_secret<T: pipeline::Typed>(key: Key<T>) -> bool {
        assert!(keys::SECRETS.contains(&key.name()), "{key:?}");
        T::KIND == pipeline::Kind::Secret
    }
    assert!(is_secret(keys::API_PASSWORD));
    assert!(is_secret(keys::CLIENT_SECRET));
    assert!(is_secret(keys::JCDS_SECRET_ACCESS_KEY));
    assert!(is_secret(keys::JCDS_SESSION_TOKEN));
}
