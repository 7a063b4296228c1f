//! `cargo bench -p benches --bench lookup`

mod lanes;

use benches::subjects::lookup::Keys;

fn main() {
    lanes::bench(|group| {
        for (how_many, name) in [(1_000, "10³"), (100_000, "10⁵"), (1_000_000, "10⁶")] {
            let keys = Keys::new(how_many);
            group(&format!("{name} keys, found"), keys.lanes(true, 1));
            group(&format!("{name} keys, not found"), keys.lanes(false, 1));
            group(
                &format!("{name} keys, found, two threads"),
                keys.lanes(true, 2),
            );
        }
    });
}
