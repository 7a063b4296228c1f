//! How well one node's memory of keys serves, and what is left for the database: a simulation with
//! the cache that ps-apikey has, in simulated time.
//!
//! Every node gets its even share of the requests, and each key its share by Zipf's law: the key of
//! rank `r` is used in proportion to `1 / r^s`.

use std::collections::HashMap;

use quick_cache::unsync::Cache;

use crate::Outcome;

const KEYS: u64 = 100_000_000;
/// Requests a second, of all nodes together.
const RATE: u64 = 100_000;
/// How long a key is remembered before it is read again, and how often a use is written.
const REMEMBERED_FOR_MS: u64 = 300_000;
const NOTED_EVERY_MS: u64 = 60_000;
/// How long is simulated: until a remembered key has been read again, and as long once more.
const SPAN_MS: u64 = 600_000;
/// When a node that began with nothing is looked at, in seconds.
const LOOKS: [u64; 6] = [1, 5, 15, 60, 180, 299];

pub(crate) fn simulate(words: &[&str]) -> Outcome<()> {
    let nodes: u64 = words.first().map_or(Ok(20), |word| word.parse())?;
    println!(
        "10⁸ keys, {RATE} requests a second over {nodes} nodes, {} s. Misses are lookups in the \
         database a second, of all nodes together.\n",
        SPAN_MS / 1_000
    );
    let looks: Vec<String> = LOOKS.iter().map(|second| format!("{second} s")).collect();
    println!(
        "| s | cache | hits | misses/s | held at the end | uses written/s | misses/s after an empty start: {} |",
        looks.join(" · ")
    );
    println!("|--:|--:|--:|--:|--:|--:|---|");
    for exponent in [0.8, 1.0, 1.2] {
        for capacity in [100_000, 1_000_000, 10_000_000] {
            let node = Node::run(exponent, capacity, RATE / nodes);
            let of_all = |a_second: f64| a_second * nodes as f64;
            let looks: Vec<String> = LOOKS
                .iter()
                .map(|second| {
                    format!(
                        "{:.0}",
                        of_all(f64::from(node.misses[*second as usize - 1]))
                    )
                })
                .collect();
            println!(
                "| {exponent} | {capacity} | {:.1} % | {:.0} | {} | {:.0} | {} |",
                100.0 * (1.0 - node.steady_misses / node.rate),
                of_all(node.steady_misses),
                node.held,
                of_all(node.steady_uses),
                looks.join(" · ")
            );
        }
    }
    Ok(())
}

/// What one node saw.
struct Node {
    rate: f64,
    /// In each second.
    misses: Vec<u32>,
    /// A second, once what was read first has been read again.
    steady_misses: f64,
    steady_uses: f64,
    held: usize,
}

impl Node {
    fn run(exponent: f64, capacity: usize, rate: u64) -> Self {
        let zipf = Zipf::new(KEYS, exponent);
        let mut dice = Dice(0x5eed);
        let mut cache: Cache<u64, u64> = Cache::new(capacity);
        let mut noted: HashMap<u64, u64> = HashMap::new();
        let mut misses = vec![0; (SPAN_MS / 1_000) as usize];
        let (mut steady_misses, mut steady_uses) = (0_u64, 0_u64);
        for request in 0..rate * SPAN_MS / 1_000 {
            let now = request * 1_000 / rate;
            let is_steady = now >= REMEMBERED_FOR_MS;
            let key = zipf.draw(&mut dice);
            let is_hit = cache
                .get(&key)
                .is_some_and(|read| now - read < REMEMBERED_FOR_MS);
            if !is_hit {
                cache.remove(&key);
                cache.insert(key, now);
                misses[(now / 1_000) as usize] += 1;
                steady_misses += u64::from(is_steady);
            }
            let last = noted.entry(key).or_insert(u64::MAX);
            if *last == u64::MAX || now - *last >= NOTED_EVERY_MS {
                *last = now;
                steady_uses += u64::from(is_steady);
            }
        }
        let seconds = (SPAN_MS - REMEMBERED_FOR_MS) as f64 / 1_000.0;
        Self {
            rate: rate as f64,
            misses,
            steady_misses: steady_misses as f64 / seconds,
            steady_uses: steady_uses as f64 / seconds,
            held: cache.len(),
        }
    }
}

/// Draws ranks by rejection and inversion (Hörmann and Derflinger, 1996): as fast for 10⁸ as for ten.
struct Zipf {
    ranks: f64,
    exponent: f64,
    first: f64,
    last: f64,
    sure: f64,
}

impl Zipf {
    fn new(ranks: u64, exponent: f64) -> Self {
        let mut zipf = Self {
            ranks: ranks as f64,
            exponent,
            first: 0.0,
            last: 0.0,
            sure: 0.0,
        };
        zipf.first = zipf.integral(1.5) - 1.0;
        zipf.last = zipf.integral(zipf.ranks + 0.5);
        zipf.sure = 2.0 - zipf.inverse(zipf.integral(2.5) - 2_f64.powf(-exponent));
        zipf
    }

    fn draw(&self, dice: &mut Dice) -> u64 {
        loop {
            let area = self.last + dice.part() * (self.first - self.last);
            let exact = self.inverse(area);
            let rank = exact.round().clamp(1.0, self.ranks);
            let fits = rank - exact <= self.sure
                || area >= self.integral(rank + 0.5) - rank.powf(-self.exponent);
            if fits {
                return rank as u64;
            }
        }
    }

    /// Of `x^-s`.
    fn integral(&self, x: f64) -> f64 {
        let power = 1.0 - self.exponent;
        if power.abs() < 1e-9 {
            x.ln()
        } else {
            (x.powf(power) - 1.0) / power
        }
    }

    fn inverse(&self, area: f64) -> f64 {
        let power = 1.0 - self.exponent;
        if power.abs() < 1e-9 {
            area.exp()
        } else {
            (1.0 + area * power).powf(1.0 / power)
        }
    }
}

/// SplitMix64: the same run each time.
struct Dice(u64);

impl Dice {
    fn part(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_drawn_as_often_as_zipf_says() {
        const DRAWS: u32 = 1_000_000;
        for exponent in [0.8, 1.0, 1.2] {
            let zipf = Zipf::new(1_000, exponent);
            let whole: f64 = (1..=1_000)
                .map(|rank| f64::from(rank).powf(-exponent))
                .sum();
            let mut drawn = vec![0_u32; 1_001];
            let mut dice = Dice(1);
            for _ in 0..DRAWS {
                drawn[zipf.draw(&mut dice) as usize] += 1;
            }
            for rank in [1, 2, 3, 10, 100] {
                let expected = f64::from(DRAWS) * f64::from(rank).powf(-exponent) / whole;
                let off = (f64::from(drawn[rank as usize]) - expected).abs();
                // Five standard deviations of a count.
                assert!(
                    off < 5.0 * expected.sqrt(),
                    "{exponent} {rank}: {off} of {expected}"
                );
            }
        }
    }
}
