//! AutoPkg's rules for `%KEY%` and for precedence: the vectors of `autopkg-recipes.md`, appendix B.

use crate::support::{Folder, env};
use pipeline::{Env, Origin, Value};
use proptest::prelude::*;
use recipe::{from_yaml, references, substitute};

fn vectors() -> Env {
    let mut env = env(&[("A", "x"), ("NONE", ""), ("REF", "%A%")], &Origin::CommandLine);
    env.insert("N", Value::Integer(5), Origin::CommandLine, false);
    env.insert("T", Value::Bool(true), Origin::CommandLine, false);
    env.insert("REAL", Value::Real(1.1), Origin::CommandLine, false);
    env.insert("LIST", Value::Array(vec![]), Origin::CommandLine, false);
    env.insert("API_PASSWORD", Value::String("hunter2".into()), Origin::CommandLine, false);
    env
}

fn text(template: &str) -> Value {
    Value::String(template.into())
}

#[test]
fn references_are_replaced_as_autopkg_does() {
    for (template, result) in [
        ("%A%", "x"),
        ("%A%%A%", "xx"),
        ("%A", "%A"),
        ("%1A%", "%1A%"),
        ("%a-b%", "%a-b%"),
        ("%%", "%%"),
        ("50% off %A% now", "50% off x now"),
        ("100%%A%", "100%x"),
        ("%REF%", "%A%"),
        ("%NONE%", ""),
        ("a%20b%20%A%", "a%20b%20x"),
        ("%N%", "5"),
        ("%T%", "True"),
        ("ümläut%A%", "ümläutx"),
    ] {
        assert_eq!(substitute(&text(template), &vectors()).unwrap().value, text(result), "{template}");
    }
    let nested = from_yaml("{'%A%': '%A%', n: ['%A%', 5]}").unwrap();
    let expected = from_yaml("{'%A%': x, n: [x, 5]}").unwrap();
    assert_eq!(substitute(&nested, &vectors()).unwrap().value, expected);
}

#[test]
fn references_that_cannot_be_replaced_are_errors() {
    let error = |template: &str| substitute(&text(template), &vectors()).unwrap_err();
    insta::assert_snapshot!(error("%A% and %MISSING% and %MISSING% and %GONE%"), @"`%MISSING%` is not defined; `%GONE%` is not defined");
    insta::assert_snapshot!(error("https://h/%C3%A9/%A%"), @"`%C3%` is not defined");
    insta::assert_snapshot!(pipeline::Diagnose::hint(&error("%C3%")).unwrap(), @"it looks like percent-encoding, but reads as a variable; write the character itself");
    insta::assert_snapshot!(error("v%REAL% %LIST%"), @"`%REAL%` is a real, which cannot stand inside a text; `%LIST%` is an array, which cannot stand inside a text");
    insta::assert_snapshot!(pipeline::Diagnose::hint(&error("v%REAL%")).unwrap(), @"put the value of `REAL` in quotes to keep it as it is written");
    let mut large = Env::new();
    large.insert("L", Value::String("x".repeat(600_000)), Origin::CommandLine, false);
    assert!(substitute(&text("%L%"), &large).is_ok());
    insta::assert_snapshot!(substitute(&text("%L%%L%"), &large).unwrap_err(), @"`%L%` makes the text longer than 1 MiB");
}

#[test]
fn what_a_secret_went_into_is_secret() {
    assert!(substitute(&text("user:%API_PASSWORD%"), &vectors()).unwrap().secret);
    assert!(!substitute(&text("user:%A%"), &vectors()).unwrap().secret);
}

proptest! {
    #[test]
    fn substitution_never_panics_and_without_references_changes_nothing(template in "[%A-C a-z_0-9é]{0,40}") {
        let value = text(&template);
        match substitute(&value, &vectors()) {
            Ok(done) if references(&value).is_empty() => prop_assert_eq!(done.value, value),
            Ok(done) => prop_assert_ne!(done.value, value),
            Err(_) => prop_assert!(!references(&value).is_empty()),
        }
    }
}

#[test]
fn later_layers_win() {
    let folder = Folder::new(&[
        (
            "parent.recipe.yaml",
            "Identifier: p\nInput: {ONE: parent, TWO: parent, THREE: parent}\nProcess: []\n",
        ),
        ("child.recipe.yaml", "Identifier: c\nParentRecipe: p\nInput: {TWO: override, THREE: override}\n"),
    ]);
    let settings = env(
        &[("ZERO", "pref"), ("ONE", "pref"), ("TWO", "pref"), ("THREE", "pref")],
        &Origin::Settings("s.toml".into()),
    );
    let command_line = env(&[("THREE", "cli")], &Origin::CommandLine);
    let checked = folder.check_with("child.recipe.yaml", &settings, &command_line).unwrap();
    let shown: Vec<_> = ["ZERO", "ONE", "TWO", "THREE"]
        .map(|name| format!("{name}: {:?}", checked.env.entry(name).unwrap()))
        .into_iter()
        .collect();
    insta::assert_snapshot!(shown.join("\n").replace(&folder.root().display().to_string(), "."), @r#"
    ZERO: "pref" from settings file s.toml
    ONE: "parent" from Input of ./parent.recipe.yaml
    TWO: "override" from Input of ./child.recipe.yaml
    THREE: "cli" from -k
    "#);
}

#[test]
fn the_runner_sets_its_own_keys() {
    let folder = Folder::new(&[
        ("parent.recipe.yaml", "Identifier: p\nProcess: []\n"),
        (
            "sub/child.recipe.yaml",
            "Identifier: ../c/%A%\nParentRecipe: p\nInput: {CACHE: '%RECIPE_CACHE_DIR%/x'}\n",
        ),
    ]);
    let settings = env(&[("CACHE_DIR", "/cache%20")], &Origin::Settings("s.toml".into()));
    let checked = folder.check_with("sub/child.recipe.yaml", &settings, &Env::new()).unwrap();
    let shown: Vec<_> = ["RECIPE_PATH", "RECIPE_DIR", "PARENT_RECIPES", "RECIPE_CACHE_DIR", "CACHE"]
        .map(|name| format!("{name}: {}", checked.env.entry(name).unwrap().value()))
        .into_iter()
        .collect();
    insta::assert_snapshot!(shown.join("\n").replace(&folder.root().display().to_string(), "."), @r#"
    RECIPE_PATH: "./sub/child.recipe.yaml"
    RECIPE_DIR: "./sub"
    PARENT_RECIPES: ["./parent.recipe.yaml"]
    RECIPE_CACHE_DIR: "/cache%20/-.-c--A-"
    CACHE: "/cache%20/-.-c--A-/x"
    "#);
}

#[test]
fn input_values_refer_to_each_other_in_any_order() {
    let folder = Folder::new(&[(
        "r.recipe.yaml",
        "Identifier: r\nInput: {LATE: '%LATER%!', LATER: '%NAME%', NAME: n, OWN: '%OWN%-more', MIX: ['%N%', 7], N: 3}\nProcess: []\n",
    )]);
    let settings =
        env(&[("OWN", "50%NAME%"), ("API_PASSWORD", "a%NAME%b")], &Origin::Settings("s.toml".into()));
    let command_line = env(&[("CLI", "%NAME%+%API_PASSWORD%"), ("N", "%N%%N%")], &Origin::CommandLine);
    let checked = folder.check_with("r.recipe.yaml", &settings, &command_line).unwrap();
    let shown: Vec<_> = ["LATE", "LATER", "OWN", "MIX", "N", "CLI", "API_PASSWORD"]
        .map(|name| format!("{name}: {}", checked.env.entry(name).unwrap().shown()))
        .into_iter()
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    LATE: "n!"
    LATER: "n"
    OWN: "50%NAME%-more"
    MIX: ["33", 7]
    N: "33"
    CLI: (secret)
    API_PASSWORD: (secret)
    "#);
}

#[test]
fn a_long_chain_of_variables_costs_no_stack() {
    let mut yaml = "Identifier: r\nProcess: []\nInput:\n  V20000: end\n".to_owned();
    for number in 0..20_000 {
        yaml += &format!("  V{number}: '%V{}%'\n", number + 1);
    }
    let folder = Folder::new(&[("r.recipe.yaml", &yaml)]);
    let checked = folder.check("r.recipe.yaml").unwrap();
    assert_eq!(checked.env.entry("V0").unwrap().value(), &text("end"));
}
