//! The page in a real browser: whether it runs without complaint, and what a person sees without scrolling.
//!
//! Screenshots are left in the folder `report` beside cargo's temporary files of tests.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

#[path = "it/sample.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod sample;

use browser::{DESK, PHONE, SMALL_PHONE, Tab};
use jiff::Timestamp;
use report::{Format, RunReport};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    browser::run(&[
        ("the_one_failure_is_seen_without_scrolling", the_one_failure_is_seen_without_scrolling),
        ("the_filter_finds_a_package_wherever_it_is", the_filter_finds_a_package_wherever_it_is),
        ("the_page_can_be_used_without_seeing_it", the_page_can_be_used_without_seeing_it),
        ("a_run_of_seconds_is_readable_on_a_phone", a_run_of_seconds_is_readable_on_a_phone),
        ("odd_reports_are_pages_too", odd_reports_are_pages_too),
    ])
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn page(report: &RunReport, name: &str) -> PathBuf {
    let page = folder().join(name);
    std::fs::write(&page, report::write(report, Format::of(&page).unwrap()).unwrap()).unwrap();
    page
}

/// Nothing outside of the picture's own box is wider than the window.
fn fits_the_width(tab: &mut Tab, width: u32) {
    let wide = tab.ask("document.documentElement.scrollWidth");
    assert!(wide.as_u64().unwrap() <= u64::from(width), "the page is {wide} wide in a window of {width}");
}

/// All text has the contrast that WCAG 2 asks for, 4.5 to 1, against what lies behind it. Text in the picture is on it.
fn has_contrast(tab: &mut Tab, scheme: &str) {
    let faint = tab.ask(
        "(() => {
            const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
            const light = ([r, g, b]) => {
                const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
                return 0.2126 * x + 0.7152 * y + 0.0722 * z;
            };
            const behind = (element) => {
                for (; element; element = element.parentElement) {
                    const color = numbers(getComputedStyle(element).backgroundColor);
                    if (color.length === 3 || color[3] === 1) return color;
                }
                return [255, 255, 255];
            };
            document.querySelectorAll('details').forEach((details) => { details.open = true; });
            const faint = new Set();
            let looked = 0;
            for (const element of document.body.querySelectorAll(':not(svg, svg *, script)')) {
                if (![...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) continue;
                const [one, other] = [light(numbers(getComputedStyle(element).color)), light(behind(element))];
                const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
                looked += 1;
                if (ratio < 4.5) faint.add(`${element.tagName}.${element.className}: ${ratio.toFixed(2)}`);
            }
            return looked > 100 ? [...faint] : ['too little was looked at'];
        })()",
    );
    assert_eq!(faint, json!([]), "{scheme}");
}

fn the_one_failure_is_seen_without_scrolling(tab: &mut Tab) {
    let page = page(&sample::nightly(300), "nightly.html");
    for (width, height) in [DESK, PHONE, SMALL_PHONE] {
        for scheme in ["light", "dark"] {
            tab.resize(width, height, scheme);
            tab.go(&page);
            tab.screenshot(&folder().join(format!("nightly-{width}x{height}-{scheme}.png")), false);
            // What to do next may lie below on the smallest phones; that it failed, and why, may not.
            let parts = if height < 700 { &["h3", ".what"][..] } else { &["h3", ".what", ".next"] };
            for part in parts {
                tab.sees(&format!("#failed .card {part}"));
            }
            fits_the_width(tab, width);
            tab.screenshot(&folder().join(format!("nightly-{width}-{scheme}-whole.png")), true);
            has_contrast(tab, scheme);
            fits_the_width(tab, width);
        }
    }
    tab.has_no_complaint();
}

fn the_filter_finds_a_package_wherever_it_is(tab: &mut Tab) {
    let page = page(&sample::nightly(300), "filter.html");
    tab.resize(DESK.0, DESK.1, "light");
    tab.go(&page);
    let visible =
        "[...document.querySelectorAll('[data-item]')].filter((item) => item.checkVisibility()).length";
    assert_eq!(tab.ask(visible), json!(17), "what is skipped is folded away");
    tab.key("/");
    assert_eq!(tab.ask("document.activeElement.id"), json!("filter"));
    for letter in ["W", "I", "R", "e", "s", "h", " ", "t", "e", "s", "t"] {
        tab.key(letter);
    }
    let shown = tab.ask("document.getElementById('shown').textContent");
    assert_eq!(tab.ask(&format!("`${{{visible}}} of 300`")), shown);
    assert_eq!(tab.ask("document.getElementById('failed').checkVisibility()"), json!(false));
    assert!(tab.ask("document.querySelectorAll('g[data-p].dim').length").as_u64().unwrap() > 280);
    tab.screenshot(&folder().join("filter.png"), false);
    tab.key("Escape");
    assert_eq!(tab.ask(visible), json!(17));
    assert_eq!(tab.ask("document.querySelectorAll('.dim').length"), json!(0));

    // A skipped package is in the picture too, and a click there shows it.
    let bar = tab.ask(
        "(() => {
            const item = document.querySelector('#skipped [data-item]');
            const bar = document.querySelector(`g[data-p=\"${item.id.slice(1)}\"] rect`);
            bar.scrollIntoView({ block: 'center' });
            const box = bar.getBoundingClientRect();
            return { id: item.id, x: box.left + box.width / 2, y: box.top + box.height / 2 };
        })()",
    );
    tab.click(bar["x"].as_f64().unwrap(), bar["y"].as_f64().unwrap());
    // The change of the address is told to the page a little later.
    tab.ask("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))");
    let id = bar["id"].as_str().unwrap();
    assert_eq!(tab.ask("location.hash"), json!(format!("#{id}")));
    assert_eq!(tab.ask(&format!("document.getElementById('{id}').checkVisibility()")), json!(true));
    tab.has_no_complaint();
}

/// Headings in order, landmarks, names of what can be used, headers of tables.
fn the_page_can_be_used_without_seeing_it(tab: &mut Tab) {
    tab.resize(PHONE.0, PHONE.1, "light");
    tab.go(&page(&sample::nightly(300), "nightly.html"));
    let levels =
        tab.ask("[...document.querySelectorAll('h1,h2,h3,h4')].map((heading) => +heading.tagName[1])");
    let levels: Vec<u64> = levels.as_array().unwrap().iter().map(|level| level.as_u64().unwrap()).collect();
    assert_eq!(levels[0], 1);
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    // As the browser tells a screen reader.
    let tree = tab.call("Accessibility.getFullAXTree", &json!({}));
    let nodes = tree["nodes"].as_array().unwrap();
    let of_role = |role: &str| {
        let names = nodes.iter().filter(|node| node["role"]["value"] == role && node["ignored"] != true);
        names.map(|node| node["name"]["value"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of_role("main").len(), 1);
    assert_eq!(of_role("banner").len(), 1);
    assert_eq!(of_role("contentinfo").len(), 1);
    assert_eq!(of_role("navigation"), ["Results"]);
    assert_eq!(of_role("searchbox"), ["Filter"]);
    let pictures = of_role("image");
    assert!(pictures.len() == 1 && pictures[0].starts_with("300 packages in"), "{pictures:?}");
    // Blocks on a phone are rows all the same.
    assert_eq!(of_role("columnheader").len(), 8);
    assert!(of_role("row").len() > 14);
    assert_eq!(of_role("rowheader").len(), 14);
    let nameless = nodes.iter().filter(|node| {
        let role = node["role"]["value"].as_str().unwrap_or_default();
        let usable = ["link", "button", "searchbox", "heading", "DisclosureTriangle"].contains(&role);
        usable && node["name"]["value"].as_str().unwrap_or_default().is_empty()
    });
    assert_eq!(nameless.collect::<Vec<_>>(), Vec::<&Value>::new());
    tab.has_no_complaint();
}

/// The same night in so many milliseconds.
fn hurried(mut report: RunReport, millis: i64) -> RunReport {
    let begin = report.started;
    let length = report.finished.unwrap().duration_since(begin).as_millis();
    let sooner = |time: &mut Timestamp| {
        let since = time.duration_since(begin).as_millis() * i128::from(millis) / length;
        *time = sample::after(begin, since.try_into().unwrap());
    };
    report.finished.iter_mut().chain([&mut report.updated]).for_each(sooner);
    for package in &mut report.packages {
        package.started.iter_mut().chain(&mut package.finished).for_each(sooner);
        package
            .phases
            .iter_mut()
            .flat_map(|phase| [&mut phase.from].into_iter().chain(&mut phase.to))
            .for_each(sooner);
    }
    report
}

/// Where there is little time, its marks still say when, do not lie on each other, and no bar is a hair.
fn a_run_of_seconds_is_readable_on_a_phone(tab: &mut Tab) {
    for millis in [3_000, 40_000, 300] {
        let page = page(&hurried(sample::nightly(300), millis), &format!("hurried-{millis}.html"));
        tab.resize(PHONE.0, PHONE.1, "light");
        tab.go(&page);
        tab.ask("document.getElementById('timeline').scrollIntoView()");
        tab.screenshot(&folder().join(format!("hurried-{millis}.png")), false);
        let labels = tab.ask(
            "[...document.querySelectorAll('#timeline .scroll text:not(.sign, .run)')].map((label) => {
                const box = label.getBoundingClientRect();
                return [box.left, box.right];
            })",
        );
        let edge = |value: &Value| value.as_f64().unwrap();
        let labels: Vec<(f64, f64)> =
            labels.as_array().unwrap().iter().map(|label| (edge(&label[0]), edge(&label[1]))).collect();
        assert!(labels.len() >= 2, "{millis} ms: {labels:?}");
        assert!(labels.windows(2).all(|pair| pair[0].1 + 4.0 <= pair[1].0), "{millis} ms: {labels:?}");
        let narrowest = tab.ask(
            "Math.min(...[...document.querySelectorAll('#timeline g[data-p] .p')].map((bar) => bar.getBoundingClientRect().width))",
        );
        assert!(narrowest.as_f64().unwrap() >= 1.0, "{millis} ms: a bar is {narrowest} wide");
        fits_the_width(tab, PHONE.0);
    }
    tab.has_no_complaint();
}

/// Texts that are mark-up, very long, or of other directions; a run that died; shards; nothing at all.
fn odd_reports_are_pages_too(tab: &mut Tab) {
    let names = [
        "<script>document.title='broken'</script>.pkg",
        "\" onmouseover=\"document.title='broken'\" x=\".pkg",
        "</title></style><img src=x onerror=document.title='broken'>.pkg",
        "\u{202e}gkp.\u{5e2}\u{5d1}\u{5e8}\u{5d9}\u{5ea} 🎉.pkg",
        &"Very_long_name_without_any_place_to_break_it".repeat(9),
    ];
    let mut hostile = sample::one_of_each();
    for (number, package) in hostile.packages.iter_mut().enumerate() {
        let name = names[number % names.len()];
        package.file = Some(name.to_owned());
        package.recipe = format!("{name}.recipe");
        package.server = Some(name.to_owned());
        package.reason = format!("{name}\n{name}");
    }
    hostile.servers = vec![names[4].to_owned(), names[0].to_owned()];
    hostile.warnings.push(report::Warning {
        step: None,
        message: names[2].into(),
        hint: Some(names[4].into()),
    });
    let died = RunReport { finished: None, ..sample::one_of_each() };
    let half = |index: u32, from: usize| {
        let night = sample::nightly(60);
        let packages = night.packages[from..from + 30].to_vec();
        RunReport { finished: night.finished, updated: night.updated, ..sample::shard(index, 3, packages) }
    };
    let merged = report::merge([half(1, 0), half(2, 25)]).unwrap();
    let nothing = sample::run("1", Vec::new());
    let quiet = sample::run("1", vec![sample::package("App-1.pkg", report::Status::Skipped)]);
    for (name, report) in
        [("hostile", hostile), ("died", died), ("merged", merged), ("nothing", nothing), ("quiet", quiet)]
    {
        let page = page(&report, &format!("{name}.html"));
        for (width, height) in [DESK, SMALL_PHONE] {
            tab.resize(width, height, if width == DESK.0 { "light" } else { "dark" });
            tab.go(&page);
            tab.screenshot(&folder().join(format!("{name}-{width}.png")), true);
            tab.ask("document.querySelectorAll('details').forEach((details) => { details.open = true; })");
            fits_the_width(tab, width);
            assert_ne!(tab.ask("document.title"), json!("broken"));
            assert_eq!(tab.ask("document.querySelectorAll('img, script').length"), json!(1));
        }
    }
    tab.has_no_complaint();
}
