//! Prints what a service would be told of some runs, as a JSON list: `cargo run -p notify --example payloads -- slack`. For
//! checks by the services' own libraries, see `interop/run` of this crate.

#[path = "../tests/it/samples.rs"]
mod samples;

use notify::{Ending, FullReport, Mode, Service, Summary, payload};
use std::error::Error;
use std::io::Write as _;

fn main() -> Result<(), Box<dyn Error>> {
    let service: Service = std::env::args().nth(1).ok_or("which service?")?.parse()?;
    let page = FullReport::Page("https://ci.example.com/runs/7?tab=report".parse()?);
    let broken = Ending::BrokenOff { message: "no settings".into(), next_step: Some("write some".into()) };
    let runs = [
        samples::quiet(),
        samples::bad(),
        samples::huge(),
        Summary { mode: Mode::DryRun, report: Some(page), ..samples::bad() },
        Summary { ending: broken, skipped: 0, ..samples::quiet() },
    ];
    let told: Vec<_> = runs.iter().map(|run| payload(service, run)).collect();
    serde_json::to_writer_pretty(std::io::stdout(), &told)?;
    Ok(writeln!(std::io::stdout())?)
}
