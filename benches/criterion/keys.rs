//! `cargo bench -p benches --bench keys`

mod lanes;

use benches::{
    stage::databases::Place,
    subjects::{
        cached::{Remembered, refusals},
        uncached,
    },
};

fn main() {
    lanes::bench(|group| {
        group("refusing junk", refusals());
        for (how_many, name) in [(1_000, "10³"), (100_000, "10⁵"), (1_000_000, "10⁶")] {
            group(
                &format!("remembered, one of {name}"),
                Remembered::new(how_many).lanes(),
            );
        }
        let place = Place::default();
        for backend in place.backends(&mut Default::default()) {
            let stage = uncached::Stage::on(&backend);
            for callers in [1, 64] {
                let name = format!("not remembered, {}, {callers} at once", backend.name);
                group(&name, stage.lanes(callers));
            }
        }
    });
}
