//! Every fault that touches a transfer, alone and in pairs. Whatever happens, what is told is what is there.

use crate::stage::{MIB, Stage, bytes};
use pipeline::{Failure, Outcome, Plan, Processor as _, Warning};
use sandbox::Fault;
use std::sync::Arc;
use verify_delivery::VerifyDelivery;

/// How a delivery ended, as the recipe's last step or its first failure tells it.
enum End {
    Delivered,
    Unverified,
    Failed(Failure),
}

/// Sends and proves, as a recipe does.
async fn deliver(stage: &Stage, name: &str, new: &[u8]) -> End {
    let sent = match stage.send(name, new).await {
        Ok(sent) => sent,
        Err(failure) => return End::Failed(failure),
    };
    let mut env = stage.env_of(name);
    env.overlay(&sent.outputs);
    let sessions = Arc::new(jamf::Sessions::new(jamf::Config::default()).unwrap());
    let step = VerifyDelivery::new(sessions, fingerprint::Digests::default());
    let cx = stage.context();
    let proof = async {
        let Plan::Pending { work, .. } = step.plan(&env, &cx).await? else { panic!("nothing to prove") };
        step.apply(work, &env, &cx).await
    };
    match proof.await {
        Err(failure) => End::Failed(failure),
        Ok(proof) => match (&sent.applied.outcome, &proof.outcome) {
            (Outcome::Warned { warning: Warning::Unverified, .. }, _)
            | (_, Outcome::Warned { warning: Warning::Unverified, .. }) => End::Unverified,
            _ => End::Delivered,
        },
    }
}

/// Delivers while the faults play, and compares what is told with what is there.
async fn weather(faults: &[Fault], parts: u64, replaces: bool, seed: u64) -> End {
    let mut stage = Stage::open().await;
    stage.set("upload_stall_seconds", "1");
    stage.set("verify_timeout", "60");
    let (old, name) = (bytes(seed, 1000), "App.pkg");
    if replaces {
        stage.sandbox.put_file(name, &old);
    }
    for fault in faults {
        stage.sandbox.inject(*fault);
    }
    let new = bytes(seed + 1, (parts as usize - 1) * 8 * MIB + 1 + seed as usize % MIB);
    let end = deliver(&stage, name, &new).await;
    let told = match &end {
        End::Delivered => "delivered".to_owned(),
        End::Unverified => "unverified".to_owned(),
        End::Failed(failure) => format!("failed: {failure}"),
    };
    let case = || {
        let faults = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        format!(
            "{faults} over {parts} parts, replaces: {replaces}, seed {seed}: {told}\nwarned: {:#?}",
            stage.ear.warnings()
        )
    };
    let listed: Vec<_> = stage.sandbox.files().into_iter().filter(|file| file.name == name).collect();
    let there = stage.sandbox.bytes_of(name);
    match &end {
        End::Delivered => {
            assert_eq!(listed.len(), 1, "{}", case());
            assert_eq!(listed[0].size, new.len() as u64, "{}", case());
            assert!(there.as_deref() == Some(&new[..]), "{}", case());
        }
        End::Failed(_) if replaces => assert!(there.as_deref() == Some(&old[..]), "{}", case()),
        End::Failed(_) => assert!(listed.is_empty(), "{}", case()),
        // Old or new, under its name or beside it: something of it is there to be installed, and nothing else.
        End::Unverified => {
            let all: Vec<_> = stage.sandbox.files().into_iter().map(|file| file.name).collect();
            let whole = |name: &String| {
                let there = stage.sandbox.bytes_of(name);
                there.as_deref() == Some(&new[..]) || (replaces && there.as_deref() == Some(&old[..]))
            };
            let is_hidden = faults.iter().any(|fault| matches!(fault, Fault::NeverListed));
            assert!((is_hidden || !all.is_empty()) && all.iter().all(whole), "{all:?}: {}", case());
        }
    }
    end
}

/// Both came about; otherwise nothing was tried. What fails has a test of its own.
fn assert_mixed(ends: &[End]) {
    let count = |is: fn(&End) -> bool| ends.iter().filter(|end| is(end)).count();
    let delivered = count(|end| matches!(end, End::Delivered));
    let unverified = count(|end| matches!(end, End::Unverified));
    assert!(delivered > 0 && unverified > 0, "delivered {delivered}, unverified {unverified}");
}

/// The faults of transfers: those of downloads touch none of this.
fn faults() -> Vec<Fault> {
    let all = Fault::ALL.iter().map(|info| info.name).filter(|name| !name.starts_with("download-"));
    all.map(|name| name.parse().unwrap()).collect()
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// A fault, in a part or after a number of requests that may come.
    fn fault(&mut self, faults: &[Fault], parts: u64) -> Fault {
        let fault = faults[self.below(faults.len() as u64) as usize];
        let name = fault.to_string();
        let name = name.split('=').next().unwrap();
        let counts = name.contains("part") || name == "etag-lost" || name == "token-ends";
        let number = 1 + self.below(parts);
        if counts { format!("{name}={number}").parse().unwrap() } else { fault }
    }
}

#[tokio::test]
async fn whatever_fails_alone_what_is_told_is_what_is_there() {
    let mut ends = Vec::new();
    for (fault, seed) in faults().into_iter().zip(1..) {
        // Replacing is the harder case.
        ends.push(weather(&[fault], 2, seed % 3 > 0, seed).await);
    }
    assert_mixed(&ends);
}

/// Those of thirty pairs of faults whose seeds are these.
async fn pairs(seeds: std::ops::Range<u64>) -> Vec<End> {
    let (faults, mut dice) = (faults(), Dice(7));
    let mut ends = Vec::new();
    for seed in 0..30 {
        // Most uploads are short, so that there can be many; one has many parts.
        let parts = if seed == 29 { 24 } else { 2 + dice.below(3) };
        let pair = [dice.fault(&faults, parts), dice.fault(&faults, parts)];
        let replaces = dice.below(4) > 0;
        if seeds.contains(&seed) {
            ends.push(weather(&pair, parts, replaces, seed).await);
        }
    }
    ends
}

/// In two halves side by side, or the suite would wait for this test alone.
#[test]
fn whatever_fails_in_pairs_what_is_told_is_what_is_there() {
    let half = |seeds: std::ops::Range<u64>| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(pairs(seeds))
    };
    let ends: Vec<End> = std::thread::scope(|scope| {
        let halves = [0..18, 18..30].map(|seeds| scope.spawn(move || half(seeds)));
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    assert_mixed(&ends);
}

/// Credentials that end and are not renewed leave nothing to go on with, whatever else happens.
#[tokio::test]
async fn what_cannot_be_mended_fails_and_leaves_the_old_file() {
    let mut dice = Dice(11);
    for (renewal, seed) in ["renewal-refused", "renewal-only-new-path"].into_iter().zip(100..) {
        for other in ["slow-down", "abort-denied", "part-cut=1", "delete-lost"] {
            let end = format!("credentials-end-at-part={}", 1 + dice.below(3));
            let faults = [end.as_str(), renewal, other].map(|name| name.parse().unwrap());
            let end = weather(&faults, 3, true, seed).await;
            assert!(matches!(end, End::Failed(_)), "{renewal} and {other}");
        }
    }
}
