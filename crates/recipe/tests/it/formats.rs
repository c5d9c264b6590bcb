//! Any value goes through each format and comes back the same.

use jiff::Timestamp;
use pipeline::{Dict, Value};
use proptest::prelude::*;
use recipe::{from_plist, from_yaml, to_plist_binary, to_plist_xml, to_yaml};

/// Text with everything that trips up parsers.
fn text() -> impl Strategy<Value = String> {
    let awkward = prop::sample::select(vec![
        "",
        " ",
        "1",
        "1.0",
        "-0",
        "0x1F",
        "010",
        "1_000",
        "1e3",
        ".5",
        "true",
        "False",
        "yes",
        "null",
        "~",
        "NULL",
        "<<",
        "=",
        "!tag",
        "&a",
        "*a",
        "- a",
        "? a",
        "a: b",
        "a #b",
        "#",
        "%A%",
        "@",
        "`",
        "'",
        "\"",
        "|",
        ">",
        "[",
        "{",
        "\n",
        "\n\n",
        "a\n",
        " a\n",
        "a\n ",
        "\ta\nb",
        "a\r\nb",
        "\r",
        "a\u{85}b",
        "\u{2028}",
        "\u{FEFF}a",
        "e\u{301}",
        "🎁",
        "2026-11-20",
        "2026-11-20T12:00:00Z",
        ".inf",
        ".nan",
        "---",
        "...",
        "--- a",
        "]]>",
        "&amp;",
        "<a>",
        "12:30",
    ])
    .prop_map(str::to_owned);
    prop_oneof![awkward, "\\PC{0,12}", "[ \\n\\t\\ra-c:#'\"-]{0,12}"]
}

/// Values whose text comes from the given strategy.
fn value(text: BoxedStrategy<String>) -> impl Strategy<Value = Value> {
    let whole_second = -62_167_219_200..=253_402_300_799_i64;
    let leaf = prop_oneof![
        text.clone().prop_map(Value::String),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Integer),
        any::<f64>().prop_filter("NaN is not equal to itself", |real| !real.is_nan()).prop_map(Value::Real),
        prop::sample::select(vec![0.0, -0.0, 1.0, 1e21, 1e-7, f64::MAX, f64::MIN_POSITIVE, f64::INFINITY])
            .prop_map(Value::Real),
        whole_second.prop_map(|second| Value::Date(Timestamp::from_second(second).unwrap())),
        proptest::collection::vec(any::<u8>(), 0..90).prop_map(Value::Data),
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            proptest::collection::vec((text.clone(), inner), 0..5)
                .prop_map(|entries| Value::Dict(entries.into_iter().collect::<Dict>())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn yaml_gives_back_what_it_was_given(value in value(prop_oneof![text(), any::<String>()].boxed())) {
        let yaml = to_yaml(&value);
        prop_assert_eq!(from_yaml(&yaml).map_err(|error| format!("{error} in {yaml:?}")), Ok(value));
    }

    #[test]
    fn xml_property_lists_give_back_what_they_were_given(value in value(text().boxed())) {
        match to_plist_xml(&value) {
            Ok(xml) => prop_assert_eq!(
                from_plist(&xml).map_err(|error| format!("{error} in {}", String::from_utf8_lossy(&xml))),
                Ok(value)
            ),
            Err(error) => prop_assert!(error.to_string().starts_with("XML cannot hold the character"), "{}", error),
        }
    }

    #[test]
    fn binary_property_lists_give_back_what_they_were_given(value in value(any::<String>().boxed())) {
        let bytes = to_plist_binary(&value).unwrap();
        prop_assert_eq!(from_plist(&bytes).map_err(|error| error.to_string()), Ok(value));
    }
}

#[test]
fn yaml_is_written_for_people() {
    let value = from_yaml("Identifier: a.b\nInput: {NAME: Firefox, V: '1.10', N: 5, R: 1.0, YES: yes, E: '', T: \"a\\nb\\n\", D: !date 2026-11-20T12:00:00Z, B: !data aGk=, '<<': x}\nProcess: [{Processor: x}]\n").unwrap();
    insta::assert_snapshot!(to_yaml(&value), @r"
    Identifier: a.b
    Input:
      NAME: Firefox
      V: '1.10'
      N: 5
      R: 1.0
      YES: yes
      E: ''
      T: |
        a
        b
      D: !date 2026-11-20T12:00:00Z
      B: !data aGk=
      !str <<: x
    Process:
    - Processor: x
    ");
}

#[test]
fn xml_property_lists_are_written_as_apple_writes_them() {
    let value =
        from_yaml("A: a & b\r\nD: !date 2026-11-20T12:00:00.5Z\nB: !data aGk=\nL: [true, 1, 1.0]\n").unwrap();
    insta::assert_snapshot!(String::from_utf8(to_plist_xml(&value).unwrap()).unwrap(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
    <plist version="1.0">
    <dict>
    	<key>A</key>
    	<string>a &amp; b</string>
    	<key>D</key>
    	<date>2026-11-20T12:00:00Z</date>
    	<key>B</key>
    	<data>
    	aGk=
    	</data>
    	<key>L</key>
    	<array>
    		<true/>
    		<integer>1</integer>
    		<real>1</real>
    	</array>
    </dict>
    </plist>
    "#);
}

#[test]
fn a_property_list_refuses_what_it_cannot_hold() {
    let refused = |value: Value| to_plist_xml(&value).unwrap_err().to_string();
    insta::assert_snapshot!(refused(Value::String("a\u{7}b".into())), @r"XML cannot hold the character '\u{7}'");
    insta::assert_snapshot!(refused(Value::String("\u{FFFF}".into())), @r"XML cannot hold the character '\u{ffff}'");
    let early = Value::Date("-000001-01-01T00:00:00Z".parse().unwrap());
    insta::assert_snapshot!(refused(early.clone()), @"a property list cannot hold the date -000001-01-01T00:00:00Z");
    insta::assert_snapshot!(to_plist_binary(&early).unwrap_err(), @"a property list cannot hold the date -000001-01-01T00:00:00Z");
}

#[test]
fn both_formats_read_the_same_recipe_the_same() {
    let yaml =
        "Identifier: a.b\nInput:\n  NAME: Firefox\n  FLAG: true\n  N: 5\n  TEXT: 'a < b & c'\n  NONE: ''\n";
    let plist = r#"<?xml version="1.0"?><!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "x">
<plist version="1.0"><!-- a comment --><dict>
  <key>Identifier</key><string>a.b</string>
  <key>Input</key><dict><key>NAME</key><string>Firefox</string><key>FLAG</key><true/><key>N</key><integer>5</integer>
  <key>TEXT</key><string>a &lt; b <![CDATA[& c]]></string><key>NONE</key><string/></dict></dict></plist>"#;
    assert_eq!(from_yaml(yaml).unwrap(), from_plist(plist.as_bytes()).unwrap());
}

#[test]
fn yaml_typing_is_that_of_yaml_1_2() {
    let value =
        from_yaml("[yes, on, 010, 0x1F, 1_000, 12:30, 1.10, ~, null, , '5', 1.0, 2020-01-01]").unwrap_err();
    insta::assert_snapshot!(value, @"not valid YAML: did not find expected node content, while parsing a flow node");
    let value = from_yaml("[yes, on, 010, 0x1F, 1_000, 12:30, 1.10, ~, null, '5', 1.0, 2020-01-01]").unwrap();
    insta::assert_snapshot!(value, @r#"["yes", "on", "010", 31, "1_000", "12:30", 1.1, "", "", "5", 1.0, "2020-01-01"]"#);
}

#[test]
fn anchors_and_merge_keys_work() {
    let yaml = "base: &base {a: 1, b: 2}\nmore: &more {b: 3, c: 4}\none: {<<: *base, b: 9}\ntwo: {x: 0, <<: [*base, *more]}\nthree: {'<<': 5}\n";
    insta::assert_snapshot!(from_yaml(yaml).unwrap(), @"{base: {a: 1, b: 2}, more: {b: 3, c: 4}, one: {a: 1, b: 9}, two: {a: 1, b: 2, c: 4, x: 0}, three: {<<: 5}}");
}
