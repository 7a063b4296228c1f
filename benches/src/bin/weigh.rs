//! Counts bytes and allocations, for `compare`: an allocator that counts is slower than one that
//! does not, so nothing is timed here.

use allocation_counter::measure;
use benches::subjects::memory::{Counted, Weights};

fn main() {
    let count = |act: &mut dyn FnMut()| {
        let counted = measure(act);
        Counted {
            allocations: counted.count_total,
            kept: counted.bytes_current,
        }
    };
    println!("{}", Weights::count(count));
}
