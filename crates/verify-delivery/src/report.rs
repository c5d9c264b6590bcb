//! What a person reads at the end. Pure: a conclusion in, an outcome out.

use crate::judge::{Expected, Judgement, Lack, Untold};
use pipeline::{Applied, Delivery, FileName, PackageId, Warning, Witness, keys};
use std::fmt;
use std::time::Duration;

/// The last look and what led to it.
#[derive(Clone, Debug)]
pub(crate) struct Conclusion {
    pub judgement: Judgement,
    /// Twins that hold the expected bytes, as the last look listed them.
    pub twins: Vec<String>,
    pub record: Option<PackageId>,
    pub witness: Witness,
    pub elapsed: Duration,
}

/// The outcome that a conclusion means.
pub(crate) fn outcome(expected: &Expected, conclusion: &Conclusion, again: LookAgain) -> Applied {
    let name = expected.name.as_str();
    let after = seconds(conclusion.elapsed);
    match &conclusion.judgement {
        Judgement::Proven if conclusion.witness == Witness::Record => {
            proven(conclusion, &format!("size and SHA3-512 agree in {}, which is READY", record(conclusion)))
        }
        Judgement::Proven => {
            proven(conclusion, &format!("size, MD5 and SHA3-512 agree, {} is READY", record(conclusion)))
        }
        Judgement::ListProves { untold, .. } => {
            let silence = silence(conclusion, untold);
            proven(conclusion, &format!("size, MD5 and SHA3-512 agree in the list; {silence}"))
        }
        Judgement::Renamed { twin, lacks } => unverified(
            format!(
                "{name} arrived as {twin}, which holds its bytes; of {name} itself: {}; a record that names {name} does \
                 not serve the new bytes",
                told(lacks)
            ),
            renamed(&expected.name, twin, again),
        ),
        Judgement::Empty(lack) => unverified(
            format!("{name} arrived without its bytes: {lack}, beside the new digest"),
            UPLOAD_AGAIN.to_owned(),
        ),
        Judgement::Waiting(lacks) => unverified(
            format!("{name} is not proven after {after}: {}", told(lacks)),
            match conclusion.witness {
                Witness::List => advice(&expected.name, lacks, again),
                Witness::Record => advice_by_record(lacks, again),
            },
        ),
    }
}

const UPLOAD_AGAIN: &str = "upload it again: run `pkgferry run` with -k force=true";
/// How somebody looks again later, without sending anything. A run that sends would skip the proof if nothing differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookAgain {
    /// The delivery is kept, and `pkgferry verify` finds it.
    Verify,
    /// It is not, and a recipe has to be told which file it is.
    Recipe,
}

/// As a hint.
impl fmt::Display for LookAgain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let command = match self {
            Self::Verify => "verify",
            Self::Recipe => "run com.github.pkgferry.recipes.verify-package -k pkg_path=…",
        };
        write!(f, "wait a few minutes, then run `pkgferry {command}`, which sends nothing")
    }
}

/// Why a file that is not listed yet is not to be sent again: the service renames what arrives second (`jamf-pro-api.md §12`). Runs that
/// know of the delivery keep to that for an hour.
pub(crate) fn no_second_sending(file: &FileName, again: LookAgain) -> String {
    let (stem, dot, extension) = match file.as_str().rsplit_once('.') {
        Some((stem, extension)) => (stem, ".", extension),
        None => (file.as_str(), "", ""),
    };
    let way_out = match again {
        LookAgain::Verify => {
            format!(
                ", so no run does for an hour; if somebody has deleted it, `pkgferry verify --forget {file}` lets the next run \
                 send it"
            )
        }
        LookAgain::Recipe => String::new(),
    };
    format!("sending again now may make a twin, {stem}_1{dot}{extension}{way_out}")
}

/// The file itself may be on its way, beside a twin that somebody else has made.
fn renamed(file: &FileName, twin: &str, again: LookAgain) -> String {
    let mend = format!("if {file} is not listed even then, delete {twin} from the distribution service");
    match again {
        LookAgain::Verify => {
            format!(
                "{again}; {mend} and let `pkgferry verify --forget {file}` tell the next run to send it anew"
            )
        }
        LookAgain::Recipe => format!("{again}; {mend}, then run again: {file} is sent anew"),
    }
}

fn advice(file: &FileName, lacks: &[Lack], again: LookAgain) -> String {
    if lacks.iter().any(Lack::is_empty_file) {
        UPLOAD_AGAIN.to_owned()
    } else if lacks.iter().any(Lack::leaves_listing_open) {
        format!("{again}; {}", no_second_sending(file, again))
    } else if lacks.iter().any(Lack::is_other_bytes) {
        format!("{again}; if other bytes are listed even then, send the file again with `pkgferry run`")
    } else {
        again.to_string()
    }
}

/// A file that comes onto the record again replaces what came before, so there are no twins to be afraid of.
fn advice_by_record(lacks: &[Lack], again: LookAgain) -> String {
    if lacks.iter().any(Lack::is_empty_file) {
        UPLOAD_AGAIN.to_owned()
    } else if lacks.iter().any(Lack::is_final) {
        "nothing was sent under this name, or somebody deleted the record: `pkgferry upload` makes both"
            .to_owned()
    } else if lacks.iter().any(Lack::is_other_record) {
        format!(
            "{again}; if the record tells of other bytes even then, send the file again with `pkgferry run`"
        )
    } else {
        again.to_string()
    }
}

fn proven(conclusion: &Conclusion, how: &str) -> Applied {
    let after = seconds(conclusion.elapsed);
    let message = format!("proven after {after}: {how}");
    let applied = if conclusion.twins.is_empty() {
        Applied::done(message)
    } else {
        let twins = conclusion.twins.join(", ");
        Applied::warned(
            Warning::Other,
            format!("{message}; the same bytes are also listed as {twins}"),
            format!("delete {twins} from the distribution service, unless a record of its own names it"),
        )
    };
    applied.with(keys::DELIVERY, Delivery::Proven)
}

fn unverified(message: String, hint: String) -> Applied {
    Applied::warned(Warning::Unverified, message, hint).with(keys::DELIVERY, Delivery::Unverified)
}

fn record(conclusion: &Conclusion) -> String {
    conclusion.record.map_or_else(|| "the record".to_owned(), |id| format!("record {id}"))
}

fn silence(conclusion: &Conclusion, untold: &[Untold]) -> String {
    if conclusion.record.is_none() {
        return "no record names the file".to_owned();
    }
    let untold: Vec<String> = untold.iter().map(ToString::to_string).collect();
    format!("{} tells {}", record(conclusion), untold.join(", "))
}

/// All lacks, one after the other.
pub(crate) fn told(lacks: &[Lack]) -> String {
    lacks.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fingerprint::Fingerprint;
    use insta::assert_snapshot;
    use pipeline::{Md5, Outcome, Sha3_512};

    fn told_of(judgement: Judgement, twins: &[&str], elapsed: u64) -> String {
        told_by(Witness::List, judgement, twins, elapsed)
    }

    fn told_by(witness: Witness, judgement: Judgement, twins: &[&str], elapsed: u64) -> String {
        let bytes =
            Fingerprint { size: 9, md5: Md5::from_bytes([1; 16]), sha3_512: Sha3_512::from_bytes([1; 64]) };
        let (expected, again) = (Expected { name: "App.pkg".parse().unwrap(), bytes }, LookAgain::Recipe);
        let conclusion = Conclusion {
            judgement,
            twins: twins.iter().copied().map(str::to_owned).collect(),
            record: Some(42.try_into().unwrap()),
            witness,
            elapsed: Duration::from_secs(elapsed),
        };
        match outcome(&expected, &conclusion, again).outcome {
            outcome @ Outcome::Warned { .. } => {
                let Outcome::Warned { hint: Some(hint), .. } = &outcome else { panic!("no hint") };
                format!("{outcome}\n{hint}")
            }
            outcome => outcome.to_string(),
        }
    }

    #[test]
    fn a_proof_says_how_long_it_took_and_who_agrees() {
        assert_snapshot!(told_of(Judgement::Proven, &[], 4), @"proven after 4 s: size, MD5 and SHA3-512 agree, record 42 is READY");
        let untold = vec![Untold::Size, Untold::State];
        assert_snapshot!(told_of(Judgement::ListProves { untold, may_come: true }, &[], 134), @"proven after 2 min 14 s: size, MD5 and SHA3-512 agree in the list; record 42 tells no size, no state");
    }

    #[test]
    fn a_twin_is_never_silently_left() {
        assert_snapshot!(told_of(Judgement::Proven, &["App_1.pkg"], 4), @r"
        warning: proven after 4 s: size, MD5 and SHA3-512 agree, record 42 is READY; the same bytes are also listed as App_1.pkg
        delete App_1.pkg from the distribution service, unless a record of its own names it
        ");
        let renamed = Judgement::Renamed { twin: "App_1.pkg".to_owned(), lacks: vec![Lack::NotListed] };
        assert_snapshot!(told_of(renamed, &["App_1.pkg"], 30), @"
        unverified: App.pkg arrived as App_1.pkg, which holds its bytes; of App.pkg itself: the distribution service does not list it; a record that names App.pkg does not serve the new bytes
        wait a few minutes, then run `pkgferry run com.github.pkgferry.recipes.verify-package -k pkg_path=…`, which sends nothing; if App.pkg is not listed even then, delete App_1.pkg from the distribution service, then run again: App.pkg is sent anew
        ");
    }

    #[test]
    fn what_is_not_proven_says_what_was_seen_last() {
        let id = 42.try_into().unwrap();
        let lacks = vec![Lack::NotListed, Lack::RecordState { id, state: "PENDING".to_owned() }];
        assert_snapshot!(told_of(Judgement::Waiting(lacks), &[], 300), @"
        unverified: App.pkg is not proven after 5 min: the distribution service does not list it; record 42 is PENDING
        wait a few minutes, then run `pkgferry run com.github.pkgferry.recipes.verify-package -k pkg_path=…`, which sends nothing; sending again now may make a twin, App_1.pkg
        ");
        let unreadable = Lack::Unreadable("GET /api/v1/jcds/files: 503".to_owned());
        assert_snapshot!(told_of(Judgement::Waiting(vec![unreadable]), &[], 300), @"
        unverified: App.pkg is not proven after 5 min: the server could not be asked: GET /api/v1/jcds/files: 503
        wait a few minutes, then run `pkgferry run com.github.pkgferry.recipes.verify-package -k pkg_path=…`, which sends nothing; sending again now may make a twin, App_1.pkg
        ");
    }

    #[test]
    fn an_empty_file_is_to_be_sent_again() {
        let nothing = || Lack::ListedSize { found: 0, expected: 9 };
        assert_snapshot!(told_of(Judgement::Empty(nothing()), &[], 2), @r"
        unverified: App.pkg arrived without its bytes: the distribution service lists 0 bytes instead of 9, beside the new digest
        upload it again: run `pkgferry run` with -k force=true
        ");
        assert_snapshot!(told_of(Judgement::Waiting(vec![nothing()]), &[], 300), @r"
        unverified: App.pkg is not proven after 5 min: the distribution service lists 0 bytes instead of 9
        upload it again: run `pkgferry run` with -k force=true
        ");
    }

    #[test]
    fn a_record_that_is_alone_is_named() {
        let by_record = |judgement, elapsed| told_by(Witness::Record, judgement, &[], elapsed);
        let waiting = |lack| by_record(Judgement::Waiting(vec![lack]), 300);
        let id = PackageId::try_from(42).unwrap();
        assert_snapshot!(by_record(Judgement::Proven, 4), @"proven after 4 s: size and SHA3-512 agree in record 42, which is READY");
        assert_snapshot!(waiting(Lack::RecordWithout(id, "SHA3-512")), @"
        unverified: App.pkg is not proven after 5 min: record 42 tells no SHA3-512
        wait a few minutes, then run `pkgferry run com.github.pkgferry.recipes.verify-package -k pkg_path=…`, which sends nothing
        ");
        assert_snapshot!(waiting(Lack::RecordSize { id, found: 7, expected: 9 }), @"
        unverified: App.pkg is not proven after 5 min: record 42 says 7 bytes instead of 9
        wait a few minutes, then run `pkgferry run com.github.pkgferry.recipes.verify-package -k pkg_path=…`, which sends nothing; if the record tells of other bytes even then, send the file again with `pkgferry run`
        ");
        assert_snapshot!(waiting(Lack::NoRecord), @"
        unverified: App.pkg is not proven after 5 min: no package record names it
        nothing was sent under this name, or somebody deleted the record: `pkgferry upload` makes both
        ");
        assert_snapshot!(by_record(Judgement::Empty(Lack::RecordSize { id, found: 0, expected: 9 }), 2), @"
        unverified: App.pkg arrived without its bytes: record 42 says 0 bytes instead of 9, beside the new digest
        upload it again: run `pkgferry run` with -k force=true
        ");
    }
}
