use std::time::Duration;

/// How long a run took, for a person: `4 s`, `12 min 4 s`, `3 h 5 min`. Cut and not rounded.
///
/// ```
/// assert_eq!(pipeline::duration(std::time::Duration::from_millis(724_900)), "12 min 4 s");
/// ```
#[must_use]
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        let shown = [0, 59, 60, 3599, 3600, 90_000].map(|seconds| duration(Duration::from_secs(seconds)));
        assert_eq!(shown, ["0 s", "59 s", "1 min 0 s", "59 min 59 s", "1 h 0 min", "25 h 0 min"]);
    }
}
