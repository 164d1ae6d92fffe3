//! The server goes away and comes back: rings fail at once in between, and afterwards all readers are told to
//! look and hear again, without anybody doing anything.

use crate::{
    amqp,
    ground::{BOUND, Ringing, delivery, hint, note, noted, notes_resubscribed, resubscribed},
};
use bus::{Delivery, Error, HintStream, JobHint, NoteStream, Options};
use std::time::Duration;
use testkit::{
    broker::{Broker, unique_prefix},
    postgres::Cluster,
    wait,
};

/// Far below any connection time-out.
const AT_ONCE: Duration = Duration::from_millis(500);

async fn fails_at_once(ringing: &Ringing) {
    wait::until_true("the outage to be noticed", BOUND, || async { !ringing.bell.healthy() }).await;
    let ring = wait::within("a ring to fail", AT_ONCE, ringing.bell.ring(&hint("q"))).await;
    assert!(matches!(ring, Err(Error::Unavailable)), "{ring:?}");
    let note = wait::within("a note to fail", AT_ONCE, ringing.bell.announce(&note(1))).await;
    assert!(matches!(note, Err(Error::Unavailable)), "{note:?}");
}

async fn hears_again(ringing: &Ringing, hints: &mut HintStream, notes: &mut NoteStream) {
    resubscribed(hints).await;
    notes_resubscribed(notes).await;
    ringing.healthy().await;
    let (hint, note) = (hint("q"), note(2));
    ringing.bell.ring(&hint).await.expect("rung");
    ringing.bell.announce(&note).await.expect("announced");
    comes(hints, &hint).await;
    assert_eq!(noted(notes).await, note); // notes are kept for nobody, so no older one can come
}

/// Reads on until the hint comes. An acknowledgement that a killed broker had not written yet is forgotten, so
/// an older hint may come again, and a node that is still starting may end a subscription once more.
async fn comes(hints: &mut HintStream, wanted: &JobHint) {
    loop {
        if let Delivery::Hint(hint) = delivery(hints).await {
            let body = hint.body.clone();
            // If this fails, the hint comes again.
            let _acknowledged = hint.ack().await;
            if body == *wanted {
                return;
            }
        }
    }
}

#[tokio::test]
async fn a_bell_connects_when_its_rabbitmq_is_up_and_again_whenever_it_restarts() {
    let mut broker = Broker::absent();
    let options = Options::Amqp { url: broker.url(), prefix: unique_prefix() };
    let ringing = Ringing::open_unconnected(&options);
    let (mut hints, mut notes) = (ringing.bell.hints("q", 5), ringing.bell.notes());
    fails_at_once(&ringing).await;
    broker.start_again().await;
    hears_again(&ringing, &mut hints, &mut notes).await;

    broker.stop().await;
    fails_at_once(&ringing).await;
    broker.start_again().await;
    hears_again(&ringing, &mut hints, &mut notes).await;

    broker.kill();
    fails_at_once(&ringing).await;
    broker.start_again().await;
    hears_again(&ringing, &mut hints, &mut notes).await;
}

/// One after the other, as each of them meddles with the whole broker and a broker takes seconds to start.
#[tokio::test]
async fn rabbitmq_cuts_all_connections_runs_out_of_memory_and_closes_a_channel() {
    let broker = Broker::start().await;
    all_connections_are_cut(&broker).await;
    out_of_memory_no_ring_is_held_up_for_long(&broker).await;
    amqp::a_consuming_channel_that_the_broker_closes_is_replaced(&broker).await;
}

async fn all_connections_are_cut(broker: &Broker) {
    let options = Options::Amqp { url: broker.url(), prefix: unique_prefix() };
    let ringing = Ringing::open(&options).await;
    let (mut hints, mut notes) = (ringing.hints("q", 5).await, ringing.notes().await);
    broker.ctl(&["close_all_connections", "by the test"]).await;
    hears_again(&ringing, &mut hints, &mut notes).await;
}

async fn out_of_memory_no_ring_is_held_up_for_long(broker: &Broker) {
    let options = Options::Amqp { url: broker.url(), prefix: unique_prefix() };
    let ringing = Ringing::open(&options).await;
    let mut hints = ringing.hints("q", 5).await;
    broker.ctl(&["set_vm_memory_high_watermark", "0"]).await;
    // The broker says that it is full when somebody publishes, so the first ring may have to wait its time out.
    let bound = Duration::from_secs(8);
    let ring = wait::within("a ring to fail", bound, ringing.bell.ring(&hint("q"))).await;
    assert!(matches!(ring, Err(Error::TimedOut | Error::Unavailable)), "{ring:?}");
    fails_at_once(&ringing).await;

    broker.ctl(&["set_vm_memory_high_watermark", "0.9"]).await;
    ringing.healthy().await;
    let last = hint("q");
    ringing.bell.ring(&last).await.expect("rung");
    comes(&mut hints, &last).await; // what was sent into the full broker may have arrived before it
}

#[tokio::test]
async fn postgres_restarts() {
    let mut cluster = Cluster::start().await;
    let database = cluster.database().await;
    let options = Options::Notify { url: database.url("resettle_worker"), prefix: unique_prefix() };
    let ringing = Ringing::open(&options).await;
    let (mut hints, mut notes) = (ringing.hints("q", 5).await, ringing.notes().await);

    cluster.stop().await;
    fails_at_once(&ringing).await;
    cluster.start_again().await;
    hears_again(&ringing, &mut hints, &mut notes).await;

    cluster.kill();
    fails_at_once(&ringing).await;
    cluster.start_again().await;
    hears_again(&ringing, &mut hints, &mut notes).await;
}

#[tokio::test]
async fn postgres_cuts_the_bells_connections() {
    let cluster = Cluster::start().await;
    let database = cluster.database().await;
    let options = Options::Notify { url: database.url("resettle_worker"), prefix: unique_prefix() };
    let ringing = Ringing::open(&options).await;
    let (mut hints, mut notes) = (ringing.hints("q", 5).await, ringing.notes().await);
    let sql = database.sql().await;
    let cut =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'resettle bell'";
    assert_eq!(sql.query(cut, &[]).await.expect("cut").len(), 2, "one connection sends, one listens");
    hears_again(&ringing, &mut hints, &mut notes).await;
}
