use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::{Operands, Results};

static FIRST: AtomicU64 = AtomicU64::new(0);
static SECOND: AtomicU64 = AtomicU64::new(0);

/// How much a program's heap holds; a native one has more, so stop there.
const HEAP: usize = 32 * 1024;
const BLOCK: usize = 16;

pub(crate) fn run(Operands { a, b, .. }: Operands, results: &mut Results) {
    // Before the heap is full.
    results.0.reserve(64);
    FIRST.store(a as u64, Relaxed);
    SECOND.store(b as u64, Relaxed);
    fill_the_heap();
    results.push_unsigned(FIRST.load(Relaxed).into());
    results.push_unsigned(SECOND.load(Relaxed).into());
}

fn fill_the_heap() {
    for _ in 0..HEAP / BLOCK {
        let mut block: Vec<u8> = Vec::new();
        if block.try_reserve_exact(BLOCK).is_err() {
            return;
        }
        block.resize(BLOCK, u8::MAX);
        core::hint::black_box(block.as_mut_slice());
        core::mem::forget(block);
    }
}
