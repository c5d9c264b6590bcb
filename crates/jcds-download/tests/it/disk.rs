//! What happens on the disk: room, names, locks, modes.

use crate::cdn::{Act, Cdn};
use crate::rig::{Desk, RANGE, Rig, noise, wanted};
use insta::assert_snapshot;
use jcds_download::{Error, Wanted};

#[tokio::test]
async fn the_part_file_has_its_size_and_its_room_before_the_first_byte() {
    let bytes = noise(1, 4 * RANGE);
    let rig = Rig::new();
    let part = rig.path("App.pkg.part");
    let (seen, sizes) = std::sync::mpsc::channel();
    let cdn = Cdn::start(&bytes, move |_| {
        let metadata = std::fs::metadata(&part).unwrap();
        #[cfg(target_os = "linux")]
        {
            use std::os::linux::fs::MetadataExt as _;
            assert!(metadata.st_blocks() * 512 >= metadata.len(), "room was promised and is not there");
        }
        seen.send(metadata.len()).unwrap();
        Act::Serve
    })
    .await;
    rig.succeeds(&cdn, &bytes).await;
    drop(cdn);
    assert_eq!(sizes.try_iter().collect::<Vec<_>>(), [bytes.len() as u64; 4]);
}

#[tokio::test]
async fn a_disk_that_is_too_small_is_told_before_anything_is_asked() {
    let bytes = noise(2, RANGE);
    let cdn = Cdn::good(&bytes).await;
    let rig = Rig::new();
    let desk = Desk::at(&cdn);
    let error = rig.fetch(&desk, &Wanted { size: 1 << 60, ..wanted(&bytes) }).await.unwrap_err();
    assert!(matches!(error, Error::NoRoom { .. }), "{error:?}");
    let shown = rig.shown(error, &cdn);
    assert!(
        shown.starts_with("Local: there is not enough room for FOLDER/App.pkg.part, which takes 1.0 EiB"),
        "{shown}"
    );
    assert!(shown.ends_with("make room, or name a target on another disk"));
    assert_eq!((desk.asked(), cdn.seen().len(), rig.names().len()), (0, 0, 0));
}

#[tokio::test]
async fn two_downloads_to_one_target_do_not_meet() {
    let bytes = noise(3, 2 * RANGE);
    let cdn = Cdn::start(&bytes, |seen| if seen.number == 1 { Act::Silence } else { Act::Serve }).await;
    let rig = Rig::one_by_one();
    let (desk, wanted) = (Desk::at(&cdn), wanted(&bytes));
    let mut first = std::pin::pin!(rig.fetch(&desk, &wanted));
    while cdn.seen().is_empty() {
        tokio::select! {
            biased;
            ended = &mut first => panic!("{ended:?}"),
            () = tokio::task::yield_now() => {}
        }
    }
    let second = rig.fetch(&desk, &wanted).await.unwrap_err();
    assert_snapshot!(rig.shown(second, &cdn), @"
    Local: another download to FOLDER/App.pkg is at work
    wait for it to end, or name another target
    ");
    assert_eq!((desk.asked(), cdn.seen().len()), (1, 1));
    assert_eq!(rig.names(), ["App.pkg.part", "App.pkg.part.ranges"]);
}

#[tokio::test]
async fn what_is_there_is_not_replaced_unasked() {
    let bytes = noise(4, RANGE);
    let cdn = Cdn::good(&bytes).await;
    let mut rig = Rig::new();
    std::fs::write(rig.target(), "precious").unwrap();
    assert_snapshot!(rig.fails(&cdn, &bytes).await, @"
    Local: FOLDER/App.pkg is there now, and nobody asked to replace it; it was left alone
    move it away, or say --overwrite, and run the same again: nothing is fetched again
    ");
    assert_eq!(std::fs::read(rig.target()).unwrap(), b"precious");
    assert_eq!((cdn.seen().len(), rig.names()), (0, vec!["App.pkg".to_owned()]));
    rig.options.overwrite = true;
    rig.succeeds(&cdn, &bytes).await;
}

#[tokio::test]
async fn what_appears_meanwhile_is_not_lost_and_nothing_is_fetched_again() {
    let bytes = noise(5, 3 * RANGE);
    let mut rig = Rig::new();
    let target = rig.target();
    let cdn = Cdn::start(&bytes, move |_| {
        std::fs::write(&target, "precious").unwrap();
        Act::Serve
    })
    .await;
    assert_snapshot!(rig.fails(&cdn, &bytes).await, @"
    Local: FOLDER/App.pkg is there now, and nobody asked to replace it; it was left alone
    move it away, or say --overwrite, and run the same again: nothing is fetched again
    ");
    assert_eq!(std::fs::read(rig.target()).unwrap(), b"precious");
    assert_eq!(rig.names(), ["App.pkg", "App.pkg.part", "App.pkg.part.ranges"]);
    cdn.forget();
    rig.options.overwrite = true;
    rig.succeeds(&cdn, &bytes).await;
    assert_eq!(cdn.seen().len(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn mode_and_times_are_those_of_any_new_file() {
    use std::os::unix::fs::MetadataExt as _;
    let bytes = noise(6, RANGE);
    let cdn =
        Cdn::start(&bytes, |_| Act::ServeWith("last-modified: Mon, 01 Jan 2001 00:00:00 GMT\r\n".to_owned()))
            .await;
    let rig = Rig::new();
    std::fs::write(rig.path("any"), "new file").unwrap();
    rig.fetch(&Desk::at(&cdn), &wanted(&bytes)).await.unwrap();
    let (any, file) = (std::fs::metadata(rig.path("any")).unwrap(), std::fs::metadata(rig.target()).unwrap());
    assert_eq!(file.mode(), any.mode());
    assert!(file.mtime() >= any.mtime());
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_to_is_told() {
    let bytes = noise(7, RANGE);
    let cdn = Cdn::good(&bytes).await;
    let rig = Rig::new();
    // A folder of that name stands in the way, whoever runs this.
    std::fs::create_dir(rig.path("App.pkg.part.ranges")).unwrap();
    let failure = rig.fails(&cdn, &bytes).await;
    assert!(failure.starts_with("Local: cannot open FOLDER/App.pkg.part.ranges: "), "{failure}");
    assert_eq!(cdn.seen().len(), 0);
}
