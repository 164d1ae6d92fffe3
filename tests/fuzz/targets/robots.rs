//! Any robots.txt keeps what `site_read::invariants` promises.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    site_read::invariants::robots(data);
});
