//! What an address is normalised to keeps what `site_read::invariants` promises.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        site_read::invariants::url(text);
    }
});
