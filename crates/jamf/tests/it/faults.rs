use crate::stub::{Reply, Rig, Stub, shown, signed_in};
use jamf::{Error, Field, FieldValue, Setting};
use pipeline::{FileName, Traffic};
use serde_json::json;

fn file() -> FileName {
    "App.pkg".parse().unwrap()
}

#[tokio::test]
async fn a_403_names_the_privilege() {
    let stub = Stub::start(signed_in(|_| Reply::new(403, r#"{ "httpStatus" : 403, "errors" : [] }"#))).await;
    let rig = Rig::new(&stub.url);
    let error = rig.session.jcds_initiate(&rig.cx).await.unwrap_err();
    assert_eq!(stub.calls().len(), 1);
    insta::assert_snapshot!(shown(error, &stub.url), @r"
    Access: POST /api/v1/jcds/files was answered with 403 Forbidden; it takes the privilege “Create Jamf Cloud Distribution Service Files”
    give the API role the privilege “Create Jamf Cloud Distribution Service Files” in Settings > API roles and clients (a user account: Settings > User accounts and groups); before Jamf Pro 11.20 it is called “Create Jamf Content Distribution Server Files”
    ");
    let error = rig.session.packages_named(&rig.cx, &file()).await.unwrap_err();
    insta::assert_snapshot!(shown(error, &stub.url), @r"
    Access: GET /api/v1/packages was answered with 403 Forbidden; it takes the privilege “Read Packages”
    give the API role the privilege “Read Packages” in Settings > API roles and clients (a user account: Settings > User accounts and groups)
    ");
}

/// Every call that writes, and nothing else; all of them are refused before they leave.
#[tokio::test]
async fn a_dry_run_writes_nothing() {
    let record = json!({ "id": "42", "packageName": "App.pkg", "fileName": "App.pkg" });
    let stub = Stub::start(signed_in(move |seen| match seen.target.split('?').next().unwrap() {
        "/api/v1/packages" => Reply::list(std::slice::from_ref(&record)),
        "/api/v1/packages/42" => Reply::new(200, record.to_string()),
        "/JSSResource/packages/id/42" => Reply::new(200, "<package><id>42</id></package>"),
        _ => Reply::new(500, ""),
    }))
    .await;
    let rig = Rig::read_only(&stub.url);
    let (session, cx) = (&rig.session, &rig.cx);
    let notes = [Setting { field: Field::Notes, value: FieldValue::Text("new".into()) }];
    let pro = session.packages_named(cx, &file()).await.unwrap().remove(0);
    let classic = session.classic_package(cx, pro.id).await.unwrap().unwrap();
    let grant = jamf::UploadGrant {
        access_key_id: "id".into(),
        secret_access_key: "s".into(),
        session_token: "t".into(),
        expiration: jiff::Timestamp::UNIX_EPOCH,
        region: "r".into(),
        bucket: "b".into(),
        path: "p/".into(),
    };

    let refusals: Vec<Error> = vec![
        session.create_package(cx, &file(), "App", &[]).await.unwrap_err(),
        session.update_package(cx, &pro, &notes).await.unwrap_err(),
        session.update_package(cx, &classic, &notes).await.unwrap_err(),
        session.create_category(cx, "Apps", 9).await.unwrap_err(),
        session.jcds_initiate(cx).await.unwrap_err(),
        session.jcds_renew(cx, &grant).await.unwrap_err(),
        session.jcds_delete(cx, "App.pkg").await.unwrap_err(),
        session.refresh_inventory(cx, None).await.unwrap_err(),
        session.refresh_inventory(cx, Some("App.pkg")).await.unwrap_err(),
    ];
    rig.sessions.close(cx).await;
    for error in &refusals {
        assert!(matches!(error, Error::Refused(_)), "{error:?}");
    }
    insta::assert_snapshot!(refusals[6], @"DELETE /api/v1/jcds/files/App.pkg was refused: this is a dry run, and nothing that writes leaves the machine");
    assert!(stub.calls().iter().all(|seen| seen.method == "GET"));
    assert_eq!(rig.cx.boundary().traffic(), Traffic { sign_ins: 2, reads: 3, writes: 0, refused: 9 });
}

#[tokio::test]
async fn answers_that_are_nonsense_are_errors_not_panics() {
    let bodies = [
        "",
        "null",
        "[]",
        "{}",
        "{",
        "\"text\"",
        "{\"results\":null}",
        "{\"results\":[null,1,{}]}",
        "\u{0}",
        "<html>",
    ];
    for body in bodies {
        let stub = Stub::start(signed_in(move |_| Reply::new(200, body))).await;
        let rig = Rig::new(&stub.url);
        let (session, cx, id) = (&rig.session, &rig.cx, 42.try_into().unwrap());
        let found = session.packages_named(cx, &file()).await;
        assert!(found.is_err() || body.contains("[null"), "{body}: {found:?}");
        assert!(session.package(cx, id).await.is_err(), "{body}");
        assert!(session.classic_package(cx, id).await.is_err(), "{body}");
        assert!(session.jcds_initiate(cx).await.is_err(), "{body}");
        assert!(session.jcds_download_address(cx, "a").await.is_err(), "{body}");
        assert!(session.jcds_files(cx).await.is_err() || body == "[]", "{body}");
        let error = session.jcds_initiate(cx).await.unwrap_err().to_string();
        assert!(
            error.starts_with("POST /api/v1/jcds/files: the answer is not complete upload credentials: it "),
            "{error}"
        );
    }
}
