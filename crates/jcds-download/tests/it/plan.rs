//! What planning finds; nothing is fetched, and nothing is made.

use crate::rig::noise;
use crate::stage::{Stage, text};
use insta::assert_snapshot;
use pipeline::Value;
use sandbox::Side;

#[tokio::test]
async fn a_plan_says_what_goes_where_and_makes_nothing() {
    let (stage, _) = Stage::with_file("App.pkg", 842).await;
    assert_snapshot!(stage.planned(&[]).await, @"download file App.pkg to HERE/App.pkg, 842 to fetch");
    let other = text(stage.path("Other.pkg").to_str().unwrap());
    assert_snapshot!(stage.planned(&[("download_path", other)]).await, @"download file App.pkg to HERE/Other.pkg, 842 to fetch");
    assert_eq!(stage.requests(Side::Jamf), ["GET /api/v1/jcds/files 200"; 2]);
    assert_eq!((stage.fetched(), stage.names().len()), (0, 0));
}

#[tokio::test]
async fn what_is_there_already_is_not_fetched() {
    let (stage, bytes) = Stage::with_file("App.pkg", 842).await;
    std::fs::write(stage.path("App.pkg"), bytes).unwrap();
    let planned = stage.planned(&[]).await;
    assert_snapshot!(planned, @"skipped: HERE/App.pkg is the listed file: 842 bytes, MD5 and SHA3-512 agree");
    assert_eq!(stage.planned(&[("overwrite", Value::Bool(true))]).await, planned);
    assert_eq!(stage.names(), ["App.pkg"]);
}

#[tokio::test]
async fn another_file_is_refused_unless_it_is_to_be_replaced() {
    let (stage, bytes) = Stage::with_file("App.pkg", 842).await;
    std::fs::write(stage.path("App.pkg"), "short").unwrap();
    assert_snapshot!(stage.planned(&[]).await, @"
    Local: HERE/App.pkg is there already: it has 5 bytes, and 842 bytes are listed
    hint: to replace it, say --overwrite (in a recipe `overwrite: true`)
    ");
    assert_snapshot!(stage.planned(&[("overwrite", Value::Bool(true))]).await, @"download file App.pkg to HERE/App.pkg (in place of the file there: it has 5 bytes, and 842 bytes are listed), 842 to fetch");
    std::fs::write(stage.path("App.pkg"), noise(1, bytes.len())).unwrap();
    assert_snapshot!(stage.planned(&[]).await, @"
    Local: HERE/App.pkg is there already: its MD5 is not the listed one
    hint: to replace it, say --overwrite (in a recipe `overwrite: true`)
    ");
    assert_eq!(std::fs::read(stage.path("App.pkg")).unwrap(), noise(1, bytes.len()));
}

#[tokio::test]
async fn a_target_that_cannot_be_is_told_before_the_server_is_asked() {
    let (stage, _) = Stage::with_file("App.pkg", 842).await;
    let planned = async |name: &str| {
        let path = format!("{}/{name}", stage.path("").to_str().unwrap().trim_end_matches('/'));
        stage.planned(&[("download_path", text(&path))]).await
    };
    assert_snapshot!(planned("none/").await, @"
    Local: there is no folder HERE/none/
    hint: make the folder first, or name another target
    ");
    assert_snapshot!(planned("none/App.pkg").await, @"
    Local: there is no folder HERE/none
    hint: make the folder first, or name another target
    ");
    assert_eq!(stage.requests(Side::Jamf), [""; 0]);
    std::fs::create_dir(stage.path("App.pkg")).unwrap();
    assert_snapshot!(planned("").await, @"
    Local: HERE/App.pkg is not a file
    hint: name another target
    ");
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_to_nothing_is_there() {
    let (stage, _) = Stage::with_file("App.pkg", 842).await;
    std::os::unix::fs::symlink("/no/such/file", stage.path("App.pkg")).unwrap();
    assert_snapshot!(stage.planned(&[]).await, @"
    Local: HERE/App.pkg is there already: it is a link to nothing
    hint: to replace it, say --overwrite (in a recipe `overwrite: true`)
    ");
}

#[tokio::test]
async fn a_name_is_one_name_in_one_folder() {
    let (stage, _) = Stage::with_file("App.pkg", 842).await;
    for name in ["../App.pkg", "a/b.pkg", "..", ""] {
        let planned = stage.planned(&[("pkg_name", text(name))]).await;
        assert!(planned.starts_with("Recipe: pkg_name (from -k) has the wrong type: "), "{planned}");
    }
    assert_eq!(stage.requests(Side::Jamf), [""; 0]);
}

/// What a server lists is not what anybody asked for: only a name that was asked for becomes a path.
#[tokio::test]
async fn listed_names_lead_nowhere() {
    let (stage, _) = Stage::with_file("../../App.pkg", 842).await;
    assert_snapshot!(stage.planned(&[]).await, @"
    Remote: the distribution service lists no file App.pkg
    hint: names are case-sensitive; a file that was sent a moment ago may not be listed yet
    ");
}

#[tokio::test]
async fn a_file_that_is_not_listed_is_told_with_what_looks_like_it() {
    let (stage, _) = Stage::with_file("app.pkg", 842).await;
    stage.sandbox.put_file("App_1.pkg", b"twin");
    stage.sandbox.put_file("Other.pkg", b"other");
    assert_snapshot!(stage.planned(&[]).await, @"
    Remote: the distribution service lists no file App.pkg
    hint: did you mean app.pkg or App_1.pkg?
    ");
    assert_snapshot!(stage.planned(&[("pkg_name", text("Firefox.pkg"))]).await, @"
    Remote: the distribution service lists no file Firefox.pkg
    hint: names are case-sensitive; a file that was sent a moment ago may not be listed yet
    ");
}

#[tokio::test]
async fn several_spellings_of_a_name_are_for_a_person_to_tell_apart() {
    let (stage, _) = Stage::with_file("B\u{fc}ro.pkg", 842).await;
    stage.sandbox.put_file("Bu\u{308}ro.pkg", b"the other one");
    assert_snapshot!(stage.planned(&[("pkg_name", text("B\u{fc}ro.pkg"))]).await, @r"
    Remote: the distribution service lists 2 files whose names differ only in how their characters are encoded: B\u{fc}ro.pkg, Bu\u{308}ro.pkg
    hint: find out which of these files the package record serves, and delete the others; then run again
    ");
}

#[tokio::test]
async fn inputs_have_bounds() {
    let (stage, _) = Stage::with_file("App.pkg", 842).await;
    assert_snapshot!(stage.planned(&[("download_concurrency", Value::Integer(17))]).await, @"Recipe: download_concurrency (from -k) has the wrong type: integer 17 is not a whole number from 1 to 16");
    assert_snapshot!(stage.planned(&[("download_stall_seconds", text("0"))]).await, @r#"Recipe: download_stall_seconds (from -k) has the wrong type: string "0" is not a whole number from 1 to 3600"#);
}
