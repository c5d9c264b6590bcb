use crate::stub::{CLIENT, Reply, Rig, Stub, shown, signed_in};
use futures_util::future::join_all;
use jamf::{Category, Config, Error, Field, FieldValue, PackageApi, Setting};
use pipeline::{Access, FileName};
use serde_json::{Value, json};

fn file(name: &str) -> FileName {
    name.parse().unwrap()
}

fn set(field: Field, value: FieldValue) -> Setting {
    Setting { field, value }
}

fn text(text: &str) -> FieldValue {
    FieldValue::Text(text.to_owned())
}

fn record(id: u32, name: &str) -> Value {
    json!({ "id": id.to_string(), "packageName": name, "fileName": name })
}

#[tokio::test]
async fn a_record_is_found_under_any_spelling_and_remembered() {
    let composed = "Übung (1).pkg";
    let decomposed = "U\u{308}bung (1).pkg";
    let stub = Stub::start(signed_in(move |_| {
        Reply::list(&[record(1, composed), record(2, decomposed), record(3, "übung (1).pkg")])
    }))
    .await;
    let rig = Rig::new(&stub.url);
    let name = file(decomposed);
    let found = join_all((0..3).map(|_| rig.session.packages_named(&rig.cx, &name))).await;
    for found in found {
        let ids: Vec<u64> = found.unwrap().iter().map(|package| package.id.get()).collect();
        assert_eq!(ids, [1, 2]);
    }
    assert_eq!(stub.calls().len(), 1);
    let filter = stub.calls()[0].query("filter").unwrap();
    assert_eq!(filter, format!("fileName==\"{decomposed}\",fileName==\"{composed}\""));
    assert_eq!(rig.session.package_api(&rig.cx).await.unwrap(), PackageApi::Pro);
    assert_eq!(stub.calls().len(), 1);
}

#[tokio::test]
async fn all_pages_are_read_and_entries_in_any_shape_survive() {
    let stub = Stub::start(signed_in(|seen| {
        let page: u32 = seen.query("page").unwrap().parse().unwrap();
        let entries: Vec<Value> = match page {
            0 => (1..=200).map(|id| record(id, &format!("{id}.pkg"))).collect(),
            1 => (201..=250).map(|id| record(id, &format!("{id}.pkg"))).chain([
                json!(null),
                json!({ "fileName": "another.pkg" }),
                json!({ "id": 251, "fileName": "a*.pkg", "packageName": null, "size": "234KB", "news": [1] }),
            ])
            .collect(),
            _ => vec![],
        };
        Reply::new(200, json!({ "totalCount": 300, "results": entries }).to_string())
    }))
    .await;
    let rig = Rig::new(&stub.url);
    let found = rig.session.packages_named(&rig.cx, &file("a*.pkg")).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].id.get(), found[0].size, found[0].display_name.as_str()), (251, None, ""));
    assert_eq!(stub.calls().len(), 3);
}

#[tokio::test]
async fn an_empty_list_may_lack_its_results() {
    for (page, fine) in [
        (json!({ "totalCount": 0 }), true),
        (json!({ "totalCount": 0, "results": null }), true),
        (json!({ "totalCount": 3 }), false),
    ] {
        let text = page.to_string();
        let stub = Stub::start(signed_in(move |_| Reply::new(200, text.clone()))).await;
        let rig = Rig::new(&stub.url);
        let found = rig.session.packages_named(&rig.cx, &file("a.pkg")).await;
        assert_eq!(found.is_ok_and(|found| found.is_empty()), fine, "{page}");
    }
}

#[tokio::test]
async fn a_record_tells_what_it_holds() {
    let md5 = "57edc6fb14900ff7ae0c80727f6a03a1";
    let sha3 = "f69859e4ba22c1149cd51dcad4f44d613411a5555b60cde661fa2e587af671ce62030c54023ac42ba6c1ee159e54ea274e31bcbb74c519b9d0bc2752b910041d";
    let old = json!({
        "id": "42", "packageName": "App", "fileName": "App.pkg", "info": null, "notes": "line\nbreak", "priority": 10,
        "rebootRequired": true, "fillUserTemplate": 0, "osRequirements": "", "cloudTransferStatus": "READY", "md5": md5,
        "hashType": "SHA3_512", "hashValue": sha3.to_uppercase(), "size": "1048576"
    });
    let bare =
        json!({ "id": "43", "hashType": "SHA_512", "hashValue": "", "size": "", "cloudTransferStatus": "" });
    let stub = Stub::start(signed_in(move |seen| match seen.target.as_str() {
        "/api/v1/packages/42" => Reply::new(200, old.to_string()),
        "/api/v1/packages/43" => Reply::new(200, bare.to_string()),
        target if target.starts_with("/api/v1/packages?") => Reply::list(&[]),
        _ => Reply::fault(404, "INVALID_ID", "Package with that id does not exist", Some("id")),
    }))
    .await;
    let rig = Rig::new(&stub.url);
    let read = async |id: u64| rig.session.package(&rig.cx, id.try_into().unwrap()).await.unwrap();

    let full = read(42).await.unwrap();
    assert_eq!(full.size, Some(1_048_576));
    assert_eq!(full.md5.unwrap().to_string(), md5);
    assert_eq!(full.sha3_512.unwrap().to_string(), sha3);
    assert_eq!(full.transfer_status.as_deref(), Some("READY"));
    insta::assert_snapshot!(format!("{:?}", full.values), @r#"{DisplayName: Text("App"), Info: Text(""), Notes: Text("line\nbreak"), Priority: Number(10), RebootRequired: Flag(true), FillUserTemplate: Flag(false), FillExistingUsers: Flag(false), OsRequirements: Text("")}"#);

    let bare = read(43).await.unwrap();
    assert_eq!((bare.size, bare.md5, bare.sha3_512), (None, None, None));
    assert_eq!(bare.transfer_status.as_deref(), Some(""));
    assert!(read(44).await.is_none());
}

#[tokio::test]
async fn a_new_record_has_the_required_keys_and_what_was_named() {
    let stub = Stub::start(signed_in(|seen| match seen.method.as_str() {
        "POST" => {
            Reply::new(201, r#"{ "id" : "42", "href" : "https://jamf.example.com/api/v1/packages/42" }"#)
        }
        _ => Reply::list(&[]),
    }))
    .await;
    let rig = Rig::new(&stub.url);
    let settings = [
        set(Field::Category, FieldValue::Category(Some(Category { id: 7, name: "Apps".into() }))),
        set(Field::Notes, text("“quoted” & <b>")),
        set(Field::RebootRequired, FieldValue::Flag(true)),
    ];
    let id = rig.session.create_package(&rig.cx, &file("App.pkg"), "My App", &settings).await.unwrap();
    assert_eq!(id.get(), 42);
    let post = stub.calls().pop().unwrap();
    assert_eq!(post.header("content-type"), Some("application/json"));
    insta::assert_snapshot!(post.body, @r#"{"packageName":"My App","fileName":"App.pkg","categoryId":"7","priority":10,"fillUserTemplate":false,"rebootRequired":true,"osInstall":false,"suppressUpdates":false,"suppressFromDock":false,"suppressEula":false,"suppressRegistration":false,"notes":"“quoted” & <b>"}"#);
}

#[tokio::test]
async fn settings_that_do_not_fit_are_refused_before_anything_is_sent() {
    let stub = Stub::start(signed_in(|_| Reply::list(&[]))).await;
    let rig = Rig::new(&stub.url);
    let refused = async |setting| {
        let error =
            rig.session.create_package(&rig.cx, &file("App.pkg"), "App", &[setting]).await.unwrap_err();
        shown(error, &stub.url)
    };
    insta::assert_snapshot!(refused(set(Field::RequiredProcessor, text("x86"))).await, @r"
    Recipe: the Pro API has no field for the required processor
    set it through the Classic API, or set package_api to classic
    ");
    insta::assert_snapshot!(refused(set(Field::Priority, text("10"))).await, @r#"
    Recipe: the priority cannot hold Text("10")
    (no hint)
    "#);
    assert!(stub.calls().iter().all(|seen| seen.method == "GET"));
}

#[tokio::test]
async fn an_update_keeps_every_key_that_nobody_named() {
    let mut current = record(42, "App.pkg");
    for (key, value) in json!({
        "categoryId": "3", "priority": null, "info": "old", "size": "", "indexed": false, "cloudTransferStatus": "READY",
        "manifest": null, "fromTheFuture": { "a": [1, 2] }, "hashValue": "abc", "osInstall": true
    })
    .as_object()
    .unwrap()
    {
        current[key] = value.clone();
    }
    let stub = Stub::start(signed_in(move |seen| match (seen.method.as_str(), seen.target.as_str()) {
        ("GET", "/api/v1/packages/42") | ("PUT", _) => Reply::new(200, current.to_string()),
        _ => Reply::list(std::slice::from_ref(&current)),
    }))
    .await;
    let rig = Rig::new(&stub.url);
    let package = rig.session.packages_named(&rig.cx, &file("App.pkg")).await.unwrap().remove(0);
    rig.session.update_package(&rig.cx, &package, &[]).await.unwrap();
    assert_eq!(stub.calls().len(), 1);
    let settings = [set(Field::Info, text("new")), set(Field::Category, FieldValue::Category(None))];
    rig.session.update_package(&rig.cx, &package, &settings).await.unwrap();
    let put = stub.calls().pop().unwrap();
    assert_eq!(put.line(), "PUT /api/v1/packages/42");
    insta::assert_snapshot!(put.body, @r#"{"packageName":"App.pkg","fileName":"App.pkg","categoryId":"-1","priority":10,"info":"new","manifest":null,"fromTheFuture":{"a":[1,2]},"hashValue":"abc","osInstall":true,"fillUserTemplate":false,"rebootRequired":false,"suppressUpdates":false,"suppressFromDock":false,"suppressEula":false,"suppressRegistration":false}"#);
    // The write made the memory stale.
    rig.session.packages_named(&rig.cx, &file("App.pkg")).await.unwrap();
    assert_eq!(stub.calls().len(), 4);
}

async fn refused_creation(code: &'static str, description: &'static str, field: &'static str) -> String {
    let stub = Stub::start(signed_in(move |seen| match seen.method.as_str() {
        "POST" => Reply::fault(400, code, description, Some(field)),
        _ => Reply::list(&[]),
    }))
    .await;
    let rig = Rig::new(&stub.url);
    let error = rig.session.create_package(&rig.cx, &file("App.txt"), "App", &[]).await.unwrap_err();
    assert_eq!(posts(&stub), 1);
    shown(error, &stub.url)
}

#[tokio::test]
async fn refused_creations_say_which_field_is_taken() {
    insta::assert_snapshot!(refused_creation("DUPLICATE_FIELD", "duplicate name", "fileName").await, @r"
    Remote: POST /api/v1/packages was answered with 400 Bad Request: fileName: duplicate name (DUPLICATE_FIELD)
    another package record names this file already: give the file another name
    ");
    insta::assert_snapshot!(refused_creation("DUPLICATE_FIELD", "duplicate name", "packageName").await, @r"
    Remote: POST /api/v1/packages was answered with 400 Bad Request: packageName: duplicate name (DUPLICATE_FIELD)
    another package record has this display name already: set pkg_display_name, or run again if it is this package's
    ");
    insta::assert_snapshot!(refused_creation("UNSUPPORTED_FILE_TYPE", "Unsupported file extension.", "fileName").await, @r"
    Remote: POST /api/v1/packages was answered with 400 Bad Request: fileName: Unsupported file extension. (UNSUPPORTED_FILE_TYPE)
    Jamf Pro takes files whose names end in pkg, mpkg, dmg or zip
    ");
}

/// A server that does what it is told to the first creation, and whether the record is there afterwards.
async fn losing(first: fn() -> Reply, second: fn() -> Reply, there: fn(u32) -> bool) -> (Stub, Rig) {
    let mut posts = 0;
    let stub = Stub::start(signed_in(move |seen| {
        if seen.method == "POST" {
            posts += 1;
            return if posts == 1 { first() } else { second() };
        }
        if there(posts) { Reply::list(&[record(42, "App.pkg")]) } else { Reply::list(&[]) }
    }))
    .await;
    let rig = Rig::new(&stub.url);
    (stub, rig)
}

fn posts(stub: &Stub) -> usize {
    stub.calls().iter().filter(|seen| seen.method == "POST").count()
}

fn created() -> Reply {
    Reply::new(201, r#"{"id":"43"}"#)
}

fn duplicate() -> Reply {
    Reply::fault(400, "DUPLICATE_FIELD", "duplicate name", Some("packageName"))
}

#[tokio::test]
async fn a_record_is_never_created_twice() {
    let name = file("App.pkg");
    // It was created, and the answer was lost.
    for lost in [|| Reply::Cut, || Reply::new(504, ""), || Reply::new(201, "<html>")] {
        let (stub, rig) = losing(lost, created, |posts| posts > 0).await;
        let id = rig.session.create_package(&rig.cx, &name, "App.pkg", &[]).await.unwrap();
        assert_eq!((id.get(), posts(&stub)), (42, 1));
        assert!(rig.notices().iter().any(|notice| notice.contains("was created all the same")));
    }
    // It was not.
    let (stub, rig) = losing(|| Reply::new(500, ""), created, |_| false).await;
    let id = rig.session.create_package(&rig.cx, &name, "App.pkg", &[]).await.unwrap();
    assert_eq!((id.get(), posts(&stub)), (43, 2));
    // It was, but the first look did not show it yet.
    let (stub, rig) = losing(|| Reply::Cut, duplicate, |posts| posts > 1).await;
    let id = rig.session.create_package(&rig.cx, &name, "App.pkg", &[]).await.unwrap();
    assert_eq!((id.get(), posts(&stub)), (42, 2));
    // A busy server surely did nothing.
    let (stub, rig) = losing(|| Reply::new(429, "").with("retry-after", "1"), created, |_| false).await;
    let id = rig.session.create_package(&rig.cx, &name, "App.pkg", &[]).await.unwrap();
    assert_eq!((id.get(), posts(&stub), rig.elapsed()), (43, 2, 1.0));
}

#[tokio::test]
async fn nobody_claims_to_know_what_a_lost_answer_did() {
    let lost = || Reply::new(502, "");
    let (stub, rig) = losing(lost, lost, |_| false).await;
    let error = rig.session.create_package(&rig.cx, &file("App.pkg"), "App.pkg", &[]).await.unwrap_err();
    assert_eq!(posts(&stub), 4);
    insta::assert_snapshot!(shown(error, &stub.url), @r"
    Remote: POST /api/v1/packages: the answer was lost, and nobody knows whether a package record for App.pkg was created: POST /api/v1/packages was answered with 502 Bad Gateway
    look in Jamf Pro, then run again: what is already there is found and not made twice
    ");
}

#[tokio::test]
async fn a_server_that_goes_away_leaves_it_open() {
    let (stub, rig) = losing(|| Reply::Vanish, created, |_| false).await;
    let error = rig.session.create_package(&rig.cx, &file("App.pkg"), "App.pkg", &[]).await.unwrap_err();
    assert_eq!(posts(&stub), 1);
    assert!(matches!(error, Error::Uncertain { .. }), "{error:?}");
}

#[tokio::test]
async fn a_record_of_this_run_is_asked_for_until_every_node_knows_it() {
    let mut reads = 0;
    let stub = Stub::start(signed_in(move |seen| match (seen.method.as_str(), seen.target.as_str()) {
        ("POST", _) => Reply::new(201, r#"{"id":"42"}"#),
        ("GET", "/api/v1/packages/42") => {
            reads += 1;
            if reads < 4 { Reply::new(404, "") } else { Reply::new(200, record(42, "App.pkg").to_string()) }
        }
        ("GET", "/api/v1/packages/7") => Reply::new(404, ""),
        _ => Reply::list(&[]),
    }))
    .await;
    let rig = Rig::new(&stub.url);
    assert!(rig.session.package(&rig.cx, 7.try_into().unwrap()).await.unwrap().is_none());
    let id = rig.session.create_package(&rig.cx, &file("App.pkg"), "App.pkg", &[]).await.unwrap();
    assert!(rig.session.package(&rig.cx, id).await.unwrap().is_some());
    assert_eq!(rig.elapsed(), 2.0 + 4.0 + 8.0);
    assert!(rig.session.package(&rig.cx, 7.try_into().unwrap()).await.unwrap().is_none());
    assert_eq!(rig.elapsed(), 14.0);
}

#[tokio::test]
async fn display_names_are_matched_exactly() {
    let stub = Stub::start(signed_in(|_| Reply::list(&[record(1, "app"), record(2, "App")]))).await;
    let rig = Rig::new(&stub.url);
    let found = rig.session.packages_displayed_as(&rig.cx, "App").await.unwrap();
    assert_eq!(found.iter().map(|package| package.id.get()).collect::<Vec<_>>(), [2]);
    assert_eq!(stub.calls()[0].query("filter").unwrap(), "packageName==\"App\"");
}

#[tokio::test]
async fn a_forced_pro_api_does_not_give_way() {
    let stub = Stub::start(signed_in(|_| Reply::new(404, r#"{"httpStatus":404,"errors":[]}"#))).await;
    let entries = [CLIENT, &[("package_api", "pro")]].concat();
    let rig = Rig::with(&stub.url, &entries, Access::ReadWrite, Config::default());
    assert_eq!(rig.session.package_api(&rig.cx).await.unwrap(), PackageApi::Pro);
    let error = rig.session.packages_named(&rig.cx, &file("App.pkg")).await.unwrap_err();
    assert!(matches!(error, Error::Status(_)));
    insta::assert_snapshot!(shown(error, &stub.url), @r"
    Remote: GET /api/v1/packages was answered with 404 Not Found
    the package record is gone, or this server is older than Jamf Pro 11.5: then set package_api to classic
    ");
}

#[tokio::test]
async fn several_records_for_one_file_are_not_guessed_about() {
    let stub = Stub::start(signed_in(|seen| match seen.query("filter").unwrap().contains("Twice") {
        true => Reply::list(&[record(1, "Twice.pkg"), record(7, "Twice.pkg")]),
        false => Reply::list(&[record(3, "Once.pkg")]),
    }))
    .await;
    let rig = Rig::new(&stub.url);
    let only = async |name| rig.session.only_package_named(&rig.cx, &file(name)).await;
    assert_eq!(only("Once.pkg").await.unwrap().unwrap().id.get(), 3);
    assert!(only("Never.pkg").await.unwrap().is_none());
    insta::assert_snapshot!(shown(only("Twice.pkg").await.unwrap_err(), &stub.url), @r#"
    Remote: 2 package records name the file Twice.pkg: 1 ("Twice.pkg"), 7 ("Twice.pkg")
    delete all but one of these records in Jamf Pro, or let the others name another file; mind the policies that use them
    "#);
}

/// An empty string is no digest: the one in the other place counts.
#[tokio::test]
async fn an_empty_digest_does_not_hide_the_other_one() {
    let sha3 = "ab".repeat(64);
    let hashed = |kind: &str, value: &str| json!({ "id": "1", "fileName": "a.pkg", "md5": "", "sha3512": "", "hashType": kind, "hashValue": value });
    let mut answers =
        vec![hashed("MD5", &"cd".repeat(16)), hashed("SHA3_512", &sha3), hashed("MD5", "")].into_iter();
    let stub = Stub::start(signed_in(move |_| match answers.next() {
        Some(record) => Reply::new(200, record.to_string()),
        None => Reply::list(&[]),
    }))
    .await;
    let rig = Rig::with(
        &stub.url,
        &[CLIENT, &[("package_api", "pro")]].concat(),
        Access::ReadWrite,
        Config::default(),
    );
    let mut digests = Vec::new();
    for _ in 0..3 {
        let package = rig.session.package(&rig.cx, 1.try_into().unwrap()).await.unwrap().unwrap();
        digests.push((package.md5.map(|md5| md5.to_string()), package.sha3_512.map(|sha3| sha3.to_string())));
    }
    assert_eq!(digests, [(Some("cd".repeat(16)), None), (None, Some(sha3)), (None, None)]);
}

/// What is passed over would be made a second time.
#[tokio::test]
async fn a_wanted_record_without_a_usable_id_is_not_passed_over() {
    for id in [json!(null), json!(""), json!(0), json!(-1), json!("abc"), json!(1.5), json!([7])] {
        let wanted = json!({ "id": id, "fileName": "App.pkg", "packageName": "App" });
        let other = json!({ "id": id, "fileName": "Other.pkg", "packageName": "Other" });
        let stub = Stub::start(signed_in(move |_| Reply::list(&[other.clone(), wanted.clone()]))).await;
        let rig = Rig::new(&stub.url);
        let error = rig.session.packages_named(&rig.cx, &file("App.pkg")).await.unwrap_err();
        insta::allow_duplicates! {
            insta::assert_snapshot!(shown(error, &stub.url), @r#"
            Remote: GET /api/v1/packages: the answer is not a list of package records: the record whose fileName is "App.pkg" has no usable id
            check that JSS_URL is the address of a Jamf Pro server and that nothing stands in between
            "#);
        }
        let error = rig.session.packages_displayed_as(&rig.cx, "App").await.unwrap_err();
        assert!(matches!(error, Error::Decode { .. }), "{error:?}");
        assert!(rig.session.packages_named(&rig.cx, &file("Third.pkg")).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_list_that_never_ends_is_given_up() {
    // New entries on every page, and a total that runs away.
    let mut id = 0;
    let stub = Stub::start(signed_in(move |_| {
        id += 1;
        Reply::new(200, json!({ "totalCount": id + 1, "results": [record(id, "x.pkg")] }).to_string())
    }))
    .await;
    let rig = Rig::new(&stub.url);
    let error = rig.session.packages_named(&rig.cx, &file("App.pkg")).await.unwrap_err();
    assert_eq!(stub.calls().len(), 1000);
    insta::assert_snapshot!(error, @"GET /api/v1/packages: the answer is not a list: it never ends: 1000 pages with 1000 entries came, and it claims a total of 1001");

    // Almost the same page again and again.
    let mut id = 1000;
    let stub = Stub::start(signed_in(move |_| {
        id += 1;
        let entries: Vec<Value> = (1..200).chain([id]).map(|id| record(id, "x.pkg")).collect();
        Reply::new(200, json!({ "totalCount": 300, "results": entries }).to_string())
    }))
    .await;
    let rig = Rig::new(&stub.url);
    let error = rig.session.packages_named(&rig.cx, &file("App.pkg")).await.unwrap_err();
    assert_eq!(stub.calls().len(), 12);
    insta::assert_snapshot!(error, @"GET /api/v1/packages: the answer is not a list: it never ends: 12 pages with 2400 entries came, and it claims a total of 300");
}
