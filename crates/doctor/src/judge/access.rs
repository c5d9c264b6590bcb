//! Who signs in, what for, and for how long.

use super::way::Way;
use super::{listed, told};
use crate::{Check, Finding, Level, Observations, Seen, Trouble};
use jamf::{Privilege, ServerKind};
use pipeline::{Route, size};
use std::time::Duration;

/// A token that ends so soon after the expected end of a transfer may end before it.
const MARGIN: Duration = Duration::from_secs(30);

pub(super) fn sign_in(seen: &Observations) -> Finding {
    match &seen.token {
        Seen::Told(token) => {
            let renewed = if token.renewable { ", and is renewed" } else { "" };
            Finding::fine(
                Check::SignIn,
                format!("the account is let in; its token lives {} s{renewed}", token.life.as_secs()),
            )
        }
        Seen::Failed(Trouble { message, hint }) => Finding::new(Check::SignIn, Level::Blocks, message)
            .because("nothing of this server can be used or examined without signing in")
            .mend_with(hint.clone()),
        Seen::NotTold(why) => Finding::note(Check::SignIn, why),
        Seen::NotExamined => Finding::note(Check::SignIn, super::NOT_EXAMINED),
    }
}

pub(super) fn privileges(seen: &Observations, way: &Way) -> Finding {
    let check = Check::Privileges;
    let lacking = match told(check, &seen.lacking) {
        Ok(lacking) => lacking,
        Err(finding) => return finding,
    };
    let version = seen.version.told().copied();
    let of = |route| -> Vec<Privilege> {
        let needed = Privilege::of(route, true).iter().copied();
        needed.filter(|privilege| lacking.contains(privilege)).collect()
    };
    let names = |privileges: &[Privilege]| {
        let quoted = privileges.iter().map(|privilege| format!("“{}”", privilege.name(version, seen.kind)));
        listed(&quoted.collect::<Vec<_>>())
    };
    let mend = |privileges: &[Privilege]| match seen.kind {
        ServerKind::Instance => format!(
            "give the API role {} in Settings > API roles and clients (a user account: Settings > User accounts and groups)",
            names(privileges)
        ),
        ServerKind::Gateway => format!("give the API client {} in Jamf Account", names(privileges)),
    };
    let Some(route) = way.chosen() else {
        return match &lacking[..] {
            [] => Finding::fine(check, "the account lacks none that matters here"),
            lacking => {
                Finding::note(check, format!("the account lacks {}", names(lacking))).mend(mend(lacking))
            }
        };
    };
    let missing = of(route);
    if !missing.is_empty() {
        let consequences: Vec<_> = missing.iter().map(|privilege| consequence(*privilege)).collect();
        let essential = !way.lacking_for(route).is_empty();
        let (level, detour) = match (essential, way.fallback()) {
            (true, Some(fallback)) if way.has_detour() => {
                (Level::Warning, format!("; files go by {fallback} instead, after being refused"))
            }
            (true, _) => (Level::Blocks, String::new()),
            (false, _) => (Level::Warning, String::new()),
        };
        let what = format!("the account lacks {} for the route {route}", names(&missing));
        return Finding::new(check, level, what)
            .because(format!("{}{detour}", consequences.join("; ")))
            .mend(mend(&missing));
    }
    let other = of(route.other());
    match (&other[..], way.is_open(route.other())) {
        ([_, ..], true) => Finding::note(
            check,
            format!("all for the route {route}; {} would take {} too", route.other(), names(&other)),
        )
        .mend(mend(&other)),
        _ => Finding::fine(check, "the account has all that both routes take"),
    }
}

fn consequence(privilege: Privilege) -> &'static str {
    match privilege {
        Privilege::ReadPackages => "no record can be found",
        Privilege::CreatePackages => "no new record can be made",
        Privilege::UpdatePackages => "no record can be changed, and no file be sent through Jamf Pro",
        Privilege::ReadCategories => "no category can be given",
        Privilege::CreateCategories => "no missing category can be made",
        Privilege::ReadFiles => "what the distribution service holds cannot be seen",
        Privilege::CreateFiles => "the server gives no upload credentials",
        Privilege::DeleteFiles => "files can be added and not replaced",
        Privilege::ReadDistributionPoint => {
            "the server cannot be asked what its distribution point is, nor to look at new files at once"
        }
    }
}

pub(super) fn token_life(seen: &Observations, way: &Way) -> Finding {
    let check = Check::TokenLife;
    let Some(token) = seen.token.told() else { return Finding::note(check, super::NOT_EXAMINED) };
    let expected = seen.expected;
    let (life, time) = (token.life, expected.time());
    let outlives = life >= time + MARGIN;
    let transfer = format!(
        "sending {}{} at {}/s takes about {} s",
        size(expected.size),
        if expected.is_assumed { " (assumed)" } else { "" },
        size(expected.rate),
        time.as_secs()
    );
    let why = "the server may refuse an upload whose token ends before the upload does, and uploads with tokens of 60 s were \
               seen to fail";
    let advice = match seen.kind {
        ServerKind::Gateway => {
            "tokens of the gateway cannot be made to live longer: let the route be jcds, or sign in at the server itself"
                .to_owned()
        }
        ServerKind::Instance => format!(
            "let tokens of the API client live {} s: Settings > API roles and clients > API clients > access token lifetime",
            enough(time).as_secs()
        ),
    };
    match (way.chosen(), way.fallback()) {
        _ if outlives => Finding::fine(check, format!("a token lives {} s; {transfer}", life.as_secs())),
        (Some(Route::PackagesApi), _) => {
            Finding::warning(check, format!("a token lives {} s, and {transfer}", life.as_secs()))
                .because(why)
                .mend(advice)
        }
        (Some(Route::Jcds), Some(_)) => Finding::note(
            check,
            format!("a token lives {} s, which does for jcds; for packages-api {transfer}", life.as_secs()),
        )
        .because(why)
        .mend(advice),
        _ => Finding::fine(check, format!("a token lives {} s, which does for jcds", life.as_secs())),
    }
}

/// A life that leaves room for a slow day: twice the time, at least ten minutes, in whole minutes.
fn enough(time: Duration) -> Duration {
    Duration::from_secs((time * 2 + MARGIN).as_secs().max(600).div_ceil(60) * 60)
}
