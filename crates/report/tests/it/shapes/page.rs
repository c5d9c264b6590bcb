//! The page.

use super::text;
use crate::sample;
use insta::assert_snapshot;
use report::{Ending, Failure, FailureKind, Fault, Format, PackageReport, RunReport, Status, Warning, merge};

/// What a recipe with faults looks like where faults have places.
#[test]
fn faults_of_a_recipe_stand_with_their_places() {
    let fault = |line, message: &str, hint: Option<&str>| Fault {
        file: Some("Broken.recipe.yaml".into()),
        line: Some(line),
        column: Some(3),
        step: None,
        message: message.into(),
        hint: hint.map(ToOwned::to_owned),
    };
    let failure = Failure {
        step: None,
        kind: FailureKind::Recipe,
        message: "Broken.recipe.yaml:4:3: unknown key\nBroken.recipe.yaml:9:3: no such processor".into(),
        causes: Vec::new(),
        hint: None,
        faults: vec![
            fault(4, "unknown key", None),
            fault(9, "no such processor", Some("did you mean s3-upload?")),
        ],
    };
    let package = PackageReport {
        reason: failure.message.clone(),
        failure: Some(failure),
        file: None,
        ..sample::package("Broken.pkg", Status::Failed)
    };
    let report = sample::run("1", vec![package]);
    let page = text(&report, Format::Html);
    let begin = page.find("<article").unwrap();
    let end = page.find("</article>").unwrap();
    assert_snapshot!(page[begin..end], @r#"
    <article class="card failed" id="p0" data-item>
    <h3 data-key><bdi>Broken.jamf</bdi></h3> <span class="status" data-key>failed</span>
    <div class="origin" data-key><bdi>production</bdi></div>
    <dl>
    <dt>What</dt><dd dir="auto" data-key><span class="what">unknown key</span> <bdi class="soft">Broken.recipe.yaml:4:3</bdi></dd>
    <dd dir="auto" data-key><span class="what">no such processor</span> <span class="next">did you mean s3-upload?</span> <bdi class="soft">Broken.recipe.yaml:9:3</bdi></dd>
    </dl>
    "#);
    let junit = text(&report, Format::Junit);
    assert!(junit.contains("Broken.recipe.yaml:9:3: no such processor"));
}

#[test]
fn a_page_of_one_of_each() {
    let page = text(&sample::one_of_each(), Format::Html);
    let main = &page[page.find("<body>").unwrap()..page.find("<script>").unwrap()];
    assert_snapshot!(main, @r##"
    <body>
    <header>
    <h1><span class="sign failed" aria-hidden="true">!</span> 1 of 10 packages failed</h1>
    <p class="about"><time datetime="2026-11-21T02:00:00Z">21 Nov 2026 02:00:00 UTC</time>, 2 min 5 s · <bdi>production</bdi></p>
    <nav aria-label="Results"><ul class="tiles">
    <li class="failed"><a href="#failed"><b>1</b> failed</a></li>
    <li class="not-done"><a href="#not-done"><b>3</b> not done</a></li>
    <li class="unverified"><a href="#unverified"><b>1</b> not verified</a></li>
    <li class="changed"><a href="#changed"><b>4</b> changed</a></li>
    <li class="skipped"><a href="#skipped"><b>1</b> skipped</a></li>
    </ul></nav>
    <div class="bytes">
    <svg width="100%" height="8" aria-hidden="true"><rect class="saved" width="100%" height="8"/><rect class="sent" width="0.807%" height="8"/></svg>
    <p><b class="sent">25.0 MiB</b> sent · <b>3.0 GiB</b> already there, not sent · <b>9.0 MiB</b> fetched · 13 requests <span class="soft">(5 that write)</span></p>
    </div>
    </header>
    <main>
    <form class="filter" role="search" hidden><label for="filter">Filter</label><input id="filter" type="search" autocomplete="off" spellcheck="false" placeholder="package, recipe, server, status"><output id="shown" for="filter"></output></form>
    <section id="failed" data-section aria-labelledby="failed-title">
    <h2 id="failed-title">Failed <span class="count">1</span></h2>
    <article class="card failed" id="p0" data-item>
    <h3 data-key><bdi>Failed-1.0.pkg</bdi></h3> <span class="status" data-key>failed</span>
    <div class="origin" data-key><bdi>Failed.jamf</bdi> · <bdi>production</bdi></div>
    <dl>
    <dt>What</dt><dd class="what" dir="auto" data-key>S3 refused part 3 of 12 of the upload</dd>
    <dt>Why</dt><dd dir="auto">SlowDown: Please reduce your request rate.</dd>
    <dt>Where</dt><dd>step 4 <b>s3-upload</b> <span class="soft">(remote)</span></dd>
    <dt class="next">Next</dt><dd class="next" dir="auto">run it again: parts that are there are not sent twice</dd>
    </dl>
    </article>
    </section>
    <section id="not-done" data-section aria-labelledby="not-done-title">
    <h2 id="not-done-title">Not done <span class="count">3</span></h2>
    <article class="card not-done" id="p1" data-item>
    <h3 data-key><bdi>Interrupted-1.0.pkg</bdi></h3> <span class="status" data-key>interrupted</span>
    <div class="origin" data-key><bdi>Interrupted.jamf</bdi> · <bdi>production</bdi></div>
    <dl>
    <dt>What</dt><dd class="what" dir="auto" data-key>the upload of it was interrupted; its parts are kept</dd>
    <dt>Where</dt><dd>step 4 <b>s3-upload</b> <span class="soft">(interrupted)</span></dd>
    <dt class="next">Next</dt><dd class="next" dir="auto">run again: it goes on where it stopped</dd>
    </dl>
    </article>
    <article class="card not-done" id="p2" data-item>
    <h3 data-key><bdi>Running-1.0.pkg</bdi></h3> <span class="status" data-key>did not end</span>
    <div class="origin" data-key><bdi>Running.jamf</bdi> · <bdi>production</bdi></div>
    <dl>
    <dt>What</dt><dd class="what" dir="auto" data-key>in step 4 s3-upload: 1.0 GiB of 3.0 GiB sent</dd>
    </dl>
    </article>
    <article class="card not-done" id="p3" data-item>
    <h3 data-key><bdi>NotBegun-1.0.pkg</bdi></h3> <span class="status" data-key>not begun</span>
    <div class="origin" data-key><bdi>NotBegun.jamf</bdi> · <bdi>production</bdi></div>
    <dl>
    <dt>What</dt><dd class="what" dir="auto" data-key>the run was interrupted</dd>
    </dl>
    </article>
    </section>
    <section id="unverified" data-section aria-labelledby="unverified-title">
    <h2 id="unverified-title">Not verified <span class="count">1</span></h2>
    <article class="card unverified" id="p4" data-item>
    <h3 data-key><bdi>Unverified-1.0.pkg</bdi></h3> <span class="status" data-key>unverified</span>
    <div class="origin" data-key><bdi>Unverified.jamf</bdi> · <bdi>production</bdi></div>
    <dl>
    <dt>What</dt><dd class="what" dir="auto" data-key>Unverified-1.0.pkg is not proven after 15 min: the record is PENDING</dd>
    <dt>Where</dt><dd>step 6 <b>verify-delivery</b></dd>
    <dt class="next">Next</dt><dd class="next" dir="auto">wait a few minutes, then run `pkgferry verify`, which sends nothing</dd>
    </dl>
    <details><summary>Steps, 60 s</summary><ol class="steps">
    <li class="unverified"><span class="soft">02:00:11, 50 s</span> <b>6 verify-delivery</b> unverified: <span dir="auto">Unverified-1.0.pkg is not proven after 15 min: the record is PENDING</span></li>
    </ol></details>
    </article>
    </section>
    <section id="timeline" aria-labelledby="timeline-title">
    <h2 id="timeline-title">Timeline</h2>
    <figure>
    <div class="scroll" role="region" aria-label="Picture of the timeline" tabindex="0">
    <svg role="img" aria-labelledby="timeline-text" width="100%" height="186">
    <line class="tick" x1="0%" x2="0%" y1="15" y2="186"/><text x="0%" y="11">02:00:00</text>
    <line class="tick" x1="12%" x2="12%" y1="15" y2="186"/><text x="12%" y="11">02:00:15</text>
    <line class="tick" x1="24%" x2="24%" y1="15" y2="186"/><text x="24%" y="11">02:00:30</text>
    <line class="tick" x1="36%" x2="36%" y1="15" y2="186"/><text x="36%" y="11">02:00:45</text>
    <line class="tick" x1="48%" x2="48%" y1="15" y2="186"/><text x="48%" y="11">02:01:00</text>
    <line class="tick" x1="60%" x2="60%" y1="15" y2="186"/><text x="60%" y="11">02:01:15</text>
    <line class="tick" x1="72%" x2="72%" y1="15" y2="186"/><text x="72%" y="11">02:01:30</text>
    <line class="tick" x1="84%" x2="84%" y1="15" y2="186"/><text x="84%" y="11">02:01:45</text>
    <line class="tick" x1="96%" x2="96%" y1="15" y2="186"/><g data-p="0"><title>Failed-1.0.pkg, failed
    02:00:01.000 to 02:00:02.250 (1.2 s)</title><rect class="p" x="0.8%" y="24" width="1%" height="14"></rect></g>
    <g data-p="1"><title>Interrupted-1.0.pkg, interrupted
    02:00:01.000 to 02:00:02.250 (1.2 s)</title><rect class="p" x="0.8%" y="42" width="1%" height="14"></rect></g>
    <g data-p="5"><title>Replaced-1.0.pkg, replaced
    02:00:01.000 to 02:00:02.250 (1.2 s)</title><rect class="p" x="0.8%" y="60" width="1%" height="14"></rect></g>
    <g data-p="7"><title>MetadataOnly-1.0.pkg, metadata only
    02:00:01.000 to 02:00:02.250 (1.2 s)</title><rect class="p" x="0.8%" y="78" width="1%" height="14"></rect></g>
    <g data-p="8"><title>Downloaded-1.0.pkg, downloaded
    02:00:01.000 to 02:00:02.250 (1.2 s)</title><rect class="p" x="0.8%" y="96" width="1%" height="14"></rect></g>
    <g data-p="9"><title>Skipped-1.0.pkg, skipped
    02:00:01.000 to 02:00:02.250 (1.2 s)</title><rect class="p" x="0.8%" y="114" width="1%" height="14"></rect></g>
    <g data-p="4"><title>Unverified-1.0.pkg, unverified
    02:00:01 to 02:01:01 (60 s)</title><rect class="p" x="0.8%" y="132" width="48%" height="14"></rect><rect class="prove" x="8.8%" y="132" width="40%" height="14"><title>Unverified-1.0.pkg
    02:00:11 to 02:01:01 (50 s)
    6 verify-delivery: Unverified-1.0.pkg is not proven after 15 min: the record is PENDING</title></rect></g>
    <g data-p="6"><title>Created-1.0.pkg, created
    02:00:01 to 02:01:05 (64 s)</title><rect class="p" x="0.8%" y="150" width="51.4%" height="14"></rect></g>
    <g data-p="2"><title>Running-1.0.pkg, did not end
    02:00:01 to 02:02:05 (2 min 4 s)</title><rect class="p" x="0.8%" y="168" width="99.2%" height="14"></rect></g>
    <circle class="bad" cx="1.8%" cy="31" r="7"/><text class="sign" x="1.8%" y="35">!</text>
    <circle class="odd" cx="1.8%" cy="49" r="7"/><text class="sign" x="1.8%" y="50">…</text>
    <circle class="odd" cx="48.8%" cy="139" r="7"/><text class="sign" x="48.8%" y="143">?</text>
    <circle class="odd" cx="99.4%" cy="175" r="7"/><text class="sign" x="99.4%" y="176">…</text>
    </svg>
    </div>
    <figcaption id="timeline-text">
    <p>9 packages in 2 min 5 s, at most 9 side by side. Times are UTC. Longest: <bdi>Running-1.0.pkg</bdi>, 2 min 4 s.</p>
    <ul class="legend" aria-label="Where the time went"><li><svg width="12" height="12" aria-hidden="true"><rect class="prove" width="12" height="12"/></svg>proving <span class="soft">50 s</span></li></ul>
    </figcaption>
    </figure>
    </section>
    <section id="changed" data-section aria-labelledby="changed-title">
    <h2 id="changed-title">Changed <span class="count">4</span></h2>
    <p class="soft">1 replaced, 1 created, 1 metadata only, 1 downloaded</p>
    <table role="table"><thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Package</th><th role="columnheader" scope="col">Result</th><th role="columnheader" scope="col">Why</th><th role="columnheader" scope="col">Transferred</th><th role="columnheader" scope="col">Took</th></tr></thead>
    <tbody role="rowgroup" id="p5" data-item><tr role="row"><th role="rowheader" scope="row"><bdi data-key>Replaced-1.0.pkg</bdi><div class="origin" data-key><bdi>Replaced.jamf</bdi> · <bdi>production</bdi></div>
    </th><td role="cell"><span class="status changed" data-key>replaced</span></td><td role="cell" class="wide" dir="auto" data-key>MD5 differs</td><td role="cell" class="figure">7.0 MiB</td><td role="cell" class="figure">1.2 s</td></tr></tbody>
    <tbody role="rowgroup" id="p6" data-item><tr role="row"><th role="rowheader" scope="row"><bdi data-key>Created-1.0.pkg</bdi><div class="origin" data-key><bdi>Created.jamf</bdi> · <bdi>production</bdi> · <bdi>1.2.3</bdi> · record 42</div>
    </th><td role="cell"><span class="status changed" data-key>created</span></td><td role="cell" class="wide" dir="auto" data-key>the server has no file of this name</td><td role="cell" class="figure">5.0 MiB</td><td role="cell" class="figure">64 s</td></tr></tbody>
    <tbody role="rowgroup" id="p7" data-item><tr role="row"><th role="rowheader" scope="row"><bdi data-key>MetadataOnly-1.0.pkg</bdi><div class="origin" data-key><bdi>MetadataOnly.jamf</bdi> · <bdi>production</bdi></div>
    </th><td role="cell"><span class="status record" data-key>metadata only</span></td><td role="cell" class="wide" dir="auto" data-key>updated record 42: pkg_category</td><td role="cell" class="figure none">–</td><td role="cell" class="figure">1.2 s</td></tr></tbody>
    <tbody role="rowgroup" id="p8" data-item><tr role="row"><th role="rowheader" scope="row"><bdi data-key>Downloaded-1.0.pkg</bdi><div class="origin" data-key><bdi>Downloaded.jamf</bdi> · <bdi>production</bdi></div>
    </th><td role="cell"><span class="status fetched" data-key>downloaded</span></td><td role="cell" class="wide" dir="auto" data-key>there is no such file here</td><td role="cell" class="figure">9.0 MiB</td><td role="cell" class="figure">1.2 s</td></tr></tbody>
    </table>
    </section>
    <section id="skipped" data-section aria-labelledby="skipped-title">
    <h2 id="skipped-title">Skipped <span class="count">1</span></h2>
    <details class="fold"><summary>1 package with nothing to do, 3.0 GiB already there</summary>
    <table role="table"><thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Package</th><th role="columnheader" scope="col">Why</th><th role="columnheader" scope="col">Saved</th></tr></thead>
    <tbody role="rowgroup">
    <tr role="row" id="p9" data-item><th role="rowheader" scope="row"><bdi data-key>Skipped-1.0.pkg</bdi><div class="origin" data-key><bdi>Skipped.jamf</bdi> · <bdi>production</bdi></div>
    </th><td role="cell" class="wide" dir="auto" data-key>same: size, MD5 and SHA3-512 agree</td><td role="cell" class="figure">3.0 GiB</td></tr>
    </tbody></table>
    </details>
    </section>
    </main>
    <footer><p>pkgferry 0.1.0, run <bdi>nightly-7</bdi>. Written <time datetime="2026-11-21T02:02:05Z">21 Nov 2026 02:02:05 UTC</time>.</p></footer>
    "##);
}

#[test]
fn a_merged_page_shows_lanes_of_each_shard_and_what_is_there_twice() {
    let one = sample::shard(1, 3, vec![sample::package("A-1.pkg", Status::Created)]);
    let mut two = sample::shard(2, 3, vec![sample::package("A-1.pkg", Status::Failed)]);
    two.warnings.push(Warning { step: None, message: "the clock is wrong".into(), hint: None });
    let page = text(&merge([one, two]).unwrap(), Format::Html);
    for part in [
        "shard 1/3</text>",
        "shard 2/3</text>",
        "also in <bdi>shard 2/3</bdi>",
        "these shards are missing: 3/3",
        "the clock is wrong",
        "merged from 2 runs",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn headlines_tell_the_worst() {
    let headline = |report: &RunReport| {
        let page = text(report, Format::Html);
        let title = page.split("<title>").nth(1).unwrap();
        title.split("</title>").next().unwrap().to_owned()
    };
    let of = |statuses: &[Status]| {
        sample::run("1", statuses.iter().map(|status| sample::package("A-1.pkg", *status)).collect())
    };
    use Status::{Created, Failed, Interrupted, NotBegun, Running, Skipped, Unverified};
    let ended = [
        of(&[]),
        of(&[Skipped]),
        of(&[Skipped, Created]),
        of(&[Skipped, Created, Unverified]),
        of(&[Skipped, NotBegun, Unverified]),
        of(&[Skipped, Interrupted, NotBegun]),
        of(&[Failed, NotBegun, Unverified]),
        RunReport { ending: Some(Ending::BrokenOff), ..of(&[]) },
        RunReport { ending: Some(Ending::Interrupted), ..of(&[]) },
    ];
    let cut = RunReport { finished: None, ..of(&[Skipped, Running, NotBegun]) };
    let planned = RunReport { dry_run: true, ..of(&[Skipped, Created]) };
    let all: Vec<String> = ended.iter().chain([&cut, &planned]).map(headline).collect();
    assert_snapshot!(all.join("\n"), @"
    No packages · pkgferry
    1 package: nothing to change · pkgferry
    1 of 2 packages changed · pkgferry
    1 of 3 packages not verified · pkgferry
    1 of 3 packages not done · pkgferry
    2 of 3 packages not done · pkgferry
    1 of 3 packages failed · pkgferry
    Broken off: 0 of 0 packages done · pkgferry
    0 of 0 packages not done · pkgferry
    Did not end: 1 of 3 packages done · pkgferry
    1 of 2 packages would be changed · pkgferry
    ");
}
