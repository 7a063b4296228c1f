//! `cargo bench -p benches --bench codes`

mod lanes;

use benches::{stage::databases::Place, subjects::codes};

fn main() {
    lanes::bench(|group| {
        let place = Place::default();
        for backend in place.backends(&mut Default::default()) {
            group(&format!("codes, {}", backend.name), codes::lanes(&backend));
        }
    });
}
