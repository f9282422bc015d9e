#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| perpetua_fuzz_targets::multiplier(data));
