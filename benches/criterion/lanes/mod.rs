//! What every bench target here does with its subject's lanes.

use benches::{race::Lane, subjects::hashing::assert_full_speed};
use criterion::Criterion;

/// Hands each lane to criterion, one after the other: to look closely at one thing. To compare two,
/// let them take turns: that is what `compare` is for.
pub(crate) fn bench(groups: impl FnOnce(&mut dyn FnMut(&str, Vec<Lane<'_>>))) {
    assert_full_speed();
    let mut criterion = Criterion::default().configure_from_args();
    groups(&mut |name, lanes| {
        let mut group = criterion.benchmark_group(name);
        for mut lane in lanes {
            let name = lane.name().to_owned();
            group.bench_function(name, |bencher| bencher.iter_custom(|times| lane.run(times)));
        }
    });
    criterion.final_summary();
}
