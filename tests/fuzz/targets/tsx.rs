//! Any document becomes a project that keeps what `site_write::invariants` promises.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        site_write::invariants::html(text);
    }
});
