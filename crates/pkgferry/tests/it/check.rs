use crate::stage::Stage;

const FAULTY: &str = "\
Identifier: com.example.faulty
MiniumumVersion: '1.0'
Input:
  NAME: App
  pkg_priority: high
  LOOP: '%POOL%'
  POOL: '%LOOP%'
Process:
  - Processor: find-package
    Arguments:
      pkg_nam: App.pkg
  - Processor: compare-hsh
  - Processor: s3-upload
  - Processor: package-metadata
    Arguments:
      pkg_notes: '%NMAE%'
      reboot_required: perhaps
";

#[test]
fn all_faults_come_at_once_each_with_its_place() {
    let stage = Stage::new();
    let recipe = stage.write("Faulty.recipe.yaml", FAULTY);
    insta::assert_snapshot!(stage.run(&["check", &recipe]).shown(), @r#"
    exit 3
    --- stdout
    [STAGE]/Faulty.recipe.yaml: faulty
      [STAGE]/Faulty.recipe.yaml:2:1: unknown key `MiniumumVersion`
        hint: did you mean `MinimumVersion`?
      [STAGE]/Faulty.recipe.yaml:6:3: values refer to each other in a circle: LOOP -> POOL -> LOOP
      [STAGE]/Faulty.recipe.yaml:11:7: step 1 find-package: unknown argument `pkg_nam`
        hint: did you mean `pkg_name`?
      [STAGE]/Faulty.recipe.yaml:12:16: step 2: unknown processor `compare-hsh`
        hint: did you mean `compare-hash`?
      [STAGE]/Faulty.recipe.yaml:13:5: step 3 s3-upload: the input `pkg_path` is missing
        hint: set it in `Input` or `Arguments`, or with `-k pkg_path=...`
      [STAGE]/Faulty.recipe.yaml:13:5: step 3 s3-upload: the inputs `jcds_access_key_id`, `jcds_secret_access_key`, `jcds_session_token`, `jcds_region`, `jcds_bucket`, `jcds_path` are missing
        hint: `jcds-credentials` gives it: put that step before this one
      [STAGE]/Faulty.recipe.yaml:16:7: step 4 package-metadata: `pkg_notes`: `%NMAE%` is not defined
        hint: did you mean `NAME`?
      [STAGE]/Faulty.recipe.yaml:17:7: step 4 package-metadata: `reboot_required`: string "perhaps" is not a bool (true or false)
      [STAGE]/Faulty.recipe.yaml:5:3: step 4 package-metadata: `pkg_priority`: string "high" is not a priority (a whole number from 1 to 20)
      9 faults
    "#);
}

#[test]
fn shipped_recipes_pass_in_both_formats() {
    let stage = Stage::new();
    let recipes = std::fs::read_dir(crate::stage::repository().join("recipes")).unwrap();
    let mut recipes: Vec<_> =
        recipes.map(|entry| entry.unwrap().path().to_str().unwrap().to_owned()).collect();
    recipes.sort();
    let yaml = recipes.iter().filter(|path| path.ends_with(".yaml")).count();
    assert_eq!((recipes.len(), yaml), (yaml * 2, recipes.len() / 2));
    for recipe in recipes {
        let path = format!("pkg_path={}", crate::stage::example_package().display());
        let values = [path.as_str(), "pkg_name=App.pkg", "download_path=/some"];
        let values = values.iter().flat_map(|value| ["-k", value]);
        let arguments: Vec<&str> = ["check", &recipe].into_iter().chain(values).collect();
        let ran = stage.run(&arguments).succeeded();
        assert!(!ran.shown().contains("warning"), "{}", ran.shown());
    }
}

#[test]
fn the_two_formats_of_a_shipped_recipe_say_the_same() {
    for entry in std::fs::read_dir(crate::stage::repository().join("recipes")).unwrap() {
        let yaml = entry.unwrap().path();
        if yaml.extension().is_some_and(|extension| extension == "yaml") {
            let value = recipe::from_yaml(&std::fs::read_to_string(&yaml).unwrap()).unwrap();
            let plist = recipe::from_plist(&std::fs::read(yaml.with_extension("plist")).unwrap()).unwrap();
            assert_eq!(value, plist, "{}", yaml.display());
        }
    }
}

#[test]
fn a_check_needs_no_network_and_no_settings() {
    let stage = Stage::new();
    insta::assert_snapshot!(stage.run(&["check", "recipes/ExampleApp.jamf.recipe.yaml"]).shown(), @"
    exit 0
    --- stdout
    recipes/ExampleApp.jamf.recipe.yaml: ok, 8 steps
    ");
}

/// A recipe that builds on the shipped one.
fn recipe(identifier: &str, input: &str) -> String {
    let (parent, path) = ("com.github.pkgferry.recipes.upload-package", crate::stage::example_package());
    format!(
        "Identifier: {identifier}\nParentRecipe: {parent}\nInput:\n  pkg_path: {}\n{input}",
        path.display()
    )
}

#[test]
fn names_that_are_nearly_right_are_warned_of_once() {
    let stage = Stage::new();
    let settings = stage.write(
        "settings.toml",
        "pkg_notse = 'n'\nUSED = 'by recipes'\nVENDOR_NAME = 'v'\n[servers.test]\nJSS_URL = 'https://a'\n'CLIENT_DI' = 'c'\n",
    );
    stage.write("A.recipe.yaml", recipe("a", "  pkg_catgory: Apps\n"));
    stage.write("B.recipe.yaml", recipe("b", "  NAME: App\n  pkg_info: '%pkg_inof%'\n  pkg_inof: i\n"));
    let list = stage.write("list.yaml", "pkg_infos: i\nrecipes: [b]\n");
    let (recipes, folder) = (stage.path("*.recipe.yaml"), stage.path(""));
    let arguments = [
        "--settings",
        &settings,
        recipes.to_str().unwrap(),
        "-l",
        &list,
        "-d",
        folder.to_str().unwrap(),
        "-k",
        "pkg_nmae=%Pkg_Notes%",
        "-k",
        "Pkg_Notes=n",
    ];
    insta::assert_snapshot!(stage.run(&[&["check"], &arguments[..]].concat()).shown(), @"
    exit 0
    --- stdout
    [STAGE]/A.recipe.yaml: ok, 8 steps
    [STAGE]/B.recipe.yaml: ok, 8 steps
    b: ok, 8 steps
    warning: [STAGE]/settings.toml:1:1: nothing reads `pkg_notse`; did you mean `pkg_notes`?
    warning: [STAGE]/settings.toml:6:1: nothing reads `CLIENT_DI`; did you mean `CLIENT_ID`?
    warning: -k: nothing reads `pkg_nmae`; did you mean `pkg_name`?
    warning: [STAGE]/list.yaml:1:1: nothing reads `pkg_infos`; did you mean `pkg_info`?
    warning: [STAGE]/A.recipe.yaml:5:3: nothing reads `pkg_catgory`; did you mean `pkg_category`?
    3 recipes: 3 ok, 1 with warnings
    ");

    let ran = stage.run(&[&["run", "--sandbox", "--json"], &arguments[..]].concat());
    for name in ["pkg_notse", "CLIENT_DI", "pkg_nmae", "pkg_infos", "pkg_catgory"] {
        let told = format!("nothing reads `{name}`; did you mean ");
        let lines = ran.stdout.lines().filter(|line| line.contains(&told) && line.contains("\"notice\""));
        assert_eq!(lines.count(), 1, "{name}: {}", ran.shown());
    }
    assert!(
        !ran.stdout.contains("nothing reads `pkg_inof`") && !ran.stdout.contains("nothing reads `Pkg_Notes`")
    );
}

#[test]
fn variables_of_other_tools_are_no_slips() {
    let stage = Stage::new();
    // `autopkg-recipes.md §6, §7`: what recipes for AutoPkg and JamfUploader set.
    let names = "DOWNLOAD_URL VERSION version url source SOURCE CATEGORY SMB_URL SMB_USERNAME SMB_PASSWORD SMB_SHARES \
                 CLOUD_DP replace_pkg replace_pkg_metadata skip_metadata_upload recalculate max_tries sleep \
                 PLATFORM_API_REGION PLATFORM_API_TENANT_ID JSS_INVENTORY_NAME pkg_id pkg_uuid pkg_request pkgroot pkgdir \
                 pkg_dir app_path app_name dmg_path dmg_name zip_path bundleid version_key source_pkg pkg_name_match \
                 versions_to_keep POLICY_NAME POLICY_CATEGORY GROUP_NAME SELF_SERVICE_DISPLAY_NAME UPDATE_PREDICATE \
                 MUNKI_REPO MUNKI_CATEGORY GITHUB_TOKEN RECIPE_REPO_DIR RECIPE_OVERRIDE_DIRS SPARKLE_FEED_URL LOCALE ARCH \
                 pathname download_changed download_missing_file destination_path archive_path dmg_root filename";
    let input: String = names.split_whitespace().map(|name| format!("  {name}: x\n")).collect();
    let path = stage.write("Foreign.recipe.yaml", recipe("f", &input));
    let settings: String = names.split_whitespace().map(|name| format!("{name} = 'x'\n")).collect();
    let settings = stage.write("settings.toml", settings);
    insta::assert_snapshot!(stage.run(&["check", &path, "--settings", &settings]).shown(), @"
    exit 0
    --- stdout
    [STAGE]/Foreign.recipe.yaml: ok, 8 steps
    ");
}

#[test]
fn folders_patterns_and_lists_are_checked_as_they_are_run() {
    let stage = Stage::new();
    std::fs::create_dir(stage.path("more")).unwrap();
    stage.write("A.recipe.yaml", recipe("a", ""));
    stage.write("more/B.recipe.yaml", recipe("b", "  pkg_priority: high\n"));
    let list = stage.write(
        "list.yaml",
        format!("pkg_notes: 7\nrecipes: [b, none, {}X*.recipe, b]\n", stage.path("").display()),
    );
    let unreadable = stage.path("missing.txt");
    let (folder, pattern) = (stage.path("more"), stage.path("*.recipe.yaml"));
    let arguments = [
        "check",
        folder.to_str().unwrap(),
        pattern.to_str().unwrap(),
        "-l",
        &list,
        "-l",
        unreadable.to_str().unwrap(),
        "-d",
        folder.to_str().unwrap(),
    ];
    insta::assert_snapshot!(stage.run(&arguments).shown(), @r#"
    exit 6
    --- stdout
    [STAGE]/more/B.recipe.yaml: faulty
      [STAGE]/more/B.recipe.yaml:5:3: step 6 package-metadata: `pkg_priority`: string "high" is not a priority (a whole number from 1 to 20)
      1 fault
    [STAGE]/A.recipe.yaml: ok, 8 steps
    b: faulty
      [STAGE]/more/B.recipe.yaml:5:3: step 6 package-metadata: `pkg_priority`: string "high" is not a priority (a whole number from 1 to 20)
      1 fault
    none: faulty
      there is no recipe `none`
        hint: looked in [STAGE]/more and below
      1 fault
    warning: [STAGE]/list.yaml:2:47: b is asked for twice and runs once; first at [STAGE]/list.yaml:2:11
    4 recipes: 1 ok, 3 faulty
    --- stderr
    pkgferry: cannot read the recipe list [STAGE]/missing.txt
      caused by: cannot be read
      caused by: No such file or directory (os error 2)
    pkgferry: [STAGE]/list.yaml:2:20: `[STAGE]/X*.recipe` matches no recipe file
      hint: `*`, `?` and `[` make a pattern of a name; `[*]`, `[?]` and `[[]` stand for themselves
    1 fault
    "#);
    // What a run would say of a list it says at once, for both lists.
    let wrong = stage.write("wrong.yaml", "recipe: [a]\n");
    insta::assert_snapshot!(stage.run(&["check", "-l", &wrong]).shown(), @"
    exit 3
    --- stderr
    pkgferry: [STAGE]/wrong.yaml:1:1: unknown key `recipe`
      hint: did you mean `recipes`?
    1 fault
    ");
    insta::assert_snapshot!(stage.run(&["run", "--sandbox", "-l", &wrong, "-l", &list]).shown(), @"
    exit 3
    --- stderr
    pkgferry: [STAGE]/wrong.yaml:1:1: unknown key `recipe`
      hint: did you mean `recipes`?
    [STAGE]/list.yaml:2:20: `[STAGE]/X*.recipe` matches no recipe file
      hint: `*`, `?` and `[` make a pattern of a name; `[*]`, `[?]` and `[[]` stand for themselves
    2 faults
    ");
}

#[test]
fn a_package_that_is_missing_is_told_before_anybody_is_asked() {
    let (stage, server) = Stage::with_server();
    let recipe = stage.write("A.recipe.yaml", recipe("a", ""));
    let gone = ["-k", "pkg_path=/none/%NAME%.pkg", "-k", "NAME=App"];
    // By day it may not be made yet.
    insta::assert_snapshot!(stage.run(&[&["check", &recipe], &gone[..]].concat()).shown(), @"
    exit 0
    --- stdout
    [STAGE]/A.recipe.yaml: ok, 8 steps
      warning: cannot read /none/App.pkg: No such file or directory (os error 2)
    ");
    insta::assert_snapshot!(stage.run(&[&["run", &recipe], &gone[..]].concat()).shown(), @"
    exit 6
    --- stdout
      = failed
    --- stderr
    [STAGE]/A.recipe.yaml
      fail  step 3 compare-hash: cannot read /none/App.pkg
            caused by: No such file or directory (os error 2)
            hint: check pkg_path; what makes the package may not have run, or may have made it elsewhere
    ");
    assert_eq!(server.requests(), "");
    // Its name is all that these steps look at.
    let record_only = [&["run", "com.github.pkgferry.recipes.package-record-only"], &gone[..]].concat();
    stage.run(&record_only).succeeded();
}

#[test]
fn the_last_line_counts_where_there_are_several() {
    let stage = Stage::new();
    let good = stage.write("Good.recipe.yaml", recipe("good", ""));
    let bad = stage.write("Bad.recipe.yaml", recipe("bad", "  pkg_priority: high\n"));
    let gone = stage.write(
        "Gone.recipe.yaml",
        "ParentRecipe: com.github.pkgferry.recipes.upload-package\nInput:\n  pkg_path: /none/App.pkg\n",
    );
    let last = |ran: &crate::stage::Ran| ran.stdout.lines().last().unwrap().to_owned();
    let ran = stage.run(&["check", &good, &bad, &gone]);
    assert_eq!((ran.code, last(&ran).as_str()), (3, "3 recipes: 2 ok, 1 faulty, 1 with warnings"));
    let settings = stage.write(
        "settings.toml",
        "[servers.test]\nJSS_URL = 'https://a'\n[servers.production]\nJSS_URL = 'https://b'\n",
    );
    let two = ["--settings", &settings, "--server", "test", "--server", "production"];
    let ran = stage.run(&[&["check", &good], &two[..]].concat()).succeeded();
    assert_eq!(last(&ran), "2 checks on 2 servers: 2 ok");
    let ran = stage.run(&["check", &good]).succeeded();
    assert_eq!(ran.stdout, "[STAGE]/Good.recipe.yaml: ok, 8 steps\n");
}

#[test]
fn one_recipe_under_several_names_is_taken_once() {
    let stage = Stage::new();
    std::fs::create_dir(stage.path("recipes")).unwrap();
    let path = stage.write("recipes/A.recipe.yaml", recipe("com.example.a", ""));
    let folder = stage.path("recipes").to_str().unwrap().to_owned();
    let list = stage.write("nightly.txt", format!("com.example.a\nA\n{folder}/../recipes/A.recipe.yaml\n"));
    // It says something else of it, and so it is something else.
    let other = stage.write("other.yaml", "pkg_notes: n\nrecipes: [com.example.a, A.recipe]\n");
    let arguments = [folder.as_str(), "-l", &list, "-l", &other, "-d", &folder];
    insta::assert_snapshot!(stage.run(&[&["check"], &arguments[..]].concat()).shown(), @"
    exit 0
    --- stdout
    [STAGE]/recipes/A.recipe.yaml: ok, 8 steps
    A.recipe: ok, 8 steps
    warning: [STAGE]/other.yaml:2:11: com.example.a is asked for twice and runs once; first at [STAGE]/nightly.txt:1:1
    warning: [STAGE]/nightly.txt:1:1: com.example.a is asked for twice and runs once; first as [STAGE]/recipes/A.recipe.yaml on the command line
    warning: [STAGE]/nightly.txt:2:1: A is asked for twice and runs once; first as [STAGE]/recipes/A.recipe.yaml on the command line
    warning: [STAGE]/nightly.txt:3:1: [STAGE]/recipes/../recipes/A.recipe.yaml is asked for twice and runs once; first as [STAGE]/recipes/A.recipe.yaml on the command line
    2 recipes: 2 ok
    ");
    let ran = stage.run(&[&["run", "--sandbox", "--dry-run"], &arguments[..]].concat()).succeeded();
    assert!(ran.stdout.contains("\n2 recipes: 2 would be created; "), "{}", ran.shown());
    assert_eq!(
        ran.stderr.matches("is asked for twice and runs once; first as ").count(),
        3,
        "{}",
        ran.shown()
    );
    let ran =
        stage.run(&["run", "--sandbox", "--dry-run", &path, "com.example.a", "-d", &folder]).succeeded();
    assert!(!ran.stdout.contains("recipes: "), "{}", ran.shown());
}

/// A single word may be a recipe's name as well as a folder.
#[test]
fn an_empty_folder_is_told_as_one() {
    let stage = Stage::new();
    std::fs::create_dir(stage.path("emptydir")).unwrap();
    stage.write("emptydir/notes.txt", "");
    for arguments in [&["check", "emptydir"][..], &["run", "emptydir", "--sandbox"]] {
        let output = stage.command(arguments).current_dir(stage.path("")).output().unwrap();
        let ran = crate::stage::Ran::new(output, &stage.path(""));
        let shown = ran.shown();
        assert_eq!(ran.code, 3, "{shown}");
        let told = "emptydir: is a folder without a recipe file, and there is no recipe of this name\n";
        assert!(shown.contains(told) && shown.contains("hint: recipe files end in .recipe, "), "{shown}");
    }
}

#[test]
fn secrets_that_are_kept_elsewhere_are_not_asked_for() {
    let stage = Stage::new();
    let settings =
        stage.write("settings.toml", "CLIENT_ID = 'c'\nCLIENT_SECRET = 'command:/no/such/program'\n");
    let recipe = stage.write("A.recipe.yaml", recipe("a", ""));
    let ran = stage.run(&["check", &recipe, "--settings", &settings]).succeeded();
    assert_eq!(ran.stdout, "[STAGE]/A.recipe.yaml: ok, 8 steps\n");
    let ran = stage.run(&["explain", &recipe, "--settings", &settings]).succeeded();
    assert!(ran.stdout.contains("CLIENT_SECRET = (secret)  [settings file"), "{}", ran.stdout);
    let wrong = stage.write("wrong.toml", "CLIENT_SECRET = 7\n");
    let ran = stage.run(&["check", &recipe, "--settings", &wrong]);
    assert_eq!(ran.code, 3, "{}", ran.shown());
}

#[test]
fn explain_shows_the_source_of_each_value_and_no_secret() {
    let mut stage = Stage::new();
    stage.set("JSS_URL", "https://example.jamfcloud.com");
    stage.set("CLIENT_SECRET", "hunter2");
    let settings = stage.write("settings.toml", "RECIPE_SEARCH_DIRS = [\"/some/recipes\"]\n");
    let recipe = "recipes/ExampleApp.jamf.recipe.yaml";
    let arguments = ["explain", recipe, "-k", "pkg_notes=from me", "--settings", &settings, "-d", "/others"];
    let ran = stage.run(&arguments).succeeded();
    assert!(!ran.shown().contains("hunter2"));
    insta::assert_snapshot!(ran.stdout, @r#"
    com.github.pkgferry.recipes.ExampleApp
      recipe recipes/ExampleApp.jamf.recipe.yaml
      parent built-in/upload-package.recipe.yaml

    Settings
      file [STAGE]/settings.toml
      recipes in /others  [--search-dir]
      recipes in /some/recipes  [settings file [STAGE]/settings.toml]

    Environment
      RECIPE_SEARCH_DIRS = ["/some/recipes"]  [settings file [STAGE]/settings.toml]
      CACHE_DIR = "[STAGE]/home/Library/AutoPkg/Cache"  [pkgferry]
      RECIPE_PATH = "[REPOSITORY]/recipes/ExampleApp.jamf.recipe.yaml"  [pkgferry]
      RECIPE_DIR = "[REPOSITORY]/recipes"  [pkgferry]
      PARENT_RECIPES = ["[REPOSITORY]/built-in/upload-package.recipe.yaml"]  [pkgferry]
      RECIPE_CACHE_DIR = "[STAGE]/home/Library/AutoPkg/Cache/com.github.pkgferry.recipes.ExampleApp"  [pkgferry]
      NAME = "ExampleApp"  [Input of recipes/ExampleApp.jamf.recipe.yaml]
      VERSION = "1.2.3"  [Input of recipes/ExampleApp.jamf.recipe.yaml]
      pkg_path = "[REPOSITORY]/recipes/../fixtures/ExampleApp-1.2.3.pkg"  [Input of recipes/ExampleApp.jamf.recipe.yaml]
      pkg_category = "Applications"  [Input of recipes/ExampleApp.jamf.recipe.yaml]
      create_category = true  [Input of recipes/ExampleApp.jamf.recipe.yaml]
      pkg_notes = "from me"  [-k]
      pkg_priority = 10  [Input of recipes/ExampleApp.jamf.recipe.yaml]
      JSS_URL = "https://example.jamfcloud.com"  [environment variable JSS_URL]
      CLIENT_SECRET = (secret)  [environment variable CLIENT_SECRET]

    Step 1: choose-route
      JSS_URL = "https://example.jamfcloud.com"  [environment variable JSS_URL]
      JAMF_TENANT_ID  [not set]
      JAMF_ENVIRONMENT_ID  [not set]
      JAMF_REGION  [not set]
      JAMF_GATEWAY_ADDRESSING  [not set]
      CLIENT_ID  [not set]
      CLIENT_SECRET = (secret)  [environment variable CLIENT_SECRET]
      API_USERNAME  [not set]
      API_PASSWORD  [not set]
      package_api = "auto"  [default of choose-route]
      route = "auto"  [default of choose-route]
      recipe_steps = ["choose-route", "find-package", "compare-hash", "jcds-credentials", "s3-upload", "package-metadata", "package-upload", "verify-delivery"]  [pkgferry]

    Step 2: find-package
      JSS_URL = "https://example.jamfcloud.com"  [environment variable JSS_URL]
      JAMF_TENANT_ID  [not set]
      JAMF_ENVIRONMENT_ID  [not set]
      JAMF_REGION  [not set]
      JAMF_GATEWAY_ADDRESSING  [not set]
      CLIENT_ID  [not set]
      CLIENT_SECRET = (secret)  [environment variable CLIENT_SECRET]
      API_USERNAME  [not set]
      API_PASSWORD  [not set]
      package_api = "auto"  [default of find-package]
      pkg_name  [not set]
      pkg_path = "[REPOSITORY]/recipes/../fixtures/ExampleApp-1.2.3.pkg"  [Input of recipes/ExampleApp.jamf.recipe.yaml]
      pkg_display_name  [not set]
      witness  [output of step 1]
      chosen_route  [output of step 1]
      fallback_route  [output of step 1]

    Step 3: compare-hash
      pkg_path = "[REPOSITORY]/recipes/../fixtures/ExampleApp-1.2.3.pkg"  [Input of recipes/ExampleApp.jamf.recipe.yaml]
      jcds_file_found  [output of step 2]
      jcds_file_leaving  [output of step 2]
      jcds_file_size  [output of step 2]
      jcds_file_md5  [output of step 2]
      jcds_file_sha3_512  [output of step 2]
      force = false  [default of compare-hash]

    Step 4: jcds-credentials
      JSS_URL = "https://example.jamfcloud.com"  [environment variable JSS_URL]
      JAMF_TENANT_ID  [not set]
      JAMF_ENVIRONMENT_ID  [not set]
      JAMF_REGION  [not set]
      JAMF_GATEWAY_ADDRESSING  [not set]
      CLIENT_ID  [not set]
      CLIENT_SECRET = (secret)  [environment variable CLIENT_SECRET]
      API_USERNAME  [not set]
      API_PASSWORD  [not set]
      package_api = "auto"  [default of jcds-credentials]
      chosen_route  [output of step 1]
      fallback_route  [output of step 1]
      verdict  [output of step 3]
      verdict_reason  [output of step 3]
      pkg_name  [output of step 2]
      pkg_path = "[REPOSITORY]/recipes/../fixtures/ExampleApp-1.2.3.pkg"  [Input of recipes/ExampleApp.jamf.recipe.yaml]

    Step 5: s3-upload
      JSS_URL = "https://example.jamfcloud.com"  [environment variable JSS_URL]
      JAMF_TENANT_ID  [not set]
      JAMF_ENVIRONMENT_ID  [not set]
      JAMF_REGION  [not set]
      JAMF_GATEWAY_ADDRESSING  [not set]
      CLIENT_ID  [not set]
      CLIENT_SECRET = (secret)  [environment variable CLIENT_SECRET]
      API_USERNAME  [not set]
      API_PASSWORD  [not set]
      package_api = "auto"  [default of s3-upload]
      pkg_path = "[REPOSITORY]/recipes/../fixtures/ExampleApp-1.2.3.pkg"  [Input of recipes/ExampleApp.jamf.recipe.yaml]
      pkg_name  [output of step 2]
      chosen_route  [output of step 1]
      fallback_route  [output of step 1]
      verdict  [output of step 3]
      verdict_reason  [output of step 3]
      jcds_access_key_id  [output of step 4]
      jcds_secret_access_key  [output of step 4]
      jcds_session_token  [output of step 4]
      jcds_expiration  [output of step 4]
      jcds_region  [output of step 4]
      jcds_bucket  [output of step 4]
      jcds_path  [output of step 4]
      PKGFERRY_S3_ENDPOINT  [not set]
      pkg_md5  [output of step 3]
      pkg_sha3_512  [output of step 3]
      upload_concurrency = "auto"  [default of s3-upload]
      part_size_mib = 8  [default of s3-upload]
      upload_checksum = "auto"  [default of s3-upload]
      upload_stall_seconds = 60  [default of s3-upload]
      keep_partial = false  [default of s3-upload]

    Step 6: package-metadata
      JSS_URL = "https://example.jamfcloud.com"  [environment variable JSS_URL]
      JAMF_TENANT_ID  [not set]
      JAMF_ENVIRONMENT_ID  [not set]
      JAMF_REGION  [not set]
      JAMF_GATEWAY_ADDRESSING  [not set]
      CLIENT_ID  [not set]
      CLIENT_SECRET = (secret)  [environment variable CLIENT_SECRET]
      API_USERNAME  [not set]
      API_PASSWORD  [not set]
      package_api = "auto"  [default of package-metadata]
      pkg_name  [output of step 2]
      pkg_path = "[REPOSITORY]/recipes/../fixtures/ExampleApp-1.2.3.pkg"  [Input of recipes/ExampleApp.jamf.recipe.yaml]
      pkg_display_name  [not set]
      pkg_category = "Applications"  [Input of recipes/ExampleApp.jamf.recipe.yaml]
      pkg_info  [not set]
      pkg_notes = "from me"  [-k]
      pkg_priority = 10  [Input of recipes/ExampleApp.jamf.recipe.yaml]
      reboot_required  [not set]
      fill_user_template  [not set]
      fill_existing_users  [not set]
      os_requirements  [not set]
      required_processor  [not set]
      send_notification  [not set]
      create_category = true  [Input of recipes/ExampleApp.jamf.recipe.yaml]
      record_only = false  [default of package-metadata]

    Step 7: package-upload
      JSS_URL = "https://example.jamfcloud.com"  [environment variable JSS_URL]
      JAMF_TENANT_ID  [not set]
      JAMF_ENVIRONMENT_ID  [not set]
      JAMF_REGION  [not set]
      JAMF_GATEWAY_ADDRESSING  [not set]
      CLIENT_ID  [not set]
      CLIENT_SECRET = (secret)  [environment variable CLIENT_SECRET]
      API_USERNAME  [not set]
      API_PASSWORD  [not set]
      package_api = "auto"  [default of package-upload]
      pkg_path = "[REPOSITORY]/recipes/../fixtures/ExampleApp-1.2.3.pkg"  [Input of recipes/ExampleApp.jamf.recipe.yaml]
      pkg_name  [output of step 2]
      pkg_display_name  [not set]
      chosen_route  [output of step 1]
      fallback_route  [output of step 1]
      verdict  [output of step 3]
      verdict_reason  [output of step 3]
      jcds_file_found  [output of step 2]
      package_id  [output of step 6]
      pkg_md5  [output of step 5]
      pkg_sha3_512  [output of step 5]
      upload_stall_seconds = 60  [default of package-upload]

    Step 8: verify-delivery
      JSS_URL = "https://example.jamfcloud.com"  [environment variable JSS_URL]
      JAMF_TENANT_ID  [not set]
      JAMF_ENVIRONMENT_ID  [not set]
      JAMF_REGION  [not set]
      JAMF_GATEWAY_ADDRESSING  [not set]
      CLIENT_ID  [not set]
      CLIENT_SECRET = (secret)  [environment variable CLIENT_SECRET]
      API_USERNAME  [not set]
      API_PASSWORD  [not set]
      package_api = "auto"  [default of verify-delivery]
      pkg_path = "[REPOSITORY]/recipes/../fixtures/ExampleApp-1.2.3.pkg"  [Input of recipes/ExampleApp.jamf.recipe.yaml]
      pkg_name  [output of step 2]
      pkg_uploaded  [output of step 7]
      pkg_metadata_updated  [output of step 6]
      witness  [output of step 2]
      chosen_route  [output of step 1]
      fallback_route  [output of step 1]
      record_only  [not set]
      verify_timeout  [not set]
      pkg_size  [output of step 7]
      pkg_md5  [output of step 7]
      pkg_sha3_512  [output of step 7]
      package_id  [output of step 7]
    "#);
}
