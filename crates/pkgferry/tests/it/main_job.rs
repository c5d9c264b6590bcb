use crate::stage::{Stage, example_package, noise};

const RECIPE: &str = "recipes/ExampleApp.jamf.recipe.yaml";

#[test]
fn the_first_run_carries_the_package_and_the_second_sends_nothing() {
    let (stage, server) = Stage::with_server();
    let first = stage.run(&["run", RECIPE]).succeeded();
    insta::assert_snapshot!(first.shown(), @r#"
    exit 0
    --- stdout
    com.github.pkgferry.recipes.ExampleApp
      look  choose-route      jcds: the files of this server are in Jamf Cloud's own distribution service; packages-api if it is refused
      look  find-package      no record, no file
      look  compare-hash      absent: the server has no file of this name
      plan  jcds-credentials  obtain upload credentials for ExampleApp-1.2.3.pkg
      plan  s3-upload         create file ExampleApp-1.2.3.pkg (the server has no file of this name), 842 bytes to send
      plan  package-metadata  create category Applications
      plan  package-metadata  create record ExampleApp-1.2.3.pkg
                                display_name: "ExampleApp-1.2.3.pkg"
                                category: "Applications"
                                notes: "ExampleApp 1.2.3, carried by pkgferry"
                                priority: "10"
      skip  package-upload    route jcds: s3-upload sends the file
      plan  verify-delivery   prove delivery of ExampleApp-1.2.3.pkg
      done  jcds-credentials  upload credentials, good until [TIME]
      done  s3-upload         sent ExampleApp-1.2.3.pkg: 842 bytes in 1 part
      done  package-metadata  created record 1 (category Applications, notes, priority 10)
      done  verify-delivery   proven after [N] s: size, MD5 and SHA3-512 agree, record 1 is READY
      = created: 842 bytes sent
    --- stderr
      warn  Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them
    "#);
    insta::assert_snapshot!(server.requests(), @"
    POST /api/v1/oauth/token 200
    GET /api/v1/jamf-pro-version 200
    GET /api/schema/ 200
    GET /api/v1/cloud-distribution-point 200
    GET /api/v1/cloud-distribution-point/upload-capability 200
    GET /api/v1/packages 200
    GET /api/v1/jcds/files 200
    GET /api/v1/categories 200
    POST /api/v1/jcds/files 201
    POST /pkgferry-rehearsal/tmp/…/ExampleApp-1.2.3.pkg?uploads 200
    PUT /pkgferry-rehearsal/tmp/…/ExampleApp-1.2.3.pkg?partNumber=1 200
    GET /api/v1/jcds/files 200
    POST /pkgferry-rehearsal/tmp/…/ExampleApp-1.2.3.pkg?uploadId=… 200
    GET /api/v1/jcds/files 200
    POST /api/v1/categories 201
    POST /api/v1/packages 201
    GET /api/v1/packages/1 200
    POST /api/v1/cloud-distribution-point/refresh-inventory 204
    GET /api/v1/jcds/files 200
    GET /api/v1/packages/1 200
    POST /api/v1/auth/invalidate-token 204
    ");
    assert_eq!(server.bytes_of("ExampleApp-1.2.3.pkg").unwrap(), std::fs::read(example_package()).unwrap());

    server.clear_journal();
    let second = stage.run(&["run", RECIPE]).succeeded();
    insta::assert_snapshot!(second.shown(), @"
    exit 0
    --- stdout
    com.github.pkgferry.recipes.ExampleApp
      look  choose-route      jcds: the files of this server are in Jamf Cloud's own distribution service; packages-api if it is refused
      look  find-package      record 1, file of 842 bytes
      look  compare-hash      same: 842 bytes, MD5 and SHA3-512 agree
      skip  jcds-credentials  842 bytes, MD5 and SHA3-512 agree
      skip  s3-upload         842 bytes, MD5 and SHA3-512 agree
      skip  package-metadata  record 1 already says so
      skip  package-upload    route jcds: s3-upload sends the file
      skip  verify-delivery   nothing was sent
      = skipped: nothing sent
    --- stderr
      warn  Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them
    ");
    assert!(server.writes().is_empty());
    // Sign in, one look at the record, one at the files, one at the category that the recipe names, sign out.
    insta::assert_snapshot!(server.requests(), @"
    POST /api/v1/oauth/token 200
    GET /api/v1/jamf-pro-version 200
    GET /api/v1/cloud-distribution-point 200
    GET /api/v1/cloud-distribution-point/upload-capability 200
    GET /api/v1/packages 200
    GET /api/v1/jcds/files 200
    GET /api/v1/categories 200
    POST /api/v1/auth/invalidate-token 204
    ");
}

#[test]
fn the_same_recipe_as_a_property_list_finds_everything_done() {
    let (stage, server) = Stage::with_server();
    stage.run(&["run", RECIPE]).succeeded();
    server.clear_journal();
    stage.run(&["run", "recipes/ExampleApp.jamf.recipe.plist"]).succeeded();
    assert!(server.writes().is_empty());
}

#[test]
fn other_bytes_replace_the_file_and_leave_the_record_alone() {
    let (stage, server) = Stage::with_server();
    let old = noise(1, 100_000);
    let new = noise(2, 100_000);
    let file = stage.write("App.pkg", &old);
    stage.run(&["upload", &file, "--notes", "by hand"]).succeeded();
    let before = server.packages();

    stage.write("App.pkg", &new);
    server.clear_journal();
    let ran = stage.run(&["upload", &file]).succeeded();
    insta::assert_snapshot!(ran.shown(), @"
    exit 0
    --- stdout
    App.pkg
      look  choose-route      jcds: the files of this server are in Jamf Cloud's own distribution service; packages-api if it is refused
      look  find-package      record 1, file of 97.6 KiB
      look  compare-hash      different: MD5 differs
      plan  jcds-credentials  obtain upload credentials for App.pkg
      plan  s3-upload         replace file App.pkg (MD5 differs), 97.6 KiB to send
      skip  package-metadata  record 1 already says so
      skip  package-upload    route jcds: s3-upload sends the file
      plan  verify-delivery   prove delivery of App.pkg
      done  jcds-credentials  upload credentials, good until [TIME]
      done  s3-upload         sent App.pkg: 97.6 KiB in 1 part, in place of the old file
      done  verify-delivery   proven after [N] s: size, MD5 and SHA3-512 agree, record 1 is READY
      = replaced: 97.6 KiB sent
    --- stderr
      warn  Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them
    ");
    assert_eq!(server.bytes_of("App.pkg").unwrap(), new);
    assert_eq!(server.names(), ["App.pkg"]);
    // The old file goes when all parts are there, and nothing but the look at the list stands before the completion.
    insta::assert_snapshot!(server.requests(), @"
    POST /api/v1/oauth/token 200
    GET /api/v1/jamf-pro-version 200
    GET /api/v1/cloud-distribution-point 200
    GET /api/v1/cloud-distribution-point/upload-capability 200
    GET /api/v1/packages 200
    GET /api/v1/jcds/files 200
    POST /api/v1/jcds/files 201
    POST /pkgferry-rehearsal/tmp/…/App.pkg?uploads 200
    PUT /pkgferry-rehearsal/tmp/…/App.pkg?partNumber=1 200
    GET /api/v1/jcds/files 200
    DELETE /api/v1/jcds/files/App.pkg 204
    GET /api/v1/jcds/files 200
    POST /pkgferry-rehearsal/tmp/…/App.pkg?uploadId=… 200
    GET /api/v1/jcds/files 200
    POST /api/v1/cloud-distribution-point/refresh-inventory 204
    GET /api/v1/jcds/files 200
    GET /api/v1/packages/1 200
    POST /api/v1/auth/invalidate-token 204
    ");
    let texts = |records: &[serde_json::Value]| {
        records.iter().map(|record| record["notes"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(texts(&server.packages()), texts(&before));
}

#[test]
fn only_the_fields_that_are_named_change() {
    let (stage, server) = Stage::with_server();
    let file = stage.write("App.pkg", noise(3, 5_000));
    stage.run(&["upload", &file, "--notes", "one", "--info", "by hand", "--priority", "7"]).succeeded();
    server.clear_journal();
    let ran = stage.run(&["upload", &file, "--notes", "two"]).succeeded();
    insta::assert_snapshot!(ran.shown(), @r#"
    exit 0
    --- stdout
    App.pkg
      look  choose-route      jcds: the files of this server are in Jamf Cloud's own distribution service; packages-api if it is refused
      look  find-package      record 1, file of 4.8 KiB
      look  compare-hash      same: 4.8 KiB, MD5 and SHA3-512 agree
      skip  jcds-credentials  4.8 KiB, MD5 and SHA3-512 agree
      skip  s3-upload         4.8 KiB, MD5 and SHA3-512 agree
      plan  package-metadata  update record App.pkg
                                notes: "one" -> "two"
      skip  package-upload    route jcds: s3-upload sends the file
      plan  verify-delivery   prove delivery of App.pkg
      done  package-metadata  updated record 1: notes
      done  verify-delivery   proven after [N] s: size, MD5 and SHA3-512 agree, record 1 is READY
      = metadata only: 0 bytes sent
    --- stderr
      warn  Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them
    "#);
    let record = &server.packages()[0];
    assert_eq!((record["notes"].as_str(), record["info"].as_str()), (Some("two"), Some("by hand")));
    assert_eq!(record["priority"], 7);
}

#[test]
fn force_sends_the_same_bytes_again() {
    let (stage, server) = Stage::with_server();
    let file = stage.write("App.pkg", noise(4, 5_000));
    stage.run(&["upload", &file]).succeeded();
    let ran = stage.run(&["upload", &file, "--force"]).succeeded();
    assert!(ran.stdout.contains("= replaced: 4.8 KiB sent"), "{}", ran.stdout);
    assert_eq!(server.names(), ["App.pkg"]);
}

#[test]
fn a_record_can_be_made_without_a_file() {
    let (stage, server) = Stage::with_server();
    let recipe = "recipes/package-record-only.recipe.yaml";
    let ran = stage
        .run(&["run", recipe, "-k", "pkg_name=Elsewhere.dmg", "-k", "pkg_info=on the share"])
        .succeeded();
    insta::assert_snapshot!(ran.shown(), @r#"
    exit 0
    --- stdout
    com.github.pkgferry.recipes.package-record-only
      plan  package-metadata  create record Elsewhere.dmg
                                display_name: "Elsewhere.dmg"
                                info: "on the share"
      done  package-metadata  created record 1 (info); record only, no file is looked at
      = metadata only: 0 bytes sent
    "#);
    assert_eq!(server.packages()[0]["fileName"], "Elsewhere.dmg");
    assert!(server.files().is_empty());
    server.clear_journal();
    stage.run(&["run", recipe, "-k", "pkg_name=Elsewhere.dmg", "-k", "pkg_info=on the share"]).succeeded();
    assert!(server.writes().is_empty());
}

#[test]
fn verification_can_be_had_alone() {
    let (stage, server) = Stage::with_server();
    let file = stage.write("App.pkg", noise(5, 5_000));
    stage.run(&["upload", &file]).succeeded();
    let pkg_path = format!("pkg_path={file}");
    let ran = stage.run(&["run", "recipes/verify-package.recipe.yaml", "-k", &pkg_path]).succeeded();
    assert!(ran.stdout.contains("size, MD5 and SHA3-512 agree"), "{}", ran.stdout);
    assert_eq!(server.names(), ["App.pkg"]);
}

#[test]
fn both_package_apis_and_both_kinds_of_sign_in_do_the_same() {
    for api in ["pro", "classic"] {
        let (mut stage, server) = Stage::with_server();
        let connection = server.connection();
        stage.set("CLIENT_ID", "");
        stage.set("CLIENT_SECRET", "");
        stage.set("API_USERNAME", &connection.username);
        stage.set("API_PASSWORD", &connection.password);
        let arguments = ["run", RECIPE, "--package-api", api];
        stage.run(&arguments).succeeded();
        let record = &server.packages()[0];
        assert_eq!(record["notes"], "ExampleApp 1.2.3, carried by pkgferry", "{api}");
        server.clear_journal();
        stage.run(&arguments).succeeded();
        assert!(server.writes().is_empty(), "{api}: {}", server.requests());
        let other = if api == "pro" { "/JSSResource/" } else { "/api/v1/packages" };
        assert!(!server.requests().contains(other), "{api}: {}", server.requests());
    }
}

#[test]
fn an_old_server_without_the_pro_api_is_served_by_the_classic_one() {
    let (stage, server) = Stage::with_server_like(|config| config.version = "11.4.0".into());
    stage.run(&["run", RECIPE]).succeeded();
    server.clear_journal();
    stage.run(&["run", RECIPE]).succeeded();
    assert!(server.writes().is_empty(), "{}", server.requests());
}

#[test]
fn one_faulty_recipe_does_not_hold_up_the_others() {
    let (stage, server) = Stage::with_server();
    let faulty =
        stage.write("Faulty.recipe.yaml", "Identifier: x\nInput: {}\nProcess:\n- Processor: no-such-step\n");
    let ran = stage.run(&["run", &faulty, RECIPE]);
    assert_eq!(ran.code, 3);
    assert_eq!(server.names(), ["ExampleApp-1.2.3.pkg"]);
    assert!(ran.stdout.ends_with("2 recipes: 1 failed, 1 created; 842 bytes sent\n"), "{}", ran.stdout);
}

#[test]
fn the_users_aws_settings_stay_outside() {
    let (mut stage, server) = Stage::with_server();
    let config =
        stage.write("aws-config", "[default]\nregion = eu-north-1\nendpoint_url = http://127.0.0.1:1\n");
    let variables = [
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1"),
        ("AWS_ACCESS_KEY_ID", "AKIAUSER"),
        ("AWS_SECRET_ACCESS_KEY", "of-the-user"),
        ("AWS_SESSION_TOKEN", "of-the-user"),
        ("AWS_REGION", "eu-north-1"),
        ("AWS_PROFILE", "no-such-profile"),
        ("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required"),
        ("AWS_CONFIG_FILE", config.as_str()),
    ];
    for (name, value) in variables {
        stage.set(name, value);
    }
    stage.run(&["run", RECIPE]).succeeded();
    assert_eq!(server.names(), ["ExampleApp-1.2.3.pkg"]);
}
