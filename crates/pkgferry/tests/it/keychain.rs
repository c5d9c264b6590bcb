//! Secrets out of the keychain of the system. Here that is what `secret-tool` on the PATH says; on a Mac `/usr/bin/security` is asked
//! wherever the PATH leads, so that nothing can stand for it there.

use crate::batch::recipes;
use crate::stage::{Server, Stage, noise};
use std::os::unix::fs::PermissionsExt;

/// A keyring with one item, `jamf/ferry`; it notes what it is asked.
fn keyring(stage: &mut Stage, secret: &str) {
    let (asked, holds) = (stage.path("asked"), stage.write("keyring", secret));
    let tool = format!(
        "#!/bin/sh\necho \"$*\" >>'{}'\n\
         case \"$*\" in\n\
         'lookup service jamf account ferry') exec /bin/cat '{holds}' ;;\n\
         'lookup service jamf account locked') exit 1 ;;\n\
         'search service jamf account locked') echo '[/2]' ;;\n\
         'lookup '*) exit 1 ;;\n\
         'search '*) ;;\n\
         *) echo 'usage' >&2; exit 2 ;;\n\
         esac\n",
        asked.display()
    );
    std::fs::create_dir_all(stage.path("bin")).unwrap();
    let tool = stage.write("bin/secret-tool", tool);
    std::fs::set_permissions(tool, PermissionsExt::from_mode(0o755)).unwrap();
    let folder = stage.path("bin").to_str().unwrap().to_owned();
    stage.set("PATH", &folder);
}

fn asked(stage: &Stage) -> Vec<String> {
    let asked = std::fs::read_to_string(stage.path("asked")).unwrap_or_default();
    let _ = std::fs::remove_file(stage.path("asked"));
    asked.lines().map(str::to_owned).collect()
}

/// Settings that others may read: they only say where the secret is.
fn settle(stage: &mut Stage, text: &str) {
    let file = stage.write("settings.toml", text);
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    stage.set("PKGFERRY_SETTINGS", &file);
}

/// What leads to a server, as it stands in a table; where its secret is comes behind it, if at all.
fn access(server: &Server) -> String {
    let at = server.connection();
    format!(
        "JSS_URL = {:?}\nCLIENT_ID = {:?}\nPKGFERRY_S3_ENDPOINT = {:?}\n",
        at.jss_url, at.client_id, at.s3_endpoint
    )
}

fn without_secret() -> (Stage, Server) {
    let mut stage = Stage::new();
    let server = Server::start(stage.path("server"), |_| {});
    keyring(&mut stage, &server.connection().client_secret);
    (stage, server)
}

/// Wherever a place may be named: on top of the settings, in the table of a server, in a list of recipes, in the environment. A
/// whole run asks once, and nothing that it shows or leaves has the secret.
#[test]
fn a_secret_comes_out_of_the_keychain() {
    let (mut stage, server) = without_secret();
    let place = "keychain:jamf/ferry";
    let folder = recipes(&stage, 3);
    let list = stage.write("list.yaml", format!("recipes: [{folder}]\nCLIENT_SECRET: {place}\n"));
    let report = stage.path("run.json").to_str().unwrap().to_owned();
    let mut run = |settings: &str, arguments: &[&str], variable: &str| {
        settle(&mut stage, settings);
        stage.set("CLIENT_SECRET", variable);
        let ran = stage.run(&[&["run", "--report", &report, "-vvv"], arguments].concat()).succeeded();
        assert_eq!(asked(&stage), ["lookup service jamf account ferry"], "{}", ran.shown());
        let left = std::fs::read_to_string(&report).unwrap();
        assert_eq!(left.matches("\"identifier\"").count(), 3, "{left}");
        for told in [ran.shown(), left] {
            assert!(!told.contains(&server.connection().client_secret), "{told}");
        }
    };
    let access = access(&server);
    let whole = format!("{access}CLIENT_SECRET = {place:?}\n");
    run(&whole, &[&folder], "");
    run(&format!("[servers.test]\n{whole}"), &[&folder, "--server", "test"], "");
    run(&access, &["--recipe-list", &list], "");
    run(&access, &[&folder], place);
    assert_eq!(server.names().len(), 3);
}

#[test]
fn a_keychain_that_has_no_secret_ends_the_run_before_any_request() {
    let (mut stage, server) = without_secret();
    let package = stage.write("App.pkg", noise(1, 10));
    let run = |stage: &mut Stage, place: &str| {
        settle(stage, &format!("{}CLIENT_SECRET = {place:?}\n", access(&server)));
        stage.run(&["upload", &package]).shown()
    };
    insta::assert_snapshot!(run(&mut stage, "keychain:jamf/nobody"), @"
    exit 6
    --- stderr
    pkgferry: cannot get CLIENT_SECRET
      caused by: there is no keychain:jamf/nobody to be found
      hint: store it, on a Mac with `security add-generic-password -s 'jamf' -a 'nobody' -w`, elsewhere with `secret-tool store --label=pkgferry service 'jamf' account 'nobody'`
    ");
    insta::assert_snapshot!(run(&mut stage, "keychain:jamf/locked"), @"
    exit 6
    --- stderr
    pkgferry: cannot get CLIENT_SECRET
      caused by: keychain:jamf/locked cannot be read: the keychain is locked, or would have to ask somebody
      hint: unlock it before (on a Mac: security unlock-keychain), or keep the secret where nobody has to be logged in: in the System keychain of a Mac, or take the secret from env:, file:, credential: or command: instead
    ");
    assert_eq!(
        asked(&stage),
        [
            "lookup service jamf account nobody",
            "search service jamf account nobody",
            "lookup service jamf account locked",
            "search service jamf account locked",
        ]
    );
    // A machine without libsecret's tool.
    std::fs::remove_file(stage.path("bin/secret-tool")).unwrap();
    insta::assert_snapshot!(run(&mut stage, "keychain:jamf/ferry"), @"
    exit 6
    --- stderr
    pkgferry: cannot get CLIENT_SECRET
      caused by: cannot start secret-tool, which keychain:jamf/ferry needs
      caused by: No such file or directory (os error 2)
      hint: install it (on Debian and Ubuntu: libsecret-tools), or take the secret from env:, file:, credential: or command: instead
    ");
    assert!(server.journal().is_empty());
}

/// Who writes a recipe is not who signs in: it gets nothing out of the keychain, for no server. And whoever tried is told so by the
/// check, and not by a server that was sent the name of the place.
#[test]
fn a_recipe_takes_nothing_out_of_the_keychain() {
    let (mut stage, server) = without_secret();
    settle(&mut stage, &access(&server));
    let package = stage.write("App.pkg", noise(1, 10));
    let text = format!(
        "Identifier: own\nParentRecipe: com.github.pkgferry.recipes.upload-package\n\
         Input:\n  pkg_path: {package:?}\n  CLIENT_SECRET: keychain:jamf/ferry\n"
    );
    let recipe = stage.write("Own.recipe.yaml", text);
    insta::assert_snapshot!(stage.run(&["check", &recipe]).shown(), @"
    exit 3
    --- stdout
    [STAGE]/Own.recipe.yaml: faulty
      [STAGE]/Own.recipe.yaml:5:3: `CLIENT_SECRET` says where a secret is kept, and a recipe is not asked for that
        hint: say it in the settings file, in a list of recipes or in the environment instead
      1 fault
    ");
    insta::assert_snapshot!(stage.run(&["run", &recipe]).shown(), @"
    exit 3
    --- stdout
      = failed
    --- stderr
    [STAGE]/Own.recipe.yaml
      fail  [STAGE]/Own.recipe.yaml:5:3: `CLIENT_SECRET` says where a secret is kept, and a recipe is not asked for that
              hint: say it in the settings file, in a list of recipes or in the environment instead
            1 fault
    ");
    assert_eq!((asked(&stage).len(), server.journal().len()), (0, 0));
    // What stands elsewhere wins over it where it may.
    stage.set("CLIENT_SECRET", "keychain:jamf/ferry");
    stage.run(&["run", &recipe]).succeeded();
}
