//! Filters of the Pro API in RSQL (`jamf-pro-api.md §1.4`).

mod parser;

use parser::Parser;

/// A parsed filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    /// All of them hold.
    All(Vec<Filter>),
    /// One of them holds.
    Any(Vec<Filter>),
    /// A field against values.
    Compare { field: String, operator: Operator, values: Vec<String> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Out,
}

/// Why a text is no filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("Unsupported filter field: {field}. Supported: {}", supported.join(", "))]
    Field { field: String, supported: Vec<&'static str> },
    #[error("Unsupported filter operator: {found}. Supported: {}", parser::OPERATORS.join(", "))]
    Operator { found: String },
    #[error("Unreadable filter at character {at}: expected {expected}")]
    Syntax { at: usize, expected: &'static str },
}

impl Filter {
    /// Reads a filter over `fields`.
    pub(crate) fn parse(text: &str, fields: &[&'static str]) -> Result<Self, Error> {
        Parser::new(text, fields).read()
    }

    /// Whether it holds for an object whose fields `value` reads. Null reads as empty text; how Jamf Pro treats null is
    /// not known (`§19.10`), nor whether it minds upper and lower case; this one does.
    pub(crate) fn matches(&self, value: &impl Fn(&str) -> String) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(value)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(value)),
            Self::Compare { field, operator, values } => {
                let found = value(field);
                let mut any = values.iter();
                match operator {
                    Operator::Equal | Operator::In => any.any(|wanted| fits(wanted, &found)),
                    Operator::NotEqual | Operator::Out => !any.any(|wanted| fits(wanted, &found)),
                    Operator::Less => any.any(|wanted| order(&found, wanted).is_lt()),
                    Operator::LessOrEqual => any.any(|wanted| order(&found, wanted).is_le()),
                    Operator::Greater => any.any(|wanted| order(&found, wanted).is_gt()),
                    Operator::GreaterOrEqual => any.any(|wanted| order(&found, wanted).is_ge()),
                }
            }
        }
    }
}

/// Numbers by value, everything else as text. Sorting uses it too.
pub(crate) fn order(left: &str, right: &str) -> std::cmp::Ordering {
    match (left.parse::<i64>(), right.parse::<i64>()) {
        (Ok(left), Ok(right)) => left.cmp(&right),
        _ => left.cmp(right),
    }
}

/// Whether `text` fits a pattern in which `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::{Error, Filter, fits};
    use proptest::prelude::{any, proptest};

    const FIELDS: [&str; 2] = ["id", "fileName"];

    #[track_caller]
    fn holds(filter: &str, id: &str, file: &str) -> bool {
        let value = |field: &str| if field == "id" { id.to_owned() } else { file.to_owned() };
        Filter::parse(filter, &FIELDS).unwrap_or_else(|error| panic!("{filter}: {error}")).matches(&value)
    }

    fn refused(filter: &str) -> String {
        Filter::parse(filter, &FIELDS).unwrap_err().to_string()
    }

    #[test]
    fn compares_bare_and_quoted_values() {
        assert!(holds("id==7", "7", ""));
        assert!(holds(
            r#"fileName=="Example App & Friends (2)#+%.pkg""#,
            "7",
            "Example App & Friends (2)#+%.pkg"
        ));
        assert!(holds(r#"fileName=="a \"b\" \\ c.pkg""#, "7", r#"a "b" \ c.pkg"#));
        assert!(holds("fileName=='it is.pkg'", "7", "it is.pkg"));
        assert!(!holds(r#"fileName=="a.pkg""#, "7", "A.pkg"));
        assert!(holds(r#"fileName!="a.pkg""#, "7", "b.pkg"));
        assert!(holds(r#"fileName=="Z\u0301""#.replace("\\u0301", "\u{301}").as_str(), "", "Z\u{301}"));
    }

    #[test]
    fn and_binds_tighter_than_or_and_parentheses_group() {
        assert!(holds("id==1,id==2;fileName==x", "1", "y"));
        assert!(!holds("(id==1,id==2);fileName==x", "1", "y"));
        assert!(holds("id==1 or id==2 and fileName==x", "2", "x"));
        assert!(holds("( id==1 or id==2 ) and fileName==x", "2", "x"));
    }

    #[test]
    fn sets_wildcards_and_order() {
        assert!(holds(r#"fileName=in=(a,"b c",d)"#, "1", "b c"));
        assert!(holds("fileName=out=(a,b)", "1", "c"));
        assert!(holds("id=gt=9;id<=10", "10", ""));
        assert!(holds(r#"fileName=="Exam*-1.*.pkg""#, "1", "ExampleApp-1.2.pkg"));
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*b*", "abc", true),
            ("a**c", "abc", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn refusals_list_what_is_supported() {
        insta::assert_snapshot!(refused("size==1"), @"Unsupported filter field: size. Supported: fileName, id");
        insta::assert_snapshot!(refused("id=like=1"), @"Unsupported filter operator: =like=. Supported: ==, !=, <, =lt=, <=, =le=, >, =gt=, >=, =ge=, =in=, =out=");
        insta::assert_snapshot!(refused("id==1;"), @"Unreadable filter at character 7: expected a field");
        insta::assert_snapshot!(refused(r#"fileName=="a"#), @"Unreadable filter at character 13: expected a closing quote");
        insta::assert_snapshot!(refused("id==1)"), @"Unreadable filter at character 6: expected `;`, `,`, `and`, `or` or the end");
        assert!(matches!(Filter::parse("", &FIELDS), Err(Error::Syntax { at: 1, .. })));
    }

    #[test]
    fn deep_nesting_is_refused_before_it_overflows() {
        let filter = format!("{}id==1{}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(Filter::parse(&filter, &FIELDS).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(text in any::<String>(), value in any::<String>()) {
            if let Ok(filter) = Filter::parse(&text, &FIELDS) {
                filter.matches(&|_| value.clone());
            }
        }

        #[test]
        fn never_panics_on_what_looks_like_a_filter(text in r#"((id|fileName|x)(==|!=|=in=|=gt=|<|=)[(]?["']?[a-z*\\ é]{0,4}["']?[)]?[;, ]?(and|or)?){0,4}"#) {
            if let Ok(filter) = Filter::parse(&text, &FIELDS) {
                filter.matches(&|field| field.to_owned());
            }
        }

        #[test]
        fn a_quoted_name_finds_itself(name in "[^*]{0,20}") {
            let quoted = name.replace('\\', r"\\").replace('"', "\\\"");
            let filter = Filter::parse(&format!("fileName==\"{quoted}\""), &FIELDS).unwrap();
            assert!(filter.matches(&|_| name.clone()));
        }
    }
}
