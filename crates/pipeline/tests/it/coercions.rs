//! Coercions accept exactly the spellings that their documentation names.

use crate::{candidates, strings, timestamps, values};
use jiff::Timestamp;
use pipeline::{
    Delivery, Dict, ExposeSecret as _, FileName, Md5, PackageApiChoice, PackageId, Priority,
    RequiredProcessor, Route, RouteChoice, Secret, Sha3_512, Typed, Value, Verdict, Witness,
};
use proptest::prelude::*;
use std::path::PathBuf;

/// The whole number that a value spells, written here once more and by other means: digits without sign `+`, blanks,
/// separators or leading zeros.
fn whole_number(value: &Value) -> Option<i128> {
    match value {
        Value::Integer(number) => Some((*number).into()),
        Value::String(text) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let canonical = match digits.as_bytes() {
                [b'0'] => digits == text,
                [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit) && rest.len() < 30,
                _ => false,
            };
            canonical.then(|| text.parse().unwrap())
        }
        _ => None,
    }
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn bools(value in candidates()) {
        let documented = match &value {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) if ["true", "True", "TRUE"].contains(&text.as_str()) => Some(true),
            Value::String(text) if ["false", "False", "FALSE"].contains(&text.as_str()) => Some(false),
            _ => None,
        };
        prop_assert_eq!(bool::read(&value).ok(), documented);
    }

    #[test]
    fn integers(value in candidates()) {
        let number = whole_number(&value);
        prop_assert_eq!(u32::read(&value).ok(), number.and_then(|number| u32::try_from(number).ok()));
        prop_assert_eq!(i64::read(&value).ok(), number.and_then(|number| i64::try_from(number).ok()));
        let fits = number.filter(|number| *number <= i64::MAX.into());
        prop_assert_eq!(u64::read(&value).ok(), fits.and_then(|number| u64::try_from(number).ok()));
    }

    #[test]
    fn package_ids(value in candidates()) {
        let number = whole_number(&value).filter(|number| (1..=i64::MAX.into()).contains(number));
        prop_assert_eq!(PackageId::read(&value).ok().map(|id| i128::from(id.get())), number);
    }

    #[test]
    fn priorities(value in candidates()) {
        let number = whole_number(&value).filter(|number| (1..=20).contains(number));
        prop_assert_eq!(Priority::read(&value).ok().map(|priority| priority.get().into()), number);
    }

    #[test]
    fn texts(value in candidates()) {
        let documented = match &value {
            Value::String(text) => Some(text.clone()),
            Value::Integer(number) => Some(number.to_string()),
            _ => None,
        };
        prop_assert_eq!(String::read(&value).ok(), documented);
    }

    #[test]
    fn secrets_are_strings_only(value in candidates()) {
        let read = Secret::read(&value).ok().map(|secret| secret.expose_secret().to_owned());
        prop_assert_eq!(read.as_deref(), text_of(&value));
    }

    #[test]
    fn paths(value in candidates()) {
        let documented = text_of(&value).filter(|text| !text.is_empty() && !text.contains('\0'));
        prop_assert_eq!(PathBuf::read(&value).ok(), documented.map(PathBuf::from));
    }

    #[test]
    fn digests(value in candidates()) {
        let text = text_of(&value);
        prop_assert_eq!(Md5::read(&value).is_ok(), text.is_some_and(|text| is_hex(text, 32)));
        prop_assert_eq!(Sha3_512::read(&value).is_ok(), text.is_some_and(|text| is_hex(text, 128)));
    }

    #[test]
    fn verdicts(value in candidates()) {
        let documented = match text_of(&value) {
            Some("absent") => Some(Verdict::Absent),
            Some("same") => Some(Verdict::Same),
            Some("different") => Some(Verdict::Different),
            _ => None,
        };
        prop_assert_eq!(Verdict::read(&value).ok(), documented);
    }

    #[test]
    fn file_names(value in candidates()) {
        let read = FileName::read(&value).ok().map(|name| name.to_string());
        let documented = text_of(&value).filter(|text| text.parse::<FileName>().is_ok());
        prop_assert_eq!(read.as_deref(), documented);
    }

    #[test]
    fn lists_of_strings(value in candidates()) {
        let documented = match &value {
            Value::Array(items) => items.iter().map(|item| String::read(item).ok()).collect(),
            _ => None,
        };
        prop_assert_eq!(Vec::<String>::read(&value).ok(), documented);
    }

    #[test]
    fn dicts(value in candidates()) {
        prop_assert_eq!(Dict::read(&value).is_ok(), matches!(value, Value::Dict(_)));
    }

    #[test]
    fn dates(value in candidates()) {
        match (&value, Timestamp::read(&value).ok()) {
            (Value::Date(time), read) => prop_assert_eq!(read, Some(*time)),
            // Whatever else a string may look like: it begins with a date, and an offset comes after it.
            (Value::String(text), Some(_)) => {
                prop_assert!(text.starts_with(|first: char| first.is_ascii_digit() || "+-".contains(first)));
                prop_assert!(text[10..].contains(['Z', 'z', '+', '-']), "{text}");
            }
            (_, read) => prop_assert_eq!(read, None),
        }
    }

    #[test]
    fn what_is_written_reads_back(
        text in strings(), flag: bool, number: i64, small: u32, large in 0..=i64::MAX.unsigned_abs(), time in timestamps(),
        md5: [u8; 16], sha3 in prop::collection::vec(any::<u8>(), 64), id in 1..=i64::MAX.unsigned_abs(),
        list in prop::collection::vec(strings(), 0..4), dict in prop::collection::vec((strings(), values()), 0..4),
        path in "[^\0]{1,40}", name in "[a-zA-Z0-9 #%+&()äöü🦊]{1,30}\\.pkg",
    ) {
        fn back<T: Typed + Clone>(value: &T) -> T {
            T::read(&value.clone().write()).unwrap()
        }
        prop_assert_eq!(back(&text), text.clone());
        prop_assert_eq!(back(&flag), flag);
        prop_assert_eq!(back(&number), number);
        prop_assert_eq!(back(&small), small);
        prop_assert_eq!(back(&large), large);
        prop_assert_eq!(back(&time), time);
        prop_assert_eq!(back(&list), list);
        let dict: Dict = dict.into_iter().collect();
        prop_assert_eq!(back(&dict), dict.clone());
        let path = PathBuf::from(path);
        prop_assert_eq!(back(&path), path.clone());
        let name: FileName = name.parse().unwrap();
        prop_assert_eq!(back(&name), name.clone());
        let (md5, sha3) = (Md5::from_bytes(md5), Sha3_512::from_bytes(sha3.try_into().unwrap()));
        prop_assert_eq!((back(&md5), back(&sha3)), (md5, sha3));
        let id = PackageId::try_from(id).unwrap();
        prop_assert_eq!(back(&id), id);
        for verdict in [Verdict::Absent, Verdict::Same, Verdict::Different] {
            prop_assert_eq!(back(&verdict), verdict);
        }
        let secret = back(&Secret::from(text.clone()));
        prop_assert_eq!(secret.expose_secret(), text.as_str());
    }

    /// A refusal fits on a line, whatever was refused.
    #[test]
    fn refusals_are_short(value in candidates()) {
        if let Err(refusal) = bool::read(&value) {
            prop_assert!(refusal.to_string().chars().count() < 120, "{refusal}");
        }
    }
}

#[test]
fn priorities_go_from_1_to_20() {
    let read = |number| Priority::read(&Value::Integer(number)).map(Priority::get).ok();
    assert_eq!([0, 1, 20, 21, 99, 257, -1].map(read), [None, Some(1), Some(20), None, None, None, None]);
    assert_eq!(Priority::read(&Value::String("5".into())).unwrap().write(), Value::Integer(5));
}

#[test]
fn choices_take_their_words_only() {
    fn words<T: Typed>(words: &[&str]) -> Vec<Option<Value>> {
        let read = |word: &&str| T::read(&Value::String((*word).to_owned())).ok().map(T::write);
        words.iter().map(read).collect()
    }
    let word = |word: &str| Some(Value::String(word.to_owned()));
    assert_eq!(
        words::<PackageApiChoice>(&["auto", "pro", "classic", "", "clasic", "Classic"]),
        [word("auto"), word("pro"), word("classic"), word("auto"), None, None]
    );
    assert_eq!(
        words::<RequiredProcessor>(&["None", "ppc", "x86", "", "none", "arm"]),
        [word("None"), word("ppc"), word("x86"), None, None, None]
    );
    assert_eq!(
        words::<Delivery>(&["proven", "unverified", "", "Proven"]),
        [word("proven"), word("unverified"), None, None]
    );
    assert_eq!(
        words::<Route>(&["jcds", "packages-api", "", "auto", "packages_api", "JCDS"]),
        [word("jcds"), word("packages-api"), None, None, None, None]
    );
    assert_eq!(
        words::<RouteChoice>(&["auto", "jcds", "packages-api", "", "packages_api", "Auto"]),
        [word("auto"), word("jcds"), word("packages-api"), word("auto"), None, None]
    );
    assert_eq!(words::<Witness>(&["list", "record", "", "List"]), [word("list"), word("record"), None, None]);
    assert_eq!(
        "arm".parse::<RequiredProcessor>().unwrap_err().to_string(),
        r#""arm" is none of None, ppc, x86"#
    );
}

#[test]
fn moments_need_an_offset() {
    let read = |text: &str| Timestamp::read(&Value::String(text.into())).ok();
    assert_eq!(read("2026-11-20T12:00:00Z"), read("2026-11-20T13:00:00+01:00"));
    assert!(read("2026-11-20T12:00:00Z").is_some());
    assert_eq!(read("2026-11-20T12:00:00"), None);
    assert_eq!(read("2026-11-20"), None);
    assert_eq!(read("1795250167"), None);
}

#[test]
fn refusals_name_what_would_be_right() {
    let dict = Value::Dict([("a".to_owned(), Value::Bool(true))].into_iter().collect());
    let refusals = [
        bool::read(&Value::String("yes".into())).unwrap_err(),
        u32::read(&Value::String("010".into())).unwrap_err(),
        u64::read(&Value::Integer(-1)).unwrap_err(),
        i64::read(&Value::Real(1.5)).unwrap_err(),
        String::read(&Value::Real(1.1)).unwrap_err(),
        String::read(&dict).unwrap_err(),
        PathBuf::read(&Value::String(String::new())).unwrap_err(),
        Timestamp::read(&Value::String("today".into())).unwrap_err(),
        FileName::read(&Value::String("a/b.pkg".into())).unwrap_err(),
        Md5::read(&Value::String("abc".into())).unwrap_err(),
        Sha3_512::read(&Value::Data(vec![1, 2])).unwrap_err(),
        Verdict::read(&Value::String("equal".into())).unwrap_err(),
        PackageId::read(&Value::Integer(0)).unwrap_err(),
        Vec::<String>::read(&Value::String("a".into())).unwrap_err(),
        Dict::read(&Value::Array(vec![Value::Integer(1)])).unwrap_err(),
        Secret::read(&Value::Integer(123_456)).unwrap_err(),
    ];
    insta::assert_snapshot!(refusals.map(|refusal| refusal.to_string()).join("\n"), @r#"
    string "yes" is not a bool (true or false)
    string "010" is not a whole number from 0 to 4294967295
    integer -1 is not a whole number, not negative
    real 1.5 is not a whole number
    real 1.1 is not a string (put the number in quotes to keep it as it is written)
    dict {a: true} is not a string
    string "" is not a path
    string "today" is not a date such as 2026-11-20T12:00:00Z
    string "a/b.pkg" is not a file name (not empty, no `/`, at most 255 bytes)
    string "abc" is not an MD5 digest (32 hex digits)
    data 2 bytes of data is not a SHA3-512 digest (128 hex digits)
    string "equal" is not a verdict (absent, same or different)
    integer 0 is not a package id (a whole number above 0)
    string "a" is not an array of strings
    array [1] is not a dict
    integer is not a string
    "#);
}
