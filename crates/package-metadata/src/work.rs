use crate::diff::Wish;
use jamf::{Field, Package, Session};
use pipeline::FileName;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What [`plan`](pipeline::Processor::plan) found to do.
#[derive(Debug)]
pub struct Work {
    pub(crate) session: Arc<Session>,
    pub(crate) file: FileName,
    pub(crate) record_only: bool,
    pub(crate) target: Target,
    /// All that the recipe names, also what the record holds already: all of it is read back.
    pub(crate) wishes: Vec<Wish>,
}

/// The record to write.
#[derive(Debug)]
pub(crate) enum Target {
    /// It is not there yet.
    New {
        display_name: String,
        /// Whether the recipe names it; else it is the name of the file.
        named: bool,
    },
    /// It is there, and these fields hold something else.
    Existing { record: Box<Package>, differing: BTreeSet<Field> },
}
