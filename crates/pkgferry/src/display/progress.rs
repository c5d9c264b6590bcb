use crate::clock::SystemClock;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use jiff::Timestamp;
use pipeline::{Activity, Clock as _, Progress, size};
use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;

/// Without a terminal, a line this often.
const LINE_EVERY_SECONDS: i64 = 10;

/// Shows what moves: bars on a terminal, a line now and then elsewhere. Several things may move at once, such as a file
/// that is sent and digested at the same time; each has a bar, or lines, of its own.
pub struct Meter {
    clock: Arc<SystemClock>,
    bars: Option<MultiProgress>,
    moving: Vec<Moving>,
}

struct Moving {
    owner: String,
    activity: Activity,
    started: Timestamp,
    /// Bytes that were done when it started: a resumed transfer is not faster than it is.
    from: u64,
    last_line: Timestamp,
    bar: Option<ProgressBar>,
}

impl Meter {
    pub fn new(clock: Arc<SystemClock>) -> Self {
        let bars = std::io::stderr().is_terminal().then(MultiProgress::new);
        Self { clock, bars, moving: Vec::new() }
    }

    /// Writes something that must not mix with a bar.
    pub fn above<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }

    /// Nothing of this owner moves any more.
    pub fn stop(&mut self, owner: &str) {
        for moving in self.moving.extract_if(.., |moving| moving.owner == owner) {
            if let Some(bar) = moving.bar {
                bar.finish_and_clear();
            }
        }
    }

    /// Shows how far an activity of an owner is. `label` stands in front.
    pub fn show(&mut self, owner: &str, label: &str, progress: Progress) {
        let now = self.clock.now();
        let is_it = |moving: &Moving| moving.activity == progress.activity && moving.owner == owner;
        let index = self.moving.iter().position(is_it).unwrap_or_else(|| {
            let bar = self.bars.as_ref().map(|bars| bars.add(bar(label, progress)));
            let (owner, activity) = (owner.to_owned(), progress.activity);
            self.moving.push(Moving {
                owner,
                activity,
                started: now,
                from: progress.done,
                last_line: now,
                bar,
            });
            self.moving.len() - 1
        });
        let moving = &mut self.moving[index];
        if let Some(bar) = &moving.bar {
            bar.set_length(progress.total);
            bar.set_position(progress.done);
        } else if now.duration_since(moving.last_line).as_secs() >= LINE_EVERY_SECONDS {
            moving.last_line = now;
            let line = line(label, progress, moving.from, now.duration_since(moving.started).as_secs_f64());
            // There is nobody left to tell when standard error is gone.
            let _ = std::io::stderr().lock().write_all(line.as_bytes());
        }
    }
}

fn word(activity: Activity) -> &'static str {
    match activity {
        Activity::Hashing => "hashing",
        Activity::Uploading => "uploading",
        Activity::Downloading => "downloading",
        Activity::Committing => "committing",
        Activity::Verifying => "verifying",
    }
}

fn is_in_bytes(activity: Activity) -> bool {
    matches!(activity, Activity::Hashing | Activity::Uploading | Activity::Downloading)
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

    fn drawn(progress: Progress) -> String {
        let screen = indicatif::InMemoryTerm::new(3, 110);
        let bar = bar("s3-upload", progress);
        bar.set_draw_target(indicatif::ProgressDrawTarget::term_like(Box::new(screen.clone())));
        bar.set_position(progress.done);
        bar.tick();
        screen.contents()
    }

    #[test]
    fn a_bar_says_phase_bytes_rate_and_time_left() {
        let text = drawn(Progress { activity: Activity::Uploading, done: 1 << 30, total: 2 << 30 });
        assert!(text.contains("s3-upload         uploading ████████████"), "{text}");
        assert!(text.contains("1.00 GiB/2.00 GiB") && text.contains("/s") && text.contains("left"), "{text}");
    }

    #[test]
    fn what_has_no_bytes_has_no_rate() {
        let text = drawn(Progress { activity: Activity::Verifying, done: 3, total: 30 });
        assert!(text.contains("verifying") && text.contains("3/30") && !text.contains("/s"), "{text}");
    }

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
