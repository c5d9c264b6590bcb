use crate::world::later;
use jiff::Timestamp;
use std::collections::HashMap;
use std::time::Duration;

/// How many requests each client has left.
#[derive(Debug)]
pub(super) struct Budget {
    limit: u32,
    window: Duration,
    /// By the number of the account.
    clients: HashMap<usize, Window>,
}

#[derive(Debug)]
struct Window {
    ends: Timestamp,
    left: u32,
}

/// Where a client stands with the request that it just made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Allowance {
    pub(super) limit: u32,
    pub(super) remaining: u32,
    /// When the window ends, in seconds since 1970, rounded up: who waits until then has waited long enough.
    pub(super) resets_at: i64,
    /// The same in seconds from now.
    pub(super) resets_in: i64,
    /// This request was one too many.
    pub(super) is_used_up: bool,
}

impl Budget {
    pub(super) fn new(limit: u32, window: Duration) -> Self {
        Self { limit, window, clients: HashMap::new() }
    }

    /// Counts a request.
    pub(super) fn spend(&mut self, client: usize, now: Timestamp) -> Allowance {
        let fresh = Window { ends: later(now, self.window), left: self.limit };
        let window = self.clients.entry(client).or_insert(Window { ends: now, left: 0 });
        if window.ends <= now {
            *window = fresh;
        }
        let is_used_up = window.left == 0;
        window.left = window.left.saturating_sub(1);
        let resets_at = rounded_up(window.ends);
        Allowance {
            limit: self.limit,
            remaining: window.left,
            resets_at,
            resets_in: resets_at - now.as_second(),
            is_used_up,
        }
    }
}

fn rounded_up(moment: Timestamp) -> i64 {
    moment.as_second() + i64::from(moment.subsec_nanosecond() > 0)
}

#[cfg(test)]
mod tests {
    use super::Budget;
    use jiff::{SignedDuration, Timestamp};
    use proptest::prelude::{any, prop, proptest};
    use std::time::Duration;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).unwrap()
    }

    #[test]
    fn a_window_begins_with_the_first_request_after_the_one_before() {
        let mut budget = Budget::new(2, Duration::from_secs(10));
        let mut spend = |client, milliseconds| {
            let allowance = budget.spend(client, at(milliseconds));
            (allowance.remaining, allowance.resets_at, allowance.resets_in, allowance.is_used_up)
        };
        assert_eq!(spend(0, 400), (1, 11, 11, false));
        assert_eq!(spend(0, 9_000), (0, 11, 2, false));
        assert_eq!(spend(0, 10_399), (0, 11, 1, true));
        assert_eq!(spend(1, 10_399), (1, 21, 11, false), "each client has its own");
        assert_eq!(spend(0, 17_000), (1, 27, 10, false));
    }

    #[test]
    fn no_budget_admits_nothing() {
        let mut budget = Budget::new(0, Duration::from_secs(1));
        assert!(budget.spend(0, at(0)).is_used_up && budget.spend(0, at(5_000)).is_used_up);
    }

    proptest! {
        #[test]
        fn nobody_gets_more_and_waiting_until_the_reset_helps(
            limit in 1_u32..5,
            window in 1_u64..3_000,
            pauses in prop::collection::vec(0_i64..1_000, 1..60),
            clients in any::<[bool; 60]>(),
        ) {
            let mut budget = Budget::new(limit, Duration::from_millis(window));
            let mut now = at(1_795_176_000_481);
            let mut admitted: Vec<(bool, Timestamp)> = Vec::new();
            for (pause, client) in pauses.into_iter().zip(clients) {
                now += SignedDuration::from_millis(pause);
                let allowance = budget.spend(client.into(), now);
                if allowance.is_used_up {
                    let mut waited = Budget { clients: std::mem::take(&mut budget.clients), ..budget };
                    let then = Timestamp::from_second(allowance.resets_at).unwrap();
                    assert!(then > now && !waited.spend(client.into(), then).is_used_up);
                    return Ok(());
                }
                admitted.push((client, now));
                let since = now - SignedDuration::from_millis(window.try_into().unwrap());
                let lately = admitted.iter().filter(|(who, when)| *who == client && *when > since);
                // Two windows can touch.
                assert!(lately.count() <= 2 * limit as usize);
            }
        }
    }
}
