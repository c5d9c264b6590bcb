//! Where recipes are found, and how a chain is merged.

use crate::support::Folder;
use recipe::{Chain, Library, Source};

const ROOT: &str = "Identifier: org.root\nDescription: root\nMinimumVersion: '1.0'\nInput: {NAME: P, VENDOR: V, pkginfo: {a: 1, b: 2}}\n\
Process:\n- Processor: download\n";
const MIDDLE: &str = "Identifier: org.middle\nMinimumVersion: '2.3'\nParentRecipe: org.root\nInput: {NAME: C, EXTRA: x}\nProcess:\n- Processor: pkg\n";
const OVERRIDE: &str =
    "Identifier: local.override\nDescription: mine\nParentRecipe: org.middle\nInput: {pkginfo: {c: 3}}\n";

fn summary(folder: &Folder, chain: &Chain) -> String {
    let files: Vec<_> = chain
        .files
        .iter()
        .map(|file| file.strip_prefix(folder.root()).unwrap().display().to_string())
        .collect();
    let input: Vec<_> =
        chain.input.iter().map(|(name, located)| format!("{name}={}", located.value)).collect();
    let steps: Vec<_> =
        chain.steps.iter().map(|step| format!("{} {}", step.number, step.processor.value)).collect();
    format!(
        "{} ({})\nfiles: {}\ninput: {}\nsteps: {}\nminimum: {}",
        chain.identifier,
        chain.description.as_deref().unwrap_or("-"),
        files.join(", "),
        input.join(", "),
        steps.join(", "),
        chain.minimum_version.as_ref().map_or("-", |version| version.value.as_str()),
    )
}

#[test]
fn parents_merge_root_first_and_children_win() {
    let folder = Folder::new(&[
        ("a/root.recipe.yaml", ROOT),
        ("b/middle.recipe.yaml", MIDDLE),
        ("mine/override.recipe.yaml", OVERRIDE),
    ]);
    let chain = folder.load("mine/override.recipe.yaml").unwrap();
    insta::assert_snapshot!(summary(&folder, &chain), @r#"
    local.override (mine)
    files: mine/override.recipe.yaml, b/middle.recipe.yaml, a/root.recipe.yaml
    input: NAME="C", VENDOR="V", pkginfo={c: 3}, EXTRA="x"
    steps: 1 download, 2 pkg
    minimum: 2.3
    "#);
    let place = &chain.input["NAME"].place;
    insta::assert_snapshot!(place.to_string().replace(&folder.root().display().to_string(), "."), @"./b/middle.recipe.yaml:4:9");
}

#[test]
fn recipes_are_found_by_path_identifier_and_name() {
    let folder = Folder::new(&[
        ("one/two/three/four/deep.recipe.yaml", "Identifier: org.deep\nProcess: []\n"),
        (".hidden/deep.recipe.yaml", "Identifier: org.hidden\nProcess: []\n"),
        (
            "one/two/Fire Fox.pkg.recipe",
            "<plist><dict><key>Identifier</key><string>org.pkg</string><key>Process</key><array/></dict></plist>",
        ),
        ("plain.yaml", "Identifier: org.plain\nProcess: []\n"),
        ("one/two/three/four/five/too-deep.yaml", "Identifier: org.too.deep\nProcess: []\n"),
    ]);
    let library = folder.library();
    for (argument, identifier) in [
        ("org.deep", "org.deep"),
        ("deep", "org.deep"),
        ("deep.recipe.yaml", "org.deep"),
        ("Fire Fox.pkg", "org.pkg"),
        ("Fire Fox.pkg.recipe", "org.pkg"),
        ("plain", "org.plain"),
    ] {
        assert_eq!(library.load(argument).unwrap().identifier, identifier, "{argument}");
    }
    for missing in ["org.hidden", "org.too.deep", "*", "pl*", ""] {
        assert!(library.load(missing).is_err(), "{missing}");
    }
    insta::assert_snapshot!(folder.shown(&library.load("org.deap").unwrap_err()), @r"
    there is no recipe `org.deap`
      hint: did you mean `org.deep`?
    1 fault
    ");
    insta::assert_snapshot!(folder.shown(&library.load("nothing.like.it").unwrap_err()), @r"
    there is no recipe `nothing.like.it`
      hint: looked in . and below
    1 fault
    ");
    insta::assert_snapshot!(Library::default().load("nothing.like.it").unwrap_err(), @r"
    there is no recipe `nothing.like.it`
      hint: looked nowhere: no search folders are set; name them with --search-dir or in RECIPE_SEARCH_DIRS, or write the recipe's path
    1 fault
    ");
}

#[test]
fn the_first_search_folder_wins_and_twins_stay_in_their_format() {
    let yaml = "Identifier: org.parent\nProcess: [{Processor: from-yaml}]\n";
    let plist = "<plist><dict><key>Identifier</key><string>org.parent</string><key>Process</key><array><dict>\
                 <key>Processor</key><string>from-plist</string></dict></array></dict></plist>";
    let folder = Folder::new(&[
        ("first/parent.recipe.yaml", yaml),
        ("first/parent.recipe", plist),
        ("second/parent.recipe.yaml", &yaml.replace("from-yaml", "from-second")),
        ("child.recipe.yaml", "ParentRecipe: org.parent\n"),
        ("child.recipe", "<plist><dict><key>ParentRecipe</key><string>org.parent</string></dict></plist>"),
    ]);
    let library =
        Library { search_dirs: vec![folder.path("first"), folder.path("second")], ..Library::default() };
    let processor = |name: &str| {
        library.load(&folder.path(name).to_string_lossy()).unwrap().steps[0].processor.value.clone()
    };
    assert_eq!(processor("child.recipe.yaml"), "from-yaml");
    assert_eq!(processor("child.recipe"), "from-plist");
    assert_eq!(
        library.load("org.parent").unwrap().steps[0].processor.value,
        "from-plist",
        "AutoPkg's order of suffixes"
    );
}

#[test]
fn parents_are_found_beside_the_child_and_by_path() {
    let folder = Folder::new(&[
        ("set/child.recipe.yaml", "ParentRecipe: org.root\n"),
        ("set/parents/root.recipe.yaml", ROOT),
        ("set/by-path.recipe.yaml", "ParentRecipe: parents/root.recipe.yaml\n"),
        ("set/by-name.recipe.yaml", "ParentRecipe: root\n"),
    ]);
    for name in ["set/child.recipe.yaml", "set/by-path.recipe.yaml", "set/by-name.recipe.yaml"] {
        let chain = Library::default().load(&folder.path(name).to_string_lossy()).unwrap();
        assert_eq!(chain.input["NAME"].value, pipeline::Value::String("P".into()), "{name}");
    }
    let bytes = b"Identifier: shipped\nParentRecipe: org.root\n".to_vec();
    let chain = folder.library().load_source(&Source { path: "shipped.recipe.yaml".into(), bytes }).unwrap();
    assert_eq!(chain.files.len(), 2);
}

#[test]
fn a_parent_that_is_missing_or_broken() {
    let folder = Folder::new(&[
        ("child.recipe.yaml", "Identifier: c\nMiniumumVersion: '2'\nParentRecipe: org.rood\n"),
        ("root.recipe.yaml", ROOT),
        ("lost.recipe.yaml", "ParentRecipe: com.example.completely.else\n"),
        ("hurt.recipe.yaml", "ParentRecipe: org.broken\n"),
        ("broken.recipe.yaml", "Identifier: org.broken\nProcess: [\n"),
        ("direct.recipe.yaml", "ParentRecipe: broken.recipe.yaml\n"),
    ]);
    let report = |name: &str| folder.shown(&folder.check(name).unwrap_err());
    insta::assert_snapshot!(report("child.recipe.yaml"), @r"
    child.recipe.yaml:2:1: unknown key `MiniumumVersion`
      hint: did you mean `MinimumVersion`?
    child.recipe.yaml:3:15: the parent recipe `org.rood` was not found
      hint: did you mean `org.root`?; looked in . and below
    2 faults
    ");
    insta::assert_snapshot!(report("lost.recipe.yaml"), @r"
    lost.recipe.yaml:1:15: the parent recipe `com.example.completely.else` was not found
      hint: looked in . and below
    1 fault
    ");
    insta::assert_snapshot!(report("hurt.recipe.yaml"), @r"
    hurt.recipe.yaml:1:15: the parent recipe `org.broken` was not found
      hint: this file may be the one: broken.recipe.yaml:3:1: not valid YAML: did not find expected node content, while parsing a flow node; looked in . and below
    1 fault
    ");
    insta::assert_snapshot!(report("direct.recipe.yaml"), @r"
    broken.recipe.yaml:3:1: not valid YAML: did not find expected node content, while parsing a flow node
    1 fault
    ");
}

#[test]
fn a_missing_parent_hides_no_fault_of_the_child_and_makes_none() {
    let folder = Folder::new(&[(
        "child.recipe.yaml",
        "ParentRecipe: org.lost\nProcess:\n- Processor: compare-hsh\n- Processor: find-package\n  Arguments: {pkg_nam: x, pkg_name: '%FROM_PARENT%'}\n- Processor: s3-upload\n",
    )]);
    insta::assert_snapshot!(folder.shown(&folder.check("child.recipe.yaml").unwrap_err()), @"
    child.recipe.yaml:1:15: the parent recipe `org.lost` was not found
      hint: looked in . and below
    child.recipe.yaml:3:14: step 1: unknown processor `compare-hsh`
      hint: did you mean `compare-hash`?
    child.recipe.yaml:5:15: step 2 find-package: unknown argument `pkg_nam`
      hint: did you mean `pkg_name`?
    3 faults
    ");
}

#[test]
fn parents_in_a_circle() {
    let folder = Folder::new(&[
        ("self.recipe.yaml", "Identifier: org.self\nParentRecipe: org.self\n"),
        ("a.recipe.yaml", "Identifier: org.a\nParentRecipe: org.b\n"),
        ("b.recipe.yaml", "Identifier: org.b\nParentRecipe: org.c\n"),
        ("c.recipe.yaml", "Identifier: org.c\nParentRecipe: org.b\n"),
    ]);
    insta::assert_snapshot!(folder.shown(&folder.check("self.recipe.yaml").unwrap_err()), @r"
    self.recipe.yaml:2:15: recipes are their own parents: org.self -> org.self
    1 fault
    ");
    insta::assert_snapshot!(folder.shown(&folder.check("a.recipe.yaml").unwrap_err()), @r"
    c.recipe.yaml:2:15: recipes are their own parents: org.b -> org.c -> org.b
    1 fault
    ");
}

#[test]
fn a_recipe_may_lack_an_identifier() {
    let folder = Folder::new(&[
        ("x.recipe.yaml", "Process: []\n"),
        ("y.recipe.yaml", "Input: {IDENTIFIER: org.legacy}\nProcess: []\n"),
    ]);
    assert!(folder.load("x.recipe.yaml").unwrap().identifier.ends_with("-x.recipe.yaml"));
    assert_eq!(folder.load("y.recipe.yaml").unwrap().identifier, "org.legacy");
}

#[test]
fn recipes_that_come_with_the_program_are_found_first() {
    let built_in = |text: &str| Source { path: "built-in.recipe.yaml".into(), bytes: text.into() };
    let folder = Folder::new(&[
        ("child.recipe.yaml", "ParentRecipe: org.shipped\n"),
        ("own.recipe.yaml", "Identifier: org.shipped\nProcess: []\n"),
    ]);
    let library =
        Library { built_in: vec![built_in("Identifier: org.shipped\nProcess: []\n")], ..folder.library() };
    assert_eq!(library.load("org.shipped").unwrap().files[0].to_str(), Some("built-in.recipe.yaml"));
    assert_eq!(library.load("child").unwrap().files[1].to_str(), Some("built-in.recipe.yaml"));
    let by_path = library.load(&folder.path("own.recipe.yaml").to_string_lossy()).unwrap();
    assert_eq!(by_path.files[0].as_ref(), folder.path("own.recipe.yaml"));
    insta::assert_snapshot!(folder.shown(&library.load("org.shippet").unwrap_err()), @r"
    there is no recipe `org.shippet`
      hint: did you mean `org.shipped`?
    1 fault
    ");
}

#[test]
fn a_chain_has_at_most_fifty_parents() {
    let folder = Folder::new(&[("0.recipe.yaml", "Identifier: org.chain-0\nProcess: []\n")]);
    for number in 1..=51 {
        let recipe = format!("Identifier: org.chain-{number}\nParentRecipe: org.chain-{}\n", number - 1);
        folder.write(&format!("{number}.recipe.yaml"), recipe.as_bytes());
    }
    assert_eq!(folder.check("50.recipe.yaml").unwrap().files.len(), 51);
    insta::assert_snapshot!(folder.report("51.recipe.yaml"), @r"
    1.recipe.yaml:2:15: the recipe has more than 50 parents in a row
    1 fault
    ");
}
