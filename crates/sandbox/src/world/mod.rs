//! What the rehearsal server knows. No HTTP here, and time is an argument: delays are not timers but moments that are
//! compared with the clock when somebody looks.

mod categories;
mod disk;
mod files;
mod grants;
mod history;
mod packages;
mod tokens;

pub(crate) use categories::{Categories, Category};
pub(crate) use disk::Disk;
pub(crate) use files::{Arrival, Content, Files, StoredFile, Told};
pub(crate) use grants::{Grants, RenewedPath};
pub(crate) use packages::{Package, Packages, Record};
pub(crate) use tokens::{Issued, Tokens};

use history::History;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::time::Duration;

/// Between two refreshes of everything (`jamf-pro-api.md §7.6`).
const REFRESH_PAUSE: Duration = Duration::from_secs(15);

/// Everything that changes. Records, categories and files outlive the process; tokens and grants do not.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct World {
    pub packages: Packages,
    pub categories: Categories,
    pub files: Files,
    #[serde(skip)]
    pub tokens: Tokens,
    #[serde(skip)]
    pub grants: Grants,
    #[serde(skip)]
    history: History,
    #[serde(skip)]
    refreshed_all: Option<Timestamp>,
}

impl World {
    /// Lets files go or take the places of others, and every record learn of the file that it names, as far as time has come.
    /// Gives the files that are gone, whose bytes are the caller's to remove.
    pub(crate) fn catch_up(&mut self, now: Timestamp) -> Vec<StoredFile> {
        let mut gone = self.files.take_gone(now);
        gone.extend(self.files.remove_replaced(now));
        notice(&mut self.packages, &self.files, now);
        gone
    }

    /// Keeps the records as they are now for the nodes that have heard of changes until `heard`.
    pub(crate) fn remember(&mut self, now: Timestamp, heard: Timestamp) {
        self.history.keep(&self.packages, now, heard);
    }

    /// The records as a node knows them that has heard of changes until `heard`; without that, as they are.
    pub(crate) fn packages_until(&self, heard: Option<Timestamp>) -> Cow<'_, Packages> {
        match heard.and_then(|heard| Some((heard, self.history.at(heard)?))) {
            None => Cow::Borrowed(&self.packages),
            Some((heard, packages)) => {
                let mut packages = packages.clone();
                notice(&mut packages, &self.files, heard);
                Cow::Owned(packages)
            }
        }
    }

    /// Reads the inventory of one file, or of everything. The latter does nothing within the pause: what a real server
    /// answers then is not known (`§19.6`), and a client has to trust only what it reads back.
    pub(crate) fn refresh(&mut self, file: Option<&str>, now: Timestamp) {
        if file.is_none() {
            if self.refreshed_all.is_some_and(|last| now < later(last, REFRESH_PAUSE)) {
                return;
            }
            self.refreshed_all = Some(now);
        }
        let files = self.files.by_name(now);
        for package in self.packages.iter_mut() {
            let name = package.record.file_name.as_str();
            if file.is_none_or(|wanted| wanted == name)
                && let Some(file) = files.get(name)
            {
                package.adopt(file, now);
            }
        }
    }

    /// Deletes a record and the file that it names (`§12`). Gives the file, whose bytes are the caller's to remove.
    pub(crate) fn delete_package(&mut self, id: u64) -> Option<Vec<StoredFile>> {
        let package = self.packages.remove(id)?;
        Some(self.files.remove(&package.record.file_name))
    }

    /// Deletes a category; its packages have none then.
    pub(crate) fn delete_category(&mut self, id: u64) -> bool {
        let known = self.categories.remove(id).is_some();
        for package in self.packages.iter_mut().filter(|package| package.record.category() == Some(id)) {
            package.record.category_id = packages::NO_ID.to_owned();
        }
        known
    }

    /// Name of a record's category, if it has one that exists.
    pub(crate) fn category_name(&self, record: &Record) -> Option<&str> {
        Some(&self.categories.get(record.category()?)?.name)
    }
}

/// Lets records learn of the files that they name.
fn notice(packages: &mut Packages, files: &Files, now: Timestamp) {
    let files = files.by_name(now);
    for package in packages.iter_mut() {
        if let Some(file) = files.get(package.record.file_name.as_str()) {
            package.notice(file, now);
        }
    }
}

/// `moment` plus `duration`, at most the end of time.
pub(crate) fn later(moment: Timestamp, duration: Duration) -> Timestamp {
    SignedDuration::try_from(duration)
        .ok()
        .and_then(|duration| moment.checked_add(duration).ok())
        .unwrap_or(Timestamp::MAX)
}

/// `moment` minus `duration`, at least the beginning of time.
pub(crate) fn earlier(moment: Timestamp, duration: Duration) -> Timestamp {
    SignedDuration::try_from(duration)
        .ok()
        .and_then(|duration| moment.checked_sub(duration).ok())
        .unwrap_or(Timestamp::MIN)
}

/// Objects by id. Ids count up and are never given twice.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Table<T> {
    last_id: u64,
    rows: BTreeMap<u64, T>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { last_id: 0, rows: BTreeMap::new() }
    }
}

impl<T> Table<T> {
    /// Adds what `make` makes of the next free id.
    pub(crate) fn insert(&mut self, make: impl FnOnce(u64) -> T) -> NonZeroU64 {
        let id = NonZeroU64::MIN.saturating_add(self.last_id);
        self.last_id = id.get();
        self.rows.insert(id.get(), make(id.get()));
        id
    }

    pub(crate) fn get(&self, id: u64) -> Option<&T> {
        self.rows.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: u64) -> Option<&mut T> {
        self.rows.get_mut(&id)
    }

    pub(crate) fn remove(&mut self, id: u64) -> Option<T> {
        self.rows.remove(&id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.rows.values()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.rows.values_mut()
    }
}
