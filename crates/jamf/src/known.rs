//! What a session remembers.

use crate::book::{Book, Names, Sought};
use crate::lapse::Lapse;
use crate::memory::Memory;
use crate::{Category, Package, PackageApi};
use jiff::Timestamp;
use pipeline::{FileName, PackageId};
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// What is remembered about records.
#[derive(Debug)]
pub(crate) struct Packages {
    pub(crate) api: OnceLock<PackageApi>,
    pub(crate) named: Memory<FileName, Vec<Package>>,
    pub(crate) displayed: Memory<String, Vec<Package>>,
    /// All records, where they are listed.
    pub(crate) book: Book,
    pub(crate) lapse: Lapse,
    /// File and display names of records that could not be created. Somebody else may have made them since the listing.
    doubted: Mutex<HashSet<String>>,
    /// Records of this run, and when they were made.
    pub(crate) created: Mutex<HashMap<PackageId, Timestamp>>,
}

impl Packages {
    pub(crate) fn new(forced: Option<PackageApi>) -> Self {
        Self {
            api: forced.map_or_else(OnceLock::new, OnceLock::from),
            named: Memory::default(),
            displayed: Memory::default(),
            book: Book::default(),
            lapse: Lapse::default(),
            doubted: Mutex::default(),
            created: Mutex::default(),
        }
    }

    /// A record was written, or may have been; it may have these names now, besides those that it had.
    pub(crate) fn written(&self, id: PackageId, names: Option<Names>) {
        self.forget_answers();
        self.book.written(id, names);
    }

    /// A record could not be created, or nobody knows whether it was: what is known of these names is worth nothing any more, also
    /// in the listing.
    pub(crate) fn doubt(&self, names: Names) {
        self.forget_answers();
        if self.api.get() == Some(&PackageApi::Classic) {
            // It cannot be asked for a file name alone.
            self.book.forget();
        } else {
            lock(&self.doubted).extend([names.file, names.display]);
        }
    }

    /// Whether a name has to be asked for by itself, whatever the listing says.
    pub(crate) fn doubts(&self, sought: Sought<'_>) -> bool {
        let doubted = lock(&self.doubted);
        match sought {
            Sought::File(file) => doubted.iter().any(|name| file.same_name(name)),
            Sought::Display(name) => doubted.contains(name),
        }
    }

    /// Forgets what a write may have made stale.
    fn forget_answers(&self) {
        self.named.forget();
        self.displayed.forget();
    }
}

/// What is remembered about categories.
#[derive(Debug, Default)]
pub(crate) struct Categories {
    pub(crate) by_name: Memory<String, Option<Category>>,
    /// A category that is not there has no place here: it may be another node that does not know it yet
    /// (`jamf-pro-api.md §13.1`).
    pub(crate) by_id: Memory<u64, Category>,
    /// All of them, where they are listed.
    pub(crate) all: Memory<(), Arc<CategoryIndex>>,
    pub(crate) lapse: Lapse,
    /// Names that somebody tried to create. The listing does not know of them.
    pub(crate) tried: Mutex<HashSet<String>>,
}

impl Categories {
    /// Somebody tries to create it: what was known of this name may be wrong from now on.
    pub(crate) fn try_to_create(&self, name: &str) {
        lock(&self.tried).insert(name.to_owned());
        self.by_name.forget_one(&name.to_owned());
    }

    /// Whether the listing knows about this name.
    pub(crate) fn is_listed(&self, name: &str) -> bool {
        !lock(&self.tried).contains(name)
    }
}

/// All categories of one listing.
#[derive(Debug)]
pub(crate) struct CategoryIndex {
    categories: Vec<Category>,
    by_name: HashMap<String, usize>,
    by_id: HashMap<u64, usize>,
}

impl CategoryIndex {
    pub(crate) fn new(categories: Vec<Category>) -> Self {
        let (mut by_name, mut by_id) = (HashMap::new(), HashMap::new());
        for (place, category) in categories.iter().enumerate() {
            by_name.entry(category.name.clone()).or_insert(place);
            by_id.entry(category.id).or_insert(place);
        }
        Self { categories, by_name, by_id }
    }

    pub(crate) fn named(&self, name: &str) -> Option<Category> {
        self.categories.get(*self.by_name.get(name)?).cloned()
    }

    pub(crate) fn with_id(&self, id: u64) -> Option<Category> {
        self.categories.get(*self.by_id.get(&id)?).cloned()
    }
}

fn lock<T: Eq + Hash>(set: &Mutex<HashSet<T>>) -> MutexGuard<'_, HashSet<T>> {
    set.lock().unwrap_or_else(PoisonError::into_inner)
}
