//! The exit codes of pkgferry that schedulers treat in a way of their own. A test compares them with the program's list.

/// A dry run with `--detailed-exit-code` found changes pending.
pub(crate) const CHANGES_PENDING: u8 = 2;
/// A recipe or the settings are wrong: the same again next time, until somebody mends it.
pub(crate) const RECIPE: u8 = 3;
/// Sign-in failed or a privilege is missing: as above.
pub(crate) const ACCESS: u8 = 4;
/// Delivered, but not verified: the next night proves it, and sent again from a pod that remembers nothing it might get a twin.
pub(crate) const UNVERIFIED: u8 = 7;
/// The deadline came: begun again at once, it would be none.
pub(crate) const DEADLINE: u8 = 9;
/// The command line is wrong: as above.
pub(crate) const USAGE: u8 = 64;
/// Interrupted, and ended in order.
pub(crate) const INTERRUPTED: u8 = 130;
