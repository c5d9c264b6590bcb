//! A run that is killed, the one after it, and what that asks for.

use crate::meddler::{Fate, Seen};
use crate::stage::Stage;

/// What the server was asked, in short: `PUT 2`, `POST complete`, …
pub fn asked(seen: &[Seen]) -> Vec<String> {
    let short = |seen: &Seen| {
        let number = seen.path.split_once("partNumber=").map(|(_, rest)| rest.split('&').next().unwrap());
        Some(match (seen.method.as_str(), number) {
            ("PUT", Some(number)) => format!("part {number}"),
            ("POST", _) if seen.path.contains("?uploads") => "begin".to_owned(),
            ("POST", _) if seen.path.contains("uploadId=") => "complete".to_owned(),
            ("DELETE", _) if seen.path.contains("uploadId=") => "abort".to_owned(),
            ("DELETE", _) => "delete".to_owned(),
            ("POST", _) if seen.path.ends_with("/jcds/files") => "credentials".to_owned(),
            ("POST", _) if seen.path.ends_with("/renew-credentials") => "renew".to_owned(),
            _ => return None,
        })
    };
    seen.iter().filter_map(short).collect()
}

/// A run that ends at the first request that is `meant`: dropped at once, without any farewell.
pub async fn killed_at(
    stage: &Stage,
    name: &str,
    bytes: &[u8],
    meant: impl Fn(&Seen) -> bool + Send + 'static,
    fate: Fate,
) {
    stage.meddler.rule(move |seen| if meant(seen) { fate.clone() } else { Fate::Pass });
    tokio::select! {
        sent = stage.send(name, bytes) => panic!("not killed: {sent:?}"),
        () = stage.meddler.holding() => {}
    }
}

/// The rerun; gives what it asked for.
pub async fn rerun(stage: &Stage, name: &str, bytes: &[u8]) -> Vec<String> {
    stage.meddler.rule(|_| Fate::Pass);
    stage.send_again(name).await.unwrap();
    stage.assert_holds(name, bytes);
    assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new());
    assert_eq!(stage.memory.state.left_over().unwrap().len(), 0, "the journal is empty");
    asked(&stage.meddler.seen())
}

pub async fn one_at_a_time() -> Stage {
    let mut stage = Stage::open().await;
    stage.set("upload_concurrency", "1");
    stage
}
