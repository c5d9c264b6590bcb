use super::Table;
use serde::{Deserialize, Serialize};

/// All categories.
pub(crate) type Categories = Table<Category>;

/// A category.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Category {
    pub id: u64,
    pub name: String,
    pub priority: i64,
}

impl Categories {
    /// The category of this name.
    pub(crate) fn named(&self, name: &str) -> Option<&Category> {
        self.iter().find(|category| category.name == name)
    }
}
