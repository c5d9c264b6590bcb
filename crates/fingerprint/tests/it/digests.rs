use crate::{MIB, bytes, file, plain};
use fingerprint::{Comparison, Expected, Fingerprint, compare_with, digest};
use pipeline::{Md5, Sha3_512};
use proptest::prelude::*;
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

fn other_md5() -> Md5 {
    Md5::from_bytes([7; 16])
}

fn other_sha3() -> Sha3_512 {
    Sha3_512::from_bytes([7; 64])
}

async fn compared(bytes: &[u8], expected: Expected) -> Comparison {
    let (_folder, path) = file(bytes);
    compare_with(&path, expected, |_| {}, &CancellationToken::new()).await.unwrap()
}

#[tokio::test]
async fn published_digests() {
    // RFC 1321 and the SHA-3 examples of NIST.
    let known = [
        (
            b"abc".to_vec(),
            "900150983cd24fb0d6963f7d28e17f72",
            "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e\
             10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
        ),
        (
            b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".to_vec(),
            "8215ef0796a20bcaaae116d3876c664a",
            "04a371e84ecfb5b8b77cb48610fca8182dd457ce6f326a0fd3d7ec2f1e91636d\
             ee691fbe0c985302ba1b0d8dc78c086346b533b49c030d99a27daf1139d6e75e",
        ),
        (
            vec![b'a'; 1_000_000],
            "7707d6ae4e027c70eea2a935c2296f21",
            "3c3a876da14034ab60627c077bb98f7e120a2a5370212dffb3385a18d4f38859\
             ed311d0a9d5141ce9cc5c66ee689b266a8aa18ace8282a0e0db596c90b0a7b87",
        ),
    ];
    for (message, md5, sha3) in known {
        let (_folder, path) = file(&message);
        let (fingerprint, identity) = digest(&path, |_| {}, &CancellationToken::new()).await.unwrap();
        assert_eq!(fingerprint.md5.to_string(), md5);
        assert_eq!(fingerprint.sha3_512.to_string(), sha3);
        assert_eq!((fingerprint.size, identity.size), (message.len() as u64, message.len() as u64));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// One read is 256 KiB: lengths just below, at and above a whole number of reads.
    #[test]
    fn pieces_make_no_difference(pieces in 0_usize..6, beside in -2_isize..=2, seed in any::<u8>()) {
        let length = (pieces * MIB / 4).saturating_add_signed(beside).max(1);
        let content: Vec<u8> = bytes(length).into_iter().map(|byte| byte ^ seed).collect();
        let (_folder, path) = file(&content);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (fingerprint, _) = runtime.block_on(digest(&path, |_| {}, &CancellationToken::new())).unwrap();
        prop_assert_eq!(fingerprint, plain(&content));
    }
}

/// With one blocking thread there is no follower until the leader is done; more than the buffers hold, so that a leader
/// which waited for it would wait for ever.
#[test]
fn one_blocking_thread_is_enough() {
    let content = bytes(6 * MIB);
    let (_folder, path) = file(&content);
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    let (fingerprint, _) = runtime.block_on(digest(&path, |_| {}, &CancellationToken::new())).unwrap();
    assert_eq!(fingerprint, plain(&content));
}

#[tokio::test]
async fn what_is_expected_decides() {
    let content = bytes(MIB + 1);
    let fingerprint = plain(&content);
    let Fingerprint { md5, sha3_512, .. } = fingerprint;
    let expect = |md5, sha3_512| compared(&content, Expected { md5, sha3_512 });

    assert_eq!(expect(Some(md5), Some(sha3_512)).await, Comparison::Equal { fingerprint });
    assert_eq!(expect(Some(md5), Some(other_sha3())).await, Comparison::Sha3Differs { fingerprint });
    assert_eq!(expect(None, Some(other_sha3())).await, Comparison::Sha3Differs { fingerprint });
    assert_eq!(expect(Some(other_md5()), Some(sha3_512)).await, Comparison::Md5Differs { md5 });
    assert_eq!(expect(Some(other_md5()), None).await, Comparison::Md5Differs { md5 });
    assert_eq!(expect(None, None).await, Comparison::Equal { fingerprint });
}

#[tokio::test]
async fn progress_rises_to_the_size_in_steps_of_8_mib() {
    let (_folder, path) = file(&vec![1; 20 * MIB]);
    let told = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&told);
    digest(&path, move |bytes| listener.lock().unwrap().push(bytes), &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(*told.lock().unwrap(), [8, 16, 20].map(|mib| mib * MIB as u64));
}

/// Three times the reporting step, so that a follower which went on would be heard.
#[tokio::test]
async fn a_different_md5_ends_the_other_digest() {
    let size = 24 * MIB;
    let (_folder, path) = file(&vec![1; size]);
    let followed = Arc::new(Mutex::new(0));
    let listener = Arc::clone(&followed);
    let expected = Expected { md5: Some(other_md5()), sha3_512: None };
    let progress = move |bytes| *listener.lock().unwrap() = bytes;
    let comparison = compare_with(&path, expected, progress, &CancellationToken::new()).await.unwrap();
    assert!(matches!(comparison, Comparison::Md5Differs { .. }));
    // Both threads have ended by now, so this is final; the follower is never told of the end of such a file.
    assert!(*followed.lock().unwrap() < size as u64, "SHA3-512 went on to {}", followed.lock().unwrap());
}
