//! Runs to tell of.

use notify::{Changed, Ending, FullReport, How, Mode, Summary, Trouble, Volume};
use pipeline::StepRef;
use std::time::Duration;

/// Nothing to do.
pub fn quiet() -> Summary {
    Summary {
        title: "nightly on build-mac".into(),
        run: "4f3c2a10".into(),
        program: "pkgferry 0.1.0".into(),
        mode: Mode::Real,
        started: jiff::Timestamp::from_second(1_795_226_400).unwrap_or_default(),
        duration: Duration::from_millis(1_900),
        volume: Volume { sent: 0, saved: 85_899_345_920, fetched: 0 },
        ending: Ending::Complete,
        failed: Vec::new(),
        unverified: Vec::new(),
        changed: Vec::new(),
        skipped: 300,
        not_begun: 0,
        report: None,
    }
}

pub fn trouble(package: &str, message: &str) -> Trouble {
    Trouble {
        package: package.into(),
        recipe: format!("{}.pkgferry", package.trim_end_matches(".pkg")),
        server: Some("example.jamfcloud.com".into()),
        step: Some(StepRef { number: 4, processor: "s3-upload".into() }),
        message: message.into(),
        next_step: Some("run the same again: what has arrived is not sent again".into()),
    }
}

pub fn changed(package: &str, how: How) -> Changed {
    Changed {
        package: package.into(),
        recipe: format!("{}.pkgferry", package.trim_end_matches(".pkg")),
        server: Some("example.jamfcloud.com".into()),
        how,
        version: Some("131.0".into()),
        category: Some("Browsers".into()),
        reason: Some("MD5 differs".into()),
    }
}

/// Some of everything.
pub fn bad() -> Summary {
    let mut unverified = trouble("Zoom & Co <5>.pkg", "the server shows no digest after 10 min");
    unverified.step = Some(StepRef { number: 6, processor: "verify-delivery".into() });
    unverified.next_step = Some("run `pkgferry verify` later".into());
    let mut unread = trouble("Broken.pkgferry", "Broken.pkgferry.yaml:3: unknown key Proces");
    unread.step = None;
    unread.server = None;
    unread.next_step = None;
    let mut new = changed("Tool_2.0*.pkg", How::Created);
    (new.version, new.category, new.reason) = (None, None, Some("not in the distribution service".into()));
    Summary {
        duration: Duration::from_secs(724),
        volume: Volume { sent: 1_288_490_188, saved: 84_610_855_731, fetched: 0 },
        failed: vec![
            trouble("Firefox-131.0.pkg", "part 7 was refused: AccessDenied"),
            unread,
            trouble("Chrome.pkg", "part 7 was refused: AccessDenied"),
        ],
        unverified: vec![unverified],
        changed: vec![changed("Safari Technology Preview.pkg", How::Replaced), new],
        skipped: 294,
        report: Some(FullReport::File("/var/log/pkgferry/report.html".into())),
        ..quiet()
    }
}

/// More than any message holds.
pub fn huge() -> Summary {
    let many = |count: usize, what: &str| -> Vec<_> {
        (0..count)
            .map(|number| {
                trouble(
                    &format!("{what}-{number}.pkg"),
                    &format!("{what} {number}: {}", "because ".repeat(200)),
                )
            })
            .collect()
    };
    Summary {
        failed: many(200, "Failed"),
        unverified: many(200, "Doubt"),
        changed: (0..600).map(|number| changed(&format!("Changed-{number}.pkg"), How::Replaced)).collect(),
        ..bad()
    }
}
