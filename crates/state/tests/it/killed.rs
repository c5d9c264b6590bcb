//! `kill -9` while a process writes.

use crate::child::{IDENTITY, path, play};
use crate::{SERVER, open};
use fingerprint::Memory as _;
use state::{Examined, RunEnding, RunId, State, StepProgress, StoredPackage, examine};
use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

#[test]
fn what_was_confirmed_survives_kills() {
    let folder = tempfile::tempdir().unwrap();
    let mut dice = Dice(5);
    let mut confirmed = 0;
    for round in 0..50 {
        let mut child = play("write", folder.path());
        let run = child.says().unwrap();
        let id: RunId = run.strip_prefix("run ").unwrap().parse().unwrap();
        let mut said: Vec<String> = (0..dice.below(60)).map(|_| child.says().unwrap()).collect();
        let moment = Instant::now() + Duration::from_micros(dice.below(2000));
        while Instant::now() < moment {
            std::hint::spin_loop();
        }
        said.extend(child.kill());
        confirmed += said.len();
        let last: HashMap<&str, u64> = said
            .iter()
            .filter_map(|said| said.split_once(' '))
            .map(|(what, n)| (what, n.parse().unwrap()))
            .collect();
        assert_eq!(examine(folder.path()).unwrap(), Examined::Sound { set_aside: 0 }, "round {round}");
        holds(folder.path(), &id, &last);
    }
    assert!(confirmed > 500, "{confirmed}");
}

/// `last` is the number of the last thing of each kind that was confirmed.
fn holds(folder: &Path, id: &RunId, last: &HashMap<&str, u64>) {
    let opened = State::open(folder).unwrap();
    assert_eq!(opened.set_aside, None);
    let state = opened.state;
    let last = |what: &str| last.get(what).copied().unwrap_or(0);

    for n in 1..=last("digest") {
        assert!(state.recall(&path(id, n), &IDENTITY).is_some(), "digest {n}");
    }

    // It says the id of its run before it begins it.
    if let Some(found) = state.history().run(id.as_str()).unwrap() {
        assert_eq!(found.run.ending, RunEnding::Gone);
        let recipes: Vec<u64> =
            found.packages.iter().map(|package| package.recipe.parse().unwrap()).collect();
        assert!(recipes.iter().copied().eq(1..=recipes.len() as u64), "{recipes:?}");
        assert!(recipes.len() as u64 >= last("package"));
        let working = |package: &&StoredPackage| {
            package.steps.iter().map(|step| step.progress).eq([StepProgress::Working])
        };
        assert!(found.packages.iter().filter(working).count() as u64 >= last("step"));
        let ended = found.packages.iter().filter(|package| package.status.is_some()).count() as u64;
        assert!(ended >= last("end"));
    } else {
        assert_eq!(last("package"), 0);
    }

    let name = format!("{id}.pkg");
    let left = state.take_over(SERVER, |upload| upload.file == name).unwrap();
    let parts = left.first().map_or(0, |(_, upload)| upload.parts.len() as u64);
    assert!(parts >= last("part"));
    for (journal, _) in left {
        journal.close().unwrap();
    }

    let unproven = state.unproven(Some(SERVER)).unwrap();
    let sent =
        unproven.iter().find(|unproven| unproven.file.as_str() == name).map_or(0, |found| found.sent.size);
    assert!(sent >= last("unproven"));

    let noted = state.note(id.as_str()).map_or(0, |note| note.parse().unwrap());
    assert!(noted >= last("note"));
}

/// A process that was killed while it was bringing a file along leaves the older format or the newer one, never a half of it.
#[test]
fn a_killed_first_opening_leaves_nothing_half_made() {
    let mut dice = Dice(7);
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let child = play("write", folder.path());
        let end = Instant::now() + Duration::from_secs(60);
        while !folder.path().join("state.db").exists() && Instant::now() < end {
            std::hint::spin_loop();
        }
        let moment = Instant::now() + Duration::from_micros(dice.below(3000));
        while Instant::now() < moment {
            std::hint::spin_loop();
        }
        child.kill();
        let state = open(folder.path());
        assert!(state.history().runs(10.try_into().unwrap(), None).unwrap().items.len() <= 1);
    }
}
