//! Recipe files, from the bytes on disk to a chain that is known to be sound before anything runs.
//!
//! - A [`Source`] is a file's bytes; a [`Recipe`] is what one file says, in YAML or as a property list, with the
//!   [`Place`] of everything in it. Files are read within limits: size, depth, and what aliases and shared objects unfold
//!   into, so that no file ends in a panic or a hang.
//! - A [`Library`] finds recipes in its search folders, follows `ParentRecipe`, and merges what it finds into a
//!   [`Chain`].
//! - [`check()`] holds a chain against the [`Spec`](pipeline::Spec)s of the processors: names, types, order, references. It
//!   tells all [`Faults`] in one report, or gives a [`Checked`] chain with the environment of its first step.
//! - [`Readers`] tells of [`Slip`]s: names that are no fault, that nothing reads, and that are nearly right.
//! - [`substitute()`] replaces `%KEY%` when a step runs.
//! - [`to_yaml`], [`to_plist_xml`] and [`to_plist_binary`] write values that [`from_yaml`] and [`from_plist`] read back.
//!
//! AutoPkg's rules hold (`autopkg-recipes.md §1–§3`), except where they lose something without a word: a key that is not
//! defined, a name that stands twice, and a key that is a slip of the pen are faults here.
//!
//! It runs nothing and knows no processor (that is the `runner` crate), does not evaluate predicates, and does not read
//! trust information or overrides as anything but ordinary children.
//!
//! ```
//! use pipeline::{Env, Input, Key, Spec};
//! use recipe::{Library, Source, check};
//!
//! const GREETING: Key<String> = Key::new("greeting");
//! static GREET: Spec = Spec {
//!     name: "greet",
//!     summary: "says hello",
//!     docs: "",
//!     writes: false,
//!     inputs: &[Input::required(GREETING, "what to say")],
//!     outputs: &[],
//! };
//!
//! let yaml = "\
//! Identifier: org.example.greet
//! Input:
//!   NAME: world
//! Process:
//! - Processor: greet
//!   Arguments:
//!     greting: Hello, %NAME%!
//! ";
//! let source = Source { path: "greet.recipe.yaml".into(), bytes: yaml.into() };
//! let chain = Library::default().load_source(&source)?;
//! let faults = check(&chain, &[&GREET], &Env::new(), &Env::new()).unwrap_err();
//! assert!(faults.to_string().starts_with(
//!     "greet.recipe.yaml:7:5: step 1 greet: unknown argument `greting`\n  hint: did you mean `greeting`?"
//! ));
//! # Ok::<(), recipe::Faults>(())
//! ```

mod check;
mod destination;
mod encoding;
mod fault;
mod folder;
mod foreign;
mod input;
mod library;
mod limits;
mod model;
mod place;
mod plist;
mod search;
mod slips;
mod source;
mod substitute;
mod tree;
mod version;
mod words;
mod yaml;

pub use check::{Checked, CheckedStep, check};
pub use fault::{Fault, Faults, Problem};
pub use folder::{EMPTY_FOLDER_HINT, is_recipe_name};
pub use library::{Chain, Library};
pub use limits::MAX_FILE_SIZE;
pub use model::{Recipe, Step};
pub use place::{Located, Place, Position};
pub use plist::{NotPlist, from_plist, to_plist_binary, to_plist_xml};
pub use slips::{Readers, Slip};
pub use source::Source;
pub use substitute::{MAX_SUBSTITUTED, Reference, Substituted, Unresolved, references, substitute};
pub use tree::{Malformed, Syntax};
pub use words::nearest;
pub use yaml::{from_yaml, to_yaml};

/// The AutoPkg version whose recipes are understood: its `MinimumVersion` check passes up to this.
pub const AUTOPKG_LEVEL: &str = "2.9.1";
