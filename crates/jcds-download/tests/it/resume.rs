//! Downloads that ended early, and what a later one makes of what they left.

use crate::cdn::{Act, Cdn};
use crate::rig::{Desk, RANGE, Rig, noise, wanted};
use insta::assert_snapshot;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A server on which a download ends as if it were killed, once the client has come to range `stop`.
async fn stops_at(bytes: &[u8], stop: usize) -> (Cdn, Arc<AtomicUsize>) {
    let stops = Arc::new(AtomicUsize::new(stop));
    let seen_by_server = Arc::clone(&stops);
    let cdn = Cdn::start(bytes, move |seen| {
        if seen.range.unwrap().0 / RANGE == seen_by_server.load(Ordering::SeqCst) {
            Act::Stall(100)
        } else {
            Act::Serve
        }
    })
    .await;
    (cdn, stops)
}

/// Leaves a download of which the first ranges are in place, as a kill would: the client is dropped where it stands.
async fn leave(rig: &Rig, bytes: &[u8], ranges: usize) {
    let (cdn, _) = stops_at(bytes, ranges).await;
    let (desk, wanted) = (Desk::at(&cdn), wanted(bytes));
    let mut fetching = std::pin::pin!(rig.fetch(&desk, &wanted));
    loop {
        tokio::select! {
            biased;
            ended = &mut fetching => panic!("{ended:?}"),
            () = tokio::task::yield_now() => {}
        }
        if cdn.seen().len() > ranges {
            break;
        }
    }
    assert_eq!(rig.noted(), (0..ranges).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_killed_download_fetches_only_what_is_missing() {
    let bytes = noise(1, 6 * RANGE + 77);
    for ranges in 0..=6 {
        let rig = Rig::one_by_one();
        leave(&rig, &bytes, ranges).await;
        assert_eq!(rig.names(), ["App.pkg.part", "App.pkg.part.ranges"]);
        let cdn = Cdn::good(&bytes).await;
        let fetched = rig.succeeds(&cdn, &bytes).await;
        assert_eq!(fetched.kept, (ranges * RANGE) as u64);
        assert_eq!((cdn.sent(), cdn.most_often()), (bytes.len() - ranges * RANGE, 1));
        assert!(rig.ear.notices().iter().all(|notice| notice.ends_with("are here already")));
    }
}

#[tokio::test]
async fn an_interrupt_keeps_what_came_and_says_so() {
    let bytes = noise(2, 6 * RANGE);
    let (cdn, stops) = stops_at(&bytes, 3).await;
    let rig = Rig::one_by_one();
    let cancel = rig.cancel.clone();
    let (desk, wanted) = (Desk::at(&cdn), wanted(&bytes));
    let interrupt = async {
        while cdn.seen().len() < 4 {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let (result, ()) = tokio::join!(rig.fetch(&desk, &wanted), interrupt);
    assert_snapshot!(rig.shown(result.unwrap_err(), &cdn), @"
    Interrupted: the download of App.pkg was interrupted; 192.0 KiB of 384.0 KiB are kept in FOLDER/App.pkg.part
    run the same again to go on
    ");
    assert_eq!(rig.names(), ["App.pkg.part", "App.pkg.part.ranges"]);

    stops.store(usize::MAX, Ordering::SeqCst);
    cdn.forget();
    let again = Rig { folder: rig.folder, ..Rig::one_by_one() };
    again.succeeds(&cdn, &bytes).await;
    assert_eq!(cdn.sent(), 3 * RANGE);
}

#[tokio::test]
async fn ranges_side_by_side_leave_gaps_that_are_filled() {
    let bytes = noise(3, 9 * RANGE);
    let (cdn, stops) = stops_at(&bytes, 2).await;
    let rig = Rig::new();
    // Range 2 never comes; the others do, and then the download is dropped.
    {
        let (desk, wanted) = (Desk::at(&cdn), wanted(&bytes));
        let mut fetching = std::pin::pin!(rig.fetch(&desk, &wanted));
        while !std::fs::read_to_string(rig.path("App.pkg.part.ranges"))
            .is_ok_and(|text| text.lines().count() == 9)
        {
            tokio::select! {
                biased;
                ended = &mut fetching => panic!("{ended:?}"),
                () = tokio::task::yield_now() => {}
            }
        }
    }
    assert_eq!(rig.noted(), [0, 1, 3, 4, 5, 6, 7, 8]);
    stops.store(usize::MAX, Ordering::SeqCst);
    cdn.forget();
    rig.succeeds(&cdn, &bytes).await;
    assert_eq!(cdn.ranges(), [(2 * RANGE, 3 * RANGE)]);
}

#[tokio::test]
async fn a_torn_last_line_is_no_line() {
    let bytes = noise(4, 6 * RANGE);
    let rig = Rig::one_by_one();
    leave(&rig, &bytes, 2).await;
    let journal = rig.path("App.pkg.part.ranges");
    let mut text = std::fs::read_to_string(&journal).unwrap();
    text.push('5');
    std::fs::write(&journal, text).unwrap();
    let (cdn, _) = stops_at(&bytes, 4).await;
    leave_at(&rig, &cdn, &bytes, 3).await;
    assert_eq!(rig.noted(), [0, 1, 2, 3], "the piece of a line was not cut off");
    let cdn = Cdn::good(&bytes).await;
    rig.succeeds(&cdn, &bytes).await;
    assert_eq!(cdn.sent(), 2 * RANGE);
}

/// Lets a download run until the server has seen so many requests.
async fn leave_at(rig: &Rig, cdn: &Cdn, bytes: &[u8], requests: usize) {
    let (desk, wanted) = (Desk::at(cdn), wanted(bytes));
    let mut fetching = std::pin::pin!(rig.fetch(&desk, &wanted));
    while cdn.seen().len() < requests {
        tokio::select! {
            biased;
            ended = &mut fetching => panic!("{ended:?}"),
            () = tokio::task::yield_now() => {}
        }
    }
}

#[tokio::test]
async fn another_file_of_the_name_starts_anew_and_says_so() {
    let old = noise(5, 4 * RANGE);
    // Of the same size, so that only the digests tell.
    for new in [noise(6, 4 * RANGE), noise(6, 3 * RANGE)] {
        let rig = Rig::one_by_one();
        leave(&rig, &old, 3).await;
        let cdn = Cdn::good(&new).await;
        assert_eq!(rig.succeeds(&cdn, &new).await.kept, 0);
        assert_eq!(cdn.sent(), new.len());
        let notice = rig.ear.notices().remove(0).replace(rig.folder.path().to_str().unwrap(), "FOLDER");
        insta::allow_duplicates! {
            assert_snapshot!(notice, @"an earlier download to FOLDER/App.pkg does not count: the listed file is another one, or has no digests to tell; starting anew");
        }
    }
}

#[tokio::test]
async fn other_ranges_start_anew() {
    let bytes = noise(7, 4 * RANGE);
    let mut rig = Rig::one_by_one();
    leave(&rig, &bytes, 3).await;
    rig.options.range_size = std::num::NonZeroU64::new(RANGE as u64 / 2).unwrap();
    let cdn = Cdn::good(&bytes).await;
    assert_eq!(rig.succeeds(&cdn, &bytes).await.kept, 0);
}

/// Two files of one name, one size and no digests may be two files.
#[tokio::test]
async fn without_digests_nothing_is_taken_up() {
    let bytes = noise(8, 4 * RANGE);
    let nameless = || jcds_download::Wanted { md5: None, sha3_512: None, ..wanted(&bytes) };
    let (cdn, stops) = stops_at(&bytes, 2).await;
    let rig = Rig::one_by_one();
    {
        let (desk, wanted) = (Desk::at(&cdn), nameless());
        let mut fetching = std::pin::pin!(rig.fetch(&desk, &wanted));
        while cdn.seen().len() < 3 {
            tokio::select! {
                biased;
                ended = &mut fetching => panic!("{ended:?}"),
                () = tokio::task::yield_now() => {}
            }
        }
    }
    stops.store(usize::MAX, Ordering::SeqCst);
    cdn.forget();
    assert_eq!(rig.fetch(&Desk::at(&cdn), &nameless()).await.unwrap().kept, 0);
    assert_eq!(cdn.sent(), bytes.len());
    assert_eq!(rig.ear.notices().len(), 1);
}

#[tokio::test]
async fn a_part_file_that_was_changed_does_not_count() {
    let bytes = noise(9, 4 * RANGE);
    let changes: [fn(&std::path::Path); 2] =
        [|part| std::fs::remove_file(part).unwrap(), |part| std::fs::write(part, "short").unwrap()];
    for change in changes {
        let rig = Rig::one_by_one();
        leave(&rig, &bytes, 3).await;
        change(&rig.path("App.pkg.part"));
        let cdn = Cdn::good(&bytes).await;
        assert_eq!(rig.succeeds(&cdn, &bytes).await.kept, 0);
        assert!(rig.ear.notices()[0].contains("its .part file is gone or was changed"));
    }
}

#[tokio::test]
async fn a_part_file_of_somebody_else_is_replaced_and_told() {
    let bytes = noise(10, 2 * RANGE);
    let rig = Rig::one_by_one();
    std::fs::write(rig.path("App.pkg.part"), &bytes).unwrap();
    let cdn = Cdn::good(&bytes).await;
    assert_eq!(rig.succeeds(&cdn, &bytes).await.kept, 0);
    assert!(rig.ear.notices()[0].contains("nobody knows what is in its .part file"));
}

/// A kill after the last range and before the renaming leaves nothing to fetch.
#[tokio::test]
async fn what_is_all_there_needs_no_server() {
    let bytes = noise(11, 3 * RANGE);
    let rig = Rig::one_by_one();
    leave(&rig, &bytes, 2).await;
    std::fs::write(rig.path("App.pkg.part"), &bytes).unwrap();
    let journal = std::fs::read_to_string(rig.path("App.pkg.part.ranges")).unwrap();
    std::fs::write(rig.path("App.pkg.part.ranges"), format!("{journal}2\n")).unwrap();
    let cdn = Cdn::good(&bytes).await;
    let desk = Desk::at(&cdn);
    let fetched = rig.fetch(&desk, &wanted(&bytes)).await.unwrap();
    assert_eq!((fetched.kept, desk.asked(), cdn.seen().len()), (bytes.len() as u64, 0, 0));
    assert!(std::fs::read(rig.target()).unwrap() == bytes);
    assert_eq!(rig.names(), ["App.pkg"]);
}

/// Bytes that a journal vouches for and that are wrong all the same: a power cut can leave such.
#[tokio::test]
async fn kept_bytes_are_proven_too() {
    let bytes = noise(12, 4 * RANGE);
    let rig = Rig::one_by_one();
    leave(&rig, &bytes, 3).await;
    std::fs::write(rig.path("App.pkg.part"), vec![0; bytes.len()]).unwrap();
    let cdn = Cdn::good(&bytes).await;
    assert!(rig.fails(&cdn, &bytes).await.contains("are not those of the listed file"));
    assert_eq!(rig.names(), [""; 0]);
    rig.succeeds(&cdn, &bytes).await;
}
