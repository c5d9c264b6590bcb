//! Names of recipes as messages show them, and names that were meant.

use pipeline::text::shown;

/// `an array`, `a dict`.
pub(crate) fn with_article(kind: &str) -> String {
    match kind {
        "null" => "empty".to_owned(),
        _ if kind.starts_with(['a', 'i', 'M']) => format!("an {kind}"),
        _ => format!("a {kind}"),
    }
}

/// Longer names are not compared: that takes time and memory with the product of the lengths, and nobody types so much.
const MAX_COMPARED: usize = 200;

/// The known name nearest to a wrong one, if it is near enough to be what was meant: case does not count, and a third of
/// the letters may differ.
pub fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let comparable = |name: &str| name.len() <= MAX_COMPARED;
    if !comparable(name) {
        return None;
    }
    let wanted = name.to_lowercase();
    let allowed = (name.chars().count() / 3).clamp(1, 4);
    known
        .into_iter()
        .filter(|known| comparable(known))
        .map(|known| (strsim::damerau_levenshtein(&wanted, &known.to_lowercase()), known))
        .filter(|(distance, _)| *distance <= allowed && *distance < name.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// The known name that a name is a slip of the pen for. Stricter than [`nearest`], because nobody has said that the name is
/// wrong: names of as many words have to agree in each, so that another word makes another name (`SMB_URL` and `JSS_URL`,
/// `dmg_path` and `pkg_path`), and a short word has room for one slip only.
pub(crate) fn nearest_slip<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    if name.len() > MAX_COMPARED {
        return None;
    }
    let words = |name: &str| name.to_lowercase().split(['_', '-']).map(str::to_owned).collect::<Vec<_>>();
    let is_slip = |(word, known): (&String, &String)| {
        let allowed = (word.chars().count().max(known.chars().count()) / 4).clamp(1, 3);
        strsim::damerau_levenshtein(word, known) <= allowed
    };
    let written = words(name);
    let agree = |known: &[String]| known.len() != written.len() || written.iter().zip(known).all(is_slip);
    nearest(name, known.into_iter().filter(|known| agree(&words(known))))
}

pub(crate) fn did_you_mean<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<String> {
    nearest(name, known).map(|known| format!("did you mean `{}`?", shown(known)))
}
