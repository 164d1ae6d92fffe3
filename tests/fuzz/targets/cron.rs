//! Any cron expression in any zone keeps what `domain::schedule` promises.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((seconds, rest)) = data.split_first_chunk::<4>() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let (expression, zone) = text.split_once('|').unwrap_or((text, "Europe/Berlin"));
    domain::schedule::hold(expression, zone, u32::from_le_bytes(*seconds));
});
