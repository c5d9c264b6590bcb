//! Completions of which nobody heard the end, or not in time.

use crate::killed::{asked, killed_at, one_at_a_time, rerun};
use crate::meddler::{Fate, Seen, in_turn};
use crate::stage::{MIB, Stage, bytes, failed};
use insta::assert_snapshot;
use jamf::Sessions;
use sandbox::Fault;
use state::Arrival;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

const UNHEARD: [&str; 2] = [
    "unverified: App.pkg was sent, and S3 was asked to put it together; its answer was lost, and it does not know the upload any more, as when it has done it",
    "hint: run `pkgferry verify` in a few minutes, which looks again and sends nothing",
];

/// S3 does not know the upload.
fn gone() -> Fate {
    let body =
        "<Error><Code>NoSuchUpload</Code><Message>The specified upload does not exist.</Message></Error>";
    Fate::Answer(404, body.into())
}

/// S3 will never make a file of the parts.
fn invalid() -> Fate {
    let body = "<Error><Code>InvalidPart</Code><Message>One part could not be found.</Message></Error>";
    Fate::Answer(400, body.into())
}

/// Somebody in between forbids it.
fn forbidden() -> Fate {
    Fate::Answer(403, "<html>Forbidden by policy</html>".into())
}

/// S3 does not let these credentials do it.
fn denied() -> Fate {
    Fate::Answer(403, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>".into())
}

/// The credentials have ended.
fn expired() -> Fate {
    Fate::Answer(400, "<Error><Code>ExpiredToken</Code><Message>Expired.</Message></Error>".into())
}

/// Whatever asks S3 about this upload, or to complete it.
fn asks_about(id: String) -> impl Fn(&Seen) -> bool + Send + 'static {
    move |seen| (seen.is("GET", "uploadId=") || seen.is_complete()) && seen.path.contains(&id)
}

/// The completion meets these fates in turn, and something happens whenever it is cut off.
fn completion_cut_off<const N: usize>(
    fates: [Fate; N],
    meanwhile: impl Fn() + Send + 'static,
) -> impl FnMut(&Seen) -> Fate + Send + 'static {
    let mut completion = in_turn(Seen::is_complete, fates);
    move |seen| {
        let fate = completion(seen);
        if matches!(fate, Fate::Cut) {
            meanwhile();
        }
        fate
    }
}

/// The answer is lost, S3 does not know the upload when it is asked again, and the list is late: all of that is what a completion
/// looks like that S3 has done.
#[tokio::test]
async fn a_completion_that_s3_has_forgotten_is_one_that_it_has_done() {
    for old in [None, Some(bytes(9, 700))] {
        let stage = Stage::with(|config| config.listed_after = Duration::from_secs(600)).await;
        if let Some(old) = &old {
            stage.sandbox.put_file("App.pkg", old);
            stage.clock.advance(Duration::from_secs(700));
        }
        let new = bytes(1, 1000);
        let rule = in_turn(Seen::is_complete, [Fate::LoseAnswer, gone()]);
        let sent = stage.send_through("App.pkg", &new, rule).await.unwrap();
        assert_eq!(sent.told().lines().collect::<Vec<_>>(), UNHEARD);
        let kept = stage.memory.state.unproven(None).unwrap();
        assert_eq!(
            kept.iter().map(|kept| kept.arrival).collect::<Vec<_>>(),
            [Arrival::Awaited],
            "it is not sent again"
        );
        assert_eq!(stage.memory.state.left_over().unwrap().len(), 0);
        stage.clock.advance(Duration::from_secs(700));
        assert_eq!(stage.listed(), ["App.pkg"]);
        stage.assert_holds("App.pkg", &new);
    }
}

/// The same where the run that lost the answer was killed, and nobody may ask about the upload.
#[tokio::test]
async fn what_an_earlier_run_asked_for_is_done_where_s3_has_forgotten_it() {
    let stage = Stage::with(|config| config.listed_after = Duration::from_secs(600)).await;
    let new = bytes(1, 1000);
    killed_at(&stage, "App.pkg", &new, Seen::is_complete, Fate::HoldAfter).await;
    stage.meddler.rule(move |seen| match seen.is_complete() {
        true => gone(),
        false if seen.is("GET", "uploadId=") => denied(),
        false => Fate::Pass,
    });
    let sent = stage.send_again("App.pkg").await.unwrap();
    assert!(sent.told().contains("its answer was lost"), "{}", sent.told());
    assert!(
        !asked(&stage.meddler.seen()).contains(&"part 1".to_owned()),
        "{:?}",
        asked(&stage.meddler.seen())
    );
    stage.clock.advance(Duration::from_secs(700));
    assert_eq!(stage.listed(), ["App.pkg"]);
}

/// S3 says at the first try that it does not know the upload: it has not put it together, and never will.
#[tokio::test]
async fn what_s3_has_forgotten_before_it_was_asked_is_sent_anew_by_the_next_run() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", &bytes(9, 700));
    let new = bytes(1, 1000);
    let rule = in_turn(Seen::is_complete, [gone()]);
    let failure = stage.send_through("App.pkg", &new, rule).await.unwrap_err();
    assert!(failed(&failure).starts_with("App.pkg IS MISSING"), "{}", failed(&failure));
    // As S3 answers about an upload that it does not know.
    let seen = stage.meddler.seen();
    let id = seen
        .iter()
        .find(|seen| seen.is_complete())
        .unwrap()
        .path
        .split_once("uploadId=")
        .unwrap()
        .1
        .to_owned();
    stage.meddler.rule(in_turn(asks_about(id), [gone()]));
    let sent = stage.send_again("App.pkg").await.unwrap();
    assert_snapshot!(sent.told(), @"sent App.pkg: 1000 bytes in 1 part");
    stage.assert_holds("App.pkg", &new);
}

/// It would be listed by now. S3 may have removed it unfinished, or was never asked.
#[tokio::test]
async fn what_was_asked_for_long_ago_and_is_gone_is_sent_anew() {
    for (minutes, told) in [
        (
            59,
            "unverified: App.pkg was sent by an earlier run, and S3 does not know the upload any more, as when it has put it \
             together; the list does not show the file yet",
        ),
        (61, "sent App.pkg: 1000 bytes in 1 part"),
    ] {
        let (stage, new) = (one_at_a_time().await, bytes(1, 1000));
        killed_at(&stage, "App.pkg", &new, Seen::is_complete, Fate::HoldBefore).await;
        stage.clock.advance(Duration::from_secs(minutes * 60));
        let id = stage.memory.state.left_over().unwrap()[0].upload_id.clone().unwrap();
        stage.meddler.rule(in_turn(asks_about(id), [gone()]));
        let sent = stage.send_again("App.pkg").await.unwrap();
        assert_eq!(sent.told().lines().next(), Some(told), "{minutes} min");
        assert_eq!(stage.memory.state.left_over().unwrap().len(), 0);
    }
}

/// All parts are there and S3 was never asked; somebody has called the upload off.
#[tokio::test]
async fn what_s3_was_never_asked_for_and_is_gone_is_sent_anew() {
    let (stage, new) = (one_at_a_time().await, bytes(1, 1000));
    // The look at the list comes right before the completion.
    let mut parts = 0;
    let is_look = move |seen: &Seen| {
        parts += usize::from(seen.is_part(1));
        parts > 0 && seen.is_list()
    };
    let is_look = std::sync::Mutex::new(is_look);
    killed_at(&stage, "App.pkg", &new, move |seen| is_look.lock().unwrap()(seen), Fate::HoldBefore).await;
    let left = stage.memory.state.left_over().unwrap().remove(0);
    assert_eq!((left.phase, left.parts.len()), (state::Phase::Sending, 1));
    let asks_about = asks_about(left.upload_id.unwrap());
    let mut completion = in_turn(Seen::is_complete, [Fate::Cut, gone()]);
    stage.meddler.rule(move |seen| match asks_about(seen) {
        true if seen.is_complete() => completion(seen),
        true => gone(),
        false => Fate::Pass,
    });
    let sent = stage.send_again("App.pkg").await.unwrap();
    assert_snapshot!(sent.told(), @"sent App.pkg: 1000 bytes in 1 part");
    stage.assert_holds("App.pkg", &new);
}

/// S3 says that it failed, and had done it.
#[tokio::test]
async fn a_completion_that_failed_in_s3_may_have_been_done() {
    let stage = Stage::with(|config| config.listed_after = Duration::from_secs(600)).await;
    let trouble =
        "<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>";
    let rule = in_turn(Seen::is_complete, [Fate::AnswerAfter(500, trouble.into()), gone()]);
    let sent = stage.send_through("App.pkg", &bytes(1, 1000), rule).await.unwrap();
    assert_eq!(sent.told().lines().collect::<Vec<_>>(), UNHEARD);
    stage.clock.advance(Duration::from_secs(700));
    assert_eq!(stage.listed(), ["App.pkg"]);
}

/// A proxy that forbids is not S3: the parts are still there, and S3 may be asked again.
#[tokio::test]
async fn what_somebody_in_between_forbids_stays_in_the_journal() {
    let (stage, new) = (one_at_a_time().await, bytes(1, 9 * MIB));
    killed_at(&stage, "App.pkg", &new, Seen::is_complete, Fate::HoldBefore).await;
    let meant = |seen: &Seen| seen.is_complete() || seen.is("DELETE", "uploadId=");
    stage.meddler.rule(in_turn(meant, [forbidden()]));
    stage.send_again("App.pkg").await.unwrap_err();
    let left = stage.memory.state.left_over().unwrap();
    assert_eq!(left.iter().map(|left| left.phase).collect::<Vec<_>>(), [state::Phase::Completing]);
    let asked = rerun(&stage, "App.pkg", &new).await;
    assert!(!asked.iter().any(|asked| asked.starts_with("part")), "{asked:?}");
}

/// A clock that is set back in the middle of it makes no try longer.
#[tokio::test]
async fn a_clock_that_is_set_back_ends_nothing() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", &bytes(9, 700));
    let (clock, new) = (stage.clock.clone(), bytes(1, 1000));
    let set_back = move || clock.set_back(Duration::from_secs(20 * 60));
    let rule = completion_cut_off([Fate::Cut, Fate::Pass], set_back);
    let sent = stage.send_through("App.pkg", &new, rule).await.unwrap();
    assert_snapshot!(sent.told(), @"sent App.pkg: 1000 bytes in 1 part, in place of the old file");
}

/// Asked again, S3 says the same. One night without the package is enough.
#[tokio::test]
async fn what_s3_will_not_put_together_is_sent_anew_at_once() {
    let (stage, new) = (one_at_a_time().await, bytes(1, 9 * MIB));
    stage.sandbox.put_file("App.pkg", &bytes(9, 700));
    let refused = in_turn(Seen::is_complete, [invalid()]);
    let failure = stage.send_through("App.pkg", &new, refused).await.unwrap_err();
    assert!(failed(&failure).starts_with("App.pkg IS MISSING"), "{}", failed(&failure));
    stage.meddler.rule(in_turn(Seen::is_complete, [invalid(), Fate::Pass]));
    let sent = stage.send_again("App.pkg").await.unwrap();
    assert_snapshot!(sent.told(), @"sent App.pkg: 9.0 MiB in 2 parts");
    assert_snapshot!(stage.ear.steady_warnings().lines().last().unwrap(), @"what an earlier run has sent of App.pkg is of no use: S3 answered 400 InvalidPart: One part could not be found; it is sent anew");
    stage.assert_holds("App.pkg", &new);
    assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new());
    assert_eq!(stage.memory.state.left_over().unwrap().len(), 0);
}

/// The lid was closed while S3 put the parts together, and the connection is dead when it opens again.
#[tokio::test]
async fn a_machine_that_slept_tries_again() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", &bytes(9, 700));
    let (clock, new) = (stage.clock.clone(), bytes(1, 1000));
    let closed = move || clock.advance(Duration::from_secs(8 * 3600));
    let rule = completion_cut_off([Fate::Cut, Fate::Cut, Fate::Pass], closed);
    let sent = stage.send_through("App.pkg", &new, rule).await.unwrap();
    assert_snapshot!(sent.told(), @"sent App.pkg: 1000 bytes in 1 part, in place of the old file");
    stage.assert_holds("App.pkg", &new);
}

/// Killed between the abort of an upload that S3 had refused, and the end of its journal.
#[tokio::test]
async fn nobody_waits_for_an_upload_that_was_called_off() {
    let (stage, new) = (one_at_a_time().await, bytes(1, 1000));
    let is_abort = |seen: &Seen| seen.is("DELETE", "uploadId=");
    stage.meddler.rule(move |seen| match seen {
        seen if seen.is_complete() => invalid(),
        seen if is_abort(seen) => Fate::HoldAfter,
        _ => Fate::Pass,
    });
    tokio::select! {
        sent = stage.send("App.pkg", &new) => panic!("not killed: {sent:?}"),
        () = stage.meddler.holding() => {}
    }
    assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new());
    let asked = rerun(&stage, "App.pkg", &new).await;
    assert!(asked.contains(&"complete".to_owned()), "{asked:?}");
}

/// S3 has done it at the first try, whose answer was lost; at the second one a proxy forbids to ask, or S3 takes the credentials no
/// more.
#[tokio::test]
async fn a_refusal_after_a_lost_answer_says_nothing_of_what_s3_has_done() {
    for refusal in [forbidden(), denied()] {
        let stage = Stage::with(|config| config.listed_after = Duration::from_secs(600)).await;
        let new = bytes(1, 9 * MIB);
        let rule = in_turn(Seen::is_complete, [Fate::LoseAnswer, refusal]);
        stage.send_through("App.pkg", &new, rule).await.unwrap_err();
        let left = stage.memory.state.left_over().unwrap();
        assert_eq!(left.iter().map(|left| left.phase).collect::<Vec<_>>(), [state::Phase::Completing]);
        stage.meddler.rule(|_| Fate::Pass);
        let sent = stage.send_again("App.pkg").await.unwrap();
        assert!(sent.told().contains("was sent by an earlier run"), "{}", sent.told());
        assert!(!asked(&stage.meddler.seen()).iter().any(|asked| asked.starts_with("part")));
        stage.clock.advance(Duration::from_secs(700));
        assert_eq!(stage.listed(), ["App.pkg"]);
    }
}

/// The server has deleted the file at the first try, whose answer was lost; the second one is forbidden.
#[tokio::test]
async fn a_refusal_after_a_lost_answer_says_nothing_of_the_old_file() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", &bytes(9, 700));
    let new = bytes(1, 1000);
    let rule = in_turn(Seen::is_delete, [Fate::LoseAnswer, forbidden()]);
    let sent = stage.send_through("App.pkg", &new, rule).await.unwrap();
    assert_snapshot!(sent.told(), @"sent App.pkg: 1000 bytes in 1 part, in place of the old file");
    stage.assert_holds("App.pkg", &new);
}

/// Killed while it waited for the old name to go. Whoever goes on and fails does not take away all that there is.
#[tokio::test]
async fn what_the_old_file_was_deleted_for_is_not_called_off() {
    let (stage, new) = (one_at_a_time().await, bytes(1, 9 * MIB));
    stage.sandbox.put_file("App.pkg", &bytes(9, 700));
    killed_at(&stage, "App.pkg", &new, Seen::is_delete, Fate::HoldAfter).await;
    assert_eq!(stage.memory.state.left_over().unwrap()[0].phase, state::Phase::Deleting);
    stage.meddler.rule(in_turn(Seen::is_complete, [forbidden()]));
    stage.send_again("App.pkg").await.unwrap_err();
    assert_eq!(stage.sandbox.open_uploads().len(), 1);
    let asked = rerun(&stage, "App.pkg", &new).await;
    assert!(!asked.iter().any(|asked| asked.starts_with("part")), "{asked:?}");
}

/// S3 has done it at the first try, whose answer was lost. Before the second one the credentials end, and are not renewed, since the run
/// has begun another upload: what is sent anew is a twin of a file that the list does not show yet.
#[tokio::test]
async fn what_is_sent_anew_after_a_lost_answer_is_looked_for_as_a_twin() {
    let (stage, new) = (Stage::open().await, bytes(1, 1000));
    // The first one is listed after the last look before the second completion, and the second one after the first look at it.
    for seconds in [34, 7] {
        stage.sandbox.inject(Fault::ListedLate(seconds));
    }
    let (go, clock) = (Arc::new(Notify::new()), stage.clock.clone());
    let begins = |seen: &Seen| seen.is("POST", "?uploads");
    let mut begin = in_turn(begins, [Fate::Until(Arc::clone(&go)), Fate::Pass]);
    let mut completion = in_turn(Seen::is_complete, [Fate::LoseAnswer, expired(), Fate::Pass]);
    let mut tries = 0;
    stage.meddler.rule(move |seen| {
        tries += usize::from(seen.is_complete());
        if tries == 3 && seen.is_list() {
            clock.advance(Duration::from_secs(5));
        }
        if begins(seen) { begin(seen) } else { completion(seen) }
    });
    let sessions = Arc::new(Sessions::new(jamf::Config::default()).unwrap());
    let env = stage.env("App.pkg", &new);
    let another = async {
        stage.meddler.holding().await;
        let session = sessions.open(&stage.env_of("Other.pkg")).unwrap();
        session.jcds_initiate(&stage.context()).await.unwrap();
        go.notify_one();
    };
    let (sent, ()) = tokio::join!(stage.send_within(Arc::clone(&sessions), env, |_| {}), another);
    assert_snapshot!(sent.unwrap().told(), @"sent App.pkg: 1000 bytes in 1 part; another run sent the same, and its surplus App_1.pkg was deleted");
    stage.clock.advance(Duration::from_secs(60));
    assert_eq!(stage.listed(), ["App.pkg"]);
    stage.assert_holds("App.pkg", &new);
    assert_eq!(stage.memory.state.left_over().unwrap().len(), 0, "nothing of it is open");
}

/// The same for one that an earlier run had deleted the old file for, or had asked S3 for: nobody has done it, and nobody will.
#[tokio::test]
async fn nobody_waits_for_what_an_earlier_run_left_and_was_called_off() {
    let deletion = (Seen::is_delete as fn(&Seen) -> bool, Fate::HoldAfter);
    for (meant, fate) in [deletion, (Seen::is_complete, Fate::HoldBefore)] {
        let (stage, new) = (one_at_a_time().await, bytes(1, 1000));
        stage.sandbox.put_file("App.pkg", &bytes(9, 700));
        killed_at(&stage, "App.pkg", &new, meant, fate).await;
        stage.meddler.rule(|seen| match seen {
            seen if seen.is_complete() => invalid(),
            seen if seen.is("DELETE", "uploadId=") => Fate::HoldAfter,
            _ => Fate::Pass,
        });
        tokio::select! {
            sent = stage.send_again("App.pkg") => panic!("not killed: {sent:?}"),
            () = stage.meddler.holding() => {}
        }
        assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new());
        let asked = rerun(&stage, "App.pkg", &new).await;
        assert!(asked.contains(&"complete".to_owned()), "{asked:?}");
    }
}

/// Nobody is to delete, and send again, what another machine has put there while an upload is given up for it.
#[tokio::test]
async fn what_another_machine_has_put_there_is_not_said_to_be_leaving() {
    let (stage, new) = (one_at_a_time().await, bytes(1, 1000));
    stage.sandbox.put_file("App.pkg", &bytes(9, 700));
    killed_at(&stage, "App.pkg", &new, Seen::is_delete, Fate::HoldAfter).await;
    stage.meddler.rule(|seen| if seen.is("DELETE", "uploadId=") { Fate::HoldAfter } else { Fate::Pass });
    let by_another = |_: &mut pipeline::Env| stage.sandbox.put_file("App.pkg", &new);
    tokio::select! {
        sent = stage.send_after(stage.env_of("App.pkg"), by_another) => panic!("not killed: {sent:?}"),
        () = stage.meddler.holding() => {}
    }
    let left = stage.memory.state.left_over().unwrap();
    assert_eq!(left.iter().map(|left| left.phase).collect::<Vec<_>>(), [state::Phase::Sending]);
}

/// An upload that S3 has refused, and for which the old file may have gone, until the new one is in place.
#[tokio::test]
async fn what_nobody_may_remove_does_not_say_that_the_new_file_is_leaving() {
    let (stage, new) = (one_at_a_time().await, bytes(1, 9 * MIB));
    stage.sandbox.put_file("App.pkg", &bytes(9, 700));
    let refused = in_turn(Seen::is_complete, [invalid()]);
    stage.send_through("App.pkg", &new, refused).await.unwrap_err();
    let mut completion = in_turn(Seen::is_complete, [invalid(), Fate::Pass]);
    stage.meddler.rule(move |seen| match seen {
        seen if seen.is("DELETE", "uploadId=") => denied(),
        seen => completion(seen),
    });
    stage.send_again("App.pkg").await.unwrap();
    stage.assert_holds("App.pkg", &new);
    assert_eq!(stage.memory.state.left_over().unwrap().len(), 0);
}
