//! Measuring things in turn, so that whatever else the machine does meets all of them alike.

use std::{
    fmt,
    hint::black_box,
    time::{Duration, Instant},
};

use cpu_time::ThreadTime;

use crate::spread::Spread;

/// How many rounds there are. Each lane runs once in each.
pub const ROUNDS: usize = 9;
/// How long a lane runs in a round, unless it says how often.
const BATCH: Duration = Duration::from_millis(15);

/// One of the things that are compared.
pub struct Lane<'a> {
    name: String,
    run: Box<dyn FnMut(u64) -> Duration + 'a>,
    times: Option<u64>,
}

impl<'a> Lane<'a> {
    /// `run` does its thing so many times and answers how long that took.
    pub fn new(name: impl Into<String>, run: impl FnMut(u64) -> Duration + 'a) -> Self {
        Self {
            name: name.into(),
            run: Box::new(run),
            times: None,
        }
    }

    /// A function that waits for nothing, by the processor time of its thread: what other programs
    /// take does not count.
    pub fn cpu<T>(name: impl Into<String>, mut act: impl FnMut() -> T + 'a) -> Self {
        Self::new(name, move |times| cpu(times, &mut act))
    }

    /// The same, with something before each batch that is not timed.
    pub fn cpu_after<T>(
        name: impl Into<String>,
        mut before: impl FnMut() + 'a,
        mut act: impl FnMut() -> T + 'a,
    ) -> Self {
        Self::new(name, move |times| {
            before();
            cpu(times, &mut act)
        })
    }

    /// Something that waits, by the wall clock: `run` answers how long each took, and the one in
    /// the middle counts.
    pub fn typical(
        name: impl Into<String>,
        mut run: impl FnMut(u64) -> Vec<Duration> + 'a,
    ) -> Self {
        Self::new(name, move |times| {
            let mut each = run(times);
            each.sort_unstable();
            let middle = each.get(each.len() / 2).copied().unwrap_or_default();
            middle.saturating_mul(u32::try_from(times).unwrap_or(u32::MAX))
        })
    }

    /// So many times in each round.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Does it so many times; how long that took.
    pub fn run(&mut self, times: u64) -> Duration {
        (self.run)(times)
    }

    /// How often it must be done to take long enough to be timed. Warms it up, too.
    fn calibrated(&mut self) -> u64 {
        if let Some(times) = self.times {
            return times;
        }
        let mut times = 1;
        loop {
            let took = self.run(times).max(Duration::from_nanos(1));
            if took * 2 >= BATCH {
                return times;
            }
            let wanted = times as f64 * BATCH.as_secs_f64() / took.as_secs_f64();
            times = (wanted as u64).clamp(times + 1, times.saturating_mul(16));
        }
    }
}

impl fmt::Debug for Lane<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lane").field(&self.name).finish()
    }
}

/// What a lane took: nanoseconds for one operation, in each round.
#[derive(Clone, Debug)]
pub struct Timed {
    /// The lane's name.
    pub name: String,
    /// One number of each round.
    pub rounds: Vec<f64>,
}

impl Timed {
    /// Over all rounds.
    #[must_use]
    pub fn nanos(&self) -> Spread {
        Spread::of(self.rounds.iter().copied())
    }

    /// How many times as long as the other it took.
    #[must_use]
    pub fn over(&self, other: &Self) -> Spread {
        Spread::ratio(&self.rounds, &other.rounds)
    }
}

/// Runs the lanes in turn, [`ROUNDS`] times. What they took, in the order of the lanes.
#[must_use]
pub fn race(mut lanes: Vec<Lane<'_>>) -> Vec<Timed> {
    let times: Vec<u64> = lanes.iter_mut().map(Lane::calibrated).collect();
    let mut timed: Vec<Timed> = lanes
        .iter()
        .map(|lane| Timed {
            name: lane.name.clone(),
            rounds: Vec::with_capacity(ROUNDS),
        })
        .collect();
    for _ in 0..ROUNDS {
        for ((lane, times), timed) in lanes.iter_mut().zip(&times).zip(&mut timed) {
            let took = lane.run(*times);
            timed.rounds.push(took.as_nanos() as f64 / *times as f64);
        }
    }
    timed
}

/// The present moment, to tell how long something takes that waits.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is what measures time")]
pub fn wall() -> Instant {
    Instant::now()
}

/// How much of its processor's time the thread spends on doing this so many times.
pub fn cpu<T>(times: u64, mut act: impl FnMut() -> T) -> Duration {
    let start = ThreadTime::now();
    for _ in 0..times {
        black_box(act());
    }
    start.elapsed()
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use super::*;

    #[test]
    fn lanes_take_turns() {
        let order = Rc::new(RefCell::new(String::new()));
        let lane = |name: &'static str, nanos| {
            let order = Rc::clone(&order);
            let run = move |times: u64| {
                order.borrow_mut().push_str(name);
                Duration::from_nanos(nanos * times)
            };
            Lane::new(name, run).times(100)
        };
        let timed = race(vec![lane("a", 30), lane("b", 10)]);
        assert_eq!(*order.borrow(), "ab".repeat(ROUNDS));
        assert_eq!(timed[0].rounds, [30.0; ROUNDS]);
        assert_eq!(timed[0].over(&timed[1]).median, 3.0);
    }

    #[test]
    fn a_lane_runs_long_enough_to_be_timed() {
        let mut lane = Lane::new("1 µs", Duration::from_micros);
        let times = lane.calibrated();
        assert!((7_500..=60_000).contains(&times), "{times}");
        let mut slow = Lane::new("1 s", Duration::from_secs);
        assert_eq!(slow.calibrated(), 1);
    }

    #[test]
    fn what_is_typical_is_the_middle_one() {
        let each = |times: u64| {
            let mut each = vec![Duration::from_nanos(5); times as usize];
            each[0] = Duration::from_secs(1);
            each
        };
        let mut lane = Lane::typical("waits", each);
        assert_eq!(lane.run(9), Duration::from_nanos(45));
    }

    #[test]
    fn the_processor_time_of_a_thread_does_not_count_its_sleep() {
        let mut lane = Lane::cpu("sleeps", || {
            std::thread::sleep(Duration::from_millis(20));
        });
        assert!(lane.run(1) < Duration::from_millis(10));
    }
}
