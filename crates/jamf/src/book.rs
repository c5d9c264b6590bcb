//! All package records of a server, from one listing and what was written and read since.

use crate::Package;
use crate::memory::Memory;
use pipeline::{FileName, PackageId, name_key};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OnceCell;

/// By what a record is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sought<'a> {
    /// The name of its file, in any spelling.
    File(&'a FileName),
    /// Its display name, exactly.
    Display(&'a str),
}

impl Sought<'_> {
    pub(crate) fn is(self, names: &Names) -> bool {
        match self {
            Self::File(file) => file.same_name(&names.file),
            Self::Display(name) => name == names.display,
        }
    }

    /// The field of the Pro API that is looked at.
    pub(crate) fn field(self) -> &'static str {
        match self {
            Self::File(_) => "fileName",
            Self::Display(_) => "packageName",
        }
    }
}

/// What a record is found by.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) file: String,
    pub(crate) display: String,
}

impl Names {
    pub(crate) fn of(package: &Package) -> Self {
        Self { file: package.file_name.clone(), display: package.display_name.clone() }
    }
}

/// The records of one listing.
#[derive(Debug, Default)]
pub(crate) struct Index {
    records: Vec<Package>,
    /// Places in `records`, by [`name_key`].
    by_file: HashMap<String, Vec<usize>>,
    by_display: HashMap<String, Vec<usize>>,
    /// Records without a usable id.
    unusable: Vec<Names>,
}

impl Index {
    pub(crate) fn new(records: Vec<Package>, unusable: Vec<Names>) -> Self {
        let mut index = Self { unusable, ..Self::default() };
        for (place, record) in records.iter().enumerate() {
            index.by_file.entry(name_key(&record.file_name).into_owned()).or_default().push(place);
            index.by_display.entry(record.display_name.clone()).or_default().push(place);
        }
        Self { records, ..index }
    }

    /// The name of a record that is sought and cannot be used: who passes it over makes it a second time.
    pub(crate) fn unusable(&self, sought: Sought<'_>) -> Option<&str> {
        let names = self.unusable.iter().find(|names| sought.is(names))?;
        Some(match sought {
            Sought::File(_) => &names.file,
            Sought::Display(_) => &names.display,
        })
    }

    fn find(&self, sought: Sought<'_>) -> impl Iterator<Item = &Package> {
        let places = match sought {
            Sought::File(file) => self.by_file.get(&*file.key()),
            Sought::Display(name) => self.by_display.get(name),
        };
        places.into_iter().flatten().filter_map(|place| self.records.get(*place))
    }
}

/// A record as it was read after the listing; nothing in it yet if it was written and not read since, and `None` if it is gone.
pub(crate) type Record = Arc<OnceCell<Option<Package>>>;

/// A record of which more is known than the listing says.
#[derive(Debug)]
struct Later {
    record: Record,
    /// Names that it may have besides those of the listing, while it has not been read.
    names: Vec<Names>,
}

/// The listing, and what is known better. Nothing here asks the server.
///
/// A write does not make the listing stale, but the record that was written: that one is read again when it is next sought. What
/// was read by its id takes the place of what the listing says, unless it was written while it was read.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) listing: Memory<(), Arc<Index>>,
    later: Mutex<BTreeMap<PackageId, Later>>,
}

impl Book {
    /// What is known, and what has to be read because it may be sought.
    pub(crate) fn find(&self, index: &Index, sought: Sought<'_>) -> (Vec<Package>, Vec<(PackageId, Record)>) {
        let later = self.later();
        let listed: Vec<&Package> = index.find(sought).collect();
        let mut known: Vec<Package> =
            listed.iter().copied().filter(|record| !later.contains_key(&record.id)).cloned().collect();
        let mut unread = Vec::new();
        for (id, Later { record, names }) in &*later {
            match record.get() {
                Some(Some(record)) if sought.is(&Names::of(record)) => known.push(record.clone()),
                Some(_) => {}
                None => {
                    if names.iter().any(|names| sought.is(names))
                        || listed.iter().any(|record| record.id == *id)
                    {
                        unread.push((*id, Arc::clone(record)));
                    }
                }
            }
        }
        (known, unread)
    }

    /// A record was written; it may have these names now, besides the ones that it had.
    pub(crate) fn written(&self, id: PackageId, names: Option<Names>) {
        self.later().entry(id).or_insert_with(Later::unread).write(names);
    }

    /// Something happened to the file of this name, and so to the records that name it.
    pub(crate) fn touched(&self, file: &FileName) {
        let sought = Sought::File(file);
        let mut later = self.later();
        for entry in later.values_mut().filter(|entry| entry.is(sought)) {
            entry.write(None);
        }
        let index = self.listing.known(&());
        for record in index.iter().flat_map(|index| index.find(sought)) {
            later.entry(record.id).or_insert_with(Later::unread);
        }
    }

    /// What is known now of a record that is about to be read, for [`read`](Book::read).
    pub(crate) fn before(&self, id: PackageId) -> Option<Record> {
        self.later().get(&id).map(|later| Arc::clone(&later.record))
    }

    /// A record was read. What was read is of no use if the record was written meanwhile. That it was not found may be for another
    /// node to say (`jamf-pro-api.md §13.1`), so it is read once more when it is sought.
    pub(crate) fn read(&self, id: PackageId, before: Option<&Record>, found: Option<&Package>) {
        let mut later = self.later();
        let is_as_before = match (later.get(&id), before) {
            (None, None) => true,
            (Some(now), Some(before)) => Arc::ptr_eq(&now.record, before),
            _ => false,
        };
        if !is_as_before {
            return;
        }
        let entry = later.entry(id).or_insert_with(Later::unread);
        match found {
            Some(found) => {
                *entry = Later { record: Arc::new(OnceCell::from(Some(found.clone()))), names: Vec::new() }
            }
            None => entry.write(None),
        }
    }

    /// Forgets everything: whatever is in it may be wrong.
    pub(crate) fn forget(&self) {
        self.listing.forget();
        self.later().clear();
    }

    fn later(&self) -> MutexGuard<'_, BTreeMap<PackageId, Later>> {
        self.later.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Later {
    fn unread() -> Self {
        Self { record: Record::default(), names: Vec::new() }
    }

    fn is(&self, sought: Sought<'_>) -> bool {
        let read = self.record.get().and_then(Option::as_ref).map(Names::of);
        read.iter().chain(&self.names).any(|names| sought.is(names))
    }

    /// Who is reading it gets an answer, and nobody after them.
    fn write(&mut self, names: Option<Names>) {
        self.names.extend(self.record.get().and_then(Option::as_ref).map(Names::of));
        self.names.extend(names);
        self.record = Record::default();
    }
}

#[cfg(test)]
mod tests;
