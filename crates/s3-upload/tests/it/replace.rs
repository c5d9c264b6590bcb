//! Safe replace: the old file stays until every part of the new one is in S3.

use crate::meddler::{Fate, Seen};
use crate::stage::{MIB, Stage, bytes, failed};
use insta::assert_snapshot;
use pipeline::{Clock as _, FailureKind};
use sandbox::Side;
use state::Arrival;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

const BUSY: &str = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";

#[tokio::test]
async fn the_old_file_goes_after_the_last_part_and_right_before_the_completion() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", &bytes(1, 1000));
    stage.sandbox.put_file("Other.pkg", &bytes(3, 1000));
    let new = bytes(2, 20 * MIB);
    let sent = stage.send("App.pkg", &new).await.unwrap();
    stage.assert_holds("App.pkg", &new);
    assert_eq!(stage.listed(), ["App.pkg", "Other.pkg"]);
    assert_snapshot!(sent.change, @"replace file App.pkg");
    assert_snapshot!(sent.told(), @"sent App.pkg: 20.0 MiB in 3 parts, in place of the old file");

    // Connections for the parts are opened beside the beginning, in no order.
    let story = stage.sandbox.journal().into_iter().filter(|request| {
        let files = request.side == Side::S3 || request.path.starts_with("/api/v1/jcds/files");
        files && request.method != "HEAD"
    });
    let story: Vec<_> = story
        .map(|request| {
            let what = match request.path.split_once('?') {
                Some((_, query)) if query.contains("partNumber") => "part",
                Some((_, query)) if query.contains("uploadId") => "upload",
                Some(_) => "uploads",
                None => request.path.rsplit('/').next().unwrap(),
            };
            format!("{} {what} {}", request.method, request.status)
        })
        .collect();
    assert_snapshot!(story.join("\n"), @r"
    GET files 200
    POST files 201
    POST uploads 200
    PUT part 200
    PUT part 200
    PUT part 200
    GET files 200
    DELETE App.pkg 204
    GET files 200
    POST upload 200
    GET files 200
    ");
}

/// Kills the upload (drops it) at every request up to the deletion, before the server sees the request and after it
/// answered. Each time the old file is listed and downloadable.
#[tokio::test]
async fn killed_at_any_point_before_the_deletion_the_old_file_is_there() {
    let stage = Stage::open().await;
    let old = bytes(1, 1000);
    let new = bytes(2, 9 * MIB);
    stage.sandbox.put_file("App.pkg", &old);

    // A run that is held at the deletion shows how many requests there are before it.
    stage.meddler.rule(|seen| if seen.is_delete() { Fate::HoldBefore } else { Fate::Pass });
    killed_when_held(&stage, &new).await;
    let deletion = stage.meddler.seen().len() - 1;
    assert!(stage.meddler.seen()[deletion].is_delete());
    // Sign-in, list, initiate, create, two parts, list.
    assert!(deletion >= 7, "{:?}", stage.meddler.seen());
    stage.assert_holds("App.pkg", &old);

    for point in 0..deletion {
        for fate in [Fate::HoldBefore, Fate::HoldAfter] {
            let at = move |seen: &Seen| if seen.number == point { fate.clone() } else { Fate::Pass };
            stage.meddler.rule(at);
            killed_when_held(&stage, &new).await;
            stage.assert_holds("App.pkg", &old);
            assert_eq!(stage.listed(), ["App.pkg"]);
        }
    }

    stage.meddler.rule(|_| Fate::Pass);
    stage.send("App.pkg", &new).await.unwrap();
    stage.assert_holds("App.pkg", &new);
}

async fn killed_when_held(stage: &Stage, new: &[u8]) {
    tokio::select! {
        biased;
        () = stage.meddler.holding() => {}
        sent = stage.send("App.pkg", new) => panic!("it was not held: {sent:?}"),
    }
}

#[tokio::test]
async fn a_deletion_that_shows_late_is_waited_for() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", &bytes(1, 1000));
    let new = bytes(2, 1000);
    let late = stage.list_json();
    let mut looks = 0;
    let mut deleted = false;
    let sent = stage
        .send_through("App.pkg", &new, move |seen| {
            deleted |= seen.is_delete();
            looks += usize::from(deleted && seen.is_list());
            if deleted && seen.is_list() && looks <= 5 { Fate::Answer(200, late.clone()) } else { Fate::Pass }
        })
        .await
        .unwrap();
    assert_snapshot!(sent.told(), @"sent App.pkg: 1000 bytes in 1 part, in place of the old file");
    assert_eq!(stage.listed(), ["App.pkg"]);
    stage.assert_holds("App.pkg", &new);
}

#[tokio::test]
async fn a_deletion_that_never_shows_is_told() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", &bytes(1, 1000));
    let new = bytes(2, 1000);
    let late = stage.list_json();
    let mut deleted = false;
    let sent = stage
        .send_through("App.pkg", &new, move |seen| {
            deleted |= seen.is_delete();
            if deleted && seen.is_list() { Fate::Answer(200, late.clone()) } else { Fate::Pass }
        })
        .await
        .unwrap();
    assert_snapshot!(sent.told(), @r"
    unverified: App.pkg was sent, but the old file was not seen to have gone before
    hint: look at the list of the distribution service: the new file may have got a name such as Name_1.pkg
    ");
    assert_eq!(
        stage.ear.warnings(),
        ["the old App.pkg is not known to have gone; the new one is put in place all the same"]
    );
    stage.assert_holds("App.pkg", &new);
}

#[tokio::test]
async fn a_deletion_that_is_refused_leaves_the_old_file() {
    let stage = Stage::open().await;
    let old = bytes(1, 1000);
    stage.sandbox.put_file("App.pkg", &old);
    let refused = r#"{"httpStatus":403,"errors":[{"code":"INVALID_PRIVILEGE","description":"Forbidden","id":"0","field":""}]}"#;
    let failure = stage
        .send_through("App.pkg", &bytes(2, 1000), move |seen| {
            if seen.is_delete() { Fate::Answer(403, refused.into()) } else { Fate::Pass }
        })
        .await
        .unwrap_err();
    let shown = failed(&failure);
    assert!(
        shown.starts_with(
            "the old App.pkg could not be deleted; it is still there, and the new one was not put in place: "
        ),
        "{shown}"
    );
    assert!(shown.ends_with("\nAccess"), "{shown}");
    stage.assert_holds("App.pkg", &old);
    assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new());
}

/// The gateway answers 504 although the deletion was done (`jamf-pro-api.md §18`).
#[tokio::test]
async fn a_deletion_whose_answer_is_lost_has_happened() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", &bytes(1, 1000));
    let new = bytes(2, 1000);
    let sent = stage
        .send_through("App.pkg", &new, |seen| if seen.is_delete() { Fate::LoseAnswer } else { Fate::Pass })
        .await
        .unwrap();
    assert_snapshot!(sent.told(), @"sent App.pkg: 1000 bytes in 1 part, in place of the old file");
    stage.assert_holds("App.pkg", &new);
}

#[tokio::test]
async fn ctrl_c_after_the_deletion_is_too_late() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", &bytes(1, 1000));
    let new = bytes(2, 1000);
    let cancel = stage.cancel.clone();
    let sent = stage.send_through("App.pkg", &new, move |seen| {
        if seen.is_delete() {
            cancel.cancel();
        }
        Fate::Pass
    });
    sent.await.unwrap();
    stage.assert_holds("App.pkg", &new);
    assert_snapshot!(stage.ear.steady_warnings(), @"finishing the commit, which must not be interrupted; interrupt again to end at once");
}

#[tokio::test]
async fn the_spelling_on_the_server_is_kept() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("B\u{fc}ro.pkg", &bytes(1, 1000));
    let new = bytes(2, 1000);
    let sent = stage.send("Bu\u{308}ro.pkg", &new).await.unwrap();
    assert_eq!(sent.change, "replace file B\u{fc}ro.pkg");
    assert_eq!(stage.listed(), ["B\u{fc}ro.pkg"]);
    stage.assert_holds("B\u{fc}ro.pkg", &new);
}

/// What the plan printed is what apply does, or nothing is done.
async fn called_off_after(listed: Option<&[u8]>, meanwhile: impl FnOnce(&Stage)) -> (Stage, String) {
    let stage = Stage::open().await;
    if let Some(old) = listed {
        stage.sandbox.put_file("App.pkg", old);
    }
    let env = stage.env("App.pkg", &bytes(2, 1000));
    stage.meddler.rule(|_| Fate::Pass);
    let failure = stage.send_after(env, |_| meanwhile(&stage)).await.unwrap_err();
    let seen = stage.meddler.seen();
    assert!(seen.iter().any(|seen| seen.is_part(1)), "it came that far");
    assert!(!seen.iter().any(|seen| seen.is_delete() || seen.is_complete()), "{seen:?}");
    assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new());
    (stage, failed(&failure))
}

#[tokio::test]
async fn a_file_that_appeared_after_the_plan_is_left_alone() {
    let theirs = bytes(1, 1000);
    let (stage, shown) = called_off_after(None, |stage| stage.sandbox.put_file("App.pkg", &theirs)).await;
    stage.assert_holds("App.pkg", &theirs);
    assert_eq!(stage.listed(), ["App.pkg"]);
    assert_snapshot!(shown, @r"
    App.pkg appeared on the server after the plan was made; it was left alone, and the new one was not put in place
    hint: run again: the plan then shows the file that is there now
    Remote
    ");
}

#[tokio::test]
async fn a_file_that_is_not_the_planned_one_any_more_is_left_alone() {
    let theirs = bytes(3, 1000);
    let (stage, shown) =
        called_off_after(Some(&bytes(1, 1000)), |stage| stage.sandbox.put_file("App.pkg", &theirs)).await;
    stage.assert_holds("App.pkg", &theirs);
    assert_snapshot!(shown, @r"
    the App.pkg on the server changed after the plan was made; it was left alone, and the new one was not put in place
    hint: run again: the plan then shows the file that is there now
    Remote
    ");
}

/// Another machine with the same list was faster, or a killed run's last request was carried out late.
#[tokio::test]
async fn the_same_bytes_that_another_run_has_put_in_place_are_left_there() {
    let new = bytes(2, 1000);
    for old in [None, Some(bytes(1, 1000))] {
        let stage = Stage::open().await;
        if let Some(old) = &old {
            stage.sandbox.put_file("App.pkg", old);
        }
        let env = stage.env("App.pkg", &new);
        stage.meddler.rule(|_| Fate::Pass);
        let sent = stage.send_after(env, |_| stage.sandbox.put_file("App.pkg", &new)).await.unwrap();
        let told =
            "App.pkg was sent, and another run had put the same bytes in place before; those were left there";
        assert_eq!(sent.told(), told);
        assert!(!stage.meddler.seen().iter().any(|seen| seen.is_delete() || seen.is_complete()));
        assert_eq!((stage.listed(), stage.sandbox.open_uploads()), (vec!["App.pkg".to_owned()], Vec::new()));
        stage.assert_holds("App.pkg", &new);
    }
}

/// The list may show a name before its digests and its length (`jamf-pro-api.md §7.1`).
#[tokio::test]
async fn whether_the_bytes_of_another_run_are_the_same_is_waited_for() {
    for (theirs, is_same) in [(bytes(2, 1000), true), (bytes(3, 1000), false)] {
        let stage = Stage::open().await;
        let env = stage.env("App.pkg", &bytes(2, 1000));
        let looks = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&looks);
        let sent = stage
            .send_after(env, |_| {
                stage.sandbox.put_file("App.pkg", &theirs);
                let undigested = r#"[{"fileName":"App.pkg","length":0,"region":"us-east-1"}]"#;
                stage.meddler.rule(move |seen| {
                    match seen.is_list() && counted.fetch_add(1, Ordering::Relaxed) < 3 {
                        true => Fate::Answer(200, undigested.to_owned()),
                        false => Fate::Pass,
                    }
                });
            })
            .await;
        assert_eq!((sent.is_ok(), looks.load(Ordering::Relaxed)), (is_same, 4));
        assert!(!stage.meddler.seen().iter().any(|seen| seen.is_delete() || seen.is_complete()));
        stage.assert_holds("App.pkg", &theirs);
    }
}

#[tokio::test]
async fn a_second_spelling_that_appeared_after_the_plan_is_for_a_person() {
    let stage = Stage::open().await;
    let old = bytes(1, 1000);
    stage.sandbox.put_file("B\u{fc}ro.pkg", &old);
    let env = stage.env("B\u{fc}ro.pkg", &bytes(2, 1000));
    stage.meddler.rule(|_| Fate::Pass);
    let meanwhile = |_: &mut pipeline::Env| stage.sandbox.put_file("Bu\u{308}ro.pkg", &bytes(3, 1000));
    let failure = stage.send_after(env, meanwhile).await.unwrap_err();
    assert_snapshot!(failed(&failure), @r#"
    the distribution service lists 2 files whose names differ only in how their characters are encoded: B\u{fc}ro.pkg, Bu\u{308}ro.pkg; nothing was deleted or put in place
    hint: find out which of these files the package record serves, and delete the others; then run again
    Remote
    "#);
    assert!(!stage.meddler.seen().iter().any(Seen::is_delete));
    assert_eq!(stage.listed(), ["Bu\u{308}ro.pkg", "B\u{fc}ro.pkg"]);
    stage.assert_holds("B\u{fc}ro.pkg", &old);
    assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new());
}

#[tokio::test]
async fn a_planned_file_that_has_gone_is_not_missed() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", &bytes(1, 1000));
    let new = bytes(2, 1000);
    // From the upload on, the list is empty.
    let mut begun = false;
    let sent = stage.send_through("App.pkg", &new, move |seen| {
        begun |= seen.is("POST", "?uploads");
        if begun && seen.is_list() { Fate::Answer(200, "[]".into()) } else { Fate::Pass }
    });
    assert_snapshot!(sent.await.unwrap().told(), @"sent App.pkg: 1000 bytes in 1 part");
    assert!(!stage.meddler.seen().iter().any(Seen::is_delete));
}

/// Ctrl-C comes with the first request that is meant, which then meets its fate.
async fn interrupted_at(mut meant: impl FnMut(&Seen) -> bool + Send + 'static, fate: Fate) {
    let stage = Stage::open().await;
    let old = bytes(1, 1000);
    stage.sandbox.put_file("App.pkg", &old);
    let env = stage.env("App.pkg", &bytes(2, 1000));
    let cancel = stage.cancel.clone();
    stage.meddler.rule(move |seen| {
        if cancel.is_cancelled() || !meant(seen) {
            return Fate::Pass;
        }
        cancel.cancel();
        fate.clone()
    });
    // Without a known end, credentials are renewed before the deletion.
    let sending = stage.send_after(env, |env| drop(env.remove("jcds_expiration")));
    // At once, and not when a request that is held gives up.
    let sent = tokio::time::timeout(Duration::from_secs(20), sending).await.unwrap();
    let failure = sent.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Interrupted, "{failure}");
    assert!(!stage.meddler.seen().iter().any(Seen::is_delete));
    assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new());
    stage.assert_holds("App.pkg", &old);
}

#[tokio::test]
async fn ctrl_c_is_heard_until_the_deletion() {
    interrupted_at(|seen| seen.is("POST", "/renew-credentials"), Fate::HoldBefore).await;
    for fate in [Fate::HoldBefore, Fate::Pass] {
        let mut looks = 0;
        let last_look = move |seen: &Seen| {
            looks += usize::from(seen.is_list());
            seen.is_list() && looks == 2
        };
        interrupted_at(last_look, fate).await;
    }
}

/// Another run has sent a file of the same name after the last look.
#[tokio::test]
async fn a_twin_of_two_runs_at_once_is_told() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App_7.pkg", &bytes(4, 1000));
    let (mut completed, named) = (false, stage.list_json());
    let both = named.replace("App_7.pkg", "App_1.pkg");
    let list = format!("[{},{}]", named.trim_matches(['[', ']']), both.trim_matches(['[', ']']));
    let rule = move |seen: &Seen| {
        completed |= seen.is_complete();
        if completed && seen.is_list() { Fate::Answer(200, list.clone()) } else { Fate::Pass }
    };
    let sent = stage.send_through("App.pkg", &bytes(2, 1000), rule).await.unwrap();
    assert_snapshot!(sent.told(), @"sent App.pkg: 1000 bytes in 1 part");
    assert_snapshot!(stage.ear.steady_warnings(), @"App_1.pkg appeared on the distribution service while App.pkg was put in place: either may be the file of this run, and the other one that of another run at the same time; find out which of them the package record serves, and delete the other");
}

/// The list cannot be read at the end; but it was seen to show the old file, whose deletion nobody has confirmed.
#[tokio::test]
async fn what_was_seen_counts_where_nothing_is_seen_any_more() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", &bytes(9, 700));
    let (mut is_asked, mut looks) = (false, 0);
    let rule = move |seen: &Seen| {
        is_asked |= seen.is_delete();
        looks += usize::from(is_asked && seen.is_list());
        match looks {
            _ if seen.is_delete() => Fate::Answer(500, String::new()),
            2.. if seen.is_list() => Fate::Answer(403, String::new()),
            _ => Fate::Pass,
        }
    };
    let failure = stage.send_through("App.pkg", &bytes(1, 1000), rule).await.unwrap_err();
    assert_snapshot!(failed(&failure), @"
    the old App.pkg could not be deleted; it is still there, and the new one was not put in place: DELETE /api/v1/jcds/files/App.pkg was answered with 500 Internal Server Error
    hint: the server or a proxy in front of it failed: try again later
    Remote
    ");
    assert_eq!(stage.listed(), ["App.pkg"]);
    stage.assert_holds("App.pkg", &bytes(9, 700));
}

/// Our deletion was carried out, and another run has placed the same bytes before we looked: an entry that stays so long is not the one
/// that was deleted.
#[tokio::test]
async fn the_same_bytes_that_stay_for_two_minutes_are_another_runs() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", &bytes(9, 700));
    let same = bytes(1, 1000);
    let (go, begun) = (Arc::new(Notify::new()), stage.clock.now());
    let (mut is_asked, mut held) = (false, Some(Arc::clone(&go)));
    stage.meddler.rule(move |seen| {
        is_asked |= seen.is_delete();
        match seen.is_delete() {
            true => Fate::Answer(204, String::new()),
            false if is_asked && seen.is_list() => held.take().map_or(Fate::Pass, Fate::Until),
            false => Fate::Pass,
        }
    });
    let other = async {
        stage.meddler.holding().await;
        stage.sandbox.put_file("App.pkg", &same);
        go.notify_one();
    };
    let (sent, ()) = tokio::join!(stage.send("App.pkg", &same), other);
    assert_snapshot!(sent.unwrap().told(), @"App.pkg was sent, and another run had put the same bytes in place before; those were left there");
    assert!(stage.clock.now().duration_since(begun).as_secs() >= 120);
    assert_eq!(stage.listed(), ["App.pkg"]);
    stage.assert_holds("App.pkg", &same);
    assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new());
    let kept = stage.memory.state.unproven(None).unwrap();
    assert_eq!(
        kept.iter().map(|kept| kept.arrival).collect::<Vec<_>>(),
        [Arrival::Listed],
        "nobody has proven it"
    );
}

/// S3 is busy for long. Where nothing was deleted nothing is missing, and whoever interrupts need not wait for it.
#[tokio::test]
async fn ctrl_c_ends_the_tries_to_complete_a_new_file() {
    let stage = Stage::open().await;
    let (cancel, new) = (stage.cancel.clone(), bytes(1, 1000));
    let mut tries = 0;
    let rule = move |seen: &Seen| {
        tries += usize::from(seen.is_complete());
        if tries == 4 {
            cancel.cancel();
        }
        match seen.is_complete() {
            true => Fate::Answer(503, BUSY.to_owned()),
            false => Fate::Pass,
        }
    };
    let failure = stage.send_through("App.pkg", &new, rule).await.unwrap_err();
    assert_snapshot!(failed(&failure), @"
    the upload of App.pkg was interrupted; S3 was asked to put it together, and may do so yet
    hint: run again: it goes on with what was sent
    Interrupted
    ");
    assert!(stage.meddler.seen().iter().filter(|seen| seen.is_complete()).count() <= 5);
    assert_eq!(stage.sandbox.open_uploads().len(), 1, "the next run goes on with it");
    assert_eq!(stage.memory.state.left_over().unwrap()[0].phase, state::Phase::Completing);
}
