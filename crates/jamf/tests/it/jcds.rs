use crate::stub::{Reply, Rig, Stub, shown, signed_in};
use jamf::{Deletion, Error};
use pipeline::ExposeSecret as _;
use serde_json::{Value, json};

const MD5: &str = "57edc6fb14900ff7ae0c80727f6a03a1";

fn grant(changes: &Value) -> Value {
    let mut grant = json!({
        "accessKeyID": "ASIA", "expiration": 1_795_179_600, "secretAccessKey": "wJalr/K7+x=", "sessionToken": "EX/TOK+1==",
        "region": "eu-central-1", "bucketName": "bucket", "path": "tmp/0f9a/", "uuid": "0f9a"
    });
    for (key, value) in changes.as_object().unwrap() {
        grant[key] = value.clone();
    }
    grant
}

async fn granting(changes: Value) -> (Stub, Rig) {
    let stub = Stub::start(signed_in(move |_| Reply::new(201, grant(&changes).to_string()))).await;
    let rig = Rig::new(&stub.url);
    (stub, rig)
}

#[tokio::test]
async fn files_are_listed_with_what_is_usable_of_them() {
    let body = json!([
        { "fileName": "App & Friends.pkg", "length": 11_534_336_000_u64, "md5": MD5.to_uppercase(), "sha3": "no", "region": "r" },
        { "fileName": "blank.pkg", "length": null, "md5": MD5 },
        { "fileName": "negative.pkg", "length": -1, "md5": MD5 },
        { "fileName": null, "length": 1 },
        { "fileName": "", "length": 1 },
        null
    ]);
    let stub = Stub::start(signed_in(move |_| Reply::new(200, body.to_string()))).await;
    let rig = Rig::new(&stub.url);
    let files = rig.session.jcds_files(&rig.cx).await.unwrap();
    let shown: Vec<_> = files
        .iter()
        .map(|file| (file.name.as_str(), file.size, file.md5.is_some(), file.sha3_512.is_some()))
        .collect();
    assert_eq!(
        shown,
        [
            ("App & Friends.pkg", 11_534_336_000, true, false),
            ("blank.pkg", 0, false, false),
            ("negative.pkg", 0, false, false)
        ]
    );

    rig.session.jcds_files(&rig.cx).await.unwrap();
    assert_eq!(stub.calls().len(), 1);
    rig.session.jcds_files_now(&rig.cx).await.unwrap();
    rig.session.jcds_files(&rig.cx).await.unwrap();
    assert_eq!(stub.calls().len(), 2);
    rig.session.forget_jcds_files();
    rig.session.jcds_files(&rig.cx).await.unwrap();
    assert_eq!(stub.calls().len(), 3);
}

#[tokio::test]
async fn a_server_without_the_service_is_told_from_a_missing_file() {
    let stub =
        Stub::start(signed_in(|_| Reply::fault(404, "NOT_FOUND", "JCDS Settings record not found", None)))
            .await;
    let rig = Rig::new(&stub.url);
    let errors = [
        rig.session.jcds_files(&rig.cx).await.unwrap_err(),
        rig.session.jcds_initiate(&rig.cx).await.unwrap_err(),
        rig.session.jcds_delete(&rig.cx, "App.pkg").await.unwrap_err(),
        rig.session.jcds_download_address(&rig.cx, "App.pkg").await.unwrap_err(),
    ];
    assert!(errors.iter().all(|error| matches!(error, Error::NoJcds(_))), "{errors:?}");
    let [first, ..] = errors;
    insta::assert_snapshot!(shown(first, &stub.url), @r"
    Remote: this server has no Jamf Cloud Distribution Service: GET /api/v1/jcds/files was answered with 404 Not Found: JCDS Settings record not found (NOT_FOUND)
    packages can be sent this way only where the principal distribution point is Jamf Cloud: Settings > Server > Cloud distribution point
    ");

    let stub = Stub::start(signed_in(|_| Reply::fault(404, "NOT_FOUND", "File not found", None))).await;
    let rig = Rig::new(&stub.url);
    assert_eq!(rig.session.jcds_delete(&rig.cx, "App.pkg").await.unwrap(), Deletion::WasAbsent);
    let error = rig.session.jcds_download_address(&rig.cx, "App.pkg").await.unwrap_err();
    assert_eq!(error.status(), Some(404));
}

#[tokio::test]
async fn a_deletion_whose_answer_was_lost_counts() {
    let mut answers = vec![Reply::new(504, ""), Reply::new(404, "")].into_iter();
    let stub = Stub::start(signed_in(move |_| answers.next().unwrap())).await;
    let rig = Rig::new(&stub.url);
    let deletion = rig.session.jcds_delete(&rig.cx, "A/B #1+ü.pkg").await.unwrap();
    assert_eq!(deletion, Deletion::Deleted);
    insta::assert_snapshot!(stub.lines(), @r"
    DELETE /api/v1/jcds/files/A%2FB%20%231%2B%C3%BC.pkg
    DELETE /api/v1/jcds/files/A%2FB%20%231%2B%C3%BC.pkg
    ");
    let error = rig.session.jcds_delete(&rig.cx, "..").await.unwrap_err();
    assert!(matches!(error, Error::Unaddressable(_)));
}

#[tokio::test]
async fn credentials_are_complete_or_an_error() {
    let (stub, rig) = granting(json!({ "path": "/tmp/0f9a" })).await;
    let grant = rig.session.jcds_initiate(&rig.cx).await.unwrap();
    assert_eq!(grant.path, "tmp/0f9a/");
    assert_eq!(grant.expiration.to_string(), "2026-11-20T13:00:00Z");
    assert_eq!(grant.secret_access_key.expose_secret(), "wJalr/K7+x=");
    assert!(!format!("{grant:?}").contains("TOK"));
    assert_eq!(stub.calls()[0].body, "");

    let (_stub, rig) = granting(json!({ "expiration": 1_795_179_600_000_i64 })).await;
    let grant = rig.session.jcds_initiate(&rig.cx).await.unwrap();
    assert_eq!(grant.expiration.to_string(), "2026-11-20T13:00:00Z");

    for key in
        ["accessKeyID", "secretAccessKey", "sessionToken", "region", "bucketName", "path", "expiration"]
    {
        for blank in [json!(""), json!(null), json!(0)] {
            let (_stub, rig) = granting(json!({ key: blank })).await;
            let error = rig.session.jcds_initiate(&rig.cx).await.unwrap_err();
            let expected = format!(
                "POST /api/v1/jcds/files: the answer is not complete upload credentials: it has no {key}"
            );
            assert_eq!(error.to_string(), expected);
        }
    }
}

#[tokio::test]
async fn a_renewal_may_leave_the_place_out_but_not_the_keys() {
    let (_stub, rig) = granting(json!({})).await;
    let first = rig.session.jcds_initiate(&rig.cx).await.unwrap();
    let place = json!({ "accessKeyID": "ASIA2", "region": "", "bucketName": null, "path": "" });
    let (stub, rig) = granting(place).await;
    let renewed = rig.session.jcds_renew(&rig.cx, &first).await.unwrap();
    assert_eq!(renewed.access_key_id, "ASIA2");
    assert_eq!(
        (&renewed.region, &renewed.bucket, &renewed.path),
        (&first.region, &first.bucket, &first.path)
    );
    assert_eq!(stub.lines(), "POST /api/v1/jcds/renew-credentials");

    let (_stub, rig) = granting(json!({ "sessionToken": "" })).await;
    let error = rig.session.jcds_renew(&rig.cx, &first).await.unwrap_err();
    assert!(matches!(error, Error::Decode { .. }));
}

#[tokio::test]
async fn asking_for_credentials_may_be_repeated() {
    let mut answers =
        vec![Reply::new(500, ""), Reply::Cut, Reply::new(201, grant(&json!({})).to_string())].into_iter();
    let stub = Stub::start(signed_in(move |_| answers.next().unwrap())).await;
    let rig = Rig::new(&stub.url);
    rig.session.jcds_initiate(&rig.cx).await.unwrap();
    assert_eq!(stub.calls().len(), 3);
    assert_eq!(rig.cx.boundary().traffic().writes, 3);
}

#[tokio::test]
async fn a_download_address_is_kept_as_it_is() {
    let uri = "https://d111.cloudfront.net/5a7f?response-content-disposition=attachment%3B+filename%3D%22A.pkg%22&Expires=1&Signature=a~b__&Key-Pair-Id=K2";
    let stub = Stub::start(signed_in(move |_| Reply::new(200, json!({ "uri": uri }).to_string()))).await;
    let rig = Rig::new(&stub.url);
    let address = rig.session.jcds_download_address(&rig.cx, "A b.pkg").await.unwrap();
    assert_eq!(address.as_str(), uri);
    assert_eq!(stub.lines(), "GET /api/v1/jcds/files/A%20b.pkg");
}

#[tokio::test]
async fn a_refresh_falls_back_to_the_older_call() {
    for status in [404, 403, 405] {
        let stub = Stub::start(signed_in(move |seen| {
            Reply::new(if seen.target.contains("cloud-distribution-point") { status } else { 204 }, "")
        }))
        .await;
        let rig = Rig::new(&stub.url);
        rig.session.refresh_inventory(&rig.cx, Some("A & B.pkg")).await.unwrap();
        rig.session.refresh_inventory(&rig.cx, Some("C.pkg")).await.unwrap();
        insta::allow_duplicates! {
            insta::assert_snapshot!(stub.lines(), @r"
            POST /api/v1/cloud-distribution-point/refresh-inventory?file-name=A%20%26%20B.pkg
            POST /api/v1/jcds/refresh-inventory?file-name=A%20%26%20B.pkg
            POST /api/v1/jcds/refresh-inventory?file-name=C.pkg
            ");
        }
    }
}

#[tokio::test]
async fn a_refresh_that_is_refused_names_the_privilege_of_the_call_that_is_there() {
    let refusal = async |newer: u16, older: u16| {
        let stub = Stub::start(signed_in(move |seen| {
            Reply::new(if seen.target.contains("cloud-distribution-point") { newer } else { older }, "")
        }))
        .await;
        let rig = Rig::new(&stub.url);
        rig.session.refresh_inventory(&rig.cx, Some("A.pkg")).await.unwrap_err().to_string()
    };
    let lacking = refusal(403, 403).await;
    insta::assert_snapshot!(lacking, @"POST /api/v1/cloud-distribution-point/refresh-inventory was answered with 403 Forbidden; it takes the privilege “Read Cloud Distribution Point”");
    assert_eq!(refusal(403, 404).await, lacking);
    insta::assert_snapshot!(refusal(404, 403).await, @"POST /api/v1/jcds/refresh-inventory was answered with 403 Forbidden; it takes the privilege “Read Jamf Cloud Distribution Service Files”");
}

#[tokio::test]
async fn what_is_remembered_is_asked_for_in_small_futures() {
    let rig = Rig::new("http://127.0.0.1:9");
    let (session, cx) = (&rig.session, &rig.cx);
    let file = "A.pkg".parse().unwrap();
    let sizes = [
        size_of_val(&session.jcds_files(cx)),
        size_of_val(&session.jcds_files_now(cx)),
        size_of_val(&session.packages_named(cx, &file)),
        size_of_val(&session.packages_displayed_as(cx, "A")),
        size_of_val(&session.category_named(cx, "A")),
    ];
    assert!(sizes.iter().all(|size| *size < 4096), "{sizes:?}");
}

#[tokio::test]
async fn a_refresh_of_everything_waits_for_its_turn() {
    let stub = Stub::start(signed_in(|_| Reply::new(204, ""))).await;
    let rig = Rig::new(&stub.url);
    rig.session.refresh_inventory(&rig.cx, None).await.unwrap();
    rig.session.refresh_inventory(&rig.cx, Some("A.pkg")).await.unwrap();
    assert_eq!(rig.elapsed(), 0.0);
    rig.clock.advance(std::time::Duration::from_secs(5));
    rig.session.refresh_inventory(&rig.cx, None).await.unwrap();
    assert_eq!(rig.elapsed(), 15.0);
}
