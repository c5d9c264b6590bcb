use super::*;
use crate::rehearsal::said;
use aws_sdk_s3::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use pipeline::Clock as _;
use reqwest::Method;
use std::sync::{Arc, Mutex};

const APP: &str = "/api/v1/jcds/files/App.pkg";

#[tokio::test]
async fn a_completion_that_says_200_and_then_an_error() {
    let rehearsal = armed(&["complete-error"]).await;
    let upload = Upload::begin(&rehearsal, "App.pkg").await;
    let part = upload.send(1, b"bytes").await.unwrap();
    // One that is not in order is refused as ever, and plays nothing.
    assert_eq!(upload.complete(&[]).await, Err("400 MalformedXML".to_owned()));
    let error = upload.completion(std::slice::from_ref(&part)).send().await.unwrap_err();
    let answer = error.raw_response().unwrap();
    let document = std::str::from_utf8(answer.body().bytes().unwrap()).unwrap();
    let (declaration, rest) = document.split_once("?>").unwrap();
    assert!(declaration.starts_with("<?xml") && rest.starts_with(' '), "{document}");
    assert!(rest.trim_start().starts_with("<Error><Code>InternalError</Code>"), "{document}");
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!((rehearsal.listed(), rehearsal.sandbox.open_uploads().len()), (vec![], 1));
    upload.complete(&[part]).await.unwrap();
    assert_eq!(rehearsal.listed(), ["App.pkg"]);
}

#[tokio::test]
async fn a_completion_whose_answer_is_lost() {
    let rehearsal = armed(&["complete-lost"]).await;
    let upload = Upload::begin(&rehearsal, "App.pkg").await;
    let part = upload.send(1, b"bytes").await.unwrap();
    assert_eq!(
        upload.complete(&[]).await,
        Err("400 MalformedXML".to_owned()),
        "nothing was completed: nothing is lost"
    );
    assert_eq!(upload.complete(std::slice::from_ref(&part)).await, Err("no answer".to_owned()));
    assert_eq!((rehearsal.listed(), rehearsal.sandbox.open_uploads()), (vec!["App.pkg".to_owned()], vec![]));
    assert_eq!(s3_journal(&rehearsal).last().unwrap(), "POST 444");
    upload.complete(&[part]).await.unwrap();
    assert_eq!(rehearsal.listed(), ["App.pkg"], "asked again, it is still the one file");
}

/// Keeps the body of the last answer.
#[derive(Clone, Debug, Default)]
struct Heard(Arc<Mutex<String>>);

impl Intercept for Heard {
    fn name(&self) -> &'static str {
        "Heard"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        *self.0.lock().unwrap() = String::from_utf8_lossy(body).into_owned();
        Ok(())
    }
}

#[tokio::test]
async fn a_completion_that_takes_its_time() {
    let rehearsal = armed(&["complete-slow=90"]).await;
    let grant = rehearsal.post("/api/v1/jcds/files").await.json();
    let heard = Heard::default();
    let client = Client::from_conf(rehearsal.s3_config(&grant).interceptor(heard.clone()).build());
    let upload = Upload::begin_with(&rehearsal, &grant, "App.pkg").await.with(client);
    let start = rehearsal.clock.now();
    upload.send_all(b"bytes").await.unwrap();
    assert_eq!(rehearsal.clock.now().duration_since(start).as_secs(), 90);
    let document = heard.0.lock().unwrap().clone();
    assert!(document.contains("?> "), "{document}");
    assert_eq!(rehearsal.listed(), ["App.pkg"]);
    Upload::begin(&rehearsal, "Other.pkg").await.send_all(b"bytes").await.unwrap();
    assert_eq!(rehearsal.clock.now().duration_since(start).as_secs(), 90, "once");
}

#[tokio::test]
async fn a_deleted_file_that_stays_for_a_while() {
    let rehearsal = armed(&["delete-late=60"]).await;
    rehearsal.sandbox.put_file("App.pkg", b"old");
    assert_eq!(rehearsal.delete(APP).await, 204);
    assert_eq!(rehearsal.listed(), ["App.pkg"]);
    rehearsal.pass(59);
    assert_eq!(rehearsal.delete(APP).await, 204, "asked again");
    rehearsal.upload("App.pkg", b"newer").await;
    assert_eq!(rehearsal.listed(), ["App.pkg", "App_1.pkg"]);
    assert_eq!(rehearsal.sandbox.bytes_of("App.pkg").unwrap(), b"old");
    rehearsal.pass(1);
    assert_eq!(rehearsal.listed(), ["App_1.pkg"]);
    assert_eq!(std::fs::read_dir(rehearsal.folder.path().join("files")).unwrap().count(), 1, "bytes go too");
    rehearsal.upload("App.pkg", b"newest").await;
    assert_eq!(rehearsal.listed(), ["App_1.pkg", "App.pkg"]);
    assert_eq!(rehearsal.delete(APP).await, 204);
    assert_eq!(rehearsal.listed(), ["App_1.pkg"], "once");
}

#[tokio::test]
async fn a_deletion_whose_answer_is_lost() {
    let rehearsal = armed(&["delete-lost"]).await;
    rehearsal.sandbox.put_file("App.pkg", b"old");
    let lost = said(rehearsal.request(Method::DELETE, APP)).await;
    assert_eq!((lost.status, lost.mime.as_str()), (504, "text/html;charset=UTF-8"));
    assert!(lost.body.contains("Gateway Timeout"), "{}", lost.body);
    assert_eq!(rehearsal.listed(), Vec::<String>::new());
    assert_eq!(rehearsal.delete(APP).await, 404);
    let statuses: Vec<_> = rehearsal.sandbox.journal().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [504, 404]);
}

#[tokio::test]
async fn a_deletion_that_is_refused() {
    let rehearsal = armed(&["delete-refused"]).await;
    rehearsal.sandbox.put_file("App.pkg", b"old");
    assert_eq!(rehearsal.delete("/api/v1/jcds/files/Other.pkg").await, 404, "nothing to refuse");
    assert_eq!(rehearsal.delete(APP).await, 500);
    assert_eq!(rehearsal.listed(), ["App.pkg"]);
    assert_eq!(rehearsal.delete(APP).await, 204);
    assert_eq!(rehearsal.listed(), Vec::<String>::new());
}
