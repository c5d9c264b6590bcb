//! What is here.

use super::listed;
use crate::{Check, Finding, Level, Observations, PlaceRole, Remembered};
use pipeline::size;

/// Journals take some KiB an upload; SQLite wants room for its log beside them.
const STATE_WANTS: u64 = 16 << 20;

pub(super) fn state(seen: &Observations) -> Finding {
    let check = Check::State;
    match &seen.remembered {
        Remembered::Nowhere => Finding::warning(check, "there is no state folder")
            .because("digests are computed anew in each run, and interrupted uploads begin anew")
            .mend("name a folder with --state or PKGFERRY_STATE, or set HOME"),
        Remembered::OfRehearsal => {
            Finding::fine(check, "a rehearsal remembers nothing, unless --state names a folder")
        }
        Remembered::Nothing { folder } => {
            Finding::fine(check, format!("{} is made by the first run", folder.display()))
        }
        Remembered::Unusable { folder, trouble, is_damaged } => {
            let finding = Finding::warning(check, format!("{}: {}", folder.display(), trouble.message))
                .because("digests are computed anew in each run, and interrupted uploads begin anew");
            match is_damaged {
                true => {
                    finding.mend("nothing: the next run sets the damaged file aside and begins another one")
                }
                false => finding.mend_with(trouble.hint.clone()),
            }
        }
        Remembered::Sound { folder, left_over, set_aside } => {
            let folder = folder.display();
            if let [_, ..] = &left_over[..] {
                let all: Vec<_> =
                    left_over.iter().map(|(file, server)| format!("{file} to {server}")).collect();
                return Finding::note(check, format!("uploads were left unfinished: {}", listed(&all)))
                    .because("their parts lie in S3 until they are gone on with or removed")
                    .mend("pkgferry resume");
            }
            match set_aside {
                0 => Finding::fine(check, format!("{folder} is sound, and no upload was left unfinished")),
                _ => Finding::note(
                    check,
                    format!("{folder} holds {set_aside} damaged files that were set aside"),
                )
                .mend("delete state.db.damaged-* there; nothing in them is the only copy of anything"),
            }
        }
    }
}

pub(super) fn disk(seen: &Observations) -> Vec<Finding> {
    let check = Check::Disk;
    let mut rooms = Vec::new();
    let mut findings = Vec::new();
    for place in &seen.places {
        let path = place.path.display();
        let free = match &place.free {
            Ok(free) => *free,
            Err(why) => {
                findings
                    .push(Finding::note(check, format!("nobody knows how much is free in {path}: {why}")));
                continue;
            }
        };
        // A file of a size that nobody named says nothing about room.
        let carried = Some(seen.expected.size).filter(|_| !seen.expected.is_assumed);
        match (place.role, carried) {
            (PlaceRole::State, _) if free < STATE_WANTS => findings.push(
                Finding::new(
                    check,
                    Level::Warning,
                    format!("{} are free in {path}, the state folder", size(free)),
                )
                .because("what cannot be written down is lost when a run is interrupted")
                .mend("make room, or name another folder with --state"),
            ),
            (PlaceRole::Temporary, Some(carried)) if free < carried => findings.push(
                Finding::new(
                    check,
                    Level::Warning,
                    format!("{} are free in {path}, and the file has {}", size(free), size(carried)),
                )
                .because("promote keeps a package there on its way from one server to the other")
                .mend("make room, or name another folder with --cache"),
            ),
            _ => rooms.push(format!("{} free in {path}", size(free))),
        }
    }
    if findings.is_empty() && !rooms.is_empty() {
        findings.push(Finding::fine(check, listed(&rooms)));
    }
    findings
}
