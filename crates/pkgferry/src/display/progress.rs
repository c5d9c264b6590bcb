use crate::clock::SystemClock;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use pipeline::{Activity, Clock as _, Progress, size};
use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;

/// Without a terminal, a line this often.
const LINE_EVERY_SECONDS: i64 = 10;

/// Shows what moves: a bar on a terminal, a line now and then elsewhere.
pub struct Meter {
    clock: Arc<SystemClock>,
    on_terminal: bool,
    current: Option<Current>,
}

struct Current {
    activity: Activity,
    started: Timestamp,
    /// Bytes that were done when it started: a resumed transfer is not faster than it is.
    from: u64,
    last_line: Timestamp,
    bar: Option<ProgressBar>,
}

impl Meter {
    pub fn new(clock: Arc<SystemClock>) -> Self {
        Self { clock, on_terminal: std::io::stderr().is_terminal(), current: None }
    }

    /// Writes something that must not mix with a bar.
    pub fn above<T>(&self, write: impl FnOnce() -> T) -> T {
        match self.current.as_ref().and_then(|current| current.bar.as_ref()) {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Removes the bar.
    pub fn stop(&mut self) {
        if let Some(bar) = self.current.take().and_then(|current| current.bar) {
            bar.finish_and_clear();
        }
    }

    /// Shows how far an activity is.
    pub fn show(&mut self, step: &str, progress: Progress) {
        let now = self.clock.now();
        if self.current.as_ref().is_none_or(|current| current.activity != progress.activity) {
            self.stop();
            let bar = self.on_terminal.then(|| bar(step, progress));
            self.current = Some(Current {
                activity: progress.activity,
                started: now,
                from: progress.done,
                last_line: now,
                bar,
            });
        }
        let Some(current) = &mut self.current else { return };
        if let Some(bar) = &current.bar {
            bar.set_length(progress.total);
            bar.set_position(progress.done);
        } else if now.duration_since(current.last_line).as_secs() >= LINE_EVERY_SECONDS {
            current.last_line = now;
            let line = line(step, progress, current.from, now.duration_since(current.started).as_secs_f64());
            // There is nobody left to tell when standard error is gone.
            let _ = std::io::stderr().lock().write_all(line.as_bytes());
        }
    }
}

fn word(activity: Activity) -> &'static str {
    match activity {
        Activity::Hashing => "hashing",
        Activity::Uploading => "uploading",
        Activity::Committing => "committing",
        Activity::Verifying => "verifying",
    }
}

fn is_in_bytes(activity: Activity) -> bool {
    matches!(activity, Activity::Hashing | Activity::Uploading)
}

fn bar(step: &str, progress: Progress) -> ProgressBar {
    let template = if is_in_bytes(progress.activity) {
        "        {prefix:<16}  {msg} {bar:24} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta} left"
    } else {
        "        {prefix:<16}  {msg} {spinner} {pos}/{len} {elapsed}"
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(progress.total)
        .with_style(style)
        .with_prefix(step.to_owned())
        .with_message(word(progress.activity))
}

fn line(step: &str, progress: Progress, from: u64, seconds: f64) -> String {
    let Progress { activity, done, total } = progress;
    let word = word(activity);
    if !is_in_bytes(activity) {
        return format!("  ...   {step:<16}  {word}, {done} of {total}\n");
    }
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "for show"
    )]
    let (percent, rate, left) = {
        let rate = (done - from.min(done)) as f64 / seconds.max(0.001);
        (
            done as f64 * 100.0 / total.max(1) as f64,
            rate as u64,
            ((total - done.min(total)) as f64 / rate.max(1.0)) as u64,
        )
    };
    format!(
        "  ...   {step:<16}  {word}, {percent:.0} % of {}, {}/s, {left} s left\n",
        size(total),
        size(rate)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_phase_bytes_rate_and_time_left() {
        let progress = Progress { activity: Activity::Uploading, done: 512 << 20, total: 2 << 30 };
        insta::assert_snapshot!(line("s3-upload", progress, 0, 4.0), @"  ...   s3-upload         uploading, 25 % of 2.0 GiB, 128.0 MiB/s, 12 s left");
    }

    #[test]
    fn a_resumed_transfer_is_not_faster_than_it_is() {
        let progress = Progress { activity: Activity::Uploading, done: 300 << 20, total: 400 << 20 };
        insta::assert_snapshot!(line("s3-upload", progress, 200 << 20, 10.0), @"  ...   s3-upload         uploading, 75 % of 400.0 MiB, 10.0 MiB/s, 10 s left");
    }

    #[test]
    fn verifying_counts_seconds_and_not_bytes() {
        let progress = Progress { activity: Activity::Verifying, done: 3, total: 300 };
        insta::assert_snapshot!(line("verify-delivery", progress, 0, 30.0), @"  ...   verify-delivery   verifying, 3 of 300");
    }
}
