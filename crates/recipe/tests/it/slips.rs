//! Names that are nearly right.

use crate::support::{Folder, SPECS};
use recipe::Readers;

const SETTINGS: &[&str] = &["JSS_URL", "CLIENT_ID", "API_USERNAME", "RECIPE_SEARCH_DIRS", "notify"];

fn slips(folder: &Folder, name: &str) -> String {
    let chain = folder.load(name).unwrap();
    let slips = Readers::new(SPECS, SETTINGS).slips(&chain);
    let root = format!("{}/", folder.root().display());
    slips.iter().map(|slip| slip.to_string().replace(&root, "")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_slip_is_told_with_its_place_and_what_was_meant() {
    let folder = Folder::new(&[
        (
            "root.recipe.yaml",
            "Identifier: root\nInput:\n  pkg_path: a.pkg\n  pkg_ntoes: n\n  pkg_info: \"%INFO%\"\n  INFO: i\n\
             Process:\n- Processor: find-package\n- Processor: package-metadata\n",
        ),
        (
            "child.recipe.yaml",
            "Identifier: child\nParentRecipe: root\nInput:\n  NAME: App\n  pkg_info: plain\n  pkg_catgory: Apps\n  JSS_ULR: https://a\n",
        ),
    ]);
    insta::assert_snapshot!(slips(&folder, "child.recipe.yaml"), @"
    root.recipe.yaml:4:3: nothing reads `pkg_ntoes`; did you mean `pkg_notes`?
    child.recipe.yaml:6:3: nothing reads `pkg_catgory`; did you mean `pkg_category`?
    child.recipe.yaml:7:3: nothing reads `JSS_ULR`; did you mean `JSS_URL`?
    ");
}

#[test]
fn a_name_that_is_used_is_no_slip() {
    let folder = Folder::new(&[
        (
            "root.recipe.yaml",
            "Identifier: root\nInput:\n  pkg_path: \"/p/%PKG_NAME%\"\n  pkg_notes: \"%pkg_note%\"\n\
             Process:\n- Processor: find-package\n- Processor: package-metadata\n  Arguments: {pkg_category: [\"%Pkg_Category%\"]}\n",
        ),
        (
            "child.recipe.yaml",
            "Identifier: child\nParentRecipe: root\nInput:\n  PKG_NAME: a.pkg\n  pkg_notes: mine\n  pkg_note: for the siblings\n  Pkg_Category: c\n",
        ),
    ]);
    assert_eq!(slips(&folder, "child.recipe.yaml"), "");
}

#[test]
fn names_that_another_processor_reads_or_gives_are_no_slips() {
    let text = "Identifier: r\nInput: {pkg_path: a, pkg_notes: n, pkg_md5: m, RECIPE_DIR: d, pkg_nots: near to what no step reads}\n\
                Process:\n- Processor: find-package\n";
    assert_eq!(slips(&Folder::new(&[("r.recipe.yaml", text)]), "r.recipe.yaml"), "");
}

#[test]
fn nothing_is_said_where_readers_may_be_missing() {
    let with = |more: &str, process: &str| {
        format!("Identifier: r\n{more}Input: {{pkg_path: a, pkg_nam: b}}\nProcess:\n- Processor: {process}\n")
    };
    let folder = Folder::new(&[
        ("whole.recipe.yaml", &with("", "find-package")),
        ("foreign.recipe.yaml", &with("", "URLDownloader")),
        ("gap.recipe.yaml", &with("ParentRecipe: elsewhere\n", "find-package")),
    ]);
    assert!(slips(&folder, "whole.recipe.yaml").contains("`pkg_name`"));
    assert_eq!(slips(&folder, "foreign.recipe.yaml"), "");
    assert_eq!(slips(&folder, "gap.recipe.yaml"), "");
}

#[test]
fn what_is_near_enough() {
    let readers = Readers::new(SPECS, SETTINGS);
    let slips = [
        ("pkg_nmae", "pkg_name"),
        ("pkgname", "pkg_name"),
        ("PKG_CATEGORY", "pkg_category"),
        ("pkg-category", "pkg_category"),
        ("pkg_priorty", "pkg_priority"),
        ("reboot_requierd", "reboot_required"),
        ("API_USRNAME", "API_USERNAME"),
        ("API_CLIENT_ID", "CLIENT_ID"),
        ("RECIPE_SERACH_DIR", "RECIPE_SEARCH_DIRS"),
        ("notfy", "notify"),
        // An argument's second name works in `Arguments` only.
        ("package_name", "pkg_name"),
    ];
    for (name, meant) in slips {
        assert_eq!(readers.nearest(name), Some(meant), "{name}");
    }
    // Variables of AutoPkg's recipes, of JamfUploader and of other tools (`autopkg-recipes.md §6, §7`).
    let others = "NAME DOWNLOAD_URL VERSION version url source SOURCE category CATEGORY title SMB_URL SMB_USERNAME SMB_PASSWORD \
                  SMB_SHARES CLOUD_DP replace_pkg replace_pkg_metadata skip_metadata_upload recalculate max_tries sleep \
                  BEARER_TOKEN PLATFORM_API_REGION PLATFORM_API_TENANT_ID JAMF_CLI_PROFILE JSS_INVENTORY_NAME pkg_id \
                  pkg_uuid pkg_request pkgroot pkgdir pkg_dir app_path app_name dmg_path dmg_name zip_path bundleid bundle_id \
                  version_key source_pkg pkg_name_match versions_to_keep POLICY_NAME POLICY_CATEGORY GROUP_NAME \
                  GROUP_TEMPLATE SELF_SERVICE_DESCRIPTION SELF_SERVICE_DISPLAY_NAME SELF_SERVICE_ICON UPDATE_PREDICATE \
                  MUNKI_REPO MUNKI_REPO_SUBDIR MUNKI_CATEGORY GITHUB_TOKEN GITHUB_URL RECIPE_REPO_DIR RECIPE_REPOS \
                  RECIPE_OVERRIDE_DIRS CACHE_PATH SPARKLE_FEED_URL DEVELOPER_TEAM_ID PRODUCT_URL LOCALE ARCH OS_VERSION \
                  PKG_ID PKG_PATH_PREFIX pathname predicate";
    for name in others.split_whitespace() {
        assert_eq!(readers.nearest(name), None, "{name}");
    }
    assert_eq!(readers.nearest(&"pkg_name".repeat(1_000)), None);
}
