//! Servers and networks that misbehave.

use crate::cdn::{Act, Cdn, DENIED};
use crate::rig::{KIB, RANGE, Rig, noise};
use insta::assert_snapshot;
use std::num::NonZeroU64;
use std::time::Duration;

#[tokio::test]
async fn a_range_that_breaks_off_goes_on_where_it_stopped() {
    let bytes = noise(1, 3 * RANGE);
    let cdn = Cdn::start(&bytes, |seen| match seen.number {
        2 => Act::Cut(20 * KIB),
        3 => Act::Short(30 * KIB),
        _ => Act::Serve,
    })
    .await;
    let rig = Rig::one_by_one();
    rig.succeeds(&cdn, &bytes).await;
    let starts: Vec<_> = cdn.ranges().iter().map(|range| range.0 / KIB).collect();
    assert_eq!(starts, [0, 64, 84, 114, 128]);
    // Not a byte of it came twice.
    assert_eq!((cdn.sent(), cdn.most_often()), (bytes.len(), 1));
    let notices = rig.ear.notices();
    assert_eq!(notices.len(), 2);
    assert!(notices[0].starts_with("bytes 86016-131071 of App.pkg: no working connection to "));
    assert!(notices[1].contains(" sent 30720 bytes where 45056 were asked for; going on in "), "{notices:?}");
}

#[tokio::test]
async fn a_stall_is_noticed_and_only_that_range_is_asked_for_again() {
    let bytes = noise(2, 4 * RANGE);
    let mut stalled = false;
    let cdn = Cdn::start(&bytes, move |seen| {
        if seen.range.unwrap().0 == 2 * RANGE && !std::mem::replace(&mut stalled, true) {
            return Act::Stall(40 * KIB);
        }
        Act::Serve
    })
    .await;
    let rig = Rig::impatient();
    rig.succeeds(&cdn, &bytes).await;
    let starts: Vec<_> = cdn.ranges().iter().map(|range| range.0 / KIB).collect();
    assert_eq!(starts, [0, 64, 128, 168, 192]);
    assert_eq!(cdn.most_often(), 1);
    assert!(rig.ear.notices()[0].contains(": next to nothing came from "));
}

/// A byte now and then is as good as none.
#[tokio::test]
async fn a_trickle_is_a_stall() {
    let bytes = noise(3, RANGE);
    let cdn = Cdn::start(&bytes, |seen| match seen.number {
        1 => Act::Trickle(100, Duration::from_millis(50)),
        _ => Act::Serve,
    })
    .await;
    let rig = Rig::impatient();
    rig.succeeds(&cdn, &bytes).await;
    assert_eq!(cdn.seen().len(), 2);
    assert!(rig.ear.notices()[0].contains("next to nothing came"));
}

#[tokio::test]
async fn however_long_it_takes_it_may_go_on_as_long_as_it_moves() {
    let bytes = noise(4, 16 * 20 * KIB);
    let cdn = Cdn::start(&bytes, |_| Act::Trickle(20 * KIB, Duration::from_millis(100))).await;
    let mut rig = Rig::impatient();
    rig.options.range_size = NonZeroU64::new(bytes.len() as u64).unwrap();
    // All of it takes more than three times as long as a stall may.
    rig.succeeds(&cdn, &bytes).await;
    assert_eq!((cdn.seen().len(), rig.ear.notices().len()), (1, 0));
}

#[tokio::test]
async fn a_server_that_says_nothing_is_asked_again() {
    let bytes = noise(5, RANGE);
    let cdn = Cdn::start(&bytes, |seen| match seen.number {
        1 => Act::Silence,
        2 => Act::Stall(0),
        _ => Act::Serve,
    })
    .await;
    let rig = Rig::impatient();
    rig.succeeds(&cdn, &bytes).await;
    assert_eq!(cdn.seen().len(), 3);
}

#[tokio::test]
async fn what_may_pass_is_waited_for_with_growing_pauses() {
    let bytes = noise(6, RANGE);
    for status in [408, 429, 500, 502, 503, 504] {
        let cdn = Cdn::start(&bytes, move |seen| match seen.number {
            1..=3 => Act::Status(status, "", ""),
            _ => Act::Serve,
        })
        .await;
        let rig = Rig::new();
        rig.succeeds(&cdn, &bytes).await;
        // 1, 2 and 4 seconds, each cut by up to half.
        assert!((3.5..=7.0).contains(&rig.elapsed()), "{}", rig.elapsed());
    }
}

#[tokio::test]
async fn an_ordered_pause_is_obeyed_up_to_a_minute() {
    let bytes = noise(7, RANGE);
    for (headers, seconds) in [("retry-after: 17\r\n", 17.0), ("retry-after: 86400\r\n", 60.0)] {
        let cdn = Cdn::start(&bytes, move |seen| match seen.number {
            1 => Act::Status(503, headers, ""),
            _ => Act::Serve,
        })
        .await;
        let rig = Rig::new();
        rig.succeeds(&cdn, &bytes).await;
        assert_eq!(rig.elapsed(), seconds);
    }
}

#[tokio::test]
async fn what_does_not_pass_ends_it_and_leaves_nothing_if_there_was_nothing() {
    let bytes = noise(8, 4 * RANGE);
    let cdn = Cdn::start(&bytes, |_| Act::Status(503, "", "")).await;
    let rig = Rig::one_by_one();
    assert_snapshot!(rig.fails(&cdn, &bytes).await, @"
    Remote: bytes 0-65535 of App.pkg did not come whole: CDN answered 503
    try again later: what has come is not fetched again
    ");
    assert_eq!(cdn.seen().len(), 5);
    assert_eq!(rig.names(), [""; 0]);
}

#[tokio::test]
async fn tries_that_bring_something_do_not_count() {
    let bytes = noise(9, 8 * RANGE);
    let cdn = Cdn::start(&bytes, |seen| {
        let (start, end) = seen.range.unwrap();
        if end - start > 20 * KIB { Act::Cut(20 * KIB) } else { Act::Serve }
    })
    .await;
    let mut rig = Rig::new();
    rig.options.range_size = NonZeroU64::new(bytes.len() as u64).unwrap();
    rig.succeeds(&cdn, &bytes).await;
    assert_eq!((cdn.seen().len(), cdn.most_often()), (26, 1));
}

#[tokio::test]
async fn a_server_that_ignores_ranges_is_refused_unless_one_range_is_the_whole() {
    let bytes = noise(10, 2 * RANGE);
    let cdn = Cdn::start(&bytes, |_| Act::Whole).await;
    let mut rig = Rig::new();
    assert_snapshot!(rig.fails(&cdn, &bytes).await, @"
    Remote: bytes 0-65535 of App.pkg did not come whole: CDN ignores the range that was asked for and sends the whole file
    something between this machine and the distribution service changes requests, such as a proxy that scans downloads: let this address pass, or use another network
    ");
    assert_eq!(rig.names(), [""; 0]);
    rig.options.range_size = NonZeroU64::new(bytes.len() as u64).unwrap();
    rig.succeeds(&cdn, &bytes).await;
}

#[tokio::test]
async fn other_bytes_than_were_asked_for_are_refused() {
    let bytes = noise(11, 3 * RANGE);
    let failure = async |act: fn() -> Act| {
        let cdn = Cdn::start(&bytes, move |_| act()).await;
        let rig = Rig::one_by_one();
        let failure = rig.fails(&cdn, &bytes).await;
        // None of these is worth a second try.
        assert_eq!((cdn.seen().len(), rig.names().len()), (1, 0));
        failure
    };
    assert_snapshot!(failure(|| Act::Shifted).await, @"
    Remote: bytes 0-65535 of App.pkg did not come whole: CDN sent bytes 1-65536/196608 where bytes 0-65535/196608 was asked for
    something between this machine and the distribution service changes requests, such as a proxy that scans downloads: let this address pass, or use another network
    ");
    assert_snapshot!(failure(|| Act::OtherSize(5)).await, @"
    Remote: bytes 0-65535 of App.pkg did not come whole: the file at CDN has 5 bytes, and the list says 196608
    the file was replaced a moment ago: wait a minute, then run the same again
    ");
    assert_snapshot!(failure(|| Act::Long).await, @"
    Remote: bytes 0-65535 of App.pkg did not come whole: CDN sent more than the 65536 bytes that were asked for
    something between this machine and the distribution service changes requests, such as a proxy that scans downloads: let this address pass, or use another network
    ");
    assert_snapshot!(failure(|| Act::Status(416, "content-range: bytes */23\r\n", "")).await, @"
    Remote: bytes 0-65535 of App.pkg did not come whole: the file at CDN has 23 bytes, and the list says 196608
    the file was replaced a moment ago: wait a minute, then run the same again
    ");
    assert_snapshot!(failure(|| Act::Status(206, "", "23 bytes of an error...")).await, @"
    Remote: bytes 0-65535 of App.pkg did not come whole: CDN sent a piece without a place where bytes 0-65535/196608 was asked for
    something between this machine and the distribution service changes requests, such as a proxy that scans downloads: let this address pass, or use another network
    ");
    assert_snapshot!(failure(|| Act::Status(302, "location: https://elsewhere.example.com/\r\n", "")).await, @"
    Remote: bytes 0-65535 of App.pkg did not come whole: CDN answered 302
    something between this machine and the distribution service changes requests, such as a proxy that scans downloads: let this address pass, or use another network
    ");
    assert_snapshot!(failure(|| Act::Status(400, "", DENIED)).await, @"
    Remote: bytes 0-65535 of App.pkg did not come whole: CDN answered 400 AccessDenied
    try again later: what has come is not fetched again
    ");
}

#[tokio::test]
async fn wrong_bytes_are_found_and_removed() {
    let bytes = noise(12, 3 * RANGE);
    let cdn = Cdn::start(&bytes, |seen| if seen.number == 2 { Act::Corrupt } else { Act::Serve }).await;
    let mut rig = Rig::one_by_one();
    std::fs::write(rig.target(), "what was there").unwrap();
    rig.options.overwrite = true;
    let failure = rig.fails(&cdn, &bytes).await;
    assert_snapshot!(failure, @"
    Remote: the bytes that came for App.pkg are not those of the listed file: MD5 8bb339ca93fb98745706d490b9067dd4 came, 77460cb7e8f68f81c0f8ab819496a928 is listed; they were removed
    run the same again; if it happens again, the file in the distribution service is damaged: send it again
    ");
    // Nobody knows which bytes are wrong, so none is kept; and what was there is there.
    assert_eq!(rig.names(), ["App.pkg"]);
    assert_eq!(std::fs::read(rig.target()).unwrap(), b"what was there");
    rig.succeeds(&cdn, &bytes).await;
}
