//! Many listeners who come and go while history is being written.

use crate::{
    client::Stream,
    world::{BOUND, World},
};
use domain::MigrationId;
use futures::future::join_all;
use realtime_broadcaster::Options;
use std::net::SocketAddr;
use tokio::{sync::watch, time::timeout};

const EVENTS: i64 = 1_000;
const LISTENERS: u64 = 50;

/// A generator of its own: the same disorder each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Comes at a time of its own, leaves and comes back until the end; the numbers of all events that it got.
async fn listener(
    (address, key, migration): (SocketAddr, String, MigrationId),
    mut written: watch::Receiver<i64>,
    mut dice: Dice,
) -> Vec<i64> {
    let joins_at = i64::try_from(dice.below(EVENTS.unsigned_abs() * 9 / 10)).expect("small");
    written.wait_for(|written| *written >= joins_at).await.expect("the writer writes on");
    let mut got: Vec<i64> = Vec::new();
    let mut cursor = String::new();
    loop {
        let mut stream = Stream::open(address, &key, migration, Some(cursor.as_str())).await;
        let hello = stream.hello().await;
        assert_eq!(hello["verdict"], if got.is_empty() && cursor.is_empty() { "started" } else { "resumed" });
        assert_eq!(hello["from"], got.last().copied().unwrap_or(0));
        let leaves_after = dice.below(400);
        for _ in 0..leaves_after {
            let Some(event) = stream.event().await else { break };
            got.push(event.seq);
            if event.event_type == domain::event::EventType::Done {
                assert!(stream.next().await.is_none(), "nothing comes after the end");
                return got;
            }
        }
        cursor = stream.cursor.clone();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_listeners_who_come_and_go_each_get_all_of_a_thousand_events_once_and_in_order() {
    // A buffer that is smaller than what comes in bursts: falling behind is part of the test.
    let world = World::new(Options { buffer: 16, page: 64, ..Options::default() }).await;
    world.bell_is_up().await;
    let migration = world.migration(&world.me).await;
    let (progress, written) = watch::channel(1);
    let listeners = (0..LISTENERS).map(|number| {
        let whom = (world.address, world.me.key.clone(), migration);
        listener(whom, written.clone(), Dice(number + 1))
    });
    let writer = async {
        for number in 2..=EVENTS {
            let seq = if number == EVENTS { world.done(migration).await } else { world.log(migration).await };
            assert_eq!(seq, number);
            // Some notes are lost, some come late or twice.
            if number % 7 != 0 {
                world.announce(migration, seq).await;
            }
            progress.send_replace(seq);
        }
        // The writer stays: listeners ask how far it is.
        progress
    };
    let (all, _progress) = timeout(BOUND * 4, async { tokio::join!(join_all(listeners), writer) })
        .await
        .expect("everybody reaches the end");
    let expected: Vec<i64> = (1..=EVENTS).collect();
    for (number, got) in all.into_iter().enumerate() {
        assert_eq!(got, expected, "listener {number}");
    }
}
