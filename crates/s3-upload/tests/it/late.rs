//! Completions that S3 is asked for by a run that is killed, and that take their time.

use crate::killed::killed_at;
use crate::meddler::{Fate, Seen};
use crate::stage::{MIB, Sent, Stage, bytes, failed};
use insta::assert_snapshot;
use pipeline::keys;
use sandbox::Fault;
use state::Arrival;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// A run that was killed while S3 put its file together.
struct Killed {
    stage: Stage,
    /// Lets S3 get the request.
    go: Arc<Notify>,
}

impl Killed {
    /// Another upload was begun since, so that no credentials open this one any more (`jamf-pro-api.md §7.3`).
    async fn completing(bytes_of_it: &[u8]) -> Self {
        let stage = Stage::open().await;
        stage.sandbox.put_file("App.pkg", &bytes(9, 700));
        let go = Arc::new(Notify::new());
        let mut held = Some(Arc::clone(&go));
        stage.meddler.rule(move |seen| match held.take_if(|_| seen.is_complete()) {
            Some(go) => Fate::Until(go),
            None => Fate::Pass,
        });
        tokio::select! {
            sent = stage.send("App.pkg", bytes_of_it) => panic!("not killed: {sent:?}"),
            () = stage.meddler.holding() => {}
        }
        let other = stage.path().with_file_name("other.pkg");
        stage.send_file(&other, "Other.pkg", &bytes(3, 1000)).await.unwrap();
        assert_eq!(stage.listed(), ["Other.pkg"], "the old file has gone");
        assert_eq!(stage.memory.state.left_over().unwrap().len(), 1);
        Self { stage, go }
    }

    /// The rerun; S3 is through as soon as this request of it is `meant`, and before it is answered.
    async fn rerun_while(&self, meant: impl FnMut(&Seen) -> bool + Send + 'static) -> Sent {
        let stage = &self.stage;
        let (held, mut meant) = (Arc::new(Notify::new()), meant);
        let mut hold = Some(Arc::clone(&held));
        stage.meddler.rule(move |seen| match hold.take_if(|_| meant(seen)) {
            Some(held) => Fate::Until(held),
            None => Fate::Pass,
        });
        let before = stage.listed().len();
        let late = async {
            stage.meddler.holding().await;
            let before = before.max(stage.listed().len());
            self.go.notify_one();
            while stage.listed().len() == before {
                tokio::task::yield_now().await;
            }
            held.notify_one();
        };
        let (sent, ()) = tokio::join!(stage.send_again("App.pkg"), late);
        sent.unwrap()
    }

    fn parts_sent(&self) -> usize {
        self.stage.meddler.seen().iter().filter(|seen| seen.is("PUT", "partNumber=")).count()
    }

    fn assert_right(&self, bytes: &[u8]) {
        assert_eq!(self.stage.listed(), ["App.pkg", "Other.pkg"]);
        self.stage.assert_holds("App.pkg", bytes);
        assert_eq!(self.stage.memory.state.left_over().unwrap().len(), 0);
    }
}

/// The list after the completion that these credentials may not ask for, and so many more.
fn look(mut more: usize) -> impl FnMut(&Seen) -> bool + Send {
    let mut refused = false;
    move |seen| {
        refused |= seen.is_complete();
        let is_look = refused && seen.is_list();
        let is_meant = is_look && more == 0;
        more -= usize::from(is_look && more > 0);
        is_meant
    }
}

#[tokio::test]
async fn what_s3_puts_together_late_is_delivered_and_not_sent_again() {
    let new = bytes(1, 9 * MIB);
    let killed = Killed::completing(&new).await;
    let sent = killed.rerun_while(look(0)).await;
    killed.assert_right(&new);
    assert_eq!(killed.parts_sent(), 0);
    assert_eq!(killed.stage.ear.warnings(), Vec::<String>::new());
    assert_snapshot!(sent.told(), @"App.pkg was sent by an earlier run, and S3 has put it together");
    assert_eq!(sent.outputs.get(keys::PKG_SIZE).unwrap(), Some(new.len() as u64));
    assert_eq!(arrivals(&killed.stage), [Arrival::Listed; 2], "it and Other.pkg are still to be proven");
}

/// What was waited for in vain may come while it is sent anew, and that run may be killed too.
#[tokio::test]
async fn what_is_sent_anew_is_gone_on_with_and_the_twin_that_comes_late_removed() {
    let mut killed = Killed::completing(&bytes(1, 9 * MIB)).await;
    killed.stage.set("upload_concurrency", "1");
    killed.stage.meddler.rule(|seen| if seen.is_part(2) { Fate::HoldBefore } else { Fate::Pass });
    tokio::select! {
        sent = killed.stage.send_again("App.pkg") => panic!("not killed: {sent:?}"),
        () = killed.stage.meddler.holding() => {}
    }
    assert_eq!(
        killed.stage.memory.state.left_over().unwrap().len(),
        2,
        "nothing is forgotten before it is over"
    );

    let mut completed = false;
    let sent = killed
        .rerun_while(move |seen| {
            let is_look = completed && seen.is_list();
            completed |= seen.is_complete();
            is_look
        })
        .await;
    killed.assert_right(&bytes(1, 9 * MIB));
    assert_eq!(killed.parts_sent(), 1);
    assert_snapshot!(sent.told(), @"sent App.pkg: 9.0 MiB in 2 parts, 1.0 MiB of it by this run; another run sent the same, and its surplus App_1.pkg was deleted");
}

#[tokio::test]
async fn it_is_looked_for_more_than_once() {
    let new = bytes(1, 9 * MIB);
    let killed = Killed::completing(&new).await;
    killed.rerun_while(look(4)).await;
    killed.assert_right(&new);
    assert_eq!(killed.parts_sent(), 0);
}

#[tokio::test]
async fn where_new_credentials_were_given_it_is_waited_for_as_well() {
    let new = bytes(1, 9 * MIB);
    let killed = Killed::completing(&new).await;
    killed.stage.sandbox.inject(Fault::RenewalRefused);
    let mut begun = false;
    let sent = killed
        .rerun_while(move |seen| {
            begun |= seen.is("POST", "/jcds/files");
            begun && seen.is_list()
        })
        .await;
    killed.assert_right(&new);
    assert_eq!(killed.parts_sent(), 0);
    assert_snapshot!(sent.told(), @"App.pkg was sent by an earlier run, and S3 has put it together");
}

#[tokio::test]
async fn what_is_not_listed_in_time_is_sent_anew_and_its_twin_removed() {
    let new = bytes(1, 9 * MIB);
    let killed = Killed::completing(&new).await;
    // The second completion of the rerun is that of the upload that it began.
    let mut completions = 0;
    let sent = killed
        .rerun_while(move |seen| {
            completions += usize::from(seen.is_complete());
            completions == 2 && seen.is_list()
        })
        .await;
    killed.assert_right(&new);
    assert_eq!(killed.parts_sent(), 2);
    assert_snapshot!(sent.told(), @"sent App.pkg: 9.0 MiB in 2 parts; another run sent the same, and its surplus App_1.pkg was deleted");
    assert_snapshot!(killed.stage.ear.steady_warnings(), @"an earlier run has sent App.pkg, and 15 s later it is not listed; nobody can ask S3 about it any more, so it is sent anew");
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_not_one_that_lacks_it() {
    let new = bytes(1, 5 * MIB);
    let killed = Killed::completing(&new).await;
    let mut refused = false;
    killed.stage.meddler.rule(move |seen| {
        refused |= seen.is_complete();
        let is_anew = seen.is("POST", "/jcds/files");
        refused &= !is_anew;
        match refused && seen.is_list() {
            true => Fate::Answer(403, String::new()),
            false => Fate::Pass,
        }
    });
    killed.stage.send_again("App.pkg").await.unwrap();
    killed.assert_right(&new);
    assert_snapshot!(killed.stage.ear.steady_warnings(), @"
    whether App.pkg got a twin such as Name_1.pkg is not known: GET /api/v1/jcds/files was answered with 403 Forbidden; it takes the privilege “Read Jamf Cloud Distribution Service Files”
    an earlier run has sent App.pkg, and 15 s later the list could not be read (GET /api/v1/jcds/files was answered with 403 Forbidden; it takes the privilege “Read Jamf Cloud Distribution Service Files”); nobody can ask S3 about it any more, so it is sent anew
    whether App.pkg got a twin such as Name_1.pkg is not known: GET /api/v1/jcds/files was answered with 403 Forbidden; it takes the privilege “Read Jamf Cloud Distribution Service Files”
    ");
}

#[tokio::test]
async fn what_comes_late_and_is_older_is_replaced() {
    let killed = Killed::completing(&bytes(1, 9 * MIB)).await;
    let newer = bytes(2, 5 * MIB);
    std::fs::write(killed.stage.path(), &newer).unwrap();
    let mut asked = false;
    let sent = killed
        .rerun_while(move |seen| {
            asked |= seen.is("POST", "/renew-credentials");
            asked && seen.is_list()
        })
        .await;
    killed.assert_right(&newer);
    assert_snapshot!(sent.told(), @"sent App.pkg: 5.0 MiB in 1 part, in place of the old file");
    assert_snapshot!(killed.stage.ear.steady_warnings(), @"");
}

/// Another package that is sent meanwhile leaves it in the journal.
#[tokio::test]
async fn nobody_else_forgets_what_may_still_come() {
    let killed = Killed::completing(&bytes(1, 9 * MIB)).await;
    let stage = &killed.stage;
    std::fs::write(stage.path(), bytes(2, 1000)).unwrap();
    let other = stage.path().with_file_name("other.pkg");
    stage.send_file(&other, "Other.pkg", &bytes(4, 1000)).await.unwrap();
    assert_eq!(stage.memory.state.left_over().unwrap().len(), 1);
}

#[tokio::test]
async fn whoever_interrupts_the_wait_finds_it_in_the_journal() {
    let killed = Killed::completing(&bytes(1, 9 * MIB)).await;
    let (cancel, mut look) = (killed.stage.cancel.clone(), look(2));
    killed.stage.meddler.rule(move |seen| {
        if look(seen) {
            cancel.cancel();
        }
        Fate::Pass
    });
    let failure = killed.stage.send_again("App.pkg").await.unwrap_err();
    assert_snapshot!(failed(&failure), @"
    the upload of App.pkg was interrupted; nothing of it was put in place by this run; S3 was asked for it by an earlier one, and may have done it since
    hint: run again: it looks whether the file is listed by then
    Interrupted
    ");
    let left = killed.stage.memory.state.left_over().unwrap();
    assert_eq!(left.iter().map(|left| left.phase).collect::<Vec<_>>(), [state::Phase::Completing]);
}

/// A run that ends between the completion and the list.
#[tokio::test]
async fn what_was_sent_is_known_before_the_list_shows_it() {
    let stage = Stage::with(|config| config.listed_after = Duration::from_secs(600)).await;
    let new = bytes(1, 1000);
    stage.send("App.pkg", &new).await.unwrap();
    assert_eq!(stage.listed(), Vec::<String>::new());
    let kept = stage.memory.state.unproven(None).unwrap();
    let sent: Vec<_> = kept.iter().map(|kept| (kept.file.as_str(), kept.sent.size)).collect();
    assert_eq!(sent, [("App.pkg", 1000)]);
    assert_eq!(stage.memory.state.left_over().unwrap().len(), 0);
}

/// The file was built anew meanwhile.
#[tokio::test]
async fn a_file_that_is_listed_late_is_waited_for_and_replaced() {
    let stage = Stage::with(|config| config.listed_after = Duration::from_secs(600)).await;
    stage.send("App.pkg", &bytes(1, 1000)).await.unwrap();
    let (clock, mut looks) = (stage.clock.clone(), 0);
    stage.meddler.rule(move |seen| {
        looks += usize::from(seen.is_list());
        if looks == 3 {
            // The list has come as far.
            clock.advance(Duration::from_secs(600));
        }
        Fate::Pass
    });
    let newer = bytes(2, 2000);
    std::fs::write(stage.path(), &newer).unwrap();
    stage.send_again("App.pkg").await.unwrap();
    stage.clock.advance(Duration::from_secs(700));
    assert_eq!(stage.listed(), ["App.pkg"]);
    stage.assert_holds("App.pkg", &newer);
}

/// S3 has put it together, and forgets the upload; the run that asked was killed, and the list is late.
#[tokio::test]
async fn an_upload_that_s3_has_completed_and_forgotten_is_not_sent_again() {
    let stage = Stage::with(|config| config.listed_after = Duration::from_secs(600)).await;
    let new = bytes(1, 1000);
    stage.meddler.rule(|seen| if seen.is_complete() { Fate::HoldAfter } else { Fate::Pass });
    tokio::select! {
        sent = stage.send("App.pkg", &new) => panic!("not killed: {sent:?}"),
        () = stage.meddler.holding() => {}
    }
    stage.meddler.rule(|_| Fate::Pass);
    let sent = stage.send_again("App.pkg").await.unwrap();
    assert_snapshot!(sent.told(), @"
    unverified: App.pkg was sent by an earlier run, and S3 does not know the upload any more, as when it has put it together; the list does not show the file yet
    hint: run `pkgferry verify` in a few minutes, which looks again and sends nothing
    ");
    assert_eq!(stage.memory.state.left_over().unwrap().len(), 0);
    assert_eq!(arrivals(&stage), [Arrival::Awaited]);
    stage.clock.advance(Duration::from_secs(700));
    assert_eq!(stage.listed(), ["App.pkg"]);
    stage.assert_holds("App.pkg", &new);
}

/// S3 does not show an upload while it is at it, and shows it again where it fails of it.
#[tokio::test]
async fn a_completion_that_s3_fails_of_is_asked_for_again() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", &bytes(9, 700));
    let new = bytes(1, 9 * MIB);
    stage.meddler.rule(|seen| if seen.is_complete() { Fate::HoldBefore } else { Fate::Pass });
    tokio::select! {
        sent = stage.send("App.pkg", &new) => panic!("not killed: {sent:?}"),
        () = stage.meddler.holding() => {}
    }
    let gone = "<Error><Code>NoSuchUpload</Code><Message>Gone.</Message></Error>";
    let mut at_it = 3;
    stage.meddler.rule(move |seen| match seen.is("GET", "uploadId=") && at_it > 0 {
        true => {
            at_it -= 1;
            Fate::Answer(404, gone.to_owned())
        }
        false => Fate::Pass,
    });
    let sent = stage.send_again("App.pkg").await.unwrap();
    assert_snapshot!(sent.told(), @"sent App.pkg: 9.0 MiB in 2 parts, all of it by an earlier run");
    assert_eq!(stage.listed(), ["App.pkg"]);
    stage.assert_holds("App.pkg", &new);
    assert_eq!(stage.meddler.seen().iter().filter(|seen| seen.is("PUT", "partNumber=")).count(), 0);
}

#[tokio::test]
async fn what_was_sent_before_is_not_late_any_more_when_its_file_is_deleted() {
    let stage = Stage::with(|config| config.listed_after = Duration::from_secs(20)).await;
    stage.send("App.pkg", &bytes(1, 1000)).await.unwrap();
    assert_eq!(arrivals(&stage), [Arrival::Awaited]);
    stage.clock.advance(Duration::from_secs(60));
    stage.meddler.rule(|seen| if seen.is_delete() { Fate::HoldAfter } else { Fate::Pass });
    let newer = bytes(2, 1000);
    tokio::select! {
        sent = stage.send("App.pkg", &newer) => panic!("not killed: {sent:?}"),
        () = stage.meddler.holding() => {}
    }
    assert_eq!(arrivals(&stage), [Arrival::Unawaited]);
    // Who wants the old bytes back sends them at once, and the newer ones are given up.
    stage.meddler.rule(|_| Fate::Pass);
    stage.send("App.pkg", &bytes(1, 1000)).await.unwrap();
    stage.clock.advance(Duration::from_secs(60));
    stage.assert_holds("App.pkg", &bytes(1, 1000));
    assert_eq!(stage.ear.warnings(), Vec::<String>::new());
}

#[tokio::test]
async fn what_was_proven_is_nothing_to_prove_when_its_file_is_deleted() {
    let stage = Stage::open().await;
    stage.send("App.pkg", &bytes(1, 1000)).await.unwrap();
    let state = &stage.memory.state;
    state.arrived(&state.unproven(None).unwrap()[0], Arrival::Proven).unwrap();
    killed_at(&stage, "App.pkg", &bytes(2, 1000), Seen::is_delete, Fate::HoldAfter).await;
    assert_eq!(arrivals(&stage), []);
    assert_eq!(
        state.delivery(state.left_over().unwrap()[0].server.as_str(), &"App.pkg".parse().unwrap()).unwrap(),
        None
    );
}

/// It is still to be proven; a kill before the step that does must not lose that.
#[tokio::test]
async fn what_was_seen_in_the_list_is_not_remembered_as_late() {
    let stage = Stage::open().await;
    stage.meddler.rule(|_| Fate::Pass);
    stage.send("App.pkg", &bytes(1, 1000)).await.unwrap();
    assert_eq!(arrivals(&stage), [Arrival::Listed]);
}

/// Of all that is to be proven.
fn arrivals(stage: &Stage) -> Vec<Arrival> {
    stage.memory.state.unproven(None).unwrap().into_iter().map(|sent| sent.arrival).collect()
}

/// The file was sent a moment ago and is planned to be replaced; at the commit a node answers that has not heard of it yet.
#[tokio::test]
async fn a_node_that_is_behind_is_not_believed_at_the_commit() {
    let stage = Stage::open().await;
    stage.meddler.rule(|_| Fate::Pass);
    stage.send("App.pkg", &bytes(1, 1000)).await.unwrap();
    let state = &stage.memory.state;
    state.arrived(&state.unproven(None).unwrap()[0], Arrival::Proven).unwrap();
    stage.clock.advance(Duration::from_secs(20));
    let (mut begun, mut behind) = (false, 1);
    let newer = bytes(2, 1000);
    let sent = stage.send_through("App.pkg", &newer, move |seen| {
        begun |= seen.is("POST", "?uploads");
        if begun && seen.is_list() && behind > 0 {
            behind -= 1;
            return Fate::Answer(200, "[]".into());
        }
        Fate::Pass
    });
    sent.await.unwrap();
    assert_eq!(stage.listed(), ["App.pkg"]);
    stage.assert_holds("App.pkg", &newer);
}

/// This machine has called it off itself, and so S3 does not know it any more.
#[tokio::test]
async fn what_was_called_off_is_not_taken_for_completed() {
    let stage = Stage::open().await;
    let new = bytes(1, 1000);
    killed_at(&stage, "App.pkg", &new, Seen::is_complete, Fate::HoldBefore).await;
    // Another build is to be sent under the name, and fails.
    stage.meddler.rule(|seen| match seen.is_part(1) {
        true => Fate::Answer(403, "<html>Forbidden by policy</html>".into()),
        false => Fate::Pass,
    });
    let other = stage.path().with_file_name("other.pkg");
    stage.send_file(&other, "App.pkg", &bytes(2, 2000)).await.unwrap_err();
    assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new(), "both were called off");
    // `pkgferry resume` finds the first one, whose file is still there.
    stage.meddler.rule(|_| Fate::Pass);
    let sent = stage.send_again("App.pkg").await.unwrap();
    assert_eq!(sent.told(), "sent App.pkg: 1000 bytes in 1 part");
    stage.assert_holds("App.pkg", &new);
}

/// The bytes of before are sent once more, and at the commit a node answers that has not heard of those in between.
#[tokio::test]
async fn what_was_there_before_the_last_delivery_is_not_taken_for_another_runs() {
    let stage = Stage::open().await;
    let before = bytes(1, 1000);
    stage.send("App.pkg", &before).await.unwrap();
    let behind = stage.list_json();
    stage.send("App.pkg", &bytes(2, 1000)).await.unwrap();
    let (mut begun, mut answer) = (false, Some(behind));
    let sent = stage.send_through("App.pkg", &before, move |seen| {
        begun |= seen.is("POST", "?uploads");
        match answer.take_if(|_| begun && seen.is_list()) {
            Some(list) => Fate::Answer(200, list),
            None => Fate::Pass,
        }
    });
    assert_snapshot!(sent.await.unwrap().told(), @"sent App.pkg: 1000 bytes in 1 part, in place of the old file");
    assert_eq!(stage.listed(), ["App.pkg"]);
    stage.assert_holds("App.pkg", &before);
}

/// An earlier run has deleted the old file and was killed: nobody calls off what is to come in its place.
#[tokio::test]
async fn ctrl_c_does_not_end_the_tries_to_complete_what_is_missing() {
    for is_changed in [false, true] {
        let stage = Stage::open().await;
        stage.sandbox.put_file("App.pkg", &bytes(9, 700));
        killed_at(&stage, "App.pkg", &bytes(1, 1000), Seen::is_delete, Fate::HoldAfter).await;
        assert_eq!(stage.listed(), Vec::<String>::new());
        let new = bytes(1 + u64::from(is_changed), 1000);
        let (cancel, mut tries) = (stage.cancel.clone(), 0);
        let busy = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
        stage.meddler.rule(move |seen| {
            tries += usize::from(seen.is_complete());
            match seen.is_complete() && tries <= 12 {
                true => {
                    cancel.cancel();
                    Fate::Answer(503, busy.to_owned())
                }
                false => Fate::Pass,
            }
        });
        let sent = match is_changed {
            true => stage.send("App.pkg", &new).await,
            false => stage.send_again("App.pkg").await,
        };
        sent.unwrap();
        stage.assert_holds("App.pkg", &new);
    }
}
