//! `cargo bench -p benches --bench hashing`

mod lanes;

use benches::subjects::hashing;

fn main() {
    lanes::bench(|group| group("hashing a key", hashing::lanes()));
}
