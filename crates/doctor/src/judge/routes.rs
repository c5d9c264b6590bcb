//! What the server offers.

use super::told;
use super::way::Way;
use crate::{Check, Family, Finding, Level, Observations};
use jamf::{CdnType, ServerKind};
use pipeline::{Diagnose as _, Route};

/// The page of Jamf Pro where all this is set.
const PAGE: &str = "Settings > Server > Cloud distribution point";

pub(super) fn version(seen: &Observations) -> Finding {
    let check = Check::Version;
    let version = match told(check, &seen.version) {
        Ok(version) => version,
        Err(finding) => return finding,
    };
    if !version.has_pro_packages() {
        return Finding::note(check, format!("Jamf Pro {version} has no packages in its Pro API"))
            .because("jcds is the only route into the cloud")
            .mend("update Jamf Pro to 11.5 or later");
    }
    let through = match seen.kind {
        ServerKind::Instance => "",
        ServerKind::Gateway => ", through the Platform API gateway",
    };
    Finding::fine(check, format!("Jamf Pro {version}{through}"))
}

pub(super) fn route(way: &Way, is_blocked: bool) -> Finding {
    let check = Check::Route;
    match &way.decision {
        None => Finding::note(check, super::NOT_EXAMINED),
        Some(Ok(decision)) => Finding::fine(check, decision.to_string()),
        Some(Err(error)) => {
            // What rules out both is a finding of its own, with its own mending.
            let level = if is_blocked { Level::Note } else { Level::Blocks };
            Finding::new(check, level, error.to_string())
                .because("no file can be sent")
                .mend_with(error.hint())
        }
    }
}

pub(super) fn distribution_point(seen: &Observations, way: &Way) -> Finding {
    let check = Check::DistributionPoint;
    let point = match told(check, &seen.point) {
        Ok(point) => point,
        Err(finding) => return finding,
    };
    match (&point.cdn, point.is_principal) {
        (CdnType::None, _) => Finding::new(check, Level::Blocks, "no cloud distribution point is set up")
            .because("there is nowhere to send files to; records can be made all the same")
            .mend(format!("set one up in {PAGE}")),
        (CdnType::JamfCloud, true) => Finding::fine(check, "Jamf Cloud, and the principal one"),
        (CdnType::JamfCloud, false) => {
            Finding::warning(check, "Jamf Cloud, but another distribution point is the principal one")
                .because("computers fetch from the principal one first, and packages-api sends only there")
                .mend(format!("make it the principal one in {PAGE}"))
        }
        (CdnType::Other(kind), true) if way.is_open(Route::PackagesApi) => {
            Finding::note(check, format!("{kind}, and the principal one"))
                .because("only packages-api leads there")
        }
        (CdnType::Other(kind), true) => Finding::note(check, format!("{kind}, and the principal one")),
        (CdnType::Other(kind), false) => {
            Finding::new(check, Level::Blocks, format!("{kind}, and not the principal one"))
                .because("jcds does not lead there, and packages-api sends to the principal one only")
                .mend(format!("make it, or Jamf Cloud, the principal one in {PAGE}"))
        }
    }
}

pub(super) fn direct_upload(seen: &Observations, way: &Way) -> Finding {
    let check = Check::DirectUpload;
    let capability = match told(check, &seen.capability) {
        Ok(capability) => capability,
        Err(finding) => return finding,
    };
    match (capability.principal, capability.direct) {
        (true, true) => Finding::fine(check, "Jamf Pro takes files itself"),
        // The distribution point says why, if it may be asked.
        (false, _) if seen.point.told().is_some() => Finding::note(
            check,
            "Jamf Pro takes no files: the principal distribution point is not in the cloud",
        ),
        (false, _) => Finding::warning(
            check,
            "Jamf Pro takes no files: the principal distribution point is not in the cloud",
        )
        .because("packages-api is closed")
        .mend(format!("make the cloud distribution point the principal one in {PAGE}")),
        (true, false) => {
            let level = if way.is_open(Route::Jcds) { Level::Warning } else { Level::Blocks };
            Finding::new(check, level, "Jamf Pro says that it takes no files itself")
                .because("packages-api is closed")
                .mend(format!("test the connection in {PAGE}; if it works, ask Jamf's support"))
        }
    }
}

pub(super) fn deprecated_calls(seen: &Observations, way: &Way) -> Finding {
    let check = Check::DeprecatedCalls;
    let calls = match told(check, &seen.calls) {
        Ok(calls) => calls,
        Err(finding) => return finding,
    };
    if calls.jcds == Some(false) && way.is_open(Route::PackagesApi) {
        return Finding::note(check, "this server has no JCDS calls any more")
            .because("packages-api is the only route into the cloud, and files cannot be downloaded");
    }
    let jcds = calls
        .deprecated
        .iter()
        .find(|(family, _)| *family == Family::Jcds)
        .filter(|_| calls.jcds != Some(false));
    let others = calls.deprecated.iter().find(|(family, _)| *family != Family::Jcds);
    let since = |date: &Option<jiff::civil::Date>| date.map(|date| format!(" on {date}")).unwrap_or_default();
    match (jcds, others) {
        (_, Some((family, date))) => {
            let calls = match family {
                Family::Packages => "/v1/packages",
                Family::DistributionPoint => "/v1/cloud-distribution-point",
                Family::Jcds => "/v1/jcds",
            };
            Finding::warning(check, format!("Jamf marked {calls} deprecated{}", since(date)))
                .because("no version of pkgferry does without them as yet")
                .mend("look for a newer pkgferry before Jamf Pro is updated")
        }
        (Some((_, date)), None) => {
            let used = if way.chosen() == Some(Route::Jcds) { "" } else { ", which are not used here" };
            let finding =
                Finding::note(check, format!("Jamf marked /v1/jcds/* deprecated{}{used}", since(date)))
                    .because("marked calls stay for a year at least; nobody has said when these go");
            match way.is_open(Route::PackagesApi) {
                true => finding.mend("nothing now: auto takes packages-api when they are gone"),
                false => finding.mend("see to it that packages-api is open by then"),
            }
        }
        (None, None) => Finding::fine(check, "none in use"),
    }
}
