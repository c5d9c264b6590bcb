//! What lies between this machine, the server and S3.

use super::told;
use super::way::Way;
use crate::{Check, Finding, Level, Observations, Seen};
use jiff::SignedDuration;
use pipeline::Route;
use s3_upload::Reach;

/// S3 refuses signatures that are further off (`jamf-pro-api.md §9.5`).
const S3_REFUSES: SignedDuration = SignedDuration::from_mins(15);
const WORTH_A_WARNING: SignedDuration = SignedDuration::from_mins(5);
const WORTH_A_NOTE: SignedDuration = SignedDuration::from_secs(30);

pub(super) fn clock(seen: &Observations, way: &Way) -> Finding {
    let check = Check::Clock;
    let server = seen.clock.told().copied();
    let probe = seen.storage.told();
    let storage = probe.and_then(|probe| probe.clock_difference);
    let is_refused = probe.is_some_and(|probe| probe.reach == Reach::ClockTooFarOff);
    let Some(worst) =
        [server, storage].into_iter().flatten().max_by_key(|difference| difference.unsigned_abs())
    else {
        // A server that cannot be reached is told of where it lets nobody in.
        if matches!((&seen.token, &seen.clock), (Seen::Failed(_), Seen::Failed(_))) {
            return Finding::note(check, super::NOT_EXAMINED);
        }
        return match told(check, &seen.clock) {
            Ok(_) => Finding::note(check, "neither the server nor S3 told the time"),
            Err(finding) => finding,
        };
    };
    let off = worst.abs();
    let is_for_s3 = is_refused || storage.unwrap_or(worst).abs() >= S3_REFUSES;
    let level = match way.chosen() {
        Some(Route::Jcds) | None if is_for_s3 && !way.has_detour() => Level::Blocks,
        _ if is_for_s3 || off >= WORTH_A_WARNING => Level::Warning,
        _ if off >= WORTH_A_NOTE => Level::Note,
        _ => return Finding::fine(check, "this machine's clock and the server's agree"),
    };
    let other = match (server, storage) {
        // Who is alone in the wrong is the one to be mended.
        (Some(server), Some(storage)) if server.abs() >= WORTH_A_NOTE && storage.abs() < WORTH_A_NOTE => {
            return Finding::new(
                check,
                level,
                format!("the server's clock is {} this machine's and S3's", side(server)),
            )
            .because("tokens end sooner or later than the server says")
            .mend("tell Jamf's support, or whoever runs the server: its clock is wrong");
        }
        (Some(_), Some(_)) => "the server's and S3's",
        (Some(_), None) => "the server's",
        (None, _) => "S3's",
    };
    // The other side ahead is this side behind.
    Finding::new(check, level, format!("this machine's clock is {} {other}", side(-worst)))
        .because("S3 refuses what is signed by a clock more than 15 minutes off, and tokens seem to end too soon or too late")
        .mend("let this machine take its time from the network (a Mac: System Settings > General > Date & Time)")
}

/// `20 minutes ahead of`.
fn side(difference: SignedDuration) -> String {
    let seconds = difference.unsigned_abs().as_secs();
    let amount = if seconds < 120 { format!("{seconds} s") } else { format!("{} minutes", seconds / 60) };
    format!("{amount} {}", if difference.is_negative() { "behind" } else { "ahead of" })
}

pub(super) fn storage(seen: &Observations, way: &Way) -> Finding {
    let check = Check::Storage;
    // Without S3 files go through Jamf Pro, if it takes them.
    let is_needed = way.chosen() == Some(Route::Jcds) || way.chosen().is_none() && way.is_open(Route::Jcds);
    let level = match (is_needed, way.has_detour()) {
        (false, _) => Level::Note,
        (true, true) => Level::Warning,
        (true, false) => Level::Blocks,
    };
    let probe = match &seen.storage {
        Seen::Failed(trouble) => {
            return Finding::new(check, level, &trouble.message)
                .because("jcds sends files to S3")
                .mend_with(trouble.hint.clone());
        }
        other => match told(check, other) {
            Ok(probe) => probe,
            Err(finding) => return finding,
        },
    };
    let host = &probe.host;
    let detour = match way.fallback().filter(|_| is_needed && way.has_detour()) {
        Some(route) => format!("; files go by {route} instead, after being refused"),
        None => String::new(),
    };
    match &probe.reach {
        Reach::Intact => Finding::fine(check, format!("{host} is reached, and headers arrive there as they were sent")),
        // The clock is a check of its own.
        Reach::ClockTooFarOff => Finding::note(check, format!("{host} is reached")),
        Reach::Odd { said } => Finding::note(check, said),
        Reach::Stripped { header, said } => {
            Finding::new(check, level, format!("something between this machine and {host} takes out or changes {header}"))
                .because(format!("S3 takes no upload without it: {said}{detour}"))
                .mend(format!(
                    "let the proxy or firewall pass requests to *.amazonaws.com unchanged, or let this machine reach {host} without it"
                ))
        }
        Reach::Foreign { said } => Finding::new(check, level, said)
            .because(format!("a proxy or firewall answers in place of S3{detour}"))
            .mend("let the proxy or firewall pass requests to *.amazonaws.com"),
        Reach::Unreachable { why } => Finding::new(check, level, why)
            .because(format!("jcds sends files to S3{detour}"))
            .mend("let this machine reach *.amazonaws.com on port 443, directly or through the proxy of its settings (HTTPS_PROXY)"),
    }
}
