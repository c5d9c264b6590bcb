//! `kill -9` at random moments, each time followed by the same command again.

use crate::stage::{Server, Stage, noise};
use sandbox::{Request, Side};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const MIB: usize = 1 << 20;
const PART: u64 = 8 * MIB as u64;

/// Numbers that look random and are the same every time.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Lets it run until the server has answered so many requests, and then for a moment more.
pub fn kill_after(server: &Server, child: &mut Child, requests: u64, more: Duration) {
    server.until_or_ended("requests", child, |answered| answered.len() as u64 >= requests);
    let moment = Instant::now() + more;
    let left = || moment.saturating_duration_since(Instant::now());
    while !left().is_zero() && child.try_wait().unwrap().is_none() {
        // To the microsecond: no instant of a run shall be spared.
        std::thread::park_timeout(left().min(Duration::from_millis(1)));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The parts that the journal of the killed run knows, as S3 was asked for them.
pub fn known_parts(folder: &Path) -> Vec<(String, i32)> {
    let state = state::State::open(folder).unwrap().state;
    let left = state.left_over().unwrap().into_iter();
    left.filter_map(|left| Some((left.upload_id?, left.parts)))
        .flat_map(|(id, parts)| parts.into_iter().map(move |part| (id.clone(), part.number)))
        .collect()
}

fn sends(request: &Request, (id, number): &(String, i32)) -> bool {
    request.side == Side::S3
        && request.path.contains(&format!("partNumber={number}&"))
        && request.path.contains(&format!("uploadId={id}"))
}

/// What holds after every kill and its rerun.
fn kills(seed: u64, times: usize) {
    let (stage, server) = Stage::with_server();
    let mut dice = Dice(seed);
    let mut resumed = 0;
    for round in 0..times {
        let name = format!("App{round}.pkg");
        let replaces = dice.below(2) == 0;
        let old = noise(round as u64, 1000);
        if replaces {
            server.put_file(&name, &old);
        }
        let new = noise(seed + round as u64, PART as usize + 1 + dice.below(PART + PART / 2) as usize);
        let file = stage.write(&name, &new);
        server.clear_journal();
        // One part after the other leaves more moments between them.
        let pace = if dice.below(4) == 0 { "upload_concurrency=auto" } else { "upload_concurrency=1" };
        let mut command = stage.command(&["upload", &file, "-k", pace]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // A whole run takes some twenty-five requests, and half of the time goes by while parts are sent.
        let requests = if dice.below(2) == 0 { 9 + dice.below(5) } else { dice.below(26) };
        kill_after(&server, &mut child, requests, Duration::from_micros(dice.below(20_000)));

        if replaces && server.bytes_of(&name).as_deref() != Some(old.as_slice()) {
            assert!(server.tells_of_a_deletion(&name), "{name}: the old file is gone, and nobody deleted it");
        }
        let known = known_parts(&stage.path("home/.local/state/pkgferry"));
        resumed += usize::from(!known.is_empty());
        server.clear_journal();
        stage.run(&["upload", &file]).succeeded();

        assert!(server.bytes_of(&name).as_deref() == Some(new.as_slice()), "{name}: other bytes");
        let again: Vec<_> =
            known.iter().filter(|part| server.journal().iter().any(|request| sends(request, part))).collect();
        assert_eq!(
            again,
            Vec::<&(String, i32)>::new(),
            "{name}: parts that the journal knew were sent again"
        );
        assert_eq!(server.open_uploads(), Vec::<String>::new(), "{name}: something is left in S3");
        assert_eq!(
            known_parts(&stage.path("home/.local/state/pkgferry")),
            [],
            "{name}: something is left in the journal"
        );
        assert!(server.names().iter().all(|listed| !listed.contains('_')), "{:?}", server.names());
        std::fs::remove_file(file).unwrap();
    }
    assert!(resumed * 8 > times, "only {resumed} of {times} kills came while parts were known");
}

/// The same for downloads, into a new folder each time.
fn download_kills(seed: u64, times: usize) {
    const RANGE: u64 = 20 * MIB as u64;
    let (stage, server) = Stage::with_server();
    let mut dice = Dice(seed);
    let bytes = noise(seed, 2 * RANGE as usize + 1000);
    server.put_file("App.pkg", &bytes);
    let mut resumed = 0;
    for round in 0..times {
        let folder = stage.path(&format!("folder{round}"));
        std::fs::create_dir(&folder).unwrap();
        let target = folder.to_str().unwrap();
        let arguments = ["download", "App.pkg", target, "-k", "download_concurrency=1"];
        server.clear_journal();
        let mut child =
            stage.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // A whole run takes eight requests.
        kill_after(&server, &mut child, dice.below(9), Duration::from_micros(dice.below(60_000)));

        assert!(!folder.join("App.pkg").exists() || std::fs::read(folder.join("App.pkg")).unwrap() == bytes);
        let journal = std::fs::read(folder.join("App.pkg.part.ranges")).unwrap_or_default();
        let lines = journal.iter().filter(|byte| **byte == b'\n').count() as u64;
        let known = (lines.saturating_sub(1) * RANGE).min(bytes.len() as u64);
        resumed += usize::from(known > 0);
        server.clear_journal();
        if !folder.join("App.pkg").exists() {
            stage.run(&arguments).succeeded();
            // What was on its way to the killed run may be written down late.
            let journal = server.journal();
            let calls = journal.iter().filter(|request| request.path.starts_with("/api/"));
            let begun = calls.map(|request| request.time).min().unwrap();
            let served = |request: &&Request| !request.path.starts_with("/api/") && request.time >= begun;
            let fetched: u64 = journal.iter().filter(served).map(|request| request.bytes_out).sum();
            assert!(
                fetched <= bytes.len() as u64 - known,
                "{fetched} bytes were fetched, and {known} were known"
            );
        } else {
            // It was killed at its very end; the same again removes what is left beside the file.
            stage.run(&arguments).succeeded();
        }
        assert!(std::fs::read(folder.join("App.pkg")).unwrap() == bytes, "round {round}: other bytes");
        let left: Vec<_> =
            std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["App.pkg"], "round {round}: something is left");
        std::fs::remove_dir_all(folder).unwrap();
    }
    assert!(resumed * 8 > times, "only {resumed} of {times} kills came while ranges were known");
}

#[test]
fn fifty_killed_downloads_are_mended_by_running_again() {
    download_kills(1, 50);
}

#[test]
fn fifty_more_killed_downloads_are_mended_by_running_again() {
    download_kills(2, 50);
}

#[test]
fn fifty_killed_uploads_are_mended_by_running_again() {
    kills(1, 50);
}

#[test]
fn fifty_more_killed_uploads_are_mended_by_running_again() {
    kills(1000, 50);
}

/// A part waits until the digests are within 64 MiB of it, so the one at 128 MiB leaves when they have been saved at 64 MiB.
#[test]
fn a_killed_upload_goes_on_with_its_digests() {
    let (stage, server) = Stage::with_server();
    let new = noise(7, 200 * MIB);
    let file = stage.write("App.pkg", &new);
    let mut child =
        stage.command(&["upload", &file]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let is_far = |request: &Request| request.path.contains("partNumber=17&");
    server.until("part 17", |requests| requests.iter().any(is_far));
    child.kill().unwrap();
    child.wait().unwrap();
    let left =
        state::State::open(&stage.path("home/.local/state/pkgferry")).unwrap().state.left_over().unwrap();
    let saved = left[0].digest_state.as_ref().map(fingerprint::DigestState::offset);
    assert!(saved >= Some(64 * MIB as u64), "{saved:?}");
    let ran = stage.run(&["upload", &file]).succeeded();
    assert!(ran.stdout.contains("size, MD5 and SHA3-512 agree"), "{}", ran.shown());
    assert!(server.bytes_of("App.pkg").as_deref() == Some(new.as_slice()));
}
