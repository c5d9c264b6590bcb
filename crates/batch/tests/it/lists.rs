//! Recipe lists in all their formats, right and wrong.

use batch::{Faults, RecipeList};
use pipeline::Value;
use proptest::prelude::*;
use recipe::Source;
use std::fmt::Write as _;

fn read(name: &str, bytes: impl Into<Vec<u8>>) -> Result<RecipeList, Faults> {
    RecipeList::read(&Source { path: name.into(), bytes: bytes.into() })
}

/// The recipes with their places, then variables, then notes; or the faults.
fn report(name: &str, bytes: impl Into<Vec<u8>>) -> String {
    let list = match read(name, bytes) {
        Ok(list) => list,
        Err(faults) => return faults.to_string(),
    };
    let mut text = String::new();
    for recipe in &list.recipes {
        writeln!(text, "{} {}", recipe.place, recipe.value).unwrap();
    }
    for (name, variable) in &list.variables {
        writeln!(text, "{} {name} = {}", variable.place, variable.value).unwrap();
    }
    for note in &list.notes {
        writeln!(text, "note: {note}").unwrap();
    }
    text
}

fn plist(content: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">\n{content}\n</plist>\n")
}

#[test]
fn text() {
    let text = "\u{FEFF}# Browsers\r\nFirefox.jamf\r\n\r\n  GoogleChrome.jamf  \r\n\t# indented\rTwo Words.jamf\n\u{FEFF}C#.jamf\nFirefox.jamf";
    insta::assert_snapshot!(report("nightly.txt", text), @r"
    nightly.txt:2:1 Firefox.jamf
    nightly.txt:4:3 GoogleChrome.jamf
    nightly.txt:6:1 Two Words.jamf
    nightly.txt:7:2 C#.jamf
    note: nightly.txt:8:1: Firefox.jamf is asked for twice and runs once; first at nightly.txt:2:1
    ");
    insta::assert_snapshot!(report("recipe_list", "[A-M]*.recipe\n%RECIPE%\n"), @r"
    recipe_list:1:1 [A-M]*.recipe
    recipe_list:2:1 %RECIPE%
    ");
}

#[test]
fn property_lists() {
    let xml = plist(
        "<dict>\n\t<key>preprocessors</key>\n\t<array><string>com.example/Pre</string></array>\n\
         \t<key>recipes</key>\n\t<array>\n\t\t<string>Firefox.jamf</string>\n\t\t<!-- <string>Off</string> -->\n\
         \t\t<string>A &amp; B.jamf</string>\n\t\t<string>Firefox.jamf</string>\n\t</array>\n\
         \t<key>pkg_category</key>\n\t<string>Browsers</string>\n\
         \t<key>names</key>\n\t<array><string>x</string></array>\n</dict>",
    );
    insta::assert_snapshot!(report("nightly.plist", xml.clone()), @r#"
    nightly.plist:8:3 Firefox.jamf
    nightly.plist:10:3 A & B.jamf
    nightly.plist:13:2 pkg_category = "Browsers"
    nightly.plist:15:2 names = ["x"]
    note: nightly.plist:11:3: Firefox.jamf is asked for twice and runs once; first at nightly.plist:8:3
    note: nightly.plist:4:2: preprocessors is not used: recipes run with their own steps only
    "#);
    // AutoPkg looks at what a file holds, and not at its name.
    assert_eq!(
        report("nightly.txt", xml.clone()),
        report("nightly.plist", xml.clone()).replace(".plist", ".txt")
    );

    let mut binary = Vec::new();
    plist::Value::from_reader_xml(xml.as_bytes()).unwrap().to_writer_binary(&mut binary).unwrap();
    insta::assert_snapshot!(report("binary.plist", binary), @r#"
    binary.plist Firefox.jamf
    binary.plist A & B.jamf
    binary.plist pkg_category = "Browsers"
    binary.plist names = ["x"]
    note: binary.plist: Firefox.jamf is asked for twice and runs once; first at binary.plist
    note: binary.plist: preprocessors is not used: recipes run with their own steps only
    "#);
}

#[test]
fn yaml() {
    insta::assert_snapshot!(report("a.yaml", "# Browsers\n- Firefox.jamf\n- \"Two: Words.jamf\"   # why\n- Firefox.jamf\n"), @r"
    a.yaml:2:3 Firefox.jamf
    a.yaml:3:3 Two: Words.jamf
    note: a.yaml:4:3: Firefox.jamf is asked for twice and runs once; first at a.yaml:2:3
    ");
    insta::assert_snapshot!(report("a.yml", "postprocessors: []\nverbose: 2\nrecipes:\n- A\n- B\n"), @r"
    a.yml:4:3 A
    a.yml:5:3 B
    a.yml:2:1 verbose = 2
    note: a.yml:1:1: postprocessors is not used: recipes run with their own steps only
    ");
}

#[test]
fn json() {
    insta::assert_snapshot!(report("a.json", "\u{FEFF}[\n\t\"Firefox.jamf\",\n\t\"Grün.jamf\", \"C\", \"Firefox.jamf\"\n]\n"), @r"
    a.json:2:2 Firefox.jamf
    a.json:3:2 Grün.jamf
    a.json:3:15 C
    note: a.json:3:20: Firefox.jamf is asked for twice and runs once; first at a.json:2:2
    ");
    insta::assert_snapshot!(report("a.json", "{\"recipes\": [\"A\"],\n \"pkg_priority\": 3, \"preprocessors\": []}"), @r"
    a.json:1:14 A
    a.json:2:18 pkg_priority = 3
    note: a.json:2:38: preprocessors is not used: recipes run with their own steps only
    ");
    let list = read("a.json", r#"{"recipes": ["A"], "x": null, "y": {"z": [true, 1.5]}}"#).unwrap();
    assert_eq!(list.variables["x"].value, Value::String(String::new()));
    assert_eq!(list.variables["y"].value.to_string(), "{z: [true, 1.5]}");
}

#[test]
fn all_faulty_entries_are_told() {
    insta::assert_snapshot!(report("a.yaml", "- Firefox.jamf\n- 1.10\n-\n- {name: A}\n- \"\\e[31mred\"\n- yes\n- true\n"), @r"
    a.yaml:2:3: entry 2 of the list is a real, not a string
      hint: put it in quotes to have it taken as it is written
    a.yaml:3:2: entry 3 of the list is empty
    a.yaml: entry 4 of the list is a dict, not a string
    a.yaml:5:3: `\u{1b}[31mred` holds a control character
    a.yaml:7:3: entry 7 of the list is a bool, not a string
      hint: put it in quotes to have it taken as it is written
    5 faults
    ");
    insta::assert_snapshot!(report("a.json", "[\"A\",\n 7,\n null,\n [\"B\"]]"), @r"
    a.json:2:2: entry 2 of the list is an integer, not a string
      hint: put it in quotes to have it taken as it is written
    a.json:3:2: entry 3 of the list is empty
    a.json:4:2: entry 4 of the list is an array, not a string
    3 faults
    ");
    insta::assert_snapshot!(report("a.plist", plist("<array>\n<integer>7</integer>\n<dict>\n<key>recipes</key><array><string>no</string></array></dict>\n<string/>\n<true/></array>")), @r"
    a.plist:4:1: entry 1 of the list is an integer, not a string
      hint: put it in quotes to have it taken as it is written
    a.plist:5:1: entry 2 of the list is a dict, not a string
    a.plist:7:1: entry 3 of the list is empty
    a.plist:8:1: entry 4 of the list is a bool, not a string
      hint: put it in quotes to have it taken as it is written
    4 faults
    ");
    insta::assert_snapshot!(report("a.txt", "Firefox.jamf\nbell\u{7}\n\u{202E}evil\n"), @r"
    a.txt:2:1: `bell\u{7}` holds a control character
    a.txt:3:1: `\u{202e}evil` holds a control character
    2 faults
    ");
}

#[test]
fn lists_of_nothing() {
    for (name, text) in
        [("a.txt", ""), ("a.txt", "# all off\n"), ("a.yaml", "[]"), ("a.json", "{\"recipes\": []}")]
    {
        assert_eq!(report(name, text), format!("{name}: lists no recipe\n1 fault"));
    }
    insta::assert_snapshot!(report("a.yaml", ""), @r"
    a.yaml: the whole file is a string, not an array
    1 fault
    ");
    insta::assert_snapshot!(report("a.json", "  "), @r"
    a.json:1:2: not valid JSON: EOF while parsing a value
    1 fault
    ");
}

#[test]
fn slips() {
    insta::assert_snapshot!(report("a.yaml", "recipies:\n- A\n"), @r"
    a.yaml:1:1: unknown key `recipies`
      hint: did you mean `recipes`?
    1 fault
    ");
    insta::assert_snapshot!(report("a.plist", plist("<dict><key>recipes</key><array><string>A</string></array>\n<key>PreProcessors</key><array/></dict>")), @r"
    a.plist:4:1: unknown key `PreProcessors`
      hint: did you mean `preprocessors`?
    1 fault
    ");
    insta::assert_snapshot!(report("a.json", "{\"list\": []}"), @r"
    a.json: the list has no `recipes`
    1 fault
    ");
    insta::assert_snapshot!(report("a.yaml", "recipes: Firefox.jamf\n"), @r"
    a.yaml:1:1: `recipes` is a string, not an array
    1 fault
    ");
    insta::assert_snapshot!(report("a.json", "\"Firefox.jamf\""), @r"
    a.json: the whole file is a string, not an array
    1 fault
    ");
    insta::assert_snapshot!(report("a.txt", "# list\n- Firefox.jamf\n- B\n"), @r"
    a.txt:2:1: the file looks like YAML, and its name says text
      hint: give it a name that ends in .yaml
    1 fault
    ");
    insta::assert_snapshot!(report("list", "[\n  \"A\"\n]"), @r"
    list:1:1: the file looks like JSON, and its name says text
      hint: give it a name that ends in .json
    1 fault
    ");
}

#[test]
fn files_that_are_not_what_they_should_be() {
    insta::assert_snapshot!(report("a.json", "[\"A\",\n]"), @r"
    a.json:2:1: not valid JSON: trailing comma
    1 fault
    ");
    insta::assert_snapshot!(report("a.json", "{\"recipes\": [\"A\"],\n\"recipes\": [\"B\"]}"), @r"
    a.json:2:12: `recipes` stands twice in the same dict
    1 fault
    ");
    insta::assert_snapshot!(report("a.json", "{\"recipes\": [\"A\"], \"n\": 18446744073709551615}"), @r"
    a.json:1:25: 18446744073709551615 is out of range: whole numbers have 64 bits with sign
    1 fault
    ");
    insta::assert_snapshot!(report("a.yaml", "recipes: [A\n"), @r"
    a.yaml:2:1: not valid YAML: did not find expected ',' or ']', while parsing a flow sequence at line 1 column 10
    1 fault
    ");
    insta::assert_snapshot!(report("a.plist", "<plist><array><string>A</string>"), @r"
    a.plist:1:33: not a valid XML property list: it ends before the property list does
    1 fault
    ");
    insta::assert_snapshot!(report("a.plist", "<plist><array><key>\u{1b}[31m</key>"), @r"
    a.plist:1:15: not a valid XML property list: the key `\u{1b}[31m` does not follow a value in a dict
    1 fault
    ");
    insta::assert_snapshot!(report("a.txt", b"Firefox\nGr\xFCn\n".to_vec()), @r"
    a.txt:2:3: byte 0xfc is not UTF-8; the file may be in an older encoding such as Latin-1
    1 fault
    ");
    insta::assert_snapshot!(report("a.txt", b"\xFF\xFEF\0i\0".to_vec()), @r"
    a.txt: the file is encoded as UTF-16; recipes are UTF-8
      hint: save the file as UTF-8; Notepad and PowerShell write UTF-16 unless told
    1 fault
    ");
}

#[test]
fn long_lists_are_read_at_once() {
    let text = (0..50_000).fold(String::new(), format_push);
    assert_eq!(read("a.txt", text.clone()).unwrap().recipes.len(), 50_000);
    let json = format!("[\"{}\"]", text.trim_end().replace('\n', "\",\n\""));
    let list = read("a.json", json).unwrap();
    assert_eq!(list.recipes[49_999].place.to_string(), "a.json:50000:1");
    let entries = (0..20_000).fold(String::new(), |text, number| format_push(text + "- ", number));
    assert_eq!(read("a.yaml", entries).unwrap().recipes[19_999].place.to_string(), "a.yaml:20000:3");
}

fn format_push(mut text: String, number: u32) -> String {
    writeln!(text, "r{number}").unwrap();
    text
}

/// Names as people give them, without what a text list cannot say.
fn names() -> impl Strategy<Value = Vec<String>> {
    let name = "[^\\pC\\pZ#\\[\\]{}'\"-]([^\\pC\\pZ]| ){0,20}[^\\pC\\pZ]";
    let name = prop::string::string_regex(name).unwrap();
    prop::collection::hash_set(name, 1..8).prop_map(|names| names.into_iter().collect())
}

proptest! {
    /// The same list says the same in every format.
    #[test]
    fn all_formats_agree(names in names()) {
        let value = Value::Array(names.iter().cloned().map(Value::String).collect());
        let json = serde_json_array(&names);
        let files = [
            ("a.txt", names.join("\r\n").into_bytes()),
            ("a.yaml", recipe::to_yaml(&value).into_bytes()),
            ("a.plist", recipe::to_plist_xml(&value).unwrap()),
            ("a.plist", recipe::to_plist_binary(&value).unwrap()),
            ("a.json", json.into_bytes()),
        ];
        for (name, bytes) in files {
            let list = read(name, bytes).map_err(|faults| TestCaseError::fail(format!("{name}: {faults}")))?;
            let found: Vec<_> = list.recipes.iter().map(|recipe| &recipe.value).collect();
            prop_assert_eq!(found, names.iter().collect::<Vec<_>>(), "{}", name);
        }
    }

    /// Whatever the bytes: recipes or faults, at once, and no panic.
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), suffix in "txt|plist|yaml|json") {
        check(&format!("a.{suffix}"), bytes)?;
    }

    /// The same with what the formats are made of.
    #[test]
    fn any_text(
        text in prop::collection::vec(pieces(), 0..40),
        suffix in "txt|plist|yaml|json",
    ) {
        check(&format!("a.{suffix}"), text.concat().into_bytes())?;
    }
}

/// What the formats are made of. The expression is compiled once and not for every piece.
fn pieces() -> impl Strategy<Value = String> {
    let pieces = "recipes|preprocessors|[\\[\\]{}:,\"'#&*<>/!|-]|\n|  |\t|\r|A|1|null|<array>|</array>|<dict>|</dict>|\
                  <key>|</key>|<string>|</string>|<plist>|</plist>|\\PC";
    prop::string::string_regex(pieces).unwrap()
}

fn serde_json_array(names: &[String]) -> String {
    let quoted: Vec<_> =
        names.iter().map(|name| format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))).collect();
    format!("[{}]", quoted.join(", "))
}

fn check(name: &str, bytes: Vec<u8>) -> Result<(), TestCaseError> {
    match read(name, bytes) {
        Ok(list) => {
            prop_assert!(!list.recipes.is_empty());
            for recipe in &list.recipes {
                prop_assert!(!recipe.value.trim().is_empty() && !recipe.value.contains(char::is_control));
            }
        }
        Err(faults) => {
            prop_assert!(faults.len() > 0);
            let clean = |ch: char| ch == '\n' || !ch.is_control();
            prop_assert!(faults.to_string().chars().all(clean), "{faults:?}");
        }
    }
    Ok(())
}
