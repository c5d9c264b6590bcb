//! `kill -9` at random moments of a run of twenty packages, again and again.

use crate::killed::{Dice, kill_after, known_parts};
use crate::stage::{Server, Stage, noise};
use sandbox::Fault;
use std::process::Stdio;
use std::time::Duration;

const PACKAGES: usize = 20;
/// So many kills, and then a run that is left alone.
const SERIES: usize = 10;

/// A package and everything that it has ever been on this machine, the newest last.
struct Package {
    name: String,
    versions: Vec<Vec<u8>>,
}

impl Package {
    /// A new version; one in eight is large enough for two parts.
    fn renew(&mut self, stage: &Stage, dice: &mut Dice) {
        let size =
            if dice.below(8) == 0 { (8 << 20) + dice.below(1 << 20) } else { 1000 + dice.below(50_000) };
        let bytes = noise(dice.below(u64::MAX >> 33), usize::try_from(size).unwrap());
        stage.write(&self.name, &bytes);
        self.versions.push(bytes);
    }

    /// The server has a version of it, the newest or an older one, or it was killed between its deletion and the completion.
    fn is_safe(&self, server: &Server, was_there: bool) -> bool {
        // Asked first: S3 may put it together meanwhile.
        let in_s3 = server.open_uploads();
        match server.bytes_of(&self.name) {
            Some(bytes) => self.versions.contains(&bytes),
            // Between the deletion and the completion all of the new one is in S3.
            None => {
                !was_there
                    || (server.tells_of_a_deletion(&self.name)
                        && in_s3.iter().any(|key| key.ends_with(&format!("/{}", self.name))))
            }
        }
    }
}

/// Half of them on one server and half on another, side by side: more than half of the time goes by in waiting for what a killed
/// run may have left S3 with.
fn kills(seed: u64, times: usize) {
    let interrupted: usize = std::thread::scope(|scope| {
        let halves = [seed, seed + 1000].map(|seed| scope.spawn(move || kills_on_one(seed, times / 2)));
        halves.into_iter().map(|half| half.join().unwrap()).sum()
    });
    assert!(
        interrupted * 5 > times,
        "only {interrupted} of {times} kills came while something was being sent"
    );
}

/// How many of the kills came while something was being sent.
fn kills_on_one(seed: u64, times: usize) -> usize {
    let (stage, server) = Stage::with_server();
    let mut dice = Dice(seed);
    let mut packages: Vec<Package> = (0..PACKAGES)
        .map(|number| Package { name: format!("App{number}.pkg"), versions: Vec::new() })
        .collect();
    for package in &mut packages {
        package.renew(&stage, &mut dice);
    }
    let paths: Vec<String> =
        packages.iter().map(|package| stage.path(&package.name).to_str().unwrap().to_owned()).collect();
    // Of which a quarter is how long what a killed run has asked S3 for is waited for.
    let mut arguments = vec!["upload", "-k", "upload_stall_seconds=12"];
    arguments.extend(paths.iter().map(String::as_str));
    let state = stage.path("home/.local/state/pkgferry");
    let mut interrupted = 0;
    for kill in 0..times {
        server.clear_journal();
        if dice.below(4) == 0 {
            // Whoever is killed meanwhile does not hear of it, and the next run may be there before S3 is through.
            server.inject(Fault::CompleteSlow(1));
        }
        let there: Vec<bool> =
            packages.iter().map(|package| server.bytes_of(&package.name).is_some()).collect();
        let mut child =
            stage.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        kill_after(&server, &mut child, dice.below(60), Duration::from_micros(dice.below(20_000)));
        let left = known_parts(&state).len();
        interrupted += usize::from(left > 0 || !server.open_uploads().is_empty());
        for (package, was_there) in packages.iter().zip(there) {
            assert!(package.is_safe(&server, was_there), "kill {kill}: {} is gone or damaged", package.name);
        }
        if (kill + 1) % SERIES == 0 {
            let mended = stage.run(&arguments).succeeded();
            all_is_right(&server, &packages);
            let left = state::State::open(&state).unwrap().state.left_over().unwrap();
            assert!(
                left.is_empty(),
                "kill {kill}: something is left in the journal: {left:?}\n{}",
                mended.shown()
            );
            let again = stage.run(&arguments).succeeded();
            assert!(again.stdout.ends_with("20 recipes: 20 skipped; 0 bytes sent\n"), "{}", again.stdout);
        }
        // What changes before the next run may be in the middle of being carried.
        for _ in 0..4 {
            let which = usize::try_from(dice.below(PACKAGES as u64)).unwrap();
            packages[which].renew(&stage, &mut dice);
        }
    }
    interrupted
}

/// Parts of uploads that were side by side with a later one stay in S3: the service renews the credentials of an account's latest
/// upload only (`jamf-pro-api.md §7.3`), so that nobody can open the others any more, not even to remove them.
fn all_is_right(server: &Server, packages: &[Package]) {
    for package in packages {
        assert!(
            server.bytes_of(&package.name).as_ref() == package.versions.last(),
            "{}: other bytes",
            package.name
        );
    }
    assert_eq!(
        (server.names().len(), server.packages().len()),
        (PACKAGES, PACKAGES),
        "something is there twice"
    );
}

#[test]
fn a_hundred_kills_of_a_run_of_twenty_are_mended_by_running_again() {
    kills(1, 100);
}

#[test]
fn a_hundred_more_kills_of_a_run_of_twenty_are_mended_by_running_again() {
    kills(77, 100);
}
