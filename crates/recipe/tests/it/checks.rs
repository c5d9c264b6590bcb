//! Every fault that a check can tell, each with the whole report.

use crate::support::{Folder, env, report};
use pipeline::{Diagnose as _, Env, FailureKind, Origin, Value};

const STEP: &str = "Identifier: r\nInput: {pkg_path: a.pkg}\nProcess:\n";

#[test]
fn a_sound_chain_is_ready_to_run() {
    let folder = Folder::new(&[
        (
            "root.recipe.yaml",
            "Identifier: root\nDescription: d\nInput: {pkg_path: '/p/%NAME%.pkg', NAME: P}\nProcess:\n- Processor: find-package\n  Arguments: {package_name: '%NAME%-%VERSION%.pkg'}\n",
        ),
        (
            "child.recipe.yaml",
            "Identifier: child\nParentRecipe: root\nInput: {VERSION: '1.10'}\nProcess:\n- Processor: compare-hash\n  Arguments:\n- Processor: package-metadata\n  Arguments: {pkg_notes: 'MD5 %pkg_md5%, found %package_found%', pkg_priority: '5', reboot_required: 'False'}\n",
        ),
    ]);
    let checked = folder.check("child.recipe.yaml").unwrap();
    let steps: Vec<_> = checked
        .steps
        .iter()
        .map(|step| {
            format!(
                "{} {} {:?}",
                step.number,
                step.spec.name,
                step.arguments
                    .iter()
                    .map(|(name, located)| format!("{name}={}", located.value))
                    .collect::<Vec<_>>()
            )
        })
        .collect();
    insta::assert_snapshot!(steps.join("\n"), @r#"
    1 find-package ["pkg_name=\"%NAME%-%VERSION%.pkg\""]
    2 compare-hash []
    3 package-metadata ["pkg_notes=\"MD5 %pkg_md5%, found %package_found%\"", "pkg_priority=\"5\"", "reboot_required=\"False\""]
    "#);
    assert_eq!(checked.env.entry("pkg_path").unwrap().value(), &Value::String("/p/P.pkg".into()));
    assert_eq!((checked.identifier.as_str(), checked.description.as_deref()), ("child", Some("d")));
}

#[test]
fn all_faults_of_a_chain_stand_in_one_report() {
    let folder = Folder::new(&[
        (
            "root.recipe.yaml",
            "Identifier: root\nMinimumVersion: '3.0'\nArugments: x\nInput:\n  pkg_priority: high\nProcess:\n- Processor: find-pakage\n- Processor: compare-hash\n  Arugments: {force: true}\n",
        ),
        (
            "child.recipe.yaml",
            "Identifier: child\nParentRecipe: root\nMiniumumVersion: '2.3'\nInput:\n  TITLE: '%NMAE%'\n  NAME: x\nProcess:\n- Processor: package-metadata\n  Arguments:\n    pkg_categry: Apps\n    pkg_notes: '%pkg_md6%'\n    reboot_required: 'yes'\n",
        ),
    ]);
    insta::assert_snapshot!(folder.report("child.recipe.yaml"), @r#"
    child.recipe.yaml:3:1: unknown key `MiniumumVersion`
      hint: did you mean `MinimumVersion`?
    root.recipe.yaml:2:17: the recipe asks for AutoPkg 3.0; pkgferry is compatible with 2.9.1
    root.recipe.yaml:9:3: step 2 compare-hash: unknown key `Arugments`
      hint: did you mean `Arguments`?
    child.recipe.yaml:5:3: `TITLE`: `%NMAE%` is not defined
      hint: did you mean `NAME`?
    root.recipe.yaml:7:14: step 1: unknown processor `find-pakage`
      hint: did you mean `find-package`?
    root.recipe.yaml:8:3: step 2 compare-hash: the input `pkg_path` is missing
      hint: set it in `Input` or `Arguments`, or with `-k pkg_path=...`
    child.recipe.yaml:10:5: step 3 package-metadata: unknown argument `pkg_categry`
      hint: did you mean `pkg_category`?
    child.recipe.yaml:11:5: step 3 package-metadata: `pkg_notes`: `%pkg_md6%` is not defined
      hint: did you mean `pkg_md5`?
    child.recipe.yaml:12:5: step 3 package-metadata: `reboot_required`: string "yes" is not a bool (true or false)
    root.recipe.yaml:5:3: step 3 package-metadata: `pkg_priority`: string "high" is not a priority (a whole number from 1 to 20)
    10 faults
    "#);
}

#[test]
fn recipes_in_xml_have_places_and_binary_ones_do_not() {
    let folder = Folder::new(&[(
        "r.recipe",
        "<plist version=\"1.0\">\n<dict>\n\t<key>Process</key>\n\t<array>\n\t\t<dict>\n\t\t\t<key>Processor</key>\n\t\t\t<string>find-packag</string>\n\t\t</dict>\n\t</array>\n</dict>\n</plist>\n",
    )]);
    insta::assert_snapshot!(folder.report("r.recipe"), @r"
    r.recipe:7:4: step 1: unknown processor `find-packag`
      hint: did you mean `find-package`?
    1 fault
    ");
    let value = recipe::from_yaml("Process: [{Processor: find-packag}]").unwrap();
    folder.write("b.recipe", &recipe::to_plist_binary(&value).unwrap());
    insta::assert_snapshot!(folder.report("b.recipe"), @r"
    b.recipe: step 1: unknown processor `find-packag`
      hint: did you mean `find-package`?
    1 fault
    ");
}

#[test]
fn unknown_processors() {
    insta::assert_snapshot!(report("Process:\n- Processor: Compare-Hash\n- Processor: URLDownloader\n- Processor: com.github.grahampugh.jamf-upload.processors/JamfPackageUploader\n- Processor: com.github.x.y/s3upload\n"), @"
    r.recipe.yaml:2:14: step 1: unknown processor `Compare-Hash`
      hint: did you mean `compare-hash`?
    r.recipe.yaml:3:14: step 2: unknown processor `URLDownloader`
      hint: the processors are: find-package, compare-hash, s3-upload, package-metadata, notify
    r.recipe.yaml:4:14: step 3: unknown processor `com.github.grahampugh.jamf-upload.processors/JamfPackageUploader`
      hint: find-package, compare-hash, jcds-credentials, s3-upload, package-metadata and verify-delivery do that work here: name com.github.pkgferry.recipes.upload-package as the parent, or take its steps
    r.recipe.yaml:5:14: step 4: unknown processor `com.github.x.y/s3upload`
      hint: did you mean `s3-upload`?
    4 faults
    ");
}

#[test]
fn unknown_and_doubled_arguments() {
    insta::assert_snapshot!(report(&format!("{STEP}- Processor: find-package\n  Arguments:\n    pkg_nam: x\n    whatever: y\n    package_name: a.pkg\n    pkg_name: b.pkg\n- Processor: compare-hash\n  Arguments: {{forse: true}}\n")), @r"
    r.recipe.yaml:6:5: step 1 find-package: unknown argument `pkg_nam`
      hint: did you mean `pkg_name`?
    r.recipe.yaml:7:5: step 1 find-package: unknown argument `whatever`
      hint: its arguments are: pkg_path, pkg_name
    r.recipe.yaml:9:5: step 1 find-package: `package_name` and `pkg_name` are two names of one argument
    r.recipe.yaml:11:15: step 2 compare-hash: unknown argument `forse`
      hint: did you mean `force`?
    4 faults
    ");
}

#[test]
fn missing_inputs() {
    insta::assert_snapshot!(report("Input: {pkg_pth: x}\nProcess:\n- Processor: find-package\n- Processor: s3-upload\n"), @r"
    r.recipe.yaml:3:3: step 1 find-package: the input `pkg_path` is missing
      hint: `Input` has `pkg_pth`; did you mean `pkg_path`?
    r.recipe.yaml:4:3: step 2 s3-upload: the input `pkg_path` is missing
      hint: `Input` has `pkg_pth`; did you mean `pkg_path`?
    r.recipe.yaml:4:3: step 2 s3-upload: the input `verdict` is missing
      hint: `compare-hash` gives it: put that step before this one
    r.recipe.yaml:4:3: step 2 s3-upload: the input `jcds_secret_access_key` is missing
      hint: set the environment variable `jcds_secret_access_key`, or put it into the settings file
    4 faults
    ");
    insta::assert_snapshot!(report("Process:\n- Processor: compare-hash\n"), @r"
    r.recipe.yaml:2:3: step 1 compare-hash: the input `pkg_path` is missing
      hint: set it in `Input` or `Arguments`, or with `-k pkg_path=...`
    r.recipe.yaml:2:3: step 1 compare-hash: the input `package_found` is missing
      hint: `find-package` gives it: put that step before this one
    2 faults
    ");
}

#[test]
fn a_required_input_may_come_from_arguments_outputs_settings_or_the_command_line() {
    let folder = Folder::new(&[("r.recipe.yaml", "Process:\n- Processor: compare-hash\n")]);
    let settings = env(&[("pkg_path", "a")], &Origin::Variable("pkg_path".into()));
    let command_line = env(&[("package_found", "true")], &Origin::CommandLine);
    assert!(folder.check_with("r.recipe.yaml", &settings, &command_line).is_ok());
}

#[test]
fn wrong_types() {
    insta::assert_snapshot!(report("Identifier: r\nInput:\n  pkg_priority: high\n  pkg_path: ''\n  P: five\nProcess:\n- Processor: package-metadata\n- Processor: package-metadata\n- Processor: find-package\n- Processor: package-metadata\n  Arguments:\n    pkg_priority: '%P%'\n    pkg_category: 1.10\n    reboot_required: 1\n    tags: [a, [b]]\n"), @r#"
    r.recipe.yaml:3:3: step 1 package-metadata: `pkg_priority`: string "high" is not a priority (a whole number from 1 to 20)
    r.recipe.yaml:4:3: step 3 find-package: `pkg_path`: string "" is not a path
    r.recipe.yaml:12:5: step 4 package-metadata: `pkg_priority`: string "five" is not a priority (a whole number from 1 to 20)
    r.recipe.yaml:13:5: step 4 package-metadata: `pkg_category`: real 1.1 is not a string (put the number in quotes to keep it as it is written)
    r.recipe.yaml:14:5: step 4 package-metadata: `reboot_required`: integer 1 is not a bool (true or false)
    r.recipe.yaml:15:5: step 4 package-metadata: `tags`: array ["b"] is not a string
    6 faults
    "#);
    let folder = Folder::new(&[("r.recipe.yaml", "Process:\n- Processor: package-metadata\n")]);
    let settings = env(&[("pkg_priority", "high")], &Origin::Settings("/etc/s.toml".into()));
    let command_line = env(&[("reboot_required", "perhaps")], &Origin::CommandLine);
    let faults = folder.check_with("r.recipe.yaml", &settings, &command_line).unwrap_err();
    insta::assert_snapshot!(folder.shown(&faults), @r#"
    step 1 package-metadata: `pkg_priority` (from settings file /etc/s.toml): string "high" is not a priority (a whole number from 1 to 20)
    step 1 package-metadata: `reboot_required` (from -k): string "perhaps" is not a bool (true or false)
    2 faults
    "#);
    assert_eq!(faults.kind(), FailureKind::Recipe);
}

#[test]
fn a_wrong_secret_is_not_shown() {
    let folder = Folder::new(&[(
        "r.recipe.yaml",
        "Process:\n- Processor: package-metadata\n  Arguments: {pkg_priority: '%API_PASSWORD%'}\n",
    )]);
    let settings = env(&[("API_PASSWORD", "hunter2")], &Origin::Settings("/etc/s.toml".into()));
    let faults = folder.check_with("r.recipe.yaml", &settings, &Env::new()).unwrap_err();
    insta::assert_snapshot!(folder.shown(&faults), @"
    r.recipe.yaml:3:15: step 1 package-metadata: `pkg_priority`: a value made from a secret is not for this input, which is shown and stored
    1 fault
    ");
}

#[test]
fn secrets_on_the_command_line() {
    let folder = Folder::new(&[("r.recipe.yaml", "Process: []\n")]);
    let command_line = env(&[("API_PASSWORD", "hunter2"), ("NAME", "x")], &Origin::CommandLine);
    let faults = folder.check_with("r.recipe.yaml", &Env::new(), &command_line).unwrap_err();
    insta::assert_snapshot!(folder.shown(&faults), @r"
    `API_PASSWORD` is secret and must not be given on the command line
      hint: set the environment variable `API_PASSWORD`, or put it into the settings file
    1 fault
    ");
}

#[test]
fn references_in_arguments() {
    insta::assert_snapshot!(report(&format!("{STEP}- Processor: package-metadata\n  Arguments:\n    pkg_notes: 'found %package_found%, %pkg_pth%, %nothing_like_it%'\n    pkg_category: '%pkg_notes%'\n- Processor: find-package\n")), @r"
    r.recipe.yaml:6:5: step 1 package-metadata: `pkg_notes`: `%package_found%` is not defined
      hint: `find-package` gives it: put that step before this one
    r.recipe.yaml:6:5: step 1 package-metadata: `pkg_notes`: `%pkg_pth%` is not defined
      hint: did you mean `pkg_path`?
    r.recipe.yaml:6:5: step 1 package-metadata: `pkg_notes`: `%nothing_like_it%` is not defined
    3 faults
    ");
}

#[test]
fn references_in_input() {
    insta::assert_snapshot!(report("Identifier: r\nInput:\n  pkg_path: a\n  A: '%B%'\n  B: '%C%'\n  C: '%A%'\n  SELF: 'x%SELF%'\n  USES_A: '%A%'\n  LATER: 'id %package_id%'\n  REAL: 1.10\n  TEXT: v%REAL%\n  LIST: []\n  ALSO: '%LIST%'\n  URL: https://x/%C3%A9\nProcess:\n- Processor: find-package\n"), @r"
    r.recipe.yaml:4:3: values refer to each other in a circle: A -> B -> C -> A
    r.recipe.yaml:7:3: values refer to each other in a circle: SELF -> SELF
    r.recipe.yaml:9:3: `LATER`: `%package_id%` is not defined
      hint: step 1 find-package sets it while the recipe runs; write `%package_id%` in the `Arguments` of a later step instead
    r.recipe.yaml:11:3: `TEXT`: `%REAL%` is a real, which cannot stand inside a text
      hint: put the value of `REAL` in quotes to keep it as it is written
    r.recipe.yaml:13:3: `ALSO`: `%LIST%` is an array, which cannot stand inside a text
    r.recipe.yaml:14:3: `URL`: `%C3%` is not defined
      hint: it looks like percent-encoding, but reads as a variable; write the character itself
    6 faults
    ");
    let doubling: String =
        (0..30).map(|number| format!("  V{number}: '%V{0}%%V{0}%'\n", number + 1)).collect();
    insta::assert_snapshot!(report(&format!("Process: []\nInput:\n{doubling}  V30: xxxxxxxxxx\n")), @r"
    r.recipe.yaml:16:3: `V13`: `%V14%` makes the text longer than 1 MiB
    1 fault
    ");
}

#[test]
fn the_command_line_is_substituted_too() {
    let folder = Folder::new(&[("r.recipe.yaml", "Process: []\n")]);
    let command_line = env(&[("A", "%NOPE%")], &Origin::CommandLine);
    let faults = folder.check_with("r.recipe.yaml", &Env::new(), &command_line).unwrap_err();
    insta::assert_snapshot!(folder.shown(&faults), @r"
    `A`: `%NOPE%` is not defined
    1 fault
    ");
}

#[test]
fn values_that_come_too_late_or_cannot_fit() {
    insta::assert_snapshot!(report("Input: {pkg_path: a, verdict: same, jcds_secret_access_key: k}\nProcess:\n- Processor: s3-upload\n- Processor: notify\n- Processor: package-metadata\n  Arguments:\n    pkg_notes: 'at %location%'\n    pkg_priority: '%pkg_uploaded%'\n    pkg_category: '%tags%'\n- Processor: package-metadata\n  Arguments: {tags: 'x %pkg_uploaded%'}\n"), @r"
    r.recipe.yaml:4:3: step 2 notify: `location` is needed while planning, but is known only after step 1 ran
    r.recipe.yaml:7:5: step 3 package-metadata: `location` is needed while planning, but is known only after step 1 ran
    r.recipe.yaml:8:5: step 3 package-metadata: `pkg_priority` takes an integer, but is given a bool by step 1
    r.recipe.yaml:9:5: step 3 package-metadata: `pkg_category`: `%tags%` is an array, which cannot stand inside a text
    r.recipe.yaml:11:15: step 4 package-metadata: `tags` takes an array, but is given a string by step 1
    5 faults
    ");
    let fine = "Input: {pkg_path: a, location: somewhere}\nProcess:\n- Processor: notify\n  Arguments: {message: 'at %location%'}\n";
    assert!(Folder::new(&[("r.yaml", fine)]).check("r.yaml").is_ok());
}

#[test]
fn parts_of_the_wrong_shape() {
    insta::assert_snapshot!(report("Identifier: 5\nMinimumVersion: 2.3\nParentRecipe:\nInput: [a]\nProcess: {}\n"), @r"
    r.recipe.yaml:4:1: `Input` is an array, not a dict
    r.recipe.yaml:1:13: `Identifier` is an integer, not a string
      hint: put the number in quotes to keep it as it is written
    r.recipe.yaml:2:17: `MinimumVersion` is a real, not a string
      hint: put the number in quotes to keep it as it is written
    r.recipe.yaml:3:14: `ParentRecipe` is empty, not a string
    r.recipe.yaml:5:1: `Process` is a dict, not an array
    5 faults
    ");
    insta::assert_snapshot!(report("Process:\n- find-package\n- Arguments: {}\n- Processor: [x]\n- Procesor: find-package\n- Processor: find-package\n  Arguments: [pkg_path]\n"), @r"
    r.recipe.yaml:2:3: step 1 of `Process` is a string, not a dict
    r.recipe.yaml:3:3: step 2: the step has no `Processor`
    r.recipe.yaml:4:15: `Processor` is an array, not a string
    r.recipe.yaml:5:3: step 4: unknown key `Procesor`
      hint: did you mean `Processor`?
    r.recipe.yaml:7:3: `Arguments` is an array, not a dict
    r.recipe.yaml:6:3: step 5 find-package: the input `pkg_path` is missing
      hint: set it in `Input` or `Arguments`, or with `-k pkg_path=...`
    6 faults
    ");
    insta::assert_snapshot!(report("Steps: []\n"), @r"
    r.recipe.yaml: is not a recipe: it has neither `Process` nor `ParentRecipe`
    1 fault
    ");
    insta::assert_snapshot!(report("Proces: []\n"), @r"
    r.recipe.yaml: is not a recipe: it has neither `Process` nor `ParentRecipe`
      hint: `Proces` is not a key: did you mean `Process`?
    1 fault
    ");
    insta::assert_snapshot!(report("Recipe: {identifier: x}\nProcess: []\n"), @r"
    r.recipe.yaml:1:1: the key `Recipe` is not read
      hint: write `ParentRecipe:` and the parent's identifier instead of `Recipe:`
    1 fault
    ");
    insta::assert_snapshot!(report("process: []\ninput: {}\nParentRecipe: x\n"), @r"
    r.recipe.yaml:1:1: unknown key `process`
      hint: did you mean `Process`?
    r.recipe.yaml:2:1: unknown key `input`
      hint: did you mean `Input`?
    r.recipe.yaml:3:15: the parent recipe `x` was not found
      hint: looked in . and below
    3 faults
    ");
}

#[test]
fn keys_that_autopkg_ignores_are_ignored() {
    let yaml = "Identifier: r\nComment: c\nComments: c\nAttribution: a\nSupportedPlatforms: [x]\nParentRecipeTrustInfo: {parent_recipes: {}}\nAuthor: me\nMinimumVersion: ''\nDescription:\nInput:\nProcess:\n- {Processor: package-metadata, Comment: c, SharedProcessorRepoURL: u, Note: n}\n";
    let folder = Folder::new(&[("r.recipe.yaml", yaml)]);
    assert!(folder.check("r.recipe.yaml").is_ok());
}
