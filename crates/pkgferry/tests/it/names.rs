use crate::stage::{Stage, noise};

/// Names that have broken other tools (`user-pains.md` row 25).
const NAMES: &[&str] = &[
    "With space.pkg",
    "50% off #1 (2.0+beta) & more.pkg",
    "Percent %41 %NAME% %20.pkg",
    "Umlaut composed \u{e4}.pkg",
    "Umlaut decomposed a\u{308}.pkg",
    "Emoji \u{1f680}.pkg",
    "Quote \"'`$;?=,~@!*.pkg",
];

#[test]
fn awkward_names_go_up_and_are_found_again() {
    for api in ["pro", "classic"] {
        let (stage, server) = Stage::with_server();
        for (index, name) in NAMES.iter().enumerate() {
            let bytes = noise(index as u64 + 1, 2_000);
            let file = stage.write(name, &bytes);
            let arguments =
                ["upload", &file, "--category", "Grün & Söhne", "--create-category", "--package-api", api];
            stage.run(&arguments).succeeded();
            assert_eq!(server.bytes_of(name).as_deref(), Some(bytes.as_slice()), "{api} {name}");
            server.clear_journal();
            let again = stage.run(&arguments).succeeded();
            assert!(server.writes().is_empty(), "{api} {name}: {}", again.stdout);
            // And replaced, which takes a deletion by name.
            let other = noise(index as u64 + 100, 2_100);
            stage.write(name, &other);
            stage.run(&arguments).succeeded();
            assert_eq!(server.bytes_of(name).as_deref(), Some(other.as_slice()), "{api} {name}");
        }
        let mut names: Vec<_> = NAMES.iter().map(ToString::to_string).collect();
        names.sort();
        let mut listed = server.names();
        listed.sort();
        assert_eq!(listed, names, "{api}: one file a name, and no twin");
        assert_eq!(server.packages().len(), NAMES.len(), "{api}");
    }
}

#[test]
fn the_file_name_and_the_display_name_can_be_chosen() {
    let (stage, server) = Stage::with_server();
    let file = stage.write("app.pkg", noise(1, 100));
    let arguments = ["upload", &file, "--name", "App-1.2.pkg", "--display-name", "The App"];
    stage.run(&arguments).succeeded();
    assert_eq!(server.names(), ["App-1.2.pkg"]);
    let record = &server.packages()[0];
    assert_eq!(
        (record["fileName"].as_str(), record["packageName"].as_str()),
        (Some("App-1.2.pkg"), Some("The App"))
    );
    server.clear_journal();
    stage.run(&arguments).succeeded();
    assert!(server.writes().is_empty());
}
