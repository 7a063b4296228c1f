//! Time as a value and the clock as a port.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A moment: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// Expiry is exclusive everywhere: what expires at `t` is dead at `t`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `millis` milliseconds after the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The moment `seconds` seconds after the Unix epoch, saturating.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down, as a JWT's `NumericDate` wants them.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// How long ago `earlier` was. Never negative: a clock that stepped back makes an age of zero.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// This moment, `span` later; the end of time where that overflows.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }

    /// This moment, `span` earlier; the beginning of time where that overflows.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis(span)))
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({} ms)", self.0)
    }
}

/// What [`Clock::sleep`] answers: a future that is ready when the time has passed.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where a service reads the time, once an operation.
///
/// No store reads a clock: `now` travels to it as an argument, so that one decision is judged at
/// one moment and a test can stand anywhere in time.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// Waits for `span`, measured by this clock.
    fn sleep(&self, span: Duration) -> Sleep;
}

/// The system's clock. It sleeps on a timer thread of its own and needs no runtime.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's clock"
    )]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(millis(since_epoch))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that waits by the system's clock"
    )]
    fn sleep(&self, span: Duration) -> Sleep {
        Box::pin(futures_timer::Delay::new(span))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_never_negative() {
        let earlier = Timestamp::from_millis(1_000);
        let later = Timestamp::from_millis(3_500);
        assert_eq!(later.since(earlier), Duration::from_millis(2_500));
        assert_eq!(earlier.since(later), Duration::ZERO);
    }

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        let end = Timestamp::from_millis(i64::MAX);
        assert_eq!(end.plus(Duration::MAX), end);
        let start = Timestamp::from_millis(i64::MIN);
        assert_eq!(start.minus(Duration::MAX), start);
        assert_eq!(end.since(start), Duration::from_millis(i64::MAX as u64));
    }

    #[test]
    fn seconds_round_down_before_the_epoch_too() {
        assert_eq!(Timestamp::from_millis(1_999).as_seconds(), 1);
        assert_eq!(Timestamp::from_millis(-1).as_seconds(), -1);
    }
}
