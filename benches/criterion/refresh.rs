//! `cargo bench -p benches --bench refresh`

mod lanes;

use benches::{
    stage::databases::Place,
    subjects::refresh::{Stage, forged},
};

fn main() {
    lanes::bench(|group| {
        group("a forged refresh token", forged());
        let place = Place::default();
        for backend in place.backends(&mut Default::default()) {
            let stage = Stage::on(&backend);
            for callers in [1, 64] {
                let name = format!("carrying a session on, {}, {callers} at once", backend.name);
                group(&name, stage.lanes(callers));
            }
        }
    });
}
