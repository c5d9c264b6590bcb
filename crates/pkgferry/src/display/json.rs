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
        Self { clock }
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

/// Events of one recipe on one server, or of the work for a server as a whole.
pub struct Listening {
    json: Arc<Json>,
    server: Option<String>,
    throttle: Mutex<Throttle>,
}

impl Listening {
    /// `server` by its name.
    pub fn new(json: Arc<Json>, server: Option<String>) -> Self {
        Self { json, server, throttle: Mutex::default() }
    }
}

impl Listener for Listening {
    fn on(&self, event: &Event) {
        let time = self.json.clock.now();
        let is_worth_a_line = |progress| {
            self.throttle.lock().unwrap_or_else(PoisonError::into_inner).is_worth_a_line(progress, time)
        };
        if let Occurrence::Progress(progress) = event.what
            && !is_worth_a_line(progress)
        {
            return;
        }
        // A reader that went away is noticed when the result is written.
        let _ = write(&Line::Event { time, server: self.server.as_deref(), event });
    }
}

/// When each activity of a recipe was last told of. Every recipe has its own, or one would keep the others silent.
#[derive(Default)]
struct Throttle(Vec<(Activity, Timestamp)>);

impl Throttle {
    /// Whether a progress is worth a line: the first, the last, and one a second between.
    fn is_worth_a_line(&mut self, progress: Progress, now: Timestamp) -> bool {
        let Progress { activity, done, total } = progress;
        let Self(told) = self;
        let last = told.iter().find(|(told, _)| *told == activity).map(|(_, time)| *time);
        let recently = last.is_some_and(|last| now.duration_since(last).as_secs() < PROGRESS_EVERY_SECONDS);
        let is_end = done >= total;
        if recently && !is_end {
            return false;
        }
        told.retain(|(told, _)| *told != activity);
        if !is_end {
            told.push((activity, now));
        }
        true
    }
}

fn write(line: &Line<'_>) -> std::io::Result<()> {
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    std::io::stdout().lock().write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn an_activity_is_told_of_at_first_at_last_and_once_a_second() {
        let mut throttle = Throttle::default();
        let mut is_worth = |activity, done, millis| {
            let now = Timestamp::UNIX_EPOCH + SignedDuration::from_millis(millis);
            throttle.is_worth_a_line(Progress { activity, done, total: 9 }, now)
        };
        use Activity::{Hashing, Uploading};
        assert!(is_worth(Uploading, 1, 0));
        assert!(is_worth(Hashing, 1, 1), "another activity");
        assert!(!is_worth(Uploading, 2, 999));
        assert!(is_worth(Uploading, 3, 1000));
        assert!(is_worth(Uploading, 9, 1001), "the end");
        assert!(is_worth(Uploading, 1, 1002), "it begins again");
    }

    #[test]
    fn recipes_side_by_side_do_not_keep_each_other_silent() {
        let display = super::super::Display::new(true, Arc::new(SystemClock));
        let throttle = |name| match display.voice(name, None, super::super::Pace::Together) {
            super::super::Voice::Json(listening) => listening,
            super::super::Voice::Human(_) => panic!("asked for JSON"),
        };
        let progress = Progress { activity: Activity::Uploading, done: 1, total: 9 };
        let now = Timestamp::UNIX_EPOCH;
        for listening in [throttle("One.pkg"), throttle("Two.pkg")] {
            assert!(listening.throttle.lock().unwrap().is_worth_a_line(progress, now));
            assert!(!listening.throttle.lock().unwrap().is_worth_a_line(progress, now));
        }
    }
}
