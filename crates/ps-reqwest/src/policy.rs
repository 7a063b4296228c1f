//! The numbers that a host may change.

use std::time::Duration;

const LONGEST_CONNECT: Duration = Duration::from_secs(3);
const LONGEST_TOTAL: Duration = Duration::from_secs(10);

/// How long a call may take, and how many may be under way.
///
/// The default is what the documentation promises; each `with_…` changes one number.
#[derive(Clone, Debug)]
pub struct CallPolicy {
    pub(crate) connect: Duration,
    pub(crate) total: Duration,
    pub(crate) at_once: usize,
}

impl Default for CallPolicy {
    fn default() -> Self {
        Self {
            connect: LONGEST_CONNECT,
            total: LONGEST_TOTAL,
            at_once: 16,
        }
    }
}

impl CallPolicy {
    /// How long it may take to connect: to look the name up, to open the connection and to agree on
    /// TLS. 3 s, which is also the longest there is: more is taken as three.
    #[must_use]
    pub fn with_connect(mut self, connect: Duration) -> Self {
        self.connect = connect.min(LONGEST_CONNECT);
        self
    }

    /// How long a call may take in all, from the wait for its turn to the answer's last byte. 10 s,
    /// which is also the longest there is: more is taken as ten.
    #[must_use]
    pub fn with_total(mut self, total: Duration) -> Self {
        self.total = total.min(LONGEST_TOTAL);
        self
    }

    /// How many calls to one host may be under way at once. 16; at least one. Others wait for their
    /// turn.
    #[must_use]
    pub fn with_at_once(mut self, calls: usize) -> Self {
        self.at_once = calls.clamp(1, tokio::sync::Semaphore::MAX_PERMITS);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // OA23
    #[test]
    fn the_default_is_the_longest_there_is() {
        let default = CallPolicy::default();
        assert_eq!(default.connect, Duration::from_secs(3));
        assert_eq!(default.total, Duration::from_secs(10));
        let patient = default
            .with_connect(Duration::MAX)
            .with_total(Duration::MAX)
            .with_at_once(0);
        assert_eq!(patient.connect, Duration::from_secs(3));
        assert_eq!(patient.total, Duration::from_secs(10));
        assert_eq!(patient.at_once, 1);
    }
}
