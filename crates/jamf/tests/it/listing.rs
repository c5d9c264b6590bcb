//! All records and categories from one listing.

use crate::stub::{CLIENT, Reply, Rig, Stub, shown, signed_in};
use futures_util::future::join_all;
use jamf::{Config, Error, Field, FieldValue, Listing, PackageApi, Setting};
use pipeline::{Access, FileName, SimulatedClock};
use sandbox::Sandbox;
use serde_json::{Value, json};
use std::sync::Arc;
use tempfile::TempDir;

/// A rehearsal server with packages `000.pkg`, `001.pkg`, …, each with a file, and two categories.
struct Stage {
    sandbox: Sandbox,
    rig: Rig,
    _data: TempDir,
}

impl Stage {
    async fn with(packages: usize, version: &str) -> Self {
        let data = TempDir::new().unwrap();
        let clock = Arc::new(SimulatedClock::at("2026-11-20T12:00:00Z".parse().unwrap()));
        let mut config = sandbox::Config::new(data.path().to_owned(), clock.clone());
        version.clone_into(&mut config.version);
        let sandbox = Sandbox::start(contract::watched(config)).await.unwrap();
        let category = sandbox.put_category("Apps");
        sandbox.put_category("Tools");
        for number in 0..packages {
            let (display, file) = (format!("App {number:03}"), name(number));
            sandbox.put_package(
                json!({ "packageName": display, "fileName": file.as_str(), "categoryId": category.to_string() }),
            );
            if number < 20 {
                sandbox.put_file(file.as_str(), b"bytes");
            }
        }
        let here = sandbox.connection();
        let account = [("CLIENT_ID", here.client_id.as_str()), ("CLIENT_SECRET", &here.client_secret)];
        let rig = Rig::at(&here.jss_url, &account, Access::ReadWrite, whole(), clock);
        sandbox.clear_journal();
        Self { sandbox, rig, _data: data }
    }

    async fn new(packages: usize) -> Self {
        Self::with(packages, "11.30.1").await
    }

    /// All that a recipe asks about a package that is there.
    async fn look(&self, number: usize) {
        let (session, cx, file) = (&self.rig.session, &self.rig.cx, name(number));
        let found = session.only_package_named(cx, &file).await.unwrap().unwrap();
        assert_eq!(found.file_name, file.as_str());
        let displayed = session.packages_displayed_as(cx, &found.display_name).await.unwrap();
        assert_eq!(displayed.len(), 1);
        assert!(session.jcds_files_for(cx, &file).await.unwrap().len() > 1);
        let named = session.category_named(cx, "Apps").await.unwrap();
        assert_eq!(session.category_of(cx, &found).await.unwrap(), named);
        assert_eq!(session.category_named(cx, "None such").await.unwrap(), None);
    }

    /// The requests so far, and forgets them.
    fn requests(&self) -> Vec<String> {
        let seen = self.sandbox.journal();
        self.sandbox.clear_journal();
        seen.iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }

    async fn found(&self, file: &str) -> Vec<u64> {
        let found = self.rig.session.packages_named(&self.rig.cx, &file.parse().unwrap()).await.unwrap();
        found.iter().map(|record| record.id.get()).collect()
    }
}

fn whole() -> Config {
    Config { listing: Listing::Whole, ..Config::default() }
}

fn name(number: usize) -> FileName {
    format!("{number:03}.pkg").parse().unwrap()
}

fn notes(text: &str) -> [Setting; 1] {
    [Setting { field: Field::Notes, value: FieldValue::Text(text.to_owned()) }]
}

fn display(text: &str) -> [Setting; 1] {
    [Setting { field: Field::DisplayName, value: FieldValue::Text(text.to_owned()) }]
}

#[tokio::test]
async fn a_thousand_packages_are_found_with_ten_requests_at_most() {
    let stage = Stage::new(1000).await;
    let (session, cx) = (&stage.rig.session, &stage.rig.cx);
    session.version(cx).await.unwrap();
    session.distribution_point(cx).await.unwrap();
    session.upload_capability(cx).await.unwrap();
    assert!(matches!(session.served(cx).await.unwrap(), jamf::Fact::Told(_)));
    let apis = join_all((0..1000).map(|_| session.package_api(cx))).await;
    assert!(apis.iter().all(|api| matches!(api, Ok(PackageApi::Pro))));
    join_all((0..1000).map(|number| stage.look(number))).await;
    stage.rig.sessions.close(cx).await;
    let mut requests = stage.requests();
    assert!(requests.len() <= 10, "{requests:?}");
    // What comes at the same time comes in any order.
    requests[6..8].sort();
    insta::assert_snapshot!(requests.join("\n"), @"
    POST /api/v1/oauth/token
    GET /api/v1/jamf-pro-version
    GET /api/v1/cloud-distribution-point
    GET /api/v1/cloud-distribution-point/upload-capability
    GET /api/schema/
    GET /api/v1/packages?page=0&page-size=2000&sort=id%3Aasc
    GET /api/v1/categories?page=0&page-size=2000&sort=id%3Aasc
    GET /api/v1/jcds/files
    POST /api/v1/auth/invalidate-token
    ");
}

/// As five uploads of a hundred do it: each looks, replaces its file, writes its record and reads both back.
#[tokio::test]
async fn what_changes_is_known_anew_and_nothing_else_is() {
    let stage = Stage::new(100).await;
    let (session, cx) = (&stage.rig.session, &stage.rig.cx);
    join_all((0..100).map(|number| stage.look(number))).await;
    stage.requests();
    for number in 0..5 {
        let file = name(number);
        session.jcds_delete(cx, file.as_str()).await.unwrap();
        let gone = session.jcds_files_now(cx).await.unwrap();
        assert!(gone.iter().all(|listed| listed.name != file.as_str()));
        stage.sandbox.put_file(file.as_str(), b"others");
        session.jcds_file_changed(&file);
        let record = session.only_package_named(cx, &file).await.unwrap().unwrap();
        session.update_package(cx, &record, &notes("new")).await.unwrap();
        session.refresh_inventory(cx, Some(file.as_str())).await.unwrap();
        let listed = session.jcds_files_now(cx).await.unwrap();
        assert!(listed.iter().any(|listed| listed.name == file.as_str() && listed.size == 6));
        session.package(cx, record.id).await.unwrap();
        // The others find what they need without asking, and so does who looks for this one again.
        join_all((0..100).map(|number| stage.look(number))).await;
        let again = session.only_package_named(cx, &file).await.unwrap().unwrap();
        assert_eq!(again.values[&Field::Notes], FieldValue::Text("new".into()));
        assert_eq!(again.size, Some(6));
    }
    let requests = stage.requests();
    insta::assert_snapshot!(requests[..requests.len() / 5].join("\n"), @"
    DELETE /api/v1/jcds/files/000.pkg
    GET /api/v1/jcds/files
    GET /api/v1/packages/1
    GET /api/v1/packages/1
    PUT /api/v1/packages/1
    POST /api/v1/cloud-distribution-point/refresh-inventory?file-name=000.pkg
    GET /api/v1/jcds/files
    GET /api/v1/packages/1
    ");
    assert!(requests.iter().all(|request| !request.contains("page")), "{requests:?}");
}

#[tokio::test]
async fn a_file_that_changed_is_asked_about_by_who_looks_for_it_alone() {
    let stage = Stage::new(3).await;
    let (session, cx) = (&stage.rig.session, &stage.rig.cx);
    let lists = || stage.requests().iter().filter(|request| *request == "GET /api/v1/jcds/files").count();
    let look = async |file: &str| session.jcds_files_for(cx, &file.parse().unwrap()).await.unwrap();
    look("000.pkg").await;
    look("001.pkg").await;
    assert_eq!(lists(), 1);
    session.jcds_file_changed(&name(0));
    look("001.pkg").await;
    assert_eq!(lists(), 0);
    // It may have become `000_1.pkg`.
    look("000_1.pkg").await;
    look("000.pkg").await;
    assert_eq!(lists(), 1);
    session.jcds_delete(cx, "001.pkg").await.unwrap();
    look("000.pkg").await;
    assert_eq!(lists(), 0);
    assert!(look("001.pkg").await.iter().all(|file| file.name != "001.pkg"));
    assert_eq!(lists(), 1);
    session.jcds_file_changed(&name(0));
    session.jcds_files(cx).await.unwrap();
    session.forget_jcds_files();
    look("002.pkg").await;
    assert_eq!(lists(), 2, "who looks at all of them, and who was told that any may have changed");
}

#[tokio::test]
async fn those_who_poll_at_the_same_time_share_a_request() {
    let stub = Stub::start(signed_in(|_| {
        Reply::After(std::time::Duration::from_millis(50), Box::new(Reply::new(200, "[]")))
    }))
    .await;
    let rig = Rig::new(&stub.url);
    let polls = join_all((0..20).map(|_| rig.session.jcds_files_now(&rig.cx))).await;
    assert!(polls.iter().all(Result::is_ok));
    assert_eq!(stub.calls().len(), 2, "the first, and one for all who came while it was under way");
    assert_eq!(stub.most_busy(), 1);
}

#[tokio::test]
async fn what_this_session_writes_is_found_in_both_apis() {
    for (version, api) in [("11.30.1", PackageApi::Pro), ("11.4.0", PackageApi::Classic)] {
        let stage = Stage::with(3, version).await;
        let (session, cx) = (&stage.rig.session, &stage.rig.cx);
        assert_eq!(stage.found("new.pkg").await, [0; 0]);
        assert_eq!(session.package_api(cx).await.unwrap(), api);
        stage.requests();

        let id = session.create_package(cx, &"new.pkg".parse().unwrap(), "New", &[]).await.unwrap();
        assert_eq!(stage.found("new.pkg").await, [id.get()], "{version}");
        let displayed = async |name: &str| {
            let found = session.packages_displayed_as(cx, name).await.unwrap();
            found.iter().map(|record| record.id.get()).collect::<Vec<_>>()
        };
        assert_eq!(displayed("New").await, [id.get()]);
        let record = session.only_package_named(cx, &name(1)).await.unwrap().unwrap();
        session.update_package(cx, &record, &display("Renamed")).await.unwrap();
        assert_eq!((displayed("App 001").await, displayed("Renamed").await), (vec![], vec![record.id.get()]));
        assert_eq!(stage.found("001.pkg").await, [record.id.get()]);
        // Each is read at most once.
        let reads = stage.requests().iter().filter(|request| request.starts_with("GET")).count();
        assert_eq!(reads, 2, "{version}");

        let tools = session.create_category(cx, "New category", 9).await.unwrap();
        assert_eq!(session.category_named(cx, "New category").await.unwrap(), Some(tools.clone()));
        let filed = [Setting { field: Field::Category, value: FieldValue::Category(Some(tools.clone())) }];
        session.update_package(cx, &record, &filed).await.unwrap();
        let record = session.only_package_named(cx, &name(1)).await.unwrap().unwrap();
        assert_eq!(session.category_of(cx, &record).await.unwrap(), Some(tools));
    }
}

/// Somebody else is faster, after the listing was made.
#[tokio::test]
async fn what_somebody_else_made_is_noticed_where_it_matters() {
    let stage = Stage::new(3).await;
    let (session, cx) = (&stage.rig.session, &stage.rig.cx);
    assert_eq!(stage.found("new.pkg").await, [0; 0]);
    assert_eq!(session.category_named(cx, "New").await.unwrap(), None);
    let theirs = stage.sandbox.put_package(json!({ "packageName": "New", "fileName": "new.pkg" }));
    let category = stage.sandbox.put_category("New");
    assert_eq!(stage.found("new.pkg").await, [0; 0], "the listing is as old as it is");

    let refused = session.create_package(cx, &"new.pkg".parse().unwrap(), "New", &[]).await.unwrap_err();
    assert!(refused.is_duplicate());
    stage.requests();
    assert_eq!(stage.found("new.pkg").await, [theirs.get()]);
    assert_eq!(stage.found("new.pkg").await, [theirs.get()]);
    assert_eq!(session.packages_displayed_as(cx, "New").await.unwrap().len(), 1);
    stage.look(1).await;
    let asked = stage.requests();
    assert_eq!(asked.iter().filter(|request| request.contains("filter=")).count(), 2, "{asked:?}");
    assert!(session.create_category(cx, "New", 9).await.unwrap_err().is_duplicate());
    assert_eq!(session.category_named(cx, "New").await.unwrap().unwrap().id, category);

    // What they write into a record that is about to be written stays.
    let ours = session.only_package_named(cx, &name(0)).await.unwrap().unwrap();
    let other = Rig::at(
        &stage.sandbox.connection().jss_url,
        &[
            ("CLIENT_ID", stage.sandbox.connection().client_id.as_str()),
            ("CLIENT_SECRET", &stage.sandbox.connection().client_secret),
        ],
        Access::ReadWrite,
        Config::default(),
        stage.rig.clock.clone(),
    );
    let info = [Setting { field: Field::Info, value: FieldValue::Text("theirs".into()) }];
    other.session.update_package(&other.cx, &ours, &info).await.unwrap();
    session.update_package(cx, &ours, &notes("ours")).await.unwrap();
    let record = session.only_package_named(cx, &name(0)).await.unwrap().unwrap();
    assert_eq!(record.values[&Field::Info], FieldValue::Text("theirs".into()));
    assert_eq!(record.values[&Field::Notes], FieldValue::Text("ours".into()));
}

#[tokio::test]
async fn a_record_that_is_gone_is_found_no_more() {
    let mut gone = false;
    let stub = Stub::start(signed_in(move |seen| match (seen.method.as_str(), seen.target.as_str()) {
        ("GET", "/api/v1/packages/1") if gone => Reply::new(404, ""),
        ("GET", "/api/v1/packages/1") => {
            gone = true;
            Reply::new(404, "")
        }
        _ => Reply::list(&[json!({ "id": "1", "fileName": "a.pkg", "packageName": "A" })]),
    }))
    .await;
    let rig = Rig::with(&stub.url, CLIENT, Access::ReadWrite, whole());
    let named = async || rig.session.only_package_named(&rig.cx, &"a.pkg".parse().unwrap()).await.unwrap();
    let record = named().await.unwrap();
    assert!(rig.session.update_package(&rig.cx, &record, &notes("n")).await.is_err());
    assert!(named().await.is_none() && named().await.is_none());
    insta::assert_snapshot!(stub.lines(), @"
    GET /api/v1/packages?page=0&page-size=2000&sort=id%3Aasc
    GET /api/v1/packages/1
    GET /api/v1/packages/1
    ");
}

/// The answer to a write is what the record is now; one that tells nothing makes the record be read again.
#[tokio::test]
async fn an_answer_to_a_write_is_used_if_it_tells_the_record() {
    for (answer, reads) in
        [(json!({ "id": "1", "fileName": "a.pkg", "notes": "n", "size": "" }), 1), (json!({}), 2)]
    {
        let text = answer.to_string();
        let stub = Stub::start(signed_in(move |seen| match (seen.method.as_str(), seen.target.as_str()) {
            ("PUT", _) => Reply::new(200, text.clone()),
            ("GET", "/api/v1/packages/1") => Reply::new(
                200,
                json!({ "id": "1", "fileName": "a.pkg", "notes": "n", "size": "7" }).to_string(),
            ),
            _ => Reply::list(&[json!({ "id": "1", "fileName": "a.pkg", "packageName": "A", "size": "7" })]),
        }))
        .await;
        let rig = Rig::with(&stub.url, CLIENT, Access::ReadWrite, whole());
        let named = async || {
            rig.session.only_package_named(&rig.cx, &"a.pkg".parse().unwrap()).await.unwrap().unwrap()
        };
        let record = named().await;
        assert_eq!(record.size, Some(7));
        rig.session.update_package(&rig.cx, &record, &notes("n")).await.unwrap();
        let record = named().await;
        assert_eq!(record.values[&Field::Notes], FieldValue::Text("n".into()));
        assert_eq!(record.size, (reads == 2).then_some(7), "a write blanks the size");
        let asked = stub
            .calls()
            .iter()
            .filter(|seen| seen.target == "/api/v1/packages/1" && seen.method == "GET")
            .count();
        assert_eq!(asked, reads);
    }
}

#[tokio::test]
async fn a_listing_is_made_of_pages_however_large_the_server_makes_them() {
    let page = |number: u64, size: u64| -> Vec<Value> {
        let ids = (number * size + 1..=4500).take(usize::try_from(size).unwrap());
        ids.map(|id| json!({ "id": id.to_string(), "fileName": format!("{id}.pkg") })).collect()
    };
    for (largest, pages) in [(2000, 3), (1000, 5)] {
        let stub = Stub::start(signed_in(move |seen| {
            let number = |name| seen.query(name).unwrap().parse::<u64>().unwrap();
            let entries = page(number("page"), number("page-size").min(largest));
            Reply::new(200, json!({ "totalCount": 4500, "results": entries }).to_string())
        }))
        .await;
        let rig = Rig::with(&stub.url, CLIENT, Access::ReadWrite, whole());
        for id in [1_u64, 2001, 4500] {
            let found =
                rig.session.packages_named(&rig.cx, &format!("{id}.pkg").parse().unwrap()).await.unwrap();
            assert_eq!(found.iter().map(|record| record.id.get()).collect::<Vec<_>>(), [id]);
        }
        assert_eq!(stub.calls().len(), pages);
    }
}

#[tokio::test]
async fn a_listed_record_without_a_usable_id_is_not_passed_over() {
    let stub = Stub::start(signed_in(|_| {
        Reply::list(&[
            json!({ "id": null, "fileName": "lost.pkg", "packageName": "Lost" }),
            json!({ "id": "2", "fileName": "other.pkg", "packageName": "Other" }),
        ])
    }))
    .await;
    let rig = Rig::with(&stub.url, CLIENT, Access::ReadWrite, whole());
    let error = rig.session.packages_named(&rig.cx, &"lost.pkg".parse().unwrap()).await.unwrap_err();
    insta::assert_snapshot!(shown(error, &stub.url), @r#"
    Remote: GET /api/v1/packages: the answer is not a list of package records: the record whose fileName is "lost.pkg" has no usable id
    check that JSS_URL is the address of a Jamf Pro server and that nothing stands in between
    "#);
    let error = rig.session.packages_displayed_as(&rig.cx, "Lost").await.unwrap_err();
    assert!(matches!(error, Error::Decode { .. }));
    assert_eq!(rig.session.packages_named(&rig.cx, &"other.pkg".parse().unwrap()).await.unwrap().len(), 1);
    assert_eq!(stub.calls().len(), 1);
}

#[tokio::test]
async fn a_listing_that_failed_is_made_again() {
    let mut answers = vec![Reply::new(403, ""), Reply::list(&[])].into_iter();
    let stub = Stub::start(signed_in(move |_| answers.next().unwrap())).await;
    let rig = Rig::with(&stub.url, CLIENT, Access::ReadWrite, whole());
    let file = "a.pkg".parse().unwrap();
    assert_eq!(rig.session.packages_named(&rig.cx, &file).await.unwrap_err().status(), Some(403));
    assert!(rig.session.packages_named(&rig.cx, &file).await.unwrap().is_empty());
}
