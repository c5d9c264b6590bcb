//! What is seen, judged: pure functions, one for each check.
//!
//! One thing that is wrong makes one finding above a note, at the check that is nearest to its mending. So the route that comes
//! of it is told as a note where another check blocks already.

mod access;
mod names;
mod network;
mod routes;
mod this_machine;
mod way;

use crate::{Check, Finding, Level, Observations, Seen, Trouble};
use std::cmp::Reverse;
use way::Way;

/// All findings, the worst first.
#[must_use]
pub fn judge(seen: &Observations) -> Vec<Finding> {
    let way = Way::of(seen);
    let mut findings = vec![
        access::sign_in(seen),
        routes::version(seen),
        access::privileges(seen, &way),
        access::token_life(seen, &way),
        routes::distribution_point(seen, &way),
        routes::direct_upload(seen, &way),
        routes::deprecated_calls(seen, &way),
        network::clock(seen, &way),
        network::storage(seen, &way),
        this_machine::state(seen),
    ];
    findings.extend(names::duplicates(seen));
    findings.extend(this_machine::disk(seen));
    let is_blocked = findings.iter().any(|finding| finding.level == Level::Blocks);
    findings.push(routes::route(&way, is_blocked));
    findings.sort_by_key(|finding| (Reverse(finding.level), finding.check));
    findings
}

/// The finding of a check for which there is nothing to judge; `Ok` is what was told.
fn told<T>(check: Check, seen: &Seen<T>) -> Result<&T, Finding> {
    match seen {
        Seen::Told(told) => Ok(told),
        Seen::NotTold(why) => Err(Finding::note(check, format!("the server does not tell it: {why}"))),
        Seen::NotExamined => Err(Finding::note(check, NOT_EXAMINED)),
        Seen::Failed(Trouble { message, hint }) => {
            Err(Finding::warning(check, message).because("it could not be examined").mend_with(hint.clone()))
        }
    }
}

/// What is said of a check that something else stood in the way of.
pub(crate) const NOT_EXAMINED: &str = "not examined";

/// `a`, `a and b`, `a, b and c`.
fn listed(words: &[impl AsRef<str>]) -> String {
    match words {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}
