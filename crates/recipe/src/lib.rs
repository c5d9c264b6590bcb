//! Recipe files
mod check;
mod fault;
mod input;
mod library;
mod model;
mod place;
mod plist;
mod search;
mod source;
mod substitute;
mod tree;
mod version;
mod yaml;

pub use check::{Checked, CheckedStep, check};
pub use fault::{Fault, Faults, Problem};
pub use library::{Chain, Library};
pub use model::{Recipe, Step};
pub use place::{Located, Place, Position};
pub use plist::{NotPlist, from_plist, to_plist_binary, to_plist_xml};
pub use source::{MAX_FILE_SIZE, Source};
pub use substitute::{MAX_SUBSTITUTED, Reference, Substituted, Unresolved, references, substitute};
pub use tree::{Malformed, Syntax};
pub use yaml::{from_yaml, to_yaml};

/// The AutoPkg version whose recipes are understood: its `MinimumVersion` check passes up to this.
pub const AUTOPKG_LEVEL: &str = "2.9.1";
