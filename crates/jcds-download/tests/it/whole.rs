//! Downloads in which nothing goes wrong.

use crate::cdn::{Act, Cdn};
use crate::rig::{Desk, RANGE, Rig, noise, wanted};
use jcds_download::Proof;
use std::num::NonZeroUsize;
use std::sync::Arc;
use tokio::sync::Barrier;

#[tokio::test]
async fn every_byte_is_fetched_once_and_in_ranges() {
    let bytes = noise(1, 5 * RANGE + 1234);
    let cdn = Cdn::good(&bytes).await;
    let fetched = Rig::new().succeeds(&cdn, &bytes).await;
    assert_eq!((fetched.kept, fetched.proof), (0, Proof::Both));
    assert_eq!(fetched.fingerprint.unwrap().md5, wanted(&bytes).md5.unwrap());
    let ranges: Vec<_> =
        (0..6).map(|index| (index * RANGE, ((index + 1) * RANGE).min(bytes.len()))).collect();
    assert_eq!(cdn.ranges(), ranges);
    assert_eq!((cdn.sent(), cdn.most_often()), (bytes.len(), 1));
}

#[tokio::test]
async fn a_file_may_be_smaller_than_a_range_or_end_with_one() {
    for length in [1, RANGE - 1, RANGE, RANGE + 1, 2 * RANGE] {
        let bytes = noise(2, length);
        let cdn = Cdn::good(&bytes).await;
        Rig::new().succeeds(&cdn, &bytes).await;
        assert_eq!((cdn.seen().len(), cdn.sent()), (length.div_ceil(RANGE), length));
    }
}

#[tokio::test]
async fn as_many_ranges_as_allowed_come_side_by_side() {
    let bytes = noise(3, 8 * RANGE);
    for at_once in [1, 4, 8] {
        // Nobody is answered before all of them have asked.
        let barrier = Arc::new(Barrier::new(at_once));
        let cdn = Cdn::start(&bytes, move |_| Act::Meet(Arc::clone(&barrier))).await;
        let mut rig = Rig::new();
        rig.options.concurrency = NonZeroUsize::new(at_once).unwrap();
        rig.succeeds(&cdn, &bytes).await;
        assert_eq!(cdn.most_busy(), at_once);
    }
}

/// The address is a key; whatever else was sent could make it a wrong one, or tell somebody too much.
#[tokio::test]
async fn nothing_is_sent_but_the_address_as_it_is_and_a_range() {
    let bytes = noise(4, 3 * RANGE);
    let cdn = Cdn::start(&bytes, |_| Act::ServeWith("set-cookie: session=1; Path=/\r\n".to_owned())).await;
    let query = "response-content-disposition=attachment%3b%20filename%3D%22a+b%2B%7Ec.pkg%22&Expires=1&\
                 Signature=A~b-_C%2F%3d&Key-Pair-Id=K(1)!*";
    let rig = Rig::new();
    let address: url::Url = format!("{}/a%2fb?{query}", cdn.url).parse().unwrap();
    rig.fetch(&address, &wanted(&bytes)).await.unwrap();
    for seen in cdn.seen() {
        assert_eq!(seen.target, format!("/blob/a%2fb?{query}"));
        let names: Vec<_> = seen.headers.keys().map(String::as_str).collect();
        // `accept: */*` says nothing; the HTTP client cannot do without.
        assert_eq!((names, seen.headers["accept"].as_str()), (vec!["accept", "host", "range"], "*/*"));
    }
}

#[tokio::test]
async fn one_address_serves_all_and_every_request_is_counted_as_a_read() {
    let bytes = noise(5, 6 * RANGE);
    let cdn = Cdn::good(&bytes).await;
    let (rig, desk) = (Rig::new(), Desk::at(&cdn));
    rig.fetch(&desk, &wanted(&bytes)).await.unwrap();
    assert_eq!(desk.asked(), 1);
    let traffic = rig.boundary.traffic();
    assert_eq!((traffic.reads, traffic.writes, traffic.refused), (6, 0, 0));
}

#[tokio::test]
async fn progress_grows_from_nothing_to_everything() {
    let bytes = noise(6, 3 << 20);
    let cdn = Cdn::good(&bytes).await;
    let rig = Rig::new();
    rig.succeeds(&cdn, &bytes).await;
    let progress = rig.ear.downloading();
    let done: Vec<u64> = progress.iter().map(|progress| progress.done).collect();
    assert!(done.is_sorted() && done.len() >= 4, "{done:?}");
    assert_eq!((done[0], *done.last().unwrap()), (0, 3 << 20));
    assert!(progress.iter().all(|progress| progress.total == 3 << 20));
    assert_eq!(rig.ear.notices(), [""; 0]);
}

#[tokio::test]
async fn what_nobody_knows_the_digests_of_is_not_called_proven() {
    let bytes = noise(7, 2 * RANGE);
    let cdn = Cdn::good(&bytes).await;
    for (md5, sha3, proof) in [
        (true, true, Proof::Both),
        (true, false, Proof::Md5),
        (false, true, Proof::Sha3_512),
        (false, false, Proof::None),
    ] {
        let rig = Rig::new();
        let mut wanted = wanted(&bytes);
        wanted.md5 = wanted.md5.filter(|_| md5);
        wanted.sha3_512 = wanted.sha3_512.filter(|_| sha3);
        let fetched = rig.fetch(&Desk::at(&cdn), &wanted).await.unwrap();
        assert_eq!((fetched.proof, fetched.fingerprint.is_some()), (proof, md5 || sha3));
        assert!(std::fs::read(rig.target()).unwrap() == bytes);
    }
}
