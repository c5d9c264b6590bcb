//! Files that nobody should have written: one clear fault each, at once, and never a panic.

use crate::support::Folder;
use proptest::prelude::*;
use recipe::{Faults, Recipe, Source, from_plist, from_yaml, to_plist_binary, to_plist_xml, to_yaml};
use std::fmt::Write as _;
use std::path::PathBuf;

fn read(name: &str, bytes: impl Into<Vec<u8>>) -> Result<Recipe, Faults> {
    Recipe::read(&Source { path: PathBuf::from(name), bytes: bytes.into() })
}

fn report(name: &str, bytes: impl Into<Vec<u8>>) -> String {
    read(name, bytes).expect_err("the file is broken").to_string()
}

fn plist(content: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">\n{content}\n</plist>\n")
}

#[test]
fn text_that_is_not_yaml() {
    insta::assert_snapshot!(report("r.yaml", "Input:\n  NAME: [a, b\nProcess: []\n"), @r"
    r.yaml:3:8: not valid YAML: did not find expected ',' or ']', while parsing a flow sequence at line 2 column 9
    1 fault
    ");
    insta::assert_snapshot!(report("r.yaml", "Process: []\n\tInput: {}\n"), @r"
    r.yaml:2:1: not valid YAML: found character that cannot start any token, while scanning for the next token
    1 fault
    ");
    insta::assert_snapshot!(report("r.yaml", "Process: *nowhere\n"), @r"
    r.yaml:1:10: not valid YAML: unknown anchor
    1 fault
    ");
    insta::assert_snapshot!(report("r.yaml", ""), @r"
    r.yaml:1:1: the whole file is empty, not a dict
    1 fault
    ");
    insta::assert_snapshot!(report("r.yaml", "just some words\n"), @r"
    r.yaml:1:1: the whole file is a string, not a dict
    1 fault
    ");
    insta::assert_snapshot!(report("r.yaml", "Process: []\n---\nProcess: []\n"), @r"
    r.yaml: not valid YAML: it holds more than one document
    1 fault
    ");
    insta::assert_snapshot!(report("r.yaml", "a\n---\nb\n"), @r"
    r.yaml: not valid YAML: it holds more than one document
    1 fault
    ");
    insta::assert_snapshot!(report("r.yaml", "Process: !!python/object x\nInput: !thing x\n"), @r"
    r.yaml:2:8: `!thing` is not a tag that recipes use
    1 fault
    ");
    insta::assert_snapshot!(report("r.yaml", "Process: []\nInput:\n  [1, 2]: x\n"), @r"
    r.yaml:3:4: the name of an entry is an array, not text
    1 fault
    ");
    insta::assert_snapshot!(report("r.yaml", "Process: []\nInput:\n  A: 9223372036854775808\n"), @r"
    r.yaml:3:6: 9223372036854775808 is out of range: whole numbers have 64 bits with sign
    1 fault
    ");
    insta::assert_snapshot!(report("r.yaml", "Process: []\nInput:\n  <<: 5\n"), @r"
    r.yaml:3:3: not valid YAML: `<<` merges dicts, not a value of type integer
    1 fault
    ");
}

#[test]
fn names_that_stand_twice() {
    insta::assert_snapshot!(report("r.yaml", "Process: []\nInput:\n  NAME: a\n  VERSION: b\n  NAME: c\n"), @r"
    r.yaml:5:3: `NAME` stands twice in the same dict
    1 fault
    ");
    insta::assert_snapshot!(
        report("r.plist", plist("<dict>\n<key>Process</key><array/>\n  <key>Process</key><array/>\n</dict>")),
        @r"
    r.plist:5:3: `Process` stands twice in the same dict
    1 fault
    "
    );
    let twice = plist::Value::Array(vec![]);
    let mut dict = plist::Dictionary::new();
    dict.insert("Aa".into(), twice.clone());
    dict.insert("Ab".into(), twice);
    let mut bytes = Vec::new();
    plist::Value::Dictionary(dict).to_writer_binary(&mut bytes).unwrap();
    let at = bytes.windows(2).position(|window| window == b"Ab").unwrap();
    bytes[at + 1] = b'a';
    insta::assert_snapshot!(report("r.plist", bytes), @r"
    r.plist: `Aa` stands twice in the same dict
    1 fault
    ");
}

#[test]
fn bombs_and_depth() {
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let _ = writeln!(laughs, "a{level}: &a{level} [{}]", vec![format!("*a{}", level - 1); 9].join(", "));
    }
    insta::assert_snapshot!(report("r.yaml", laughs), @r"
    r.yaml:1:25: the file unfolds into more than 100000 values or 16 MiB of text
    1 fault
    ");
    let wide = format!("a: &a [{}]\nb: [{}]\n", "x,".repeat(40_000), "*a,".repeat(40_000));
    insta::assert_snapshot!(report("r.yaml", wide), @r"
    r.yaml:1:39994: the file unfolds into more than 100000 values or 16 MiB of text
    1 fault
    ");
    insta::assert_snapshot!(report("r.yaml", format!("a: &a {}\nb: [{}]", "x".repeat(1 << 20), "*a,".repeat(90))), @r"
    r.yaml:1:4: the file unfolds into more than 100000 values or 16 MiB of text
    1 fault
    ");
    insta::assert_snapshot!(report("r.yaml", "a: &a [*a]\n"), @r"
    r.yaml:1:4: nested more than 128 levels deep
    1 fault
    ");
    insta::assert_snapshot!(report("r.yaml", "[".repeat(10_000)), @r"
    r.yaml:1:129: nested more than 128 levels deep
    1 fault
    ");
    insta::assert_snapshot!(report("r.yaml", "[".repeat(4 << 20)), @"
    r.yaml:1:129: nested more than 128 levels deep
    1 fault
    ");
    insta::assert_snapshot!(report("r.yaml", "- ".repeat(10_000)), @r"
    r.yaml:1:257: nested more than 128 levels deep
    1 fault
    ");
    insta::assert_snapshot!(report("r.plist", plist(&"<array>".repeat(10_000))), @r"
    r.plist:3:897: nested more than 128 levels deep
    1 fault
    ");
    insta::assert_snapshot!(report("r.plist", plist(&"<dict><key>a</key>".repeat(10_000))), @r"
    r.plist:3:2305: nested more than 128 levels deep
    1 fault
    ");
    let entities = r#"<!DOCTYPE plist [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<plist><dict><key>Process</key><string>&b;</string></dict></plist>"#;
    insta::assert_snapshot!(report("r.plist", entities), @r"
    r.plist:2:40: not a valid XML property list: &b; is not one of XML's own entities
    1 fault
    ");
}

/// The YAML parser takes minutes for these, which are no deeper than it allows as far as it has been asked.
#[test]
fn yaml_that_takes_the_parser_minutes_is_not_given_to_it() {
    let nested =
        |open: &str, close: &str| format!("Process:\n{}{}", open.repeat(100_000), close.repeat(100_000));
    insta::assert_snapshot!(report("r.yaml", nested("[", "]")), @"
    r.yaml:2:129: nested more than 128 levels deep
    1 fault
    ");
    insta::assert_snapshot!(report("r.yaml", nested("{a: ", "}")), @"
    r.yaml:2:513: nested more than 128 levels deep
    1 fault
    ");
    // Brackets in strings and comments close nothing.
    insta::assert_snapshot!(report("r.yaml", "{\"}\": # }\n".repeat(100_000)), @"
    r.yaml: not valid YAML: it holds more than 10000 `[` and `{`
    1 fault
    ");
    let tags: String = (0..50_000).fold(String::new(), |tags, n| tags + &format!("%TAG !t{n}! x\n"));
    insta::assert_snapshot!(report("r.yaml", tags + "--- {Process: []}\n"), @"
    r.yaml: not valid YAML: it holds more than 100 lines that start with `%`
    1 fault
    ");
    let stairs: String = (0..2_500).fold(String::new(), |text, n| text + &" ".repeat(n) + "a:\n");
    insta::assert_snapshot!(report("r.yaml", stairs), @"
    r.yaml:129:129: nested more than 128 levels deep
    1 fault
    ");
    insta::assert_snapshot!(report("r.yaml", "- ".repeat(1 << 20)), @"
    r.yaml:1:257: nested more than 128 levels deep
    1 fault
    ");
}

#[test]
fn brackets_in_a_script_are_no_depth() {
    let script = "      printf '\\033[1m'; case x in [a) ;; esac\n".repeat(2_000);
    let recipe = format!("Process:\n- Processor: x\n  Arguments:\n    script: |\n{script}");
    assert_eq!(read("r.yaml", recipe).expect("text may hold what it likes").process.len(), 1);
}

/// A binary property list of arrays: each line gives the objects that an array refers to.
fn arrays(objects: &[&[u16]]) -> Vec<u8> {
    let (mut bytes, mut offsets) = (b"bplist00".to_vec(), Vec::new());
    for refs in objects {
        offsets.push(u32::try_from(bytes.len()).unwrap());
        bytes.push(0xA0 | u8::try_from(refs.len()).unwrap());
        bytes.extend(refs.iter().flat_map(|reference| reference.to_be_bytes()));
    }
    let table = u64::try_from(bytes.len()).unwrap();
    bytes.extend(offsets.iter().flat_map(|offset| offset.to_be_bytes()));
    bytes.extend([0, 0, 0, 0, 0, 0, 4, 2]);
    for number in [objects.len() as u64, 0, table] {
        bytes.extend(number.to_be_bytes());
    }
    bytes
}

#[test]
fn binary_property_lists_that_unfold_or_refer_to_themselves() {
    insta::assert_snapshot!(report("r.plist", arrays(&[&[0]])), @r"
    r.plist: not a valid binary property list: an object contains itself
    1 fault
    ");
    let deep: Vec<[u16; 1]> = (1..10_001).map(|next| [next]).collect();
    let mut deep: Vec<&[u16]> = deep.iter().map(|refs| &refs[..]).collect();
    deep.push(&[]);
    insta::assert_snapshot!(report("r.plist", arrays(&deep)), @r"
    r.plist: nested more than 128 levels deep
    1 fault
    ");
    let doubling: Vec<[u16; 2]> = (1..61).map(|next| [next, next]).collect();
    let mut doubling: Vec<&[u16]> = doubling.iter().map(|refs| &refs[..]).collect();
    doubling.push(&[]);
    insta::assert_snapshot!(report("r.plist", arrays(&doubling)), @r"
    r.plist: the file unfolds into more than 100000 values or 16 MiB of text
    1 fault
    ");
}

#[test]
fn encodings() {
    let utf16: Vec<u8> = "\u{FEFF}Process: []".encode_utf16().flat_map(u16::to_le_bytes).collect();
    insta::assert_snapshot!(report("r.yaml", utf16.clone()), @r"
    r.yaml: the file is encoded as UTF-16; recipes are UTF-8
    1 fault
    ");
    insta::assert_snapshot!(report("r.plist", utf16), @r"
    r.plist: the file is encoded as UTF-16; recipes are UTF-8
    1 fault
    ");
    insta::assert_snapshot!(report("r.yaml", b"Process: []\nDescription: caf\xE9\n".to_vec()), @r"
    r.yaml:2:17: byte 0xe9 is not UTF-8; the file may be in an older encoding such as Latin-1
    1 fault
    ");
    let latin = plist("<dict/>").replace("UTF-8", "ISO-8859-1");
    insta::assert_snapshot!(report("r.plist", [latin.as_bytes(), b"<!-- \xE9 -->"].concat()), @r"
    r.plist: the file is encoded as ISO-8859-1; recipes are UTF-8
    1 fault
    ");
    assert!(read("r.yaml", "\u{FEFF}Process: []").is_ok(), "a byte order mark is no fault");
    let ascii = plist("<dict><key>Process</key><array/></dict>").replace("UTF-8", "ISO-8859-1");
    assert!(read("r.plist", ascii).is_ok(), "ASCII is UTF-8");
}

#[test]
fn xml_that_is_no_property_list() {
    let cases = [
        plist("<dict><key>a</key></dict>"),
        plist("<dict><string>a</string></dict>"),
        plist("<dict><key>a</key><key>b</key></dict>"),
        plist("<key>a</key>"),
        plist("<list/>"),
        plist("<dict>words</dict>"),
        plist("<array><integer>ten</integer></array>"),
        plist("<array><integer>9223372036854775808</integer></array>"),
        plist("<array><date>yesterday</date></array>"),
        plist("<array><data>*</data></array>"),
        plist("<array><string>a<b/></string></array>"),
        plist("<true/><true/>"),
        plist("<dict></array>"),
        "<plist><dict><key>a</key>".into(),
        "<plist><dict/>".into(),
        "<plist><dict".into(),
        String::new(),
        "Process: []".into(),
    ];
    let reports: Vec<_> = cases.into_iter().map(|case| report("r.recipe", case)).collect();
    insta::assert_snapshot!(reports.join("\n").replace("\n1 fault", ""), @r#"
    r.recipe:3:19: not a valid XML property list: the key `a` has no value
    r.recipe:3:7: not a valid XML property list: a value in a dict has no key
    r.recipe:3:19: not a valid XML property list: the key `b` does not follow a value in a dict
    r.recipe:3:1: not a valid XML property list: the key `a` does not follow a value in a dict
    r.recipe:3:1: not a valid XML property list: <list> is no element of property lists
    r.recipe:3:7: not a valid XML property list: text outside of an element: "words"
    r.recipe:3:8: not a valid XML property list: "ten" is not a value of type integer
    r.recipe:3:8: 9223372036854775808 is out of range: whole numbers have 64 bits with sign
    r.recipe:3:8: not a valid XML property list: "yesterday" is not a value of type date
    r.recipe:3:8: not a valid XML property list: "*" is not a value of type data
    r.recipe:3:17: not a valid XML property list: <b> inside <string>
    r.recipe:3:8: not a valid XML property list: a second value follows the first
    r.recipe:3:7: not a valid XML property list: ill-formed document: expected `</dict>`, but `</array>` was found
    r.recipe:1:26: not a valid XML property list: it ends before the property list does
    r.recipe:1:15: not a valid XML property list: it ends before the property list does
    r.recipe:1:8: not a valid XML property list: syntax error: tag not closed: `>` not found before end of input
    r.recipe:1:1: not a valid XML property list: it ends before the property list does
    r.recipe:1:1: not a valid XML property list: text outside of an element: "Process: []"
      hint: the file's suffix says property list; a recipe in YAML is named `….recipe.yaml`
    "#);
}

#[test]
fn files_that_are_not_read() {
    let folder = Folder::new(&[]);
    let sparse = std::fs::File::create(folder.path("large.yaml")).unwrap();
    sparse.set_len(100_000_000).unwrap();
    insta::assert_snapshot!(folder.shown(&folder.load("large.yaml").unwrap_err()), @r"
    large.yaml: is 100000000 bytes large; a recipe has at most 4 MiB
    1 fault
    ");
    std::fs::create_dir(folder.path("folder.yaml")).unwrap();
    insta::assert_snapshot!(folder.shown(&folder.load("folder.yaml").unwrap_err()), @r"
    folder.yaml: is a folder without a recipe file, and there is no recipe of this name
      hint: recipe files end in .recipe, .recipe.plist, .recipe.yaml or .recipe.yml; those in folders below it are found by `**`, as in 'folder/**/*.recipe.yaml'
    1 fault
    ");
    // It is not empty; who asked for one recipe did not get as far as that.
    std::fs::write(folder.path("folder.yaml/A.recipe.yaml"), "").unwrap();
    insta::assert_snapshot!(folder.shown(&folder.load("folder.yaml").unwrap_err()), @r"
    folder.yaml: is not a regular file
    1 fault
    ");
}

#[cfg(unix)]
#[test]
fn paths_that_lead_to_no_regular_file() {
    let folder = Folder::new(&[("child.recipe.yaml", "ParentRecipe: circle.yaml\n")]);
    std::os::unix::fs::symlink("circle.yaml", folder.path("circle.yaml")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path("dangling.yaml")).unwrap();
    // The numbers of errors differ between systems.
    let shown = |faults| folder.shown(&faults).replace(" (os error 40)", "").replace(" (os error 62)", "");
    let load = |name: &str| shown(folder.load(name).unwrap_err());
    insta::assert_snapshot!(load("/dev/null"), @"
    /dev/null: is not a regular file
    1 fault
    ");
    insta::assert_snapshot!(load("circle.yaml"), @"
    circle.yaml: cannot be read: Too many levels of symbolic links
    1 fault
    ");
    insta::assert_snapshot!(load("dangling.yaml"), @"
    dangling.yaml: cannot be read: No such file or directory (os error 2)
    1 fault
    ");
    insta::assert_snapshot!(shown(folder.check("child.recipe.yaml").unwrap_err()), @"
    child.recipe.yaml:1:15: the parent recipe `circle.yaml` was not found
      hint: circle.yaml: cannot be read: Too many levels of symbolic links; looked in . and below
    1 fault
    ");
}

#[test]
fn an_identifier_that_is_empty() {
    insta::assert_snapshot!(crate::support::report("Identifier: ''\nProcess: []\n"), @"
    r.recipe.yaml:1:13: `Identifier` is empty
    1 fault
    ");
    insta::assert_snapshot!(crate::support::report("Input: {IDENTIFIER: ' '}\nProcess: []\n"), @"
    r.recipe.yaml:1:9: `Identifier` is empty
    1 fault
    ");
}

#[test]
fn text_from_a_recipe_does_not_take_over_the_terminal() {
    insta::assert_snapshot!(crate::support::report(
        "Process:\n- Processor: \"find\\e[2J\\nok\"\n- Processor: find-package\n  Arguments: {\"pkg_nam\\e\": x, pkg_path: \"%A\\e\\u202eB%\"}\n"
    ), @r"
    r.recipe.yaml:2:14: step 1: unknown processor `find\u{1b}[2J\u{a}ok`
      hint: the processors are: find-package, compare-hash, s3-upload, package-metadata, notify
    r.recipe.yaml:4:15: step 2 find-package: unknown argument `pkg_nam\u{1b}`
      hint: did you mean `pkg_name`?
    2 faults
    ");
    let long = "x".repeat(1_000);
    insta::assert_snapshot!(crate::support::report(
        &format!("ParentRecipe: {long}\nProcess:\n- Processor: {long}\n- Processor: find-package\n  Arguments: {{pkg_path: a, {long}: '%{long}%'}}\n")
    ), @"
    r.recipe.yaml:1:15: the parent recipe `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…` was not found
      hint: looked in . and below
    r.recipe.yaml:3:14: step 1: unknown processor `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…`
      hint: the processors are: find-package, compare-hash, s3-upload, package-metadata, notify
    r.recipe.yaml:5:28: step 2 find-package: unknown argument `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…`
      hint: its arguments are: pkg_path, pkg_name
    3 faults
    ");
    insta::assert_snapshot!(report("r.yaml", format!("{long}: 1\n{long}: 2\n")), @"
    r.yaml:2:1: `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…` stands twice in the same dict
    1 fault
    ");
    insta::assert_snapshot!(report("a\u{1b}\n.yaml", "Process: !\"\\e\" x\n"), @r"
    a\u{1b}\u{a}.yaml:1:11: not valid YAML: did not find expected whitespace or line break, while scanning a tag at line 1 column 10
    1 fault
    ");
}

/// Comparing two names takes time and memory with the product of their lengths.
#[test]
fn names_too_long_to_be_a_slip_are_not_compared() {
    let long = "x".repeat(100_000);
    let folder = Folder::new(&[
        ("child.recipe.yaml", &format!("ParentRecipe: {long}y\n")),
        ("parent.recipe.yaml", &format!("Identifier: {long}z\nProcess: []\n")),
    ]);
    assert!(folder.report("child.recipe.yaml").ends_with("hint: looked in . and below\n1 fault"));
}

#[test]
fn a_report_shows_fifty_faults_and_counts_all() {
    let folder =
        Folder::new(&[("r.recipe.yaml", &format!("Process:\n{}", "- Processor: none\n".repeat(120)))]);
    let faults = folder.check("r.recipe.yaml").unwrap_err();
    assert_eq!(faults.iter().count(), 120);
    let shown = faults.to_string();
    let shown: Vec<_> = shown.lines().filter(|line| !line.starts_with("  hint: ")).collect();
    assert_eq!((shown.len(), &shown[50..]), (52, &["\u{2026} and 70 more", "120 faults"][..]));
}

const RECIPE: &str = "Identifier: a.b\nInput: {NAME: x, N: 5, R: 1.5, D: !date 2026-11-20T12:00:00Z, L: [a, &x b, *x]}\n\
Process:\n- Processor: find-package\n  Arguments: {pkg_path: '%NAME%'}\n";

#[test]
fn a_binary_property_list_cut_short_anywhere_is_told() {
    let bytes = to_plist_binary(&from_yaml(RECIPE).unwrap()).unwrap();
    assert!(read("r.plist", bytes.clone()).is_ok());
    for length in 0..bytes.len() {
        let faults = read("r.plist", &bytes[..length]).expect_err("it is cut short");
        assert_eq!(faults.len(), 1, "one fault at length {length}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for name in ["r.yaml", "r.plist", "r"] {
            let _ = read(name, bytes.clone());
            let _ = read(name, [b"bplist00", bytes.as_slice()].concat());
        }
    }

    #[test]
    fn any_text_is_read_without_panic(text in "[ \\n\\-:\\[\\]{}&*!|>'\"%a-c<#,?.0-9\\t]{0,80}") {
        let _ = read("r.yaml", text.clone());
        let _ = read("r.plist", plist(&text));
    }

    #[test]
    fn a_mutated_recipe_is_read_without_panic(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6),
    ) {
        let value = from_yaml(RECIPE).unwrap();
        let originals = [
            ("r.yaml", RECIPE.as_bytes().to_vec()),
            ("r.yaml", to_yaml(&value).into_bytes()),
            ("r.plist", to_plist_xml(&value).unwrap()),
            ("r.plist", to_plist_binary(&value).unwrap()),
        ];
        for (name, mut bytes) in originals {
            for (index, byte, edit) in &edits {
                let at = index.index(bytes.len());
                match edit {
                    0 => bytes[at] = *byte,
                    1 => bytes.insert(at, *byte),
                    _ => {
                        bytes.remove(at);
                    }
                }
            }
            let _ = read(name, bytes.clone());
            let _ = from_plist(&bytes);
        }
    }
}
