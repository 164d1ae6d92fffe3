//! A cursor of a list of pages, whatever comes in its place: it is refused, or it is one that reads back as it is.
#![no_main]

// The cursor by itself: the crate that it is part of would bring a whole server along.
#[path = "../../../crates/api-gateway/src/routes/analysis/cursor.rs"]
#[expect(dead_code, reason = "only reading and writing are tried here")]
mod cursor;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(cursor) = cursor::Cursor::parse(text) else { return };
    assert!(cursor.number >= 0, "a page's number is never negative");
    assert_eq!(cursor::Cursor::parse(&cursor.text()), Some(cursor));
});
