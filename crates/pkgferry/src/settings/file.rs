//! What stands in a settings file.

use super::{SEARCH_DIRS, others_can_read};
use crate::chronicle::Notices;
use crate::error::Error;
use crate::servers::Servers;
use pipeline::{Dict, Entry, Env, Origin, Value};
use recipe::{Located, Place, Position};
use secrets::SecretSource;
use std::path::Path;
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

/// What stands in a settings file.
#[derive(Default)]
pub struct FromFile {
    /// The top level.
    pub preferences: Env,
    /// The tables of servers.
    pub servers: Servers,
    /// Who is told of runs.
    pub notices: Notices,
    /// The names of the top level and of the servers' tables, in the order of the file.
    pub names: Vec<Located<String>>,
}

/// Reads a file; `named_by` tells who asked for it.
pub fn read(path: &Path, named_by: Option<&'static str>) -> Result<FromFile, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::ReadSettings {
        path: path.to_owned(),
        named_by,
        source,
    })?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| Error::ParseSettings {
        path: path.to_owned(),
        line: error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count()),
        message: error.message().to_owned(),
    })?;
    let mut env = Env::new();
    let mut servers = Servers::default();
    let mut notices = Notices::default();
    for (name, value) in table {
        match name.as_str() {
            "notify" => notices = Notices::read(path, from_toml(value))?,
            "servers" => servers = Servers::read(path, from_toml(value))?,
            _ => env.insert(&name, from_toml(value), Origin::Settings(path.to_owned()), false),
        }
    }
    let is_plain = |entry: &Entry| entry.is_secret() && is_plain(entry.value());
    let plain = env.iter().chain(servers.entries()).find(|(_, entry)| is_plain(entry));
    if let Some(name) = plain.map(|(name, _)| name).or(notices.plain())
        && others_can_read(path)?
    {
        return Err(Error::OpenSecrets { path: path.to_owned(), name: name.to_owned() });
    }
    if let Some((_, entry)) = servers.entries().find(|(name, _)| *name == SEARCH_DIRS.name())
        && let Origin::Server { name: server, .. } = entry.origin()
    {
        let (path, server) = (path.to_owned(), server.clone());
        return Err(Error::NotOfServer { path, name: SEARCH_DIRS.name(), server });
    }
    Ok(FromFile { preferences: env, servers, notices, names: names(path, &text) })
}

/// Whether this says where a secret is kept.
pub fn is_place(secret: &Value) -> bool {
    SecretSource::from_value(secret).is_ok_and(|source| !source.is_plain())
}

/// Whether this is a secret itself. What only says where one is kept is none.
pub fn is_plain(secret: &Value) -> bool {
    SecretSource::from_value(secret).is_ok_and(|source| source.is_plain())
}

/// The names in a text that was parsed already.
fn names(path: &Path, text: &str) -> Vec<Located<String>> {
    let Ok(top) = DeTable::parse(text) else { return Vec::new() };
    let mut names: Vec<(usize, &str)> = Vec::new();
    for (name, value) in top.get_ref() {
        match (name.get_ref().as_ref(), value.get_ref()) {
            ("servers", DeValue::Table(servers)) => {
                let tables = servers.values().filter_map(|table| table.get_ref().as_table());
                names.extend(
                    tables.flat_map(DeTable::keys).map(|name| (name.span().start, &**name.get_ref())),
                );
            }
            (own, _) => names.push((name.span().start, own)),
        }
    }
    names.sort_unstable();
    let file: Arc<Path> = Arc::from(path);
    let located = |(start, name): (usize, &str)| {
        let place = Place { file: Arc::clone(&file), position: Some(position(text, start)) };
        Located { value: name.to_owned(), place }
    };
    names.into_iter().map(located).collect()
}

/// The line and column of a byte offset.
fn position(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    Position { line: 1 + count(before.matches('\n').count()), column: 1 + count(line.chars().count()) }
}

fn from_toml(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::Integer(number),
        toml::Value::Float(number) => Value::Real(number),
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(time) => {
            let text = time.to_string();
            text.parse().map_or(Value::String(text), Value::Date)
        }
        toml::Value::Array(items) => Value::Array(items.into_iter().map(from_toml).collect()),
        toml::Value::Table(table) => {
            Value::Dict(table.into_iter().map(|(name, value)| (name, from_toml(value))).collect::<Dict>())
        }
    }
}
