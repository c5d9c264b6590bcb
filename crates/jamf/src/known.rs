//! What a session remembers.

use crate::memory::Memory;
use crate::{Category, Package, PackageApi};
use jiff::Timestamp;
use pipeline::{FileName, PackageId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

/// What is remembered about records.
#[derive(Debug)]
pub(crate) struct Packages {
    pub(crate) api: OnceLock<PackageApi>,
    pub(crate) named: Memory<FileName, Vec<Package>>,
    pub(crate) displayed: Memory<String, Vec<Package>>,
    /// All records as the Classic API tells them.
    pub(crate) classic: Memory<(), Arc<[Package]>>,
    /// Records of this run, and when they were made.
    pub(crate) created: Mutex<HashMap<PackageId, Timestamp>>,
}

impl Packages {
    pub(crate) fn new(forced: Option<PackageApi>) -> Self {
        Self {
            api: forced.map_or_else(OnceLock::new, OnceLock::from),
            named: Memory::default(),
            displayed: Memory::default(),
            classic: Memory::default(),
            created: Mutex::default(),
        }
    }

    /// Forgets what a write may have made stale.
    pub(crate) fn forget(&self) {
        self.named.forget();
        self.displayed.forget();
        self.classic.forget();
    }
}

/// What is remembered about categories.
#[derive(Debug, Default)]
pub(crate) struct Categories {
    pub(crate) by_name: Memory<String, Option<Category>>,
    /// A category that is not there has no place here: it may be another node that does not know it yet
    /// (`jamf-pro-api.md §13.1`).
    pub(crate) by_id: Memory<u64, Category>,
}
