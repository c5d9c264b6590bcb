use crate::stub::{Reply, Rig, Stub, shown, signed_in};
use serde_json::json;

#[tokio::test]
async fn a_category_is_found_by_its_exact_name_and_remembered() {
    let stub = Stub::start(signed_in(|seen| match seen.query("filter").as_deref() {
        Some(r#"name=="Design & Media""#) => Reply::list(&[
            json!({ "id": "8", "name": "design & media", "priority": 5 }),
            json!({ "id": "7", "name": "Design & Media", "priority": null }),
        ]),
        _ => Reply::list(&[json!({ "id": "9", "name": "NOPE" })]),
    }))
    .await;
    let rig = Rig::new(&stub.url);
    let found = rig.session.category_named(&rig.cx, "Design & Media").await.unwrap().unwrap();
    assert_eq!((found.id, found.name.as_str()), (7, "Design & Media"));
    assert_eq!(rig.session.category_named(&rig.cx, "Design & Media").await.unwrap(), Some(found));
    assert_eq!(rig.session.category_named(&rig.cx, "Nope").await.unwrap(), None);
    insta::assert_snapshot!(stub.lines(), @r"
    GET /api/v1/categories?page=0&page-size=200&sort=id%3Aasc&filter=name%3D%3D%22Design%20%26%20Media%22
    GET /api/v1/categories?page=0&page-size=200&sort=id%3Aasc&filter=name%3D%3D%22Nope%22
    ");
}

#[tokio::test]
async fn a_record_s_category_is_found_by_id_or_by_name() {
    let stub = Stub::start(signed_in(|seen| match seen.target.split('?').next().unwrap() {
        "/api/v1/packages/1" => Reply::new(200, r#"{"id":"1","fileName":"a.pkg","categoryId":"7"}"#),
        "/api/v1/packages/2" => Reply::new(200, r#"{"id":"2","fileName":"b.pkg","categoryId":"-1"}"#),
        "/api/v1/packages/3" => Reply::new(200, r#"{"id":"3","fileName":"c.pkg","categoryId":"99"}"#),
        "/JSSResource/packages/id/1" => {
            Reply::new(200, "<package><id>1</id><category>Design &amp; Media</category></package>")
        }
        "/JSSResource/packages/id/2" => {
            Reply::new(200, "<package><id>2</id><category>No category assigned</category></package>")
        }
        "/api/v1/categories/7" => Reply::new(200, r#"{"id":"7","name":"Design & Media","priority":5}"#),
        "/api/v1/categories/99" => Reply::fault(404, "INVALID_ID", "does not exist", Some("id")),
        "/api/v1/categories" => Reply::list(&[json!({ "id": "7", "name": "Design & Media" })]),
        _ => Reply::list(&[]),
    }))
    .await;
    let rig = Rig::new(&stub.url);
    let mut names = Vec::new();
    for number in 1_u64..=3 {
        let package = rig.session.package(&rig.cx, number.try_into().unwrap()).await.unwrap().unwrap();
        for _ in 0..2 {
            names.push(
                rig.session.category_of(&rig.cx, &package).await.unwrap().map(|category| category.name),
            );
        }
    }
    for number in 1_u64..=2 {
        let package =
            rig.session.classic_package(&rig.cx, number.try_into().unwrap()).await.unwrap().unwrap();
        names.push(rig.session.category_of(&rig.cx, &package).await.unwrap().map(|category| category.name));
    }
    let media = || Some("Design & Media".to_owned());
    assert_eq!(names, [media(), media(), None, None, None, None, media(), None]);
    // 7 once by id and once by name; 99 each time, since a node may not know it yet.
    let asked = stub.calls().into_iter().filter(|seen| seen.target.contains("categories"));
    let asked: Vec<_> = asked.map(|seen| seen.target.split('?').next().unwrap().to_owned()).collect();
    assert_eq!(
        asked,
        ["/api/v1/categories/7", "/api/v1/categories/99", "/api/v1/categories/99", "/api/v1/categories"]
    );
}

#[tokio::test]
async fn creating_a_category_says_what_is_wrong() {
    let stub =
        Stub::start(signed_in(|_| Reply::fault(400, "DUPLICATE_FIELD", "duplicate name", Some("name"))))
            .await;
    let rig = Rig::new(&stub.url);
    let error = rig.session.create_category(&rig.cx, "Apps", 9).await.unwrap_err();
    assert_eq!(stub.lines(), "POST /api/v1/categories");
    assert_eq!(stub.calls()[0].json(), json!({ "name": "Apps", "priority": 9 }));
    insta::assert_snapshot!(shown(error, &stub.url), @r"
    Remote: POST /api/v1/categories was answered with 400 Bad Request: name: duplicate name (DUPLICATE_FIELD)
    something of this name was created in the meantime: run again
    ");
}

#[tokio::test]
async fn a_category_whose_creation_was_answered_with_504_is_looked_for() {
    let mut posts = 0;
    let stub = Stub::start(signed_in(move |seen| {
        if seen.method == "POST" {
            posts += 1;
            return Reply::new(504, "");
        }
        Reply::list(&if posts == 0 { vec![] } else { vec![json!({ "id": 12, "name": "Apps" })] })
    }))
    .await;
    let rig = Rig::new(&stub.url);
    assert_eq!(rig.session.category_named(&rig.cx, "Apps").await.unwrap(), None);
    let created = rig.session.create_category(&rig.cx, "Apps", 9).await.unwrap();
    assert_eq!(created.id, 12);
    assert_eq!(stub.calls().iter().filter(|seen| seen.method == "POST").count(), 1);
    // The memory that there was none is gone.
    assert_eq!(rig.session.category_named(&rig.cx, "Apps").await.unwrap(), Some(created));
}
