use std::cmp::Ordering;

/// One run of digits or of letters. At the same position a number comes before letters, as in AutoPkg's `APLooseVersion`
/// (`autopkg-recipes.md §2`).
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part<'v> {
    /// Digits without leading zeros; compared by length first, so that no number is too long.
    Number(usize, &'v str),
    Letters(&'v str),
}

fn parts(version: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = version;
    while let Some(first) = rest.chars().next() {
        let same = |ch: char| {
            if first.is_ascii_digit() {
                ch.is_ascii_digit()
            } else {
                first.is_alphanumeric() && ch.is_alphanumeric() && !ch.is_ascii_digit()
            }
        };
        let end = rest.find(|ch| !same(ch)).unwrap_or(rest.len()).max(first.len_utf8());
        let (part, after) = rest.split_at(end);
        if first.is_ascii_digit() {
            let digits = part.trim_start_matches('0');
            parts.push(Part::Number(digits.len(), digits));
        } else if first.is_alphanumeric() {
            parts.push(Part::Letters(part));
        }
        rest = after;
    }
    parts
}

/// Compares two versions part by part; missing parts count as 0, so `1.0` equals `1.0.0`.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (parts(a), parts(b));
    let zero = Part::Number(0, "");
    (0..a.len().max(b.len()))
        .map(|index| a.get(index).unwrap_or(&zero).cmp(b.get(index).unwrap_or(&zero)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_like_padded_loose_versions() {
        for (smaller, greater) in [
            ("2.9", "2.10"),
            ("1.0.1", "1.0a"),
            ("1.0", "1.0b"),
            ("2.9.1", "2.9.1.b"),
            ("", "0.1"),
            ("9", "010"),
        ] {
            assert_eq!(compare(smaller, greater), Ordering::Less, "{smaller} {greater}");
            assert_eq!(compare(greater, smaller), Ordering::Greater, "{greater} {smaller}");
        }
        for (a, b) in [("1.0", "1.0.0"), ("", "0"), ("2.3", "2.3."), ("1-2", "1.2")] {
            assert_eq!(compare(a, b), Ordering::Equal, "{a} {b}");
        }
        assert_eq!(compare("1.99999999999999999999999999", "1.100000000000000000000000000"), Ordering::Less);
    }

    proptest::proptest! {
        #[test]
        fn comparing_never_panics_and_is_antisymmetric(a in ".*", b in "[0-9a-zé.]*") {
            assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
        }
    }
}
