//! Any report, with texts that mean something to one shape or another.

use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use report::{
    Ending, Failure, FailureKind, Fault, PackageReport, Part, Phase, PhaseKind, PhaseResult, Program,
    Requests, RunReport, Shard, Stage, Status, Step, Version, Warning,
};

/// Pieces that would be more than text somewhere, and letters of several scripts.
pub fn text() -> impl Strategy<Value = String> {
    let pieces = [
        "<",
        ">",
        "&",
        "\"",
        "'",
        "</script>",
        "<script>alert(1)</script>",
        "<b onclick=x>",
        "&lt;",
        "&#0;",
        "]]>",
        "<!--",
        "-->",
        "</title>",
        "</style>",
        "<![CDATA[",
        "\" onload=\"x",
        "|",
        "`",
        "``",
        "*",
        "_",
        "**",
        "~~",
        "[x](http://e)",
        "![x](y)",
        "http://example.com",
        "www.example.com",
        "\\",
        "\\|",
        "#",
        "\n",
        "\n\n",
        "\n# x",
        "\n- x",
        "    ",
        "\t",
        "\r\n",
        "\0",
        "\u{1b}[31m",
        "\u{85}",
        "\u{fffe}",
        "\u{feff}",
        "🎉",
        "עברית",
        "\u{202e}",
        "Ä",
        "A\u{308}",
        "x",
        " ",
        "$x$",
        "@x",
        ":+1:",
        "%KEY%",
        "{{ x }}",
        "1.",
        "--",
        "---",
        "|---|",
        "<br>",
    ];
    prop_oneof![
        4 => vec(select(pieces.to_vec()), 0..6).prop_map(|pieces| pieces.concat()),
        1 => "\\PC{0,12}",
    ]
}

pub fn moment() -> impl Strategy<Value = Timestamp> {
    let begin: Timestamp = "2026-11-21T02:00:00Z".parse().unwrap();
    (0_i64..4_000_000).prop_map(move |millis| begin + SignedDuration::from_millis(millis))
}

pub fn step() -> impl Strategy<Value = Step> {
    (1_usize..9, text()).prop_map(|(number, processor)| Step { number, processor })
}

pub fn warning() -> impl Strategy<Value = Warning> {
    (of(step()), text(), of(text())).prop_map(|(step, message, hint)| Warning { step, message, hint })
}

fn fault() -> impl Strategy<Value = Fault> {
    (of(text()), of(1_u64..99), of(1_u64..99), of(step()), text(), of(text())).prop_map(
        |(file, line, column, step, message, hint)| Fault { file, line, column, step, message, hint },
    )
}

fn failure() -> impl Strategy<Value = Failure> {
    use FailureKind::{Access, Internal, Interrupted, Local, Recipe, Remote};
    let kind = select(vec![Recipe, Access, Remote, Local, Interrupted, Internal]);
    (of(step()), kind, text(), vec(text(), 0..3), of(text()), vec(fault(), 0..3)).prop_map(
        |(step, kind, message, causes, hint, faults)| Failure { step, kind, message, causes, hint, faults },
    )
}

fn phase() -> impl Strategy<Value = Phase> {
    use PhaseKind::{Fetch, Hash, Look, Obtain, Other, Prove, Record, Send};
    use PhaseResult::{Done, Failed, Planned, Skipped, Unverified, Warned};
    let kind = select(vec![Look, Hash, Obtain, Send, Fetch, Record, Prove, Other]);
    let result = select(vec![Done, Planned, Warned, Unverified, Skipped, Failed]);
    let stage = select(vec![Stage::Plan, Stage::Apply]);
    (step(), stage, kind, moment(), of(moment()), of(result), of(text())).prop_map(
        |(step, stage, kind, from, to, result, outcome)| Phase {
            step,
            stage,
            kind,
            from,
            to,
            result,
            outcome,
        },
    )
}

pub fn package() -> impl Strategy<Value = PackageReport> {
    let names = (text(), of(text()), of(text()), of(text()), of(text()), of(1_u64..9_999));
    let result = (select(Status::ALL.to_vec()), text(), of(text()), of(failure()));
    let bytes = (0..u64::MAX, 0..u64::MAX, 0..u64::MAX, 0..u64::MAX);
    let recipe = (of(text()), of(text()), of(text()), of(text()));
    let course = (of(moment()), of(moment()), vec(phase(), 0..5), vec(warning(), 0..3));
    (names, recipe, result, bytes, course).prop_map(|(names, known, result, bytes, course)| {
        let (recipe, identifier, server, file, pkg_version, id) = names;
        let (status, reason, fetched_to, failure) = result;
        let (bytes_sent, bytes_resumed, bytes_fetched, bytes_saved) = bytes;
        let (product, category, display_name, local_path) = known;
        let (started, finished, phases, warnings) = course;
        PackageReport {
            recipe,
            identifier,
            server,
            file,
            pkg_version,
            product,
            category,
            display_name,
            local_path,
            package_id: id.map(|id| id.try_into().unwrap()),
            status,
            reason,
            bytes_sent,
            bytes_resumed,
            bytes_fetched,
            bytes_saved,
            fetched_to,
            started,
            finished,
            phases,
            warnings,
            failure,
            run: None,
            also_in: Vec::new(),
        }
    })
}

fn program() -> impl Strategy<Value = Program> {
    (text(), text()).prop_map(|(name, version)| Program { name, version })
}

fn shard() -> impl Strategy<Value = Shard> {
    (1_u32..5).prop_flat_map(|count| (1..=count).prop_map(move |index| Shard::new(index, count).unwrap()))
}

/// A run, as a recorder would tell of it.
pub fn run() -> impl Strategy<Value = RunReport> {
    let about = (program(), "[a-z<&]{1,9}", any::<bool>(), of(shard()), vec(text(), 0..3));
    let course = (moment(), of(moment()), moment(), vec(warning(), 0..3), vec(package(), 0..6));
    let endings = [Ending::Complete, Ending::Deadline, Ending::Interrupted, Ending::BrokenOff];
    let end = of((select(endings.to_vec()), any::<u8>()));
    (about, course, 0_u64..99, end).prop_map(|(about, course, reads, end)| {
        let (program, id, dry_run, shard, servers) = about;
        let (started, finished, updated, warnings, packages) = course;
        RunReport {
            version: Version,
            program,
            id,
            started,
            finished,
            ending: end.map(|(ending, _)| ending),
            exit_code: end.map(|(_, exit_code)| exit_code),
            updated,
            dry_run,
            shard,
            servers,
            requests: Requests { sign_ins: 1, reads, writes: 3, refused: 0 },
            warnings,
            parts: Vec::new(),
            packages,
        }
    })
}

/// Several real runs of different ids.
pub fn runs() -> impl Strategy<Value = Vec<RunReport>> {
    vec(run(), 1..4).prop_map(|mut runs| {
        for (number, run) in runs.iter_mut().enumerate() {
            run.id.push_str(&number.to_string());
            run.dry_run = false;
        }
        runs
    })
}

/// A run, or what several were merged into.
pub fn report() -> impl Strategy<Value = RunReport> {
    prop_oneof![run(), runs().prop_map(|runs| report::merge(runs).unwrap())]
}

/// Every text of a report that comes from outside.
pub fn texts(report: &mut RunReport) -> Vec<&mut String> {
    fn of_step(step: &mut Option<Step>) -> impl Iterator<Item = &mut String> {
        step.iter_mut().map(|step| &mut step.processor)
    }
    fn of_warning(warning: &mut Warning) -> impl Iterator<Item = &mut String> {
        of_step(&mut warning.step).chain([&mut warning.message]).chain(&mut warning.hint)
    }
    let RunReport { program, id, servers, warnings, parts, packages, .. } = report;
    let mut texts = vec![&mut program.name, &mut program.version, id];
    texts.extend(servers);
    texts.extend(warnings.iter_mut().flat_map(of_warning));
    for Part { id, program, warnings, .. } in parts {
        texts.extend([id, &mut program.name, &mut program.version]);
        texts.extend(warnings.iter_mut().flat_map(of_warning));
    }
    for package in packages {
        let PackageReport { recipe, identifier, server, file, pkg_version, reason, fetched_to, .. } = package;
        texts.extend([recipe, reason]);
        let PackageReport { product, category, display_name, local_path, .. } = package;
        texts.extend([product, category, display_name, local_path].into_iter().flatten());
        texts.extend([identifier, server, file, pkg_version, fetched_to].into_iter().flatten());
        for Phase { step, outcome, .. } in &mut package.phases {
            texts.push(&mut step.processor);
            texts.extend(outcome);
        }
        texts.extend(package.warnings.iter_mut().flat_map(of_warning));
        if let Some(Failure { step, message, causes, hint, faults, .. }) = &mut package.failure {
            texts.extend(of_step(step).chain([message]).chain(causes).chain(hint));
            for Fault { file, step, message, hint, .. } in faults {
                texts.extend(file.iter_mut().chain(of_step(step)).chain([message]).chain(hint));
            }
        }
        texts.extend(package.run.iter_mut().chain(&mut package.also_in));
    }
    texts
}
