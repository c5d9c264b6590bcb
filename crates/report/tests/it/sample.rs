//! Reports to test with.

use jiff::{SignedDuration, Timestamp};
use report::{
    Failure, FailureKind, PackageReport, Phase, PhaseKind, PhaseResult, Program, Requests, RunReport, Shard,
    Stage, Status, Step, Version, Warning,
};

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn after(time: Timestamp, millis: i64) -> Timestamp {
    time.checked_add(SignedDuration::from_millis(millis)).unwrap()
}

pub fn step(number: usize, processor: &str) -> Step {
    Step { number, processor: processor.to_owned() }
}

pub fn program() -> Program {
    Program { name: "pkgferry".into(), version: "0.1.0".into() }
}

pub fn run(id: &str, packages: Vec<PackageReport>) -> RunReport {
    let started = at("2026-11-21T02:00:00Z");
    RunReport {
        version: Version,
        program: program(),
        id: id.into(),
        started,
        finished: Some(after(started, 125_000)),
        ending: None,
        exit_code: None,
        updated: after(started, 125_000),
        dry_run: false,
        shard: None,
        servers: vec!["production".into()],
        requests: Requests { sign_ins: 1, reads: 7, writes: 5, refused: 0 },
        warnings: Vec::new(),
        parts: Vec::new(),
        packages,
    }
}

pub fn shard(index: u32, count: u32, packages: Vec<PackageReport>) -> RunReport {
    let report = run(&format!("run-{index}"), packages);
    RunReport { shard: Some(Shard::new(index, count).unwrap()), ..report }
}

pub fn package(file: &str, status: Status) -> PackageReport {
    let started = at("2026-11-21T02:00:01Z");
    let stem = file.split(['-', '.']).next().unwrap();
    let blank = PackageReport {
        recipe: format!("{stem}.jamf"),
        identifier: Some(format!("com.github.example.jamf.{stem}")),
        server: Some("production".into()),
        file: Some(file.into()),
        pkg_version: None,
        product: None,
        category: None,
        display_name: None,
        local_path: None,
        package_id: None,
        status,
        reason: "same: size, MD5 and SHA3-512 agree".into(),
        bytes_sent: 0,
        bytes_resumed: 0,
        bytes_fetched: 0,
        bytes_saved: 0,
        fetched_to: None,
        started: Some(started),
        finished: Some(after(started, 1_250)),
        phases: Vec::new(),
        warnings: Vec::new(),
        failure: None,
        run: None,
        also_in: Vec::new(),
    };
    match status {
        Status::Skipped => PackageReport { bytes_saved: 3 << 30, ..blank },
        Status::Created => PackageReport {
            reason: "the server has no file of this name".into(),
            bytes_sent: 5 << 20,
            package_id: Some(42.try_into().unwrap()),
            pkg_version: Some("1.2.3".into()),
            finished: Some(after(started, 64_250)),
            ..blank
        },
        Status::Replaced => PackageReport { reason: "MD5 differs".into(), bytes_sent: 7 << 20, ..blank },
        Status::MetadataOnly => {
            PackageReport { reason: "updated record 42: pkg_category".into(), bytes_saved: 1 << 20, ..blank }
        }
        Status::Downloaded => PackageReport {
            reason: "there is no such file here".into(),
            bytes_fetched: 9 << 20,
            fetched_to: Some(format!("/tmp/{file}")),
            ..blank
        },
        Status::Unverified => {
            let reason = format!("{file} is not proven after 15 min: the record is PENDING");
            let warning = Warning {
                step: Some(step(6, "verify-delivery")),
                message: reason.clone(),
                hint: Some("wait a few minutes, then run `pkgferry verify`, which sends nothing".into()),
            };
            let phase = Phase {
                step: step(6, "verify-delivery"),
                stage: Stage::Apply,
                kind: PhaseKind::Prove,
                from: after(started, 10_000),
                to: Some(after(started, 60_000)),
                result: Some(PhaseResult::Unverified),
                outcome: Some(reason.clone()),
            };
            PackageReport {
                reason,
                bytes_sent: 11 << 20,
                finished: Some(after(started, 60_000)),
                phases: vec![phase],
                warnings: vec![warning],
                ..blank
            }
        }
        Status::Failed => PackageReport {
            reason: "S3 refused part 3 of 12 of the upload".into(),
            failure: Some(Failure {
                step: Some(step(4, "s3-upload")),
                kind: FailureKind::Remote,
                message: "S3 refused part 3 of 12 of the upload".into(),
                causes: vec!["SlowDown: Please reduce your request rate.".into()],
                hint: Some("run it again: parts that are there are not sent twice".into()),
                faults: Vec::new(),
            }),
            ..blank
        },
        Status::Interrupted => PackageReport {
            reason: "the upload of it was interrupted; its parts are kept".into(),
            failure: Some(Failure {
                step: Some(step(4, "s3-upload")),
                kind: FailureKind::Interrupted,
                message: "the upload of it was interrupted; its parts are kept".into(),
                causes: Vec::new(),
                hint: Some("run again: it goes on where it stopped".into()),
                faults: Vec::new(),
            }),
            bytes_sent: 2 << 20,
            ..blank
        },
        Status::Running => PackageReport {
            reason: "in step 4 s3-upload: 1.0 GiB of 3.0 GiB sent".into(),
            finished: None,
            ..blank
        },
        Status::NotBegun => PackageReport {
            identifier: None,
            reason: "the run was interrupted".into(),
            started: None,
            finished: None,
            ..blank
        },
    }
}

/// One package of each status.
pub fn one_of_each() -> RunReport {
    let packages = Status::ALL.map(|status| {
        let name = status.word().split(' ').map(capital).collect::<String>();
        package(&format!("{name}-1.0.pkg"), status)
    });
    run("nightly-7", packages.into())
}

fn capital(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}

const NAMES: [&str; 30] = [
    "Firefox",
    "GoogleChrome",
    "Zoom",
    "Slack",
    "MicrosoftOffice",
    "Docker",
    "VisualStudioCode",
    "1Password",
    "iTerm2",
    "Xcode",
    "AdobeAcrobat",
    "Figma",
    "Notion",
    "Postman",
    "Sketch",
    "TeamViewer",
    "VLC",
    "Webex",
    "Wireshark",
    "Cyberduck",
    "Dropbox",
    "Evernote",
    "GitHubDesktop",
    "Java_JDK",
    "KeePassXC",
    "LibreOffice",
    "Miro",
    "Nudge",
    "OnyX",
    "Privileges",
];

/// A night of `count` packages, four side by side: one failed, two are not verified, some changed, most were there.
pub fn nightly(count: usize) -> RunReport {
    let begin = at("2026-11-21T02:00:00Z");
    let mut lanes = [after(begin, 900); 4];
    let packages = (0..count).map(|number| {
        let lane = (0..4).min_by_key(|lane| lanes[*lane]).unwrap();
        let package = of_night(number, count, lanes[lane]);
        lanes[lane] = after(package.finished.unwrap(), 15);
        package
    });
    let packages: Vec<PackageReport> = packages.collect();
    let end = after(lanes.into_iter().max().unwrap(), 700);
    RunReport {
        finished: Some(end),
        updated: end,
        servers: vec!["production".into(), "test".into()],
        requests: Requests { sign_ins: 2, reads: 412, writes: 63, refused: 0 },
        ..run("2026-11-21-nightly", packages)
    }
}

fn of_night(number: usize, count: usize, started: Timestamp) -> PackageReport {
    let version = format!("{}.{}.{}", 1 + number / 30, number * 7 % 13, number * 5 % 10);
    let file = format!("{}-{version}.pkg", NAMES[number % NAMES.len()]);
    let status = match number {
        _ if number == count * 4 / 7 => Status::Failed,
        _ if number % 149 == 70 => Status::Unverified,
        _ if number % 43 == 5 => Status::Replaced,
        _ if number % 61 == 9 => Status::Created,
        _ if number % 97 == 20 => Status::MetadataOnly,
        _ => Status::Skipped,
    };
    let bytes = 20_000_000 + (number as u64 * 7_919_113 % 900_000_000);
    let seconds = (bytes / 40_000_000) as i64;
    let jitter = (number as i64 * 7_919) % 400;
    use PhaseKind::{Hash, Look, Obtain, Prove, Record, Send};
    use Stage::{Apply, Plan};
    let mut plan = vec![
        (1, "find-package", Plan, Look, 40 + jitter / 4, "record 42, file of 61.2 MiB"),
        (2, "compare-hash", Plan, Hash, 150 + jitter * 3, "same: size, MD5 and SHA3-512 agree"),
        (3, "jcds-credentials", Plan, Look, 1, "size, MD5 and SHA3-512 agree"),
        (4, "s3-upload", Plan, Look, 2, "size, MD5 and SHA3-512 agree"),
        (5, "package-metadata", Plan, Look, 45, "record 42 already says so"),
        (6, "verify-delivery", Plan, Look, 1, "nothing was sent"),
    ];
    if status != Status::Skipped {
        plan[1].5 = "different: MD5 differs";
        plan[2].5 = "obtain upload credentials for it";
        plan[3].5 = "replace the file (MD5 differs)";
        plan[5].5 = "prove delivery of it";
    }
    if matches!(status, Status::Failed | Status::Unverified | Status::Replaced | Status::Created) {
        plan.push((3, "jcds-credentials", Apply, Obtain, 420, "upload credentials, good until 02:59"));
        plan.push((
            4,
            "s3-upload",
            Apply,
            Send,
            900 + seconds * 1_000,
            "sent in 12 parts, in place of the old file",
        ));
    }
    if status != Status::Skipped && status != Status::Failed {
        plan.push((5, "package-metadata", Apply, Record, 800, "updated record 42: pkg_notes"));
        let proof = if status == Status::Unverified { 20_000 } else { 4_000 + jitter * 10 };
        plan.push((
            6,
            "verify-delivery",
            Apply,
            Prove,
            proof,
            "proven after 4 s: size, MD5 and SHA3-512 agree, record 42 is READY",
        ));
    }
    let mut now = started;
    let last = plan.len() - 1;
    let mut phases = Vec::new();
    for (index, (number, processor, stage, kind, millis, said)) in plan.into_iter().enumerate() {
        let from = now;
        now = after(now, millis);
        let result = match status {
            Status::Failed if index == last => PhaseResult::Failed,
            Status::Unverified if index == last => PhaseResult::Unverified,
            Status::Skipped if index > 1 => PhaseResult::Skipped,
            _ if stage == Plan && index > 1 && status != Status::Skipped => PhaseResult::Planned,
            _ => PhaseResult::Done,
        };
        let step = step(number, processor);
        let outcome = Some(said.to_owned());
        phases.push(Phase { step, stage, kind, from, to: Some(now), result: Some(result), outcome });
    }
    let mut package = package(&file, status);
    if let Some(phase) =
        phases.last_mut().filter(|_| status == Status::Failed || status == Status::Unverified)
    {
        phase.outcome = Some(package.reason.clone());
    }
    if number % 50 == 11 {
        package.warnings.push(Warning {
            step: Some(step(3, "jcds-credentials")),
            message: "POST /v1/jcds/files is deprecated since 28 Aug 2025; this server still answers it"
                .into(),
            hint: Some("plan for `route: packages-api`, which this server takes too".into()),
        });
    }
    let sent = matches!(status, Status::Unverified | Status::Replaced | Status::Created);
    PackageReport {
        server: Some(if number.is_multiple_of(9) { "test" } else { "production" }.into()),
        pkg_version: Some(version),
        bytes_sent: if sent { bytes } else { 0 },
        bytes_saved: if matches!(status, Status::Skipped | Status::MetadataOnly) { bytes } else { 0 },
        started: Some(started),
        finished: Some(now),
        phases,
        ..package
    }
}
