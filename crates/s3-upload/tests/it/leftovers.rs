//! What nobody goes on with: whether S3 is made to forget it, and what the journal says of it afterwards.

use crate::killed::{killed_at, one_at_a_time, rerun};
use crate::meddler::{Fate, Seen};
use crate::stage::{MIB, Stage, bytes, without_ports};
use fingerprint::FileIdentity;
use insta::assert_snapshot;
use pipeline::{Clock as _, Level};
use s3_upload::{Abandoned, Outlook};
use sandbox::Fault;
use state::{NewUpload, Phase, StoredUpload};
use std::sync::Arc;

const BUSY: &str = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
const NOT_REMOVED: &str = "what an earlier run left of App.pkg in S3 could not be removed: S3 answered 503 SlowDown: Please \
                           reduce your request rate";
const DENIED: &str = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
const ENDED: &str =
    "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>";
const GONE: &str =
    "<Error><Code>NoSuchUpload</Code><Message>The specified upload does not exist.</Message></Error>";

fn journals(stage: &Stage) -> usize {
    stage.memory.state.left_over().unwrap().len()
}

/// Asks which uploads of a key are open.
fn is_question(seen: &Seen) -> bool {
    seen.is("GET", "uploads") && seen.path.contains("prefix=")
}

fn is_abort(seen: &Seen) -> bool {
    seen.is("DELETE", "uploadId=")
}

/// The journal of a run that died before it heard what S3 calls the upload that it had begun.
async fn nameless() -> (Stage, Vec<u8>) {
    let (stage, new) = (one_at_a_time().await, bytes(1, 1000));
    killed_at(&stage, "App.pkg", &new, |seen| seen.is("POST", "?uploads"), Fate::HoldAfter).await;
    assert_eq!(stage.memory.state.left_over().unwrap()[0].upload_id, None);
    (stage, new)
}

/// An upload of which a part is in S3, and whose local file is another one by now.
async fn outdated() -> (Stage, Vec<u8>) {
    let (stage, newer) = (one_at_a_time().await, bytes(2, 1000));
    killed_at(&stage, "App.pkg", &bytes(1, 9 * MIB), |seen| seen.is_part(2), Fate::HoldBefore).await;
    std::fs::write(stage.path(), &newer).unwrap();
    (stage, newer)
}

/// The next run, which sends its own file in any case; requests that are `meant` meet this fate.
async fn sends_while(stage: &Stage, new: &[u8], meant: fn(&Seen) -> bool, fate: Fate) {
    stage.meddler.rule(move |seen| if meant(seen) { fate.clone() } else { Fate::Pass });
    stage.send_again("App.pkg").await.unwrap();
    stage.assert_holds("App.pkg", new);
    assert!(stage.meddler.seen().iter().any(meant), "it was asked");
}

#[tokio::test]
async fn what_could_not_be_asked_for_is_told_and_left_to_the_next_run() {
    for (fate, why) in [
        (Fate::Answer(503, BUSY.into()), "S3 answered 503 SlowDown: Please reduce your request rate"),
        (Fate::Answer(502, String::new()), "S3 answered 502 without saying why"),
        (Fate::Cut, "no answer from S3: "),
    ] {
        let (stage, new) = nameless().await;
        sends_while(&stage, &new, is_question, fate).await;
        assert_eq!((journals(&stage), stage.sandbox.open_uploads().len()), (1, 1));
        let told = stage.ear.steady_warnings();
        let expected = format!("what an earlier run left of App.pkg in S3 could not be removed: {why}");
        assert!(told.starts_with(&expected), "{told}");
        rerun(&stage, "App.pkg", &new).await;
    }
}

/// It would be asked for in vain by every run from then on. S3 removes it by itself one day.
#[tokio::test]
async fn what_nobody_may_ask_for_is_given_up() {
    let (stage, new) = nameless().await;
    sends_while(&stage, &new, is_question, Fate::Answer(403, DENIED.into())).await;
    assert_eq!((journals(&stage), stage.sandbox.open_uploads().len()), (0, 1));
    assert_eq!(stage.ear.warnings(), Vec::<String>::new());
}

/// Whoever sends the next package gives it up, and nobody has to find out by themselves that a file may be missing.
#[tokio::test]
async fn what_may_be_missing_is_told_by_who_tidies() {
    for (meant, what) in [
        (Seen::is_delete as fn(&Seen) -> bool, "the old App.pkg may have been deleted for what was sent"),
        (|seen| seen.is_part(2), ""),
    ] {
        let stage = one_at_a_time().await;
        stage.sandbox.put_file("App.pkg", &bytes(9, 700));
        killed_at(&stage, "App.pkg", &bytes(1, 9 * MIB), meant, Fate::HoldAfter).await;
        std::fs::remove_file(stage.path()).unwrap();
        stage.meddler.rule(|_| Fate::Pass);
        let other = stage.path().with_file_name("other.pkg");
        stage.send_file(&other, "Other.pkg", &bytes(3, 1000)).await.unwrap();
        assert_eq!(journals(&stage), 0);
        let told = stage.ear.steady_warnings();
        assert!(told.starts_with(what) && told.is_empty() == what.is_empty(), "{told}");
    }
}

#[tokio::test]
async fn what_could_not_be_removed_is_told_and_left_to_the_next_run() {
    for (stage, new) in [outdated().await, nameless().await] {
        sends_while(&stage, &new, is_abort, Fate::Answer(503, BUSY.into())).await;
        assert_eq!((journals(&stage), stage.sandbox.open_uploads().len()), (1, 1));
        assert_eq!(stage.ear.steady_warnings(), NOT_REMOVED);
        rerun(&stage, "App.pkg", &new).await;
    }
}

#[tokio::test]
async fn what_nobody_may_remove_is_given_up() {
    let (stage, newer) = outdated().await;
    stage.sandbox.inject(Fault::AbortDenied);
    sends_while(&stage, &newer, is_abort, Fate::Pass).await;
    assert_eq!((journals(&stage), stage.sandbox.open_uploads().len()), (0, 1));
    assert_eq!(stage.ear.warnings(), Vec::<String>::new());
    let told = stage.ear.notices(Level::Info);
    let told: Vec<_> = told.iter().filter(|told| told.contains("stays in S3")).collect();
    let [told] = &told[..] else { panic!("{told:?}") };
    assert_snapshot!(without_ports(told), @"what an earlier run left of App.pkg stays in S3 until S3 removes it by itself: S3 answered 403 AccessDenied: Access Denied");
}

#[tokio::test]
async fn what_s3_has_forgotten_by_itself_is_over() {
    let (stage, newer) = outdated().await;
    sends_while(&stage, &newer, is_abort, Fate::Answer(404, GONE.into())).await;
    assert_eq!(journals(&stage), 0);
    assert_eq!(stage.ear.warnings(), Vec::<String>::new());
    assert!(!stage.ear.notices(Level::Info).iter().any(|told| told.contains("stays in S3")));
}

/// Discards everything; gives what was settled, and how.
async fn discard(stage: &Stage) -> Vec<(String, Abandoned)> {
    s3_upload::discard(&stage.memory, &session(stage), &stage.context(), |_| true).await
}

fn session(stage: &Stage) -> Arc<jamf::Session> {
    let sessions = jamf::Sessions::new(jamf::Config::default()).unwrap();
    sessions.open(&stage.env_of("App.pkg")).unwrap()
}

fn removed() -> (String, Abandoned) {
    ("App.pkg".into(), Abandoned::Removed)
}

/// It is over, and nobody says that it was removed.
#[tokio::test]
async fn what_nobody_may_discard_is_left_to_s3() {
    for is_superseded in [true, false] {
        let stage = before_the_completion().await;
        let session = session(&stage);
        if is_superseded {
            // The service renews the credentials of the latest upload only.
            session.jcds_initiate(&stage.context()).await.unwrap();
        } else {
            stage
                .meddler
                .rule(|seen| if is_abort(seen) { Fate::Answer(403, DENIED.into()) } else { Fate::Pass });
        }
        let came_to = s3_upload::discard(&stage.memory, &session, &stage.context(), |_| true).await;
        assert_eq!(came_to, [("App.pkg".into(), Abandoned::LeftToS3)], "{is_superseded}");
        assert_eq!((journals(&stage), stage.sandbox.open_uploads().len()), (0, 1));
    }
}

#[tokio::test]
async fn all_that_was_left_can_be_discarded() {
    let stage = one_at_a_time().await;
    killed_at(&stage, "App.pkg", &bytes(1, 20 * MIB), |seen| seen.is_part(3), Fate::HoldBefore).await;
    stage.meddler.rule(|_| Fate::Pass);
    assert_eq!(discard(&stage).await, [removed()]);
    assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new());
    assert_eq!(journals(&stage), 0);
}

/// The journal of the only upload says that it came so far, and tells digests or none.
fn rewrite(stage: &Stage, phase: Phase, has_digests: bool) {
    let state = &stage.memory.state;
    let server = state.left_over().unwrap().remove(0).server;
    let (journal, stored) = state.take_over(&server, |_| true).unwrap().remove(0);
    journal.close().unwrap();
    let new = NewUpload {
        server: &stored.server,
        file: &stored.file.parse().unwrap(),
        path: &stored.path,
        identity: stored.identity,
        place: &stored.place,
        key: &stored.key,
        part_size: stored.part_size,
        begun: stored.begun,
    };
    let journal = state.begin(&new).unwrap();
    journal.begun(&stored.upload_id.unwrap(), &stored.checksum.unwrap()).unwrap();
    if has_digests {
        journal.digests(stored.fingerprint.unwrap()).unwrap();
    }
    journal.phase(phase, stage.clock.now()).unwrap();
}

/// All parts of the file are in S3, and its digests are known; then the run died.
async fn before_the_completion() -> Stage {
    let stage = one_at_a_time().await;
    killed_at(&stage, "App.pkg", &bytes(1, 1000), Seen::is_complete, Fate::HoldBefore).await;
    stage.meddler.rule(|_| Fate::Pass);
    stage
}

/// Whoever discards it may send the file again, and would make a twin.
#[tokio::test]
async fn who_discards_what_was_about_to_be_put_in_place_is_warned_whether_its_digests_are_known_or_not() {
    let asked = "S3 was asked to put App.pkg together before, and may have done so, or do so yet: look at the list of the \
                 distribution service before it is sent again";
    let deleted = "the old App.pkg may have been deleted for what was sent: look at the list of the distribution service, and run the \
                   recipe of App.pkg if it is not there";
    for (phase, has_digests, warned) in [
        (Phase::Completing, true, Some(asked)),
        (Phase::Completing, false, Some(asked)),
        (Phase::Deleting, true, Some(deleted)),
        (Phase::Sending, true, None),
        (Phase::Sending, false, None),
    ] {
        let stage = before_the_completion().await;
        rewrite(&stage, phase, has_digests);
        let stored = stage.memory.state.left_over().unwrap().remove(0);
        assert_eq!((stored.phase, stored.fingerprint.is_some()), (phase, has_digests));
        assert_eq!(discard(&stage).await, [removed()]);
        let expected = warned.into_iter().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(stage.ear.warnings(), expected, "{phase:?}, digests: {has_digests}");
        assert_eq!((journals(&stage), stage.sandbox.open_uploads().len()), (0, 0));
    }
}

/// It is as much left over as before.
#[tokio::test]
async fn what_could_not_be_discarded_stays_and_only_that_is_told() {
    let stage = before_the_completion().await;
    stage.meddler.rule(|seen| if is_abort(seen) { Fate::Answer(503, BUSY.into()) } else { Fate::Pass });
    assert_eq!(discard(&stage).await, []);
    assert_eq!((journals(&stage), stage.sandbox.open_uploads().len()), (1, 1));
    assert_eq!(stage.ear.steady_warnings(), NOT_REMOVED);
}

/// Jamf Pro is in trouble when the credentials have ended, which says nothing of what S3 allows.
#[tokio::test]
async fn what_nobody_could_be_asked_about_for_lack_of_credentials_stays() {
    for (stage, meant) in
        [(before_the_completion().await, is_abort as fn(&Seen) -> bool), (nameless().await.0, is_question)]
    {
        let mut renewals = 0;
        stage.meddler.rule(move |seen| {
            renewals += usize::from(seen.is("POST", "/renew-credentials"));
            if meant(seen) {
                Fate::Answer(400, ENDED.into())
            } else if seen.is("POST", "/renew-credentials") && renewals > 1 {
                Fate::Answer(503, String::new())
            } else {
                Fate::Pass
            }
        });
        assert_eq!(discard(&stage).await, []);
        assert_eq!((journals(&stage), stage.sandbox.open_uploads().len()), (1, 1));
        assert_eq!(
            stage.ear.warnings().last().unwrap(),
            "what an earlier run left of App.pkg in S3 could not be removed: the upload credentials could not be renewed: POST \
             /api/v1/jcds/renew-credentials was answered with 503 Service Unavailable"
        );
    }
}

#[test]
fn what_is_to_be_expected_hangs_on_the_local_file_and_on_what_s3_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, "as it was").unwrap();
        let identity = FileIdentity::of(&path).unwrap();
        (path, identity)
    };
    let (same, gone, changed) = (file("same"), file("gone"), file("changed"));
    std::fs::remove_file(&gone.0).unwrap();
    std::fs::write(&changed.0, "another build").unwrap();
    let outlook = |(path, identity): &(std::path::PathBuf, FileIdentity), phase| {
        Outlook::of(&StoredUpload {
            server: "https://example.jamfcloud.com".into(),
            file: "App.pkg".into(),
            path: path.clone(),
            identity: *identity,
            place: state::Place {
                endpoint: None,
                region: "r".into(),
                bucket: "b".into(),
                prefix: "p/".into(),
            },
            key: "p/App.pkg".into(),
            upload_id: Some("1".into()),
            checksum: None,
            part_size: 8 << 20,
            fingerprint: None,
            digest_state: None,
            phase,
            phase_since: "2026-11-20T12:30:00Z".parse().unwrap(),
            begun: "2026-11-20T12:00:00Z".parse().unwrap(),
            parts: Vec::new(),
        })
    };
    use Outlook::{GoesOn, MayAppear, Over};
    for (phase, expected) in [
        (Phase::Sending, [GoesOn, Over, Over]),
        (Phase::Deleting, [GoesOn, Over, Over]),
        (Phase::Completing, [GoesOn, MayAppear, MayAppear]),
    ] {
        let found = [&same, &gone, &changed].map(|file| outlook(file, phase));
        assert_eq!(found, expected, "{phase:?}: the same, gone, changed");
    }
}
