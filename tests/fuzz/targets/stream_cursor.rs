//! A stream's cursor, whatever comes in its place: it resumes where ours would, or it is a gap; it never leads beyond the
//! history, and no two texts mean the same place.
#![no_main]

// The cursor by itself: the crate that it is part of would bring a whole server along. What it knows of the record are
// these three marks.
extern crate self as store;
#[path = "../../../crates/realtime-broadcaster/src/cursor.rs"]
#[expect(dead_code, reason = "only judging is tried here")]
mod cursor;

use cursor::{History, Verdict};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    pub last_seq: i64,
    pub over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Horizon(pub i64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    pub horizon: Horizon,
    pub next: Horizon,
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // Nil ids make the part that names the history guessable: 32 zeros.
    let ours = History::new(Uuid::nil(), Uuid::nil());
    let tail = Tail { last_seq: 0xffff, over: text.len() % 2 == 0 };
    match Verdict::of(Some(text), ours, tail) {
        Verdict::Resumed(seq) => {
            assert!((0..=tail.last_seq).contains(&seq));
            assert_same(ours, seq, text);
        }
        Verdict::Over => assert_same(ours, tail.last_seq, text),
        Verdict::Started => assert!(text.trim().is_empty()),
        Verdict::Gap(why) => assert!(["malformed", "other_history", "future"].contains(&why)),
    }
    let tip = Tip { horizon: Horizon(0xff), next: Horizon(0xffff) };
    let (verdict, mark) = Verdict::across(Some(text), ours, tip);
    let look = mark.within.map_or(mark.below, |within| within.look);
    assert!(Horizon(0) <= mark.below && mark.below <= look && look <= tip.next);
    assert!(mark.within.is_none_or(|within| within.seq >= 0));
    if let Verdict::Resumed(_) = verdict {
        assert_eq!(Verdict::across(Some(&ours.mark(mark)), ours, tip), (verdict, mark));
    }
});

/// Leading zeros are all that may be written differently.
fn assert_same(history: History, at: i64, text: &str) {
    let own = history.cursor(at);
    let (own, given) = (own.split_at(32), text.trim().split_at(32));
    assert_eq!(own.0, given.0);
    assert_eq!(own.1.trim_start_matches('0'), given.1.trim_start_matches('0'));
}
