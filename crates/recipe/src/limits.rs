//! How much of a recipe is read.

/// The largest recipe file that is read: a hundred times the size of the largest one known.
pub const MAX_FILE_SIZE: u64 = 4 << 20;

/// How many parents a recipe may have, one above the other. Real chains have three or four.
pub(crate) const MAX_PARENTS: usize = 50;
