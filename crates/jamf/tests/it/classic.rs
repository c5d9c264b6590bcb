use crate::stub::{Reply, Rig, Seen, Stub, shown, signed_in};
use jamf::{Category, Field, FieldValue, PackageApi, Setting};
use pipeline::FileName;

fn file(name: &str) -> FileName {
    name.parse().unwrap()
}

fn set(field: Field, value: FieldValue) -> Setting {
    Setting { field, value }
}

fn text(text: &str) -> FieldValue {
    FieldValue::Text(text.to_owned())
}

/// A list of records with these ids and display names.
fn list(entries: &[(u32, &str)]) -> Reply {
    let entries: String = entries
        .iter()
        .map(|(id, name)| format!("  <package>\n<id>{id}</id><name>{name}</name></package>\n"))
        .collect();
    Reply::new(
        200,
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<packages>\n<size>9</size>{entries}</packages>"),
    )
}

fn record(id: u32, name: &str, file: &str) -> Reply {
    Reply::new(
        200,
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<package>\n  <id>{id}</id>\n  <name>{name}</name>\n  \
             <category>No category assigned</category>\n  <filename>{file}</filename>\n  <info/>\n  <notes>a&#13;\nb</notes>\n  \
             <priority>10</priority>\n  <reboot_required>true</reboot_required>\n  <required_processor>None</required_processor>\n  \
             <hash_type>MD5</hash_type>\n  <hash_value>a9add9ab48cd8fcd616e74026b762fc6</hash_value>\n  <triggering_files/>\n  \
             <send_notification>false</send_notification>\n</package>"
        ),
    )
}

/// A server of before 11.5 with four records: two name one file, one vanishes while all are read.
fn old_server(seen: &Seen) -> Reply {
    match seen.target.as_str() {
        "/JSSResource/packages" => {
            list(&[(1, "App"), (2, "App &amp; Friends"), (3, "Gone"), (4, "App twice"), (5, "A/B")])
        }
        "/JSSResource/packages/id/1" | "/JSSResource/packages/name/App" => record(1, "App", "App.pkg"),
        "/JSSResource/packages/id/2" => record(2, "App &amp; Friends", "App &amp; Friends+1.pkg"),
        "/JSSResource/packages/id/4" => record(4, "App twice", "App.pkg"),
        "/JSSResource/packages/id/5" => record(5, "A/B", "AB.pkg"),
        target if target.starts_with("/api/v1/packages") => Reply::new(404, ""),
        _ => Reply::page(404, "The server has not found anything matching the request URI"),
    }
}

#[tokio::test]
async fn a_server_without_the_pro_api_is_asked_in_classic_and_read_once() {
    let stub = Stub::start(signed_in(old_server)).await;
    let rig = Rig::new(&stub.url);
    let (app, friends) = (file("App.pkg"), file("App & Friends+1.pkg"));
    let (one, two) = tokio::join!(
        rig.session.packages_named(&rig.cx, &app),
        rig.session.packages_named(&rig.cx, &friends)
    );
    let ids = |found: Vec<jamf::Package>| found.iter().map(|package| package.id.get()).collect::<Vec<_>>();
    assert_eq!(ids(one.unwrap()), [1, 4]);
    assert_eq!(ids(two.unwrap()), [2]);
    assert_eq!(ids(rig.session.packages_named(&rig.cx, &file("absent.pkg")).await.unwrap()), [0; 0]);
    assert_eq!(rig.session.package_api(&rig.cx).await.unwrap(), PackageApi::Classic);
    let classic = stub.calls().iter().filter(|seen| seen.target.starts_with("/JSSResource")).count();
    assert_eq!(classic, 6);
    assert!(
        rig.notices()
            .contains(&"reading 5 package records: the Classic API cannot search by file name".into())
    );
}

#[tokio::test]
async fn a_record_tells_what_classic_knows() {
    let stub = Stub::start(signed_in(old_server)).await;
    let rig = Rig::classic(&stub.url);
    let package = rig.session.package(&rig.cx, 2.try_into().unwrap()).await.unwrap().unwrap();
    assert_eq!(package.file_name, "App & Friends+1.pkg");
    assert_eq!(package.md5.unwrap().to_string(), "a9add9ab48cd8fcd616e74026b762fc6");
    assert_eq!((package.size, package.sha3_512, package.transfer_status.as_deref()), (None, None, None));
    insta::assert_snapshot!(format!("{:?}", package.values), @r#"{DisplayName: Text("App & Friends"), Info: Text(""), Notes: Text("a\r\nb"), Priority: Number(10), RebootRequired: Flag(true), RequiredProcessor: Text("None"), SendNotification: Flag(false)}"#);
    assert!(rig.session.package(&rig.cx, 3.try_into().unwrap()).await.unwrap().is_none());
    assert_eq!(stub.calls()[0].header("accept"), Some("application/xml"));
}

#[tokio::test]
async fn display_names_go_into_the_path_unless_it_cannot_carry_them() {
    let stub = Stub::start(signed_in(old_server)).await;
    let rig = Rig::classic(&stub.url);
    let ids = async |name: &str| {
        let found = rig.session.packages_displayed_as(&rig.cx, name).await.unwrap();
        found.iter().map(|package| package.id.get()).collect::<Vec<_>>()
    };
    assert_eq!(ids("App").await, [1]);
    assert_eq!(ids("A/B").await, [5]);
    assert_eq!(ids("..").await, [0; 0]);
    assert_eq!(ids("Ü #1+2 (50%)?.pkg 🎉").await, [0; 0]);
    insta::assert_snapshot!(stub.lines(), @r"
    GET /JSSResource/packages/name/App
    GET /JSSResource/packages
    GET /JSSResource/packages/id/5
    GET /JSSResource/packages
    GET /JSSResource/packages/name/%C3%9C%20%231%2B2%20%2850%25%29%3F.pkg%20%F0%9F%8E%89
    ");
}

#[tokio::test]
async fn records_are_written_in_xml() {
    let stub = Stub::start(signed_in(|seen| match seen.method.as_str() {
        "POST" | "PUT" => {
            Reply::new(201, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><package><id>42</id></package>")
        }
        _ => record(42, "App", "App.pkg"),
    }))
    .await;
    let rig = Rig::classic(&stub.url);
    let settings = [
        set(Field::Notes, text("a & b\r\n<c> “d” 🎉")),
        set(Field::RequiredProcessor, text("x86")),
        set(Field::Category, FieldValue::Category(Some(Category { id: 7, name: "Design & Media".into() }))),
        set(Field::Priority, FieldValue::Number(3)),
    ];
    let id = rig.session.create_package(&rig.cx, &file("A&B.pkg"), "A&B", &settings).await.unwrap();
    let package = rig.session.package(&rig.cx, id).await.unwrap().unwrap();
    let clear = [
        set(Field::Category, FieldValue::Category(None)),
        set(Field::Notes, text("")),
        set(Field::SendNotification, FieldValue::Flag(true)),
    ];
    rig.session.update_package(&rig.cx, &package, &clear).await.unwrap();
    let sent: Vec<_> = stub.calls().into_iter().filter(|seen| seen.method != "GET").collect();
    assert_eq!(sent[0].header("content-type"), Some("application/xml"));
    let sent: Vec<_> = sent.iter().map(|seen| format!("{}\n{}", seen.line(), seen.body)).collect();
    insta::assert_snapshot!(sent.join("\n"), @r#"
    POST /JSSResource/packages/id/0
    <?xml version="1.0" encoding="UTF-8"?><package><category>Design &amp; Media</category><filename>A&amp;B.pkg</filename><name>A&amp;B</name><notes>a &amp; b&#13;
    &lt;c&gt; “d” 🎉</notes><priority>3</priority><required_processor>x86</required_processor></package>
    PUT /JSSResource/packages/id/42
    <?xml version="1.0" encoding="UTF-8"?><package><category></category><notes></notes><send_notification>true</send_notification></package>
    "#);
}

#[tokio::test]
async fn what_xml_cannot_carry_is_refused() {
    let stub = Stub::start(signed_in(old_server)).await;
    let rig = Rig::classic(&stub.url);
    let bell = [set(Field::Info, text("ding\u{7}"))];
    let error = rig.session.create_package(&rig.cx, &file("App.pkg"), "App", &bell).await.unwrap_err();
    assert_eq!(error.to_string(), "the info cannot hold the sign U+0007, which XML cannot carry");
    assert_eq!(stub.calls().len(), 0);
}

#[tokio::test]
async fn error_pages_become_sentences() {
    let stub = Stub::start(signed_in(|seen| match seen.method.as_str() {
        "POST" => Reply::page(409, "Error: Duplicate name"),
        "PUT" => Reply::page(409, "Error: Problem with category"),
        _ => record(42, "App", "App.pkg"),
    }))
    .await;
    let rig = Rig::classic(&stub.url);
    let error = rig.session.create_package(&rig.cx, &file("App.pkg"), "App", &[]).await.unwrap_err();
    insta::assert_snapshot!(shown(error, &stub.url), @r"
    Remote: POST /JSSResource/packages/id/0 was answered with 409 Conflict: Duplicate name
    another package record has this display name already: set pkg_display_name, or run again if it is this package's
    ");
    let package = rig.session.package(&rig.cx, 42.try_into().unwrap()).await.unwrap().unwrap();
    let error =
        rig.session.update_package(&rig.cx, &package, &[set(Field::Info, text("i"))]).await.unwrap_err();
    insta::assert_snapshot!(error, @"PUT /JSSResource/packages/id/42 was answered with 409 Conflict: Problem with category");
}

#[tokio::test]
async fn a_lost_answer_is_looked_up_by_display_name() {
    let mut posts = 0;
    let stub = Stub::start(signed_in(move |seen| match seen.method.as_str() {
        "POST" => {
            posts += 1;
            Reply::new(504, "")
        }
        _ if posts == 0 => Reply::page(404, "none"),
        _ => record(42, "App", "App.pkg"),
    }))
    .await;
    let rig = Rig::classic(&stub.url);
    let id = rig.session.create_package(&rig.cx, &file("App.pkg"), "App", &[]).await.unwrap();
    assert_eq!(id.get(), 42);
    insta::assert_snapshot!(stub.lines(), @r"
    POST /JSSResource/packages/id/0
    GET /JSSResource/packages/name/App
    ");
}
