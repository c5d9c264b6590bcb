use super::ServerReport;
use crate::clock::SystemClock;
use crate::error::Error;
use crate::exit::Exit;
use crate::promote::Promoted;
use jiff::Timestamp;
use pipeline::{Activity, Clock as _, Event, Listener, Occurrence, Progress, Traffic};
use serde::Serialize;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

/// Version of the final result's shape. It grows when a key changes its meaning or goes; new keys do not count.
const RESULT_VERSION: u32 = 1;

/// One JSON object a line on standard output: events, then the result.
pub struct Json {
    clock: Arc<SystemClock>,
    /// When each activity was last told of.
    told: Mutex<Vec<(Activity, Timestamp)>>,
}

/// Progress comes with every few hundred KiB; a line a second is enough.
const PROGRESS_EVERY_SECONDS: i64 = 1;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum Line<'a> {
    Event {
        time: Timestamp,
        #[serde(skip_serializing_if = "Option::is_none")]
        server: Option<&'a str>,
        #[serde(flatten)]
        event: &'a Event,
    },
    Result {
        version: u32,
        time: Timestamp,
        exit_code: u8,
        requests: Traffic,
        recipes: &'a [ServerReport],
        #[serde(skip_serializing_if = "Option::is_none")]
        promoted: Option<&'a Promoted>,
    },
}

impl Json {
    /// Lines carry this clock's time.
    pub fn new(clock: Arc<SystemClock>) -> Self {
        Self { clock, told: Mutex::default() }
    }

    /// Whether a progress is worth a line: the first, the last, and one a second between.
    fn is_worth_a_line(&self, progress: Progress, now: Timestamp) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let index = told.iter().position(|(activity, _)| *activity == progress.activity);
        let recently =
            index.is_some_and(|index| now.duration_since(told[index].1).as_secs() < PROGRESS_EVERY_SECONDS);
        let is_end = progress.done >= progress.total;
        if recently && !is_end {
            return false;
        }
        told.retain(|(activity, _)| *activity != progress.activity);
        if !is_end {
            told.push((progress.activity, now));
        }
        true
    }

    /// The last line.
    pub fn finish(
        &self,
        reports: &[ServerReport],
        traffic: Traffic,
        exit: Exit,
        promoted: Option<&Promoted>,
    ) -> Result<(), Error> {
        let time = self.clock.now();
        let line = Line::Result {
            version: RESULT_VERSION,
            time,
            exit_code: exit.code(),
            requests: traffic,
            recipes: reports,
            promoted,
        };
        write(&line).map_err(Error::Output)
    }
}

/// Events of the work for one server.
pub struct Listening {
    pub json: Arc<Json>,
    pub server: Option<String>,
}

impl Listener for Listening {
    fn on(&self, event: &Event) {
        let time = self.json.clock.now();
        if let Occurrence::Progress(progress) = event.what
            && !self.json.is_worth_a_line(progress, time)
        {
            return;
        }
        // A reader that went away is noticed when the result is written.
        let _ = write(&Line::Event { time, server: self.server.as_deref(), event });
    }
}

fn write(line: &Line<'_>) -> std::io::Result<()> {
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    std::io::stdout().lock().write_all(text.as_bytes())
}
