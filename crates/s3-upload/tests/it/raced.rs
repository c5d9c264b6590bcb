//! Two runs that listed the server once, at their beginning, and are about the same package.

use crate::meddler::Fate;
use crate::stage::{Stage, bytes, failed};
use insta::assert_snapshot;
use jamf::{Listing, Sessions};
use std::sync::Arc;

/// The sessions of a run that has listed the server now, and will not again for its own sake.
async fn run_of_many(stage: &Stage) -> Arc<Sessions> {
    let config = jamf::Config { listing: Listing::Whole, ..jamf::Config::default() };
    let sessions = Arc::new(Sessions::new(config).unwrap());
    let (session, cx) = (sessions.open(&stage.env_of("App.pkg")).unwrap(), stage.context());
    let name = "App.pkg".parse().unwrap();
    session.jcds_files_for(&cx, &name).await.unwrap();
    session.packages_named(&cx, &name).await.unwrap();
    sessions
}

fn deletions(stage: &Stage) -> usize {
    stage.meddler.seen().iter().filter(|seen| seen.is_delete()).count()
}

#[tokio::test]
async fn a_file_that_another_run_created_since_the_listing_stays_the_only_one() {
    let stage = Stage::open().await;
    stage.meddler.rule(|_| Fate::Pass);
    let (ours, theirs) = (run_of_many(&stage).await, run_of_many(&stage).await);
    let (new, old) = (bytes(1, 1000), bytes(2, 1000));
    let sent = stage.send_within(theirs, stage.env("App.pkg", &old), |_| {}).await.unwrap();
    assert_eq!(sent.change, "create file App.pkg");

    // The listing says that there is none, and the plan believes it; the commit does not.
    let env = stage.env("App.pkg", &new);
    let failure = stage.send_within(ours.clone(), env, |_| {}).await.unwrap_err();
    assert_snapshot!(failed(&failure), @"
    App.pkg appeared on the server after the plan was made; it was left alone, and the new one was not put in place
    hint: run again: the plan then shows the file that is there now
    Remote
    ");
    assert_eq!((stage.listed(), deletions(&stage)), (vec!["App.pkg".to_owned()], 0));
    stage.assert_holds("App.pkg", &old);
    assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new());

    // What the commit saw is known from then on.
    let sent = stage.send_within(ours, stage.env_of("App.pkg"), |_| {}).await.unwrap();
    assert_eq!(sent.change, "replace file App.pkg");
    assert_eq!(stage.listed(), ["App.pkg"]);
    stage.assert_holds("App.pkg", &new);
}

#[tokio::test]
async fn a_file_that_another_run_replaced_since_the_listing_is_not_deleted() {
    let stage = Stage::open().await;
    stage.meddler.rule(|_| Fate::Pass);
    stage.sandbox.put_file("App.pkg", &bytes(1, 1000));
    let (ours, theirs) = (run_of_many(&stage).await, run_of_many(&stage).await);
    let (new, other) = (bytes(2, 1000), bytes(3, 1000));
    let sent = stage.send_within(theirs, stage.env("App.pkg", &other), |_| {}).await.unwrap();
    assert_eq!(sent.change, "replace file App.pkg");
    assert_eq!(deletions(&stage), 1);

    let env = stage.env("App.pkg", &new);
    let failure = stage.send_within(ours.clone(), env, |_| {}).await.unwrap_err();
    assert_snapshot!(failed(&failure), @"
    the App.pkg on the server changed after the plan was made; it was left alone, and the new one was not put in place
    hint: run again: the plan then shows the file that is there now
    Remote
    ");
    assert_eq!((stage.listed(), deletions(&stage)), (vec!["App.pkg".to_owned()], 1));
    stage.assert_holds("App.pkg", &other);
    assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new());

    let sent = stage.send_within(ours, stage.env_of("App.pkg"), |_| {}).await.unwrap();
    assert_eq!(sent.change, "replace file App.pkg");
    assert_eq!(stage.listed(), ["App.pkg"]);
    stage.assert_holds("App.pkg", &new);
}

/// What another run deleted is not missed: there is nothing to make room for.
#[tokio::test]
async fn a_file_that_another_run_deleted_since_the_listing_leaves_its_name_to_the_new_one() {
    let stage = Stage::open().await;
    stage.meddler.rule(|_| Fate::Pass);
    stage.sandbox.put_file("App.pkg", &bytes(1, 1000));
    let (ours, theirs) = (run_of_many(&stage).await, run_of_many(&stage).await);
    let env = stage.env("App.pkg", &bytes(2, 1000));
    let session = theirs.open(&env).unwrap();
    session.jcds_delete(&stage.context(), "App.pkg").await.unwrap();
    let sent = stage.send_within(ours, env, |_| {}).await.unwrap();
    assert_eq!((stage.listed(), deletions(&stage)), (vec!["App.pkg".to_owned()], 1));
    stage.assert_holds("App.pkg", &bytes(2, 1000));
    assert_snapshot!(sent.told(), @"sent App.pkg: 1000 bytes in 1 part");
}
