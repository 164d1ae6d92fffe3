//! Turns at a host, in a clock that the test moves.

use std::time::Duration;

use tokio::time::Instant;

use super::{Hosts, Lane, RECENT, Turn};
use crate::guard::Site;
use crate::options::Options;

const PATIENCE: Duration = Duration::from_secs(20);
const SECOND: Duration = Duration::from_secs(1);

/// Starts of `count` requests that all want to go and take `lasting` each: seconds since `begin`.
fn starts(lane: &mut Lane, begin: Instant, count: usize, lasting: Duration) -> Vec<u64> {
    let mut under_way: Vec<Instant> = Vec::new();
    let (mut now, mut begun) = (begin, Vec::new());
    while begun.len() < count || !under_way.is_empty() {
        let turn = if begun.len() < count { lane.turn(now, PATIENCE) } else { Turn::WaitForFree };
        let next_end = under_way.iter().min().map(|sent| *sent + lasting);
        match (turn, next_end) {
            (Turn::Go, _) => {
                begun.push((now - begin).as_secs());
                under_way.push(now);
            }
            (Turn::WaitUntil(until), end) if end.is_none_or(|end| until < end) => now = until,
            (Turn::TooLong(left), _) => panic!("a pause of {left:?}"),
            (_, Some(end)) => {
                now = end;
                let done = under_way.iter().position(|sent| *sent + lasting == end).expect("one ends");
                let sent = under_way.remove(done);
                lane.pace.answered(sent, now);
                lane.busy -= 1;
            }
            (turn, None) => panic!("nobody is under way, and still {turn:?}"),
        }
    }
    begun
}

#[test]
fn a_crawl_delay_lies_between_two_starts() {
    let mut lane = Lane::new(&Options::default());
    lane.delay = 5 * SECOND;
    let now = Instant::now();
    assert_eq!(starts(&mut lane, now, 4, SECOND), [0, 5, 10, 15]);
    // Slow answers do not make it longer, as long as there are places.
    let mut lane = Lane::new(&Options { per_host: 6, adapt: false, ..Options::default() });
    lane.delay = 5 * SECOND;
    assert_eq!(starts(&mut lane, now, 4, 12 * SECOND), [0, 5, 10, 15]);
}

#[test]
fn as_many_at_once_as_the_host_bears() {
    let now = Instant::now();
    let mut steady = Lane::new(&Options { adapt: false, per_host: 3, ..Options::default() });
    assert_eq!(starts(&mut steady, now, 7, SECOND), [0, 0, 0, 1, 1, 1, 2]);
    // Two at first; each round of answers earns one more.
    let mut adapting = Lane::new(&Options { per_host: 4, ..Options::default() });
    let begun = starts(&mut adapting, now, 20, SECOND);
    let in_round = |at| begun.iter().filter(|start| **start == at).count();
    assert_eq!([in_round(0), in_round(1), in_round(2), in_round(3)], [2, 2, 3, 4], "{begun:?}");
    assert!(begun.iter().all(|at| in_round(*at) <= 4), "{begun:?}");
}

#[test]
fn a_host_that_has_too_much_to_do_gets_one_at_a_time() {
    let mut lane = Lane::new(&Options { per_host: 4, ..Options::default() });
    let mut now = Instant::now();
    starts(&mut lane, now, 30, SECOND);
    for _ in 0..3 {
        now += 100 * SECOND;
        lane.pace.overloaded(now, now + SECOND);
    }
    now += 100 * SECOND;
    assert_eq!(starts(&mut lane, now, 2, SECOND), [0, 1]);
}

#[test]
fn a_pause_holds_everybody_or_is_told() {
    let mut lane = Lane::new(&Options::default());
    let now = Instant::now();
    lane.hush(7 * SECOND, now);
    // A shorter word later takes nothing back.
    lane.hush(2 * SECOND, now);
    assert_eq!(starts(&mut lane, now, 2, SECOND), [7, 7]);
    lane.hush(Duration::MAX, now);
    let day = Duration::from_secs(24 * 60 * 60);
    assert_eq!(lane.turn(now, PATIENCE), Turn::TooLong(day), "no host is believed for longer than a day");
    assert_eq!(lane.turn(now + day, PATIENCE), Turn::Go);
}

#[tokio::test]
async fn a_place_is_given_back_however_a_request_ends() {
    let site = |host: &str| Site { host: host.to_owned(), port: 80, secure: false };
    let hosts = Hosts::new(&Options { adapt: false, per_host: 1, ..Options::default() });
    let host = hosts.of(&site("example.com"));
    let slot = host.slot(PATIENCE).await.expect("a slot");
    let mut first = Box::pin(host.slot(PATIENCE));
    let mut second = Box::pin(host.slot(PATIENCE));
    assert!(futures::poll!(&mut first).is_pending());
    assert!(futures::poll!(&mut second).is_pending());
    // The one that was first in line gives up; its place goes to the next.
    drop(slot);
    drop(first);
    assert!(second.await.is_ok());
    // What a host asked for is remembered when many others come by.
    host.hush(PATIENCE * 2);
    drop(host);
    for other in 0..2000 {
        hosts.of(&site(&format!("{other}.example.com")));
    }
    assert!(hosts.of(&site("example.com")).slot(PATIENCE).await.is_err());
}

#[test]
fn the_pause_that_a_host_asks_for_is_remembered_while_it_is_read() {
    let site = |host: &str| Site { host: host.to_owned(), port: 80, secure: false };
    let (hosts, begin) = (Hosts::new(&Options::default()), Instant::now());
    hosts.wanted(&site("example.com"), begin).set_delay(7 * SECOND);
    // A worker reads other sites meanwhile.
    for other in 0..900 {
        hosts.wanted(&site(&format!("{other}.example.com")), begin + SECOND);
    }
    assert_eq!(hosts.wanted(&site("example.com"), begin + SECOND).lane().delay, 7 * SECOND);
    let later = begin + RECENT + 2 * SECOND;
    hosts.wanted(&site("example.org"), later);
    let forgotten = hosts.wanted(&site("example.com"), later);
    assert_eq!(forgotten.lane().delay, Duration::ZERO, "nobody asked it for a long time");
}
