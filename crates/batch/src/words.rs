//! Kinds of values as messages name them.

/// `an array`, `a dict`.
pub(crate) fn with_article(kind: &str) -> String {
    if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { format!("an {kind}") } else { format!("a {kind}") }
}
