//! A browser without a window, and tests that are run in it. For tests of pages.
//!
//! The browser is the one that `PKGFERRY_CHROMIUM` names, or `chromium` on the PATH. Without one, [`run`] counts its tests as ignored,
//! which libtest cannot decide while it runs; so they make a test binary with a harness of their own:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! fn main() -> ExitCode {
//!     browser::run(&[("two_and_two_are_four", |tab| assert_eq!(tab.ask("2 + 2"), 4))])
//! }
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "the crate is for tests, and those end where something is wrong"
)]

mod tab;

pub use tab::Tab;

use libtest_mimic::{Arguments, Failed, Trial};
use std::path::PathBuf;
use std::process::ExitCode;

/// A window on a desk, in CSS pixels.
pub const DESK: (u32, u32) = (1280, 800);
/// A phone.
pub const PHONE: (u32, u32) = (390, 844);
/// A small phone.
pub const SMALL_PHONE: (u32, u32) = (360, 640);

/// A test, and its name.
pub type Test = (&'static str, fn(&mut Tab));

/// Runs these tests as the arguments of the process ask for, each in a browser of its own.
#[must_use]
pub fn run(tests: &[Test]) -> ExitCode {
    let arguments = Arguments::from_args();
    let browser = find();
    let missing = browser.is_none();
    if missing {
        eprintln!("no browser: PKGFERRY_CHROMIUM names none, and there is no chromium on the PATH");
    }
    let program = browser.unwrap_or_default();
    let trial = |&(name, test): &Test| {
        let program = program.clone();
        let run = move || {
            let home = tempfile::tempdir().unwrap();
            let mut tab = Tab::open(&program, home.path());
            test(&mut tab);
            Ok::<(), Failed>(())
        };
        Trial::test(name, run).with_ignored_flag(missing)
    };
    libtest_mimic::run(&arguments, tests.iter().map(trial).collect()).exit_code()
}

/// The browser that the environment names, or that is installed.
fn find() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("PKGFERRY_CHROMIUM").filter(|named| !named.is_empty()) {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let mut places = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.find(|place| place.is_file())
}
