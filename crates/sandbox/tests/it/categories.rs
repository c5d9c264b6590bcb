use crate::rehearsal::{Rehearsal, assert_wire};
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn are_created_read_changed_and_deleted() {
    let rehearsal = Rehearsal::start().await;
    let body = json!({ "name": "Design & Media", "priority": 5 });
    let created = rehearsal.send_json(Method::POST, "/api/v1/categories", &body).await;
    assert_eq!(created.status, 201);
    assert_eq!(created.json(), json!({ "id": "1", "href": rehearsal.url("/api/v1/categories/1") }));
    assert_eq!(
        rehearsal.get_json("/api/v1/categories/1").await,
        json!({ "id": "1", "name": "Design & Media", "priority": 5 })
    );
    let body = json!({ "name": "Design & Media", "priority": 7 });
    let updated = rehearsal.send_json(Method::PUT, "/api/v1/categories/1", &body).await;
    assert_eq!((updated.status, &updated.json()["priority"]), (200, &json!(7)));
    assert_eq!(rehearsal.delete("/api/v1/categories/1").await, 204);
    assert_eq!(rehearsal.delete("/api/v1/categories/1").await, 404);
}

#[tokio::test]
async fn refusals() {
    let rehearsal = Rehearsal::start().await;
    rehearsal.sandbox.put_category("Design & Media");
    let body = json!({ "name": "Design & Media", "priority": 5 });
    assert_wire(
        &rehearsal.send_json(Method::POST, "/api/v1/categories", &body).await,
        StatusCode::BAD_REQUEST,
        "category.create.400.duplicate-name.response.json",
    );
    assert_wire(
        &rehearsal.get("/api/v1/categories/999").await,
        StatusCode::NOT_FOUND,
        "category.get.404.response.json",
    );
    let incomplete = rehearsal.send_json(Method::POST, "/api/v1/categories", &json!({ "name": "A" })).await;
    assert_eq!(incomplete.status, 400);
}

#[tokio::test]
async fn are_listed_filtered_and_sorted() {
    let rehearsal = Rehearsal::start().await;
    for name in ["B", "Design & Media", "A"] {
        rehearsal.sandbox.put_category(name);
    }
    let names = async |query: &[(&str, &str)]| {
        let list = rehearsal.list("/api/v1/categories", query).await.json();
        let results = list["results"].as_array().unwrap();
        results.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&[]).await, ["B", "Design & Media", "A"]);
    assert_eq!(names(&[("sort", "name:asc")]).await, ["A", "B", "Design & Media"]);
    assert_eq!(names(&[("filter", r#"name=="Design & Media""#)]).await, ["Design & Media"]);
    assert_eq!(
        names(&[("filter", r#"priority==9 and name!="B""#), ("sort", "id:desc")]).await,
        ["A", "Design & Media"]
    );
}

#[tokio::test]
async fn a_deleted_category_leaves_its_packages_without_one() {
    let rehearsal = Rehearsal::start().await;
    let id = rehearsal.sandbox.put_category("Applications").to_string();
    let package = rehearsal.sandbox.put_package(json!({ "packageName": "A", "categoryId": id }));
    assert_eq!(rehearsal.record(package).await["categoryId"], "1");
    let some = rehearsal
        .send_json(Method::POST, "/api/v1/categories/delete-multiple", &json!({ "ids": [id, "9"] }))
        .await;
    assert_eq!((some.status, &some.json()["errors"][0]["id"]), (400, &json!("9")));
    assert_eq!(rehearsal.record(package).await["categoryId"], "-1");
}
