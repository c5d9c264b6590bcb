//! File names, digests and ids: valid by construction.

use crate::strings;
use pipeline::{FileName, Found, Md5, PackageId, Sha3_512, name_key};
use proptest::prelude::*;

/// Names with characters that have a composed and a decomposed form, in any mixture.
fn accented() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![
            Just("u\u{308}"),
            Just("\u{fc}"),
            Just("e\u{301}"),
            Just("\u{e9}"),
            Just("a"),
            Just("한"),
            Just("_1")
        ],
        1..12,
    )
    .prop_map(|pieces| pieces.concat() + ".pkg")
}

proptest! {
    #[test]
    fn a_name_is_valid_or_refused(text in prop_oneof![any::<String>(), strings(), ".{0,300}"]) {
        let valid = (1..=255).contains(&text.len())
            && text != "."
            && text != ".."
            && !text.chars().any(|c| c == '/' || c.is_control());
        let parsed = text.parse::<FileName>();
        prop_assert_eq!(parsed.is_ok(), valid);
        if let Ok(name) = parsed {
            prop_assert_eq!(name.as_str(), text.as_str(), "the spelling is kept");
        }
    }

    #[test]
    fn spellings_are_one_name(text in accented()) {
        let name: FileName = text.parse().unwrap();
        let spellings = name.spellings();
        prop_assert_eq!(&spellings[0], &text, "its own comes first");
        for (index, spelling) in spellings.iter().enumerate() {
            prop_assert!(name.same_name(spelling));
            prop_assert!(spelling.parse::<FileName>().unwrap().same_name(&text), "both ways");
            prop_assert!(!spellings[..index].contains(spelling), "each once");
        }
        let other = text + "x";
        prop_assert!(!name.same_name(&other));
    }

    #[test]
    fn names_are_one_exactly_if_their_keys_are(one in accented(), other in accented()) {
        let name: FileName = one.parse().unwrap();
        prop_assert_eq!(name.key() == name_key(&other), name.same_name(&other));
        for spelling in name.spellings() {
            prop_assert_eq!(name_key(&spelling), name.key());
        }
    }

    #[test]
    fn a_number_before_the_extension_makes_a_twin(stem in "[A-Za-z0-9 _.]{1,20}", number: u32, other in strings()) {
        let name: FileName = format!("{stem}.pkg").parse().unwrap();
        let twin = format!("{stem}_{number}.pkg");
        prop_assert!(name.is_twin(&twin));
        prop_assert!(!name.is_twin(name.as_str()), "not of itself");
        let twin: FileName = twin.parse().unwrap();
        prop_assert!(!twin.is_twin(name.as_str()), "not the other way round");
        let documented = other
            .strip_prefix(&format!("{stem}_"))
            .and_then(|rest| rest.strip_suffix(".pkg"))
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
        prop_assert_eq!(name.is_twin(&other), documented);
    }

    #[test]
    fn digests_read_what_they_show(md5: [u8; 16], sha3 in prop::collection::vec(any::<u8>(), 64)) {
        let md5 = Md5::from_bytes(md5);
        prop_assert_eq!(md5.to_string().parse(), Ok(md5));
        prop_assert_eq!(md5.to_string().to_uppercase().parse(), Ok(md5));
        let sha3 = Sha3_512::from_bytes(sha3.try_into().unwrap());
        prop_assert_eq!(sha3.to_string().parse(), Ok(sha3));
        prop_assert_eq!(sha3.to_string().to_uppercase().parse(), Ok(sha3));
        prop_assert!(!sha3.to_string().contains(char::is_uppercase));
    }

    #[test]
    fn ids_are_above_0(number: u64) {
        let id = PackageId::try_from(number);
        prop_assert_eq!(id.is_ok(), number > 0);
        if let Ok(id) = id {
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            prop_assert_eq!(serde_json::to_value(id).unwrap(), serde_json::json!(number));
        }
    }
}

#[test]
fn twins_of_names_without_an_extension() {
    let name: FileName = "Installer".parse().unwrap();
    assert!(name.is_twin("Installer_1"));
    assert!(!name.is_twin("Installer_1.pkg"));
    assert!(!name.is_twin("Installer_"));
}

#[test]
fn composed_and_decomposed_are_one_name_and_capitals_are_not() {
    let name: FileName = "M\u{fc}ller.pkg".parse().unwrap();
    assert!(name.same_name("Mu\u{308}ller.pkg"));
    assert!(!name.same_name("m\u{fc}ller.pkg"));
    assert_eq!(name.spellings(), ["M\u{fc}ller.pkg", "Mu\u{308}ller.pkg"]);
    assert_eq!("plain.pkg".parse::<FileName>().unwrap().spellings(), ["plain.pkg"]);
}

#[test]
fn a_list_holds_a_name_once_or_a_person_has_to_choose() {
    const COMPOSED: &str = "M\u{fc}ller.pkg";
    const DECOMPOSED: &str = "Mu\u{308}ller.pkg";
    let find = |asked: &str, listed: &[&'static str]| {
        asked.parse::<FileName>().unwrap().find(listed.iter().copied(), |name| name)
    };
    for asked in [COMPOSED, DECOMPOSED] {
        assert_eq!(find(asked, &[]), Found::None);
        assert_eq!(find(asked, &["Other.pkg", "m\u{fc}ller.pkg"]), Found::None, "case matters");
        assert_eq!(find(asked, &["Other.pkg", COMPOSED]), Found::One(COMPOSED));
        assert_eq!(find(asked, &[DECOMPOSED, "Other.pkg"]), Found::One(DECOMPOSED));
        let both = [DECOMPOSED, "Other.pkg", COMPOSED];
        assert_eq!(find(asked, &both), Found::Several(vec![DECOMPOSED, COMPOSED]), "not even an exact match");
    }
    assert_eq!(find("a.pkg", &["a.pkg", "a.pkg"]), Found::Several(vec!["a.pkg", "a.pkg"]));
}

#[test]
fn refusals_say_why() {
    let long = "n".repeat(252) + ".pkg";
    let names = ["", ".", "..", "a/b.pkg", "a\nb.pkg", long.as_str()];
    let mut refusals: Vec<String> =
        names.iter().map(|name| name.parse::<FileName>().unwrap_err().to_string()).collect();
    refusals.push("900150983cd24fb0d6963f7d28e17f7".parse::<Md5>().unwrap_err().to_string());
    refusals.push("xyz".parse::<Sha3_512>().unwrap_err().to_string());
    refusals.push("0".parse::<PackageId>().unwrap_err().to_string());
    refusals.push("-1".parse::<PackageId>().unwrap_err().to_string());
    insta::assert_snapshot!(refusals.join("\n").replace(&long, "nnn….pkg"), @r#"
    "" is not a file name: it is empty
    "." is not a file name: it names a folder
    ".." is not a file name: it names a folder
    "a/b.pkg" is not a file name: it contains `/`
    "a\nb.pkg" is not a file name: it contains a control character
    "nnn….pkg" is not a file name: it is longer than 255 bytes
    "900150983cd24fb0d6963f7d28e17f7" is not an MD5 digest: it takes 32 hex digits
    "xyz" is not a SHA3-512 digest: it takes 128 hex digits
    "0" is not a package id: it takes a whole number above 0
    "-1" is not a package id: it takes a whole number above 0
    "#);
}
