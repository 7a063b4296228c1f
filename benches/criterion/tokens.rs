//! `cargo bench -p benches --bench tokens`

mod lanes;

use benches::subjects::tokens::Stage;

fn main() {
    lanes::bench(|group| {
        let stage = Stage::new();
        group("verifying an access token", stage.verifying());
        group("making an access token", stage.making());
    });
}
