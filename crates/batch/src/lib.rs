//! What a run of many recipes is made of, before anything runs: which recipes, and which of their packages.
//!
//! - A [`RecipeList`] is what a file of AutoPkg's kind lists: text, property list, YAML or JSON.
//! - [`select`] puts together what the command line and lists name, and replaces folders and patterns by the recipe files
//!   that they stand for. It asks [`Folders`] for what there is, so that nothing here touches a disk.
//! - A [`Shard`](pipeline::Shard) is one of several runs that divide the packages of one list among them. Which packages it
//!   [`takes`] is the same on every machine and in every version; [`detect_shard`] learns from the environment of a scheduler
//!   which one this is.
//!
//! All faults of all lists and arguments come in one report. It runs nothing (that is the `runner` crate) and does no I/O.
//!
//! ```
//! use batch::RecipeList;
//! use recipe::Source;
//!
//! let text = "# Browsers\nFirefox.jamf\n\nGoogleChrome.jamf\n";
//! let list = RecipeList::read(&Source { path: "nightly.txt".into(), bytes: text.into() })?;
//! let names: Vec<_> = list.recipes.iter().map(|recipe| recipe.value.as_str()).collect();
//! assert_eq!(names, ["Firefox.jamf", "GoogleChrome.jamf"]);
//! assert_eq!(list.recipes[1].place.to_string(), "nightly.txt:4:1");
//!
//! let second: pipeline::Shard = "2/3".parse().unwrap();
//! assert!(batch::takes(second, &"Firefox-140.0.pkg".parse().unwrap()));
//! # Ok::<(), batch::Faults>(())
//! ```

mod auto;
mod fault;
mod layout;
mod list;
mod pattern;
mod position;
mod select;
mod shard;
mod words;

pub use auto::{Detected, Error, SHARD, SHARD_COUNT, Scheduler, detect_shard};
pub use fault::{Fault, Faults, Problem};
pub use list::RecipeList;
pub use select::{Folders, Kind, Listed, Note, Origin, Selected, Selection, select, select_partly};
pub use shard::{ShardChoice, shard_of, takes};
