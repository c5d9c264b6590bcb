//! A page for people: one file, nothing loaded, readable on a phone, the worst first.

mod entry;
mod lanes;
mod markup;
mod page;
mod timeline;

use crate::RunReport;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use markup::Markup;
use sha2::{Digest as _, Sha256};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

pub(crate) fn write(report: &RunReport) -> String {
    let mut html = Markup::default();
    html.put("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    // The page may use its own style and script, told by their digests, and nothing else.
    html.put("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'sha256-");
    html.text(&digest(STYLE)).put("'; script-src 'sha256-").text(&digest(SCRIPT));
    html.put("'; base-uri 'none'; form-action 'none'\">\n");
    html.put("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.put("<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n");
    // An icon of nothing, so that no browser asks for one.
    html.put("<link rel=\"icon\" href=\"data:,\">\n");
    html.put("<title>").text(&page::title(report)).put("</title>\n");
    html.put("<style>").put(STYLE).put("</style>\n</head>\n<body>\n");
    page::write(&mut html, report);
    html.put("<script>").put(SCRIPT).put("</script>\n</body>\n</html>\n");
    html.finish()
}

fn digest(text: &str) -> String {
    BASE64_STANDARD.encode(Sha256::digest(text.as_bytes()))
}
