//! Addresses end; another one is asked for, once for all.

use crate::cdn::{Act, Cdn, DENIED};
use crate::rig::{Desk, KIB, RANGE, Rig, noise, wanted};
use insta::assert_snapshot;
use std::num::NonZeroUsize;
use std::sync::Arc;
use tokio::sync::Barrier;
use url::Url;

fn address(target: &str) -> usize {
    target.split("address=").nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn all_ranges_in_flight_share_one_new_address() {
    let bytes = noise(1, 8 * RANGE);
    let barrier = Arc::new(Barrier::new(4));
    let cdn = Cdn::start(&bytes, move |seen| match address(&seen.target) {
        1 => Act::MeetAndRefuse(Arc::clone(&barrier)),
        _ => Act::Serve,
    })
    .await;
    let (rig, desk) = (Rig::new(), Desk::at(&cdn));
    rig.fetch(&desk, &wanted(&bytes)).await.unwrap();
    assert!(std::fs::read(rig.target()).unwrap() == bytes);
    assert_eq!((desk.asked(), cdn.seen().len(), cdn.most_often()), (2, 4 + 8, 1));
    // It is what addresses do, and no reason to wait.
    assert_eq!(rig.elapsed(), 0.0);
}

#[tokio::test]
async fn an_address_that_ends_in_the_middle_goes_on_at_the_offset() {
    let bytes = noise(2, 2 * RANGE);
    let cdn = Cdn::start(&bytes, |seen| match (address(&seen.target), seen.number) {
        (1, 1) => Act::Cut(40 * KIB),
        (1, _) => Act::Status(403, "", DENIED),
        _ => Act::Serve,
    })
    .await;
    let rig = Rig::one_by_one();
    rig.succeeds(&cdn, &bytes).await;
    let asked: Vec<_> =
        cdn.seen().iter().map(|seen| (address(&seen.target), seen.range.unwrap().0 / KIB)).collect();
    assert_eq!(asked, [(1, 0), (1, 40), (2, 40), (2, 64)]);
    let notices = rig.ear.notices();
    assert!(notices[1].ends_with("answered 403 AccessDenied; asking for a new address"), "{notices:?}");
}

#[tokio::test]
async fn addresses_that_are_never_any_good_are_not_asked_for_forever() {
    let bytes = noise(3, 8 * RANGE);
    let cdn = Cdn::start(&bytes, |_| Act::Status(403, "", DENIED)).await;
    let (mut rig, desk) = (Rig::new(), Desk::at(&cdn));
    rig.options.concurrency = NonZeroUsize::MIN;
    let error = rig.fetch(&desk, &wanted(&bytes)).await.unwrap_err();
    assert_snapshot!(rig.shown(error, &cdn), @"
    Remote: bytes 0-65535 of App.pkg did not come whole: CDN answered 403 AccessDenied
    run the same again; if it happens again, look whether the file is still in the distribution service, and whether the clock of this machine is right
    ");
    assert_eq!((desk.asked(), cdn.seen().len()), (6, 6));
    assert_eq!(rig.names(), [""; 0]);
}

#[tokio::test]
async fn an_address_in_clear_on_another_machine_is_not_asked() {
    let bytes = noise(4, RANGE);
    let cdn = Cdn::good(&bytes).await;
    let rig = Rig::new();
    let failure = async |address: &str| {
        let address: Url = address.parse().unwrap();
        let error = rig.fetch(&address, &wanted(&bytes)).await.unwrap_err();
        rig.shown(error, &cdn)
    };
    assert_snapshot!(failure("http://cdn.example.com/blob?Signature=secret").await, @"
    Remote: the address to download App.pkg from cannot be used: plain http is for this machine only
    (no hint)
    ");
    assert_snapshot!(failure("https://me:secret@cdn.example.com/blob").await, @"
    Remote: the address to download App.pkg from cannot be used: it holds credentials, which must not be sent
    (no hint)
    ");
    assert_eq!(rig.boundary.traffic().reads, 0);
    assert_eq!(rig.names(), [""; 0]);
}
