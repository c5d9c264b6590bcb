use crate::clock::SystemClock;
use crate::error::Error;
use crate::exit::Exit;
use jiff::Timestamp;
use pipeline::{Clock as _, Event, Listener, Traffic};
use runner::Report;
use serde::Serialize;
use std::io::Write as _;
use std::sync::Arc;

/// Version of the final result's shape. It grows when a key changes its meaning or goes; new keys do not count.
const RESULT_VERSION: u32 = 1;

/// One JSON object a line on standard output: events, then the result.
pub struct Json {
    clock: Arc<SystemClock>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum Line<'a> {
    Event {
        time: Timestamp,
        #[serde(flatten)]
        event: &'a Event,
    },
    Result {
        version: u32,
        time: Timestamp,
        exit_code: u8,
        requests: Traffic,
        recipes: &'a [Report],
    },
}

impl Json {
    /// Lines carry this clock's time.
    pub fn new(clock: Arc<SystemClock>) -> Self {
        Self { clock }
    }

    /// The last line.
    pub fn finish(&self, reports: &[Report], traffic: Traffic, exit: Exit) -> Result<(), Error> {
        let time = self.clock.now();
        let line = Line::Result {
            version: RESULT_VERSION,
            time,
            exit_code: exit.code(),
            requests: traffic,
            recipes: reports,
        };
        write(&line).map_err(Error::Output)
    }
}

impl Listener for Json {
    fn on(&self, event: &Event) {
        // A reader that went away is noticed when the result is written.
        let _ = write(&Line::Event { time: self.clock.now(), event });
    }
}

fn write(line: &Line<'_>) -> std::io::Result<()> {
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    std::io::stdout().lock().write_all(text.as_bytes())
}
