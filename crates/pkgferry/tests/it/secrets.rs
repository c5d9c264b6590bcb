use crate::stage::{Stage, noise};
use std::os::unix::fs::PermissionsExt;

#[test]
fn no_verbosity_shows_a_secret() {
    let (mut stage, server) = Stage::with_server();
    stage.set("RUST_LOG", "trace");
    let connection = server.connection().clone();
    let file = stage.write("App.pkg", noise(1, 9_000_000));
    for arguments in [
        vec!["upload", &file, "-vvvv"],
        vec!["upload", &file, "--force", "-vvvv", "--json"],
        vec!["explain", "recipes/ExampleApp.jamf.recipe.yaml", "-vvvv"],
    ] {
        let ran = stage.run(&arguments).succeeded();
        let all = format!("{}{}", ran.stdout, ran.stderr);
        for secret in [&connection.client_secret, &connection.password] {
            assert!(!all.contains(secret.as_str()), "{arguments:?}");
        }
        for word in ["Bearer ", "Basic ", "x-amz-security-token", "X-Amz-Signature", "Signature="] {
            assert!(!all.contains(word), "{arguments:?}: {word}");
        }
    }
}

#[test]
fn a_secret_is_refused_as_an_argument() {
    let stage = Stage::new();
    let ran = stage.run(&["run", "recipes/ExampleApp.jamf.recipe.yaml", "-k", "CLIENT_SECRET=hunter2"]);
    assert_eq!(ran.code, 3);
    assert!(!ran.shown().contains("hunter2"));
    insta::assert_snapshot!(ran.stderr, @"
    recipes/ExampleApp.jamf.recipe.yaml
      fail  `CLIENT_SECRET` is secret and must not be given on the command line
              hint: set the environment variable `CLIENT_SECRET`, or put it into the settings file
            1 fault
    ");
}

#[test]
fn what_is_made_from_a_secret_goes_into_no_field_that_is_shown() {
    let (stage, server) = Stage::with_server();
    let file = stage.write("App.pkg", noise(1, 10));
    let chain = "ParentRecipe: com.github.pkgferry.recipes.upload-package\n";
    for (name, text) in [
        ("input", format!("{chain}Input: {{pkg_path: '{file}', pkg_notes: 'x %CLIENT_SECRET%'}}\n")),
        ("indirect", format!("{chain}Input: {{pkg_path: '{file}', A: '%CLIENT_SECRET%', pkg_info: '%A%'}}\n")),
        ("argument", "Input: {}\nProcess:\n- Processor: package-metadata\n  Arguments: {pkg_name: a.pkg, info: '%CLIENT_SECRET%'}\n".into()),
        ("output", format!("{chain}Input: {{pkg_path: '{file}'}}\nProcess:\n- Processor: verify-delivery\n  Arguments: {{pkg_md5: '%jcds_session_token%'}}\n")),
    ] {
        let recipe = stage.write(&format!("{name}.recipe.yaml"), text);
        for arguments in [vec!["run", &recipe], vec!["run", &recipe, "--json", "-vvv"]] {
            let ran = stage.run(&arguments);
            assert_eq!(ran.code, 3, "{name}: {}", ran.shown());
            assert!(!ran.shown().contains(&server.connection().client_secret), "{name}");
            assert!(ran.shown().contains("secret"), "{name}: {}", ran.shown());
        }
    }
    assert!(server.packages().is_empty() && server.files().is_empty());
}

#[test]
fn a_settings_file_with_a_secret_must_be_closed_to_others() {
    let (mut stage, server) = Stage::with_server();
    let connection = server.connection().clone();
    let text =
        format!("CLIENT_ID = {:?}\nCLIENT_SECRET = {:?}\n", connection.client_id, connection.client_secret);
    let settings = stage.write("settings.toml", text);
    stage.set("CLIENT_ID", "");
    stage.set("CLIENT_SECRET", "");
    let file = stage.write("App.pkg", noise(1, 10));
    let arguments = ["upload", &file, "--settings", &settings];

    std::fs::set_permissions(&settings, PermissionsExt::from_mode(0o644)).unwrap();
    insta::assert_snapshot!(stage.run(&arguments).shown(), @"
    exit 3
    --- stderr
    pkgferry: [STAGE]/settings.toml holds CLIENT_SECRET and can be read by other users
      hint: chmod 600 [STAGE]/settings.toml
    ");
    std::fs::set_permissions(&settings, PermissionsExt::from_mode(0o600)).unwrap();
    stage.run(&arguments).succeeded();
}
