//! Named servers: the `[servers.NAME]` tables of the settings file.

use crate::error::Error;
use pipeline::{Env, Origin, Value, keys};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Names that say where a server is. They mean something together only, so that a table which has one of them takes none
/// of them from the top level.
const PLACE: [&str; 6] = [
    keys::JSS_URL.name(),
    keys::REGION.name(),
    keys::TENANT_ID.name(),
    keys::ENVIRONMENT_ID.name(),
    jamf::GATEWAY_ADDRESSING.name(),
    keys::S3_ENDPOINT.name(),
];
/// Names that say who signs in, and the secrets that go with them.
const ACCOUNTS: [(&str, &str); 2] = [
    (keys::CLIENT_ID.name(), keys::CLIENT_SECRET.name()),
    (keys::API_USERNAME.name(), keys::API_PASSWORD.name()),
];

/// Names that lead to a server and an account. No recipe has a say in them when a server is named.
pub fn connection() -> impl Iterator<Item = &'static str> {
    PLACE.into_iter().chain(ACCOUNTS.into_iter().flat_map(|(id, secret)| [id, secret]))
}

/// A server that a run goes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Target {
    /// Its name in the settings file; `None` for the one that the top level, the environment and flags lead to.
    pub name: Option<String>,
    /// A recipe's Input wins over these.
    pub preferences: Env,
    /// These win over a recipe's Input.
    pub overrides: Env,
}

impl Target {
    /// What a report calls it: its name, else its address.
    pub fn label(&self) -> Option<String> {
        let address = || self.env().get(keys::JSS_URL).ok().flatten();
        self.name.clone().or_else(address)
    }

    /// Where the value of a name comes from, unless a recipe says something.
    pub fn winning(&mut self, name: &str) -> &mut Env {
        if self.overrides.contains(name) { &mut self.overrides } else { &mut self.preferences }
    }

    /// The settings that lead to the server, for what runs no recipe.
    pub fn env(&self) -> Env {
        let mut env = self.preferences.clone();
        env.overlay(&self.overrides);
        env
    }
}

/// The tables of a settings file.
#[derive(Clone, Debug, Default)]
pub struct Servers {
    file: PathBuf,
    tables: BTreeMap<String, Env>,
}

impl Servers {
    /// Reads what the file has under `servers`.
    pub fn read(file: &Path, servers: Value) -> Result<Self, Error> {
        let misplaced = |name: &str| Error::ServerTable { path: file.to_owned(), name: name.to_owned() };
        let Value::Dict(servers) = servers else { return Err(misplaced("servers")) };
        let mut tables = BTreeMap::new();
        for (name, table) in servers {
            let Value::Dict(table) = table else { return Err(misplaced(&format!("servers.{name}"))) };
            let origin = Origin::Server { name: name.clone(), file: file.to_owned() };
            let mut env = Env::new();
            for (key, value) in table {
                env.insert(&key, value, origin.clone(), false);
            }
            tables.insert(name, env);
        }
        Ok(Self { file: file.to_owned(), tables })
    }

    /// All entries of all tables.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &pipeline::Entry)> {
        self.tables.values().flat_map(Env::iter)
    }

    /// Their names.
    pub fn names(&self) -> Vec<String> {
        self.tables.keys().cloned().collect()
    }

    /// The server of this name. What its table leaves open about place and account comes from `top` (the top level of the
    /// file), then from `given` (the environment and flags). A recipe cannot change them: names that nobody has set are
    /// set to nothing.
    ///
    /// What is given and contradicts the table is an error: whoever types `--server production` in a shell that was pointed at
    /// another server would otherwise have to know which of the two wins.
    pub fn target(&self, name: &str, top: &Env, given: &Env) -> Result<Target, Error> {
        let table = self.tables.get(name).ok_or_else(|| Error::UnknownServer {
            name: name.to_owned(),
            known: self.names(),
            file: Some(self.file.clone()).filter(|file| !file.as_os_str().is_empty()),
        })?;
        if let Some((_, entry)) = given.iter().find(|(key, entry)| contradicts(table, key, entry.value())) {
            return Err(Error::Contradicted { origin: entry.origin().clone(), server: name.to_owned() });
        }
        let mut preferences = top.clone();
        for key in connection().filter(|key| is_for_others(table, key)) {
            preferences.remove(key);
        }
        preferences.overlay(table);

        let mut overrides = Env::new();
        let unset = Origin::Server { name: name.to_owned(), file: self.file.clone() };
        for key in connection() {
            match preferences.entry(key) {
                Some(entry) => {
                    overrides.insert(key, entry.value().clone(), entry.origin().clone(), entry.is_secret());
                }
                None => overrides.insert(key, Value::String(String::new()), unset.clone(), false),
            }
        }
        overrides.overlay(given);
        Ok(Target { name: Some(name.to_owned()), preferences, overrides })
    }
}

/// Whether something that was given would lead elsewhere than the table does.
fn contradicts(table: &Env, key: &str, value: &Value) -> bool {
    match table.entry(key) {
        Some(entry) => connection().any(|name| name == key) && entry.value() != value,
        None => is_settled(table, key),
    }
}

/// Whether the table says something in whose place, or beside which, an entry of this name would be wrong.
fn is_settled(table: &Env, key: &str) -> bool {
    if PLACE.contains(&key) {
        return PLACE.iter().any(|name| table.contains(name));
    }
    let is_of = |(id, secret): &(&str, &str)| *id == key || *secret == key;
    let is_in_table = |(id, secret): &(&str, &str)| table.contains(id) || table.contains(secret);
    // Another kind of account.
    ACCOUNTS.iter().any(is_of) && ACCOUNTS.iter().any(|other| !is_of(other) && is_in_table(other))
}

/// Whether an entry of the top level is for another server or account than the table's.
fn is_for_others(table: &Env, key: &str) -> bool {
    // One user may have another password on each server, but no password is for two users.
    let is_secret_of_another = ACCOUNTS.iter().any(|(id, secret)| *secret == key && table.contains(id));
    is_secret_of_another || is_settled(table, key)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Entries = &'static [(&'static str, &'static str)];

    fn env(entries: &[(&str, &str)], origin: &Origin) -> Env {
        let mut env = Env::new();
        for (name, value) in entries {
            env.insert(name, Value::String((*value).to_owned()), origin.clone(), false);
        }
        env
    }

    fn resolve(
        table: &[(&str, &str)],
        top: &[(&str, &str)],
        given: &[(&str, &str)],
    ) -> Result<Target, Error> {
        let table =
            table.iter().map(|(name, value)| ((*name).to_owned(), Value::String((*value).to_owned())));
        let tables = [("test".to_owned(), Value::Dict(table.collect()))];
        let servers = Servers::read(Path::new("s.toml"), Value::Dict(tables.into_iter().collect())).unwrap();
        let top = env(top, &Origin::Settings("s.toml".into()));
        servers.target("test", &top, &env(given, &Origin::Variable("SOME".into())))
    }

    /// What is set to something among the names of the connection.
    fn reached(target: &Target) -> String {
        let entries =
            connection().filter_map(|name| match target.overrides.entry(name).map(pipeline::Entry::value) {
                Some(Value::String(text)) if !text.is_empty() => Some(format!("{name}={text}")),
                _ => None,
            });
        entries.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_belongs_together_comes_from_one_place() {
        let cases: [(&str, Entries, Entries, Entries, &str); 8] = [
            ("a table alone", &[("JSS_URL", "t"), ("CLIENT_ID", "a")], &[], &[], "JSS_URL=t CLIENT_ID=a"),
            (
                "the top level completes",
                &[("JSS_URL", "t")],
                &[("JSS_URL", "top"), ("CLIENT_ID", "a"), ("CLIENT_SECRET", "b")],
                &[],
                "JSS_URL=t CLIENT_ID=a CLIENT_SECRET=b",
            ),
            (
                "one user, another password on each server",
                &[("JSS_URL", "t"), ("API_PASSWORD", "p")],
                &[("API_USERNAME", "u"), ("API_PASSWORD", "top")],
                &[],
                "JSS_URL=t API_USERNAME=u API_PASSWORD=p",
            ),
            (
                "a secret of the top level is not for another client",
                &[("JSS_URL", "t"), ("CLIENT_ID", "a")],
                &[("CLIENT_ID", "top"), ("CLIENT_SECRET", "top")],
                &[],
                "JSS_URL=t CLIENT_ID=a",
            ),
            (
                "a user of the table is no client of the top level",
                &[("API_USERNAME", "u"), ("API_PASSWORD", "p")],
                &[("JSS_URL", "top"), ("CLIENT_ID", "top"), ("CLIENT_SECRET", "top")],
                &[],
                "JSS_URL=top API_USERNAME=u API_PASSWORD=p",
            ),
            (
                "a region is not for an address of the top level",
                &[("JAMF_REGION", "eu"), ("JAMF_TENANT_ID", "x")],
                &[("JSS_URL", "top"), ("PKGFERRY_S3_ENDPOINT", "top")],
                &[],
                "JAMF_REGION=eu JAMF_TENANT_ID=x",
            ),
            (
                "a secret from the environment completes",
                &[("JSS_URL", "t"), ("CLIENT_ID", "a")],
                &[],
                &[("CLIENT_SECRET", "b"), ("pkg_notes", "n")],
                "JSS_URL=t CLIENT_ID=a CLIENT_SECRET=b",
            ),
            ("the same said twice", &[("JSS_URL", "t")], &[], &[("JSS_URL", "t")], "JSS_URL=t"),
        ];
        for (case, table, top, given, expected) in cases {
            assert_eq!(reached(&resolve(table, top, given).unwrap()), expected, "{case}");
        }
    }

    #[test]
    fn what_is_given_must_not_contradict_the_table() {
        let cases: [(Entries, (&str, &str)); 5] = [
            (&[("JSS_URL", "t")], ("JSS_URL", "elsewhere")),
            (&[("JSS_URL", "t")], ("JAMF_TENANT_ID", "x")),
            (&[("JSS_URL", "t")], ("PKGFERRY_S3_ENDPOINT", "elsewhere")),
            (&[("CLIENT_ID", "a"), ("CLIENT_SECRET", "b")], ("CLIENT_SECRET", "c")),
            (&[("API_USERNAME", "u")], ("CLIENT_ID", "a")),
        ];
        for (table, given) in cases {
            let error = resolve(table, &[], &[given]).unwrap_err();
            assert!(matches!(error, Error::Contradicted { .. }), "{given:?}: {error}");
        }
    }

    #[test]
    fn other_settings_of_a_table_win_over_the_top_level_and_not_over_recipes() {
        let target =
            resolve(&[("pkg_category", "Test")], &[("pkg_category", "Top"), ("pkg_info", "i")], &[]).unwrap();
        let preferences = |name| target.preferences.entry(name).map(|entry| entry.value().to_string());
        assert_eq!(preferences("pkg_category").as_deref(), Some("\"Test\""));
        assert_eq!(preferences("pkg_info").as_deref(), Some("\"i\""));
        assert!(!target.overrides.contains("pkg_category"));
    }

    #[test]
    fn a_recipe_cannot_lead_a_named_server_elsewhere() {
        let target = resolve(&[("JSS_URL", "t")], &[], &[]).unwrap();
        assert!(connection().all(|name| target.overrides.contains(name)));
    }
}
