//! A try that stands still. There is no limit on how long a part may take, only on how little may move meanwhile.

use pipeline::{Kind, Typed, Value, WrongType};
use std::pin::pin;
use std::time::Duration;

/// Bytes a second below which a line is as good as dead. A modem of 1998 was faster.
const FLOOR: u64 = 1024;

/// After how many seconds of too little throughput a part is given up and sent again: 1 to 3600. The default leaves time for
/// what the system still holds to leave on a slow line, where lumps of it move rarely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience(u32);

impl Patience {
    /// How long throughput is measured.
    pub(crate) fn window(self) -> Duration {
        Duration::from_secs(self.0.into())
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self(60)
    }
}

/// A whole number from 1 to 3600.
impl Typed for Patience {
    const KIND: Kind = Kind::Integer;

    fn read(value: &Value) -> Result<Self, WrongType> {
        match u32::read(value) {
            Ok(seconds @ 1..=3600) => Ok(Self(seconds)),
            _ => Err(WrongType::new("a whole number of seconds from 1 to 3600", value)),
        }
    }

    fn write(self) -> Value {
        self.0.write()
    }
}

/// How far a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    /// Bytes handed over so far.
    pub bytes: u64,
    /// Of so many.
    pub of: u64,
}

/// Gives up sending when too little moves within a window. Once all bytes are handed over, the answer may take two: S3 has
/// them all, and only thinks. It waits on the runtime's clock, because the network does not follow an injected one.
pub(crate) async fn unless_stalled<T>(
    sending: impl Future<Output = T>,
    patience: Patience,
    moved: impl Fn() -> Moved,
) -> Option<T> {
    let window = patience.window();
    let mut sending = pin!(sending);
    let (mut before, mut quiet) = (moved().bytes, 0);
    loop {
        if let Ok(sent) = tokio::time::timeout(window, &mut sending).await {
            return Some(sent);
        }
        let now = moved();
        quiet = if is_enough(before, now, window) { 0 } else { quiet + 1 };
        if quiet > u32::from(now.bytes >= now.of) {
            return None;
        }
        before = now.bytes;
    }
}

fn is_enough(before: u64, now: Moved, window: Duration) -> bool {
    // A try that began again counts from its start.
    now.bytes.abs_diff(before) >= FLOOR * window.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    const SHORT: Patience = Patience(1);

    #[tokio::test(start_paused = true)]
    async fn a_try_ends_when_too_little_moves() {
        let never = std::future::pending::<()>;
        let still = || Moved { bytes: 7, of: 10 };
        let begun = tokio::time::Instant::now();
        assert_eq!(unless_stalled(never(), SHORT, still).await, None);
        assert_eq!(begun.elapsed(), Duration::from_secs(1));

        // A trickle is no more than standing still.
        let moved = AtomicU64::new(0);
        let trickle = || Moved { bytes: moved.fetch_add(100, Ordering::Relaxed), of: 1 << 20 };
        assert_eq!(unless_stalled(never(), SHORT, trickle).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn slow_is_not_stalled() {
        let never = std::future::pending::<()>();
        let day = tokio::time::timeout(Duration::from_secs(24 * 60 * 60), never);
        let moved = AtomicU64::new(0);
        let slow = || Moved { bytes: moved.fetch_add(FLOOR, Ordering::Relaxed), of: u64::MAX };
        assert!(unless_stalled(day, SHORT, slow).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_may_take_a_little_longer_than_bytes() {
        let begun = tokio::time::Instant::now();
        let all = || Moved { bytes: 10, of: 10 };
        assert_eq!(unless_stalled(std::future::pending::<()>(), SHORT, all).await, None);
        assert_eq!(begun.elapsed(), Duration::from_secs(2));
    }

    #[test]
    fn patience_has_bounds() {
        for (text, good) in [("0", false), ("1", true), ("3600", true), ("3601", false), ("1.5", false)] {
            assert_eq!(Patience::read(&Value::String(text.into())).is_ok(), good, "{text}");
        }
    }
}
