//! What an observer hears of.

use crate::rehearsal::{Rehearsal, said};
use reqwest::Method;
use sandbox::{Exchange, Gateway, Observer};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

#[derive(Debug, Default)]
struct Ear {
    heard: Mutex<Vec<Exchange>>,
    finished: Mutex<bool>,
}

impl Observer for Ear {
    fn on(&self, exchange: &Exchange) {
        self.heard.lock().unwrap().push(exchange.clone());
    }

    fn finish(&self) {
        *self.finished.lock().unwrap() = true;
    }
}

impl Ear {
    fn last(&self) -> Exchange {
        self.heard.lock().unwrap().last().unwrap().clone()
    }

    fn addresses(&self) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        heard.iter().map(|exchange| format!("{} {}", exchange.method, exchange.uri)).collect()
    }
}

async fn overheard(configure: impl FnOnce(&mut sandbox::Config)) -> (Rehearsal, Arc<Ear>) {
    let ear = Arc::new(Ear::default());
    let rehearsal = Rehearsal::not_signed_in(|config| {
        configure(config);
        config.observer = Some(ear.clone());
    })
    .await;
    (rehearsal, ear)
}

#[tokio::test]
async fn both_bodies_and_all_that_stands_around_them() {
    let (mut rehearsal, ear) = overheard(|_| {}).await;
    rehearsal.token = rehearsal.user_token().await;
    let sent = json!({ "name": "Design & Media", "priority": 9 });
    let answer = rehearsal.send_json(Method::POST, "/api/v1/categories?a=%26", &sent).await;
    let heard = ear.last();
    assert_eq!(
        (heard.method.as_str(), heard.uri.to_string()),
        ("POST", "/api/v1/categories?a=%26".to_owned())
    );
    assert_eq!(heard.headers["content-type"], "application/json");
    assert_eq!(serde_json::from_slice::<Value>(&heard.body.unwrap()).unwrap(), sent);
    assert_eq!((heard.status.as_u16(), heard.answer), (201, answer.body.into_bytes()));
    assert_eq!(heard.answer_headers["content-type"], "application/json");
}

#[tokio::test]
async fn bodies_of_packages_are_not_kept_and_empty_ones_are_empty() {
    let (mut rehearsal, ear) = overheard(|_| {}).await;
    rehearsal.token = rehearsal.user_token().await;
    let id = rehearsal.sandbox.put_package(json!({ "packageName": "App", "fileName": "App.pkg" }));
    assert_eq!(rehearsal.upload_to(id, "App.pkg", b"bytes").await.status, 201);
    assert_eq!((ear.last().body, ear.last().status.as_u16()), (None, 201));
    rehearsal.get("/api/v1/packages").await;
    assert_eq!(ear.last().body, Some(Vec::new()));
}

#[tokio::test]
async fn what_is_not_jamf_pro_is_not_heard() {
    let (mut rehearsal, ear) = overheard(|_| {}).await;
    rehearsal.token = rehearsal.user_token().await;
    rehearsal.upload("App.pkg", b"bytes").await;
    let uri = rehearsal.get_json("/api/v1/jcds/files/App.pkg").await["uri"].clone();
    said(rehearsal.http.get(uri.as_str().unwrap())).await;
    rehearsal.get("/__sandbox/journal").await;
    let expected = ["POST /api/v1/auth/token", "POST /api/v1/jcds/files", "GET /api/v1/jcds/files/App.pkg"];
    assert_eq!(ear.addresses(), expected);
}

#[tokio::test]
async fn behind_a_gateway_the_addresses_are_the_servers_own() {
    let tenant = "1f0e2d3c-4b5a-4978-8a9b-0c1d2e3f4a5b".parse().unwrap();
    let (rehearsal, ear) = overheard(|config| config.gateway = Some(Gateway::new(tenant))).await;
    let here = rehearsal.sandbox.connection().clone();
    let gateway = here.gateway.unwrap();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &here.client_id),
        ("client_secret", &here.client_secret),
    ];
    let token = said(rehearsal.http.post(&gateway.token_url).form(&form)).await.json();
    let request = rehearsal.http.get(format!("{}/packages?page=0", gateway.pro_url));
    assert_eq!(said(request.bearer_auth(token["access_token"].as_str().unwrap())).await.status, 200);
    assert_eq!(ear.addresses(), ["GET /api/v1/packages?page=0"]);
}

#[tokio::test]
async fn the_end_is_told_when_the_server_is_dropped() {
    let (rehearsal, ear) = overheard(|_| {}).await;
    assert!(!*ear.finished.lock().unwrap());
    drop(rehearsal);
    assert!(*ear.finished.lock().unwrap());
}
