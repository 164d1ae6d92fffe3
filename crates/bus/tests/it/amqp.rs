//! What only a broker can do to us: delete, refuse, return, cut off.

use crate::ground::{BOUND, Ground, Ringing, delivery, heard, hint, note, noted, resubscribed, taken};
use bus::{Delivery, Error, Options};
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, options as amqp,
    types::{AMQPValue, FieldTable},
};
use serde_json::json;
use testkit::{
    broker::{Broker, unique_prefix},
    wait,
};

/// Somebody else on the same broker, under the bell's prefix.
struct Meddler {
    channel: Channel,
    prefix: String,
    _connection: Connection,
}

impl Meddler {
    async fn of(options: &Options) -> Self {
        let Options::Amqp { url, prefix } = options else { panic!("only RabbitMQ can be meddled with") };
        let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("connected");
        let channel = connection.create_channel().await.expect("a channel");
        Self { channel, prefix: prefix.clone(), _connection: connection }
    }

    fn named(&self, name: &str) -> lapin::types::ShortString {
        format!("{}.{name}", self.prefix).as_str().into()
    }

    async fn delete_queue(&self, queue: &str) {
        let name = self.named(&format!("jobs.{queue}"));
        self.channel.queue_delete(name, amqp::QueueDeleteOptions::default()).await.expect("deleted");
    }

    async fn delete_exchange(&self, exchange: &str) {
        let (name, options) = (self.named(exchange), amqp::ExchangeDeleteOptions::default());
        self.channel.exchange_delete(name, options).await.expect("deleted");
    }

    async fn publish(&self, queue: &str, body: &[u8], properties: BasicProperties) {
        let (exchange, options) = (self.named("jobs"), amqp::BasicPublishOptions::default());
        let sent = self.channel.basic_publish(exchange, queue.into(), options, body, properties).await;
        sent.expect("published").await.expect("published");
    }

    /// Messages of a queue that nobody has been given.
    async fn ready(&self, queue: &str) -> u32 {
        let options = amqp::QueueDeclareOptions { passive: true, ..Default::default() };
        let name = self.named(&format!("jobs.{queue}"));
        let queue = self.channel.queue_declare(name, options, FieldTable::default()).await;
        queue.expect("the queue is there").message_count()
    }
}

#[tokio::test]
async fn a_queue_deleted_under_its_consumer_is_declared_again() {
    let ground = Ground::amqp().await;
    let ringing = Ringing::open(&ground.options).await;
    let mut hints = ringing.hints("q", 5).await;
    let meddler = Meddler::of(&ground.options).await;
    for _ in 0..2 {
        meddler.delete_queue("q").await; // the server cancels the consumer: its stream just ends
        resubscribed(&mut hints).await;
        let hint = hint("q");
        ringing.bell.ring(&hint).await.expect("rung");
        assert_eq!(taken(&mut hints).await, hint);
    }
}

#[tokio::test]
async fn a_returned_hint_is_not_sent_and_the_next_one_finds_its_queue_again() {
    let ground = Ground::amqp().await;
    let ringing = Ringing::open(&ground.options).await;
    ringing.bell.ring(&hint("q")).await.expect("rung: the queue was declared for it");
    Meddler::of(&ground.options).await.delete_queue("q").await;
    let returned = ringing.bell.ring(&hint("q")).await;
    assert!(matches!(returned, Err(Error::Returned)), "{returned:?}");
    let again = hint("q");
    ringing.bell.ring(&again).await.expect("rung: the queue was declared again");
    assert_eq!(taken(&mut ringing.hints("q", 5).await).await, again);
}

#[tokio::test]
async fn of_many_hints_at_once_exactly_the_returned_ones_fail() {
    let ground = Ground::amqp().await;
    let ringing = Ringing::open(&ground.options).await;
    let meddler = Meddler::of(&ground.options).await;
    let (kept, lost) = (hint("kept"), hint("lost"));
    // All lanes learn of both queues, and then one queue goes.
    let first = (0..32).map(|turn| ringing.bell.ring(if turn % 2 == 0 { &kept } else { &lost }));
    let outcomes = futures::future::join_all(first).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    meddler.delete_queue("lost").await;
    let second = (0..16).map(|turn| ringing.bell.ring(if turn % 2 == 0 { &kept } else { &lost }));
    let outcomes = futures::future::join_all(second).await;
    let returned = |turn: usize| matches!(outcomes[turn], Err(Error::Returned));
    assert!((0..16).step_by(2).all(|turn| outcomes[turn].is_ok()), "{outcomes:?}");
    assert!(returned(1), "{outcomes:?}");
    // The later ones are either returned too or came after somebody declared the queue again.
    let arrived = (1..16).step_by(2).filter(|turn| outcomes[*turn].is_ok()).count();
    ringing.bell.ring(&lost).await.expect("rung");
    let ready = usize::try_from(meddler.ready("lost").await).expect("few");
    assert_eq!(ready, arrived + 1, "what counted as sent is there, and nothing else: {outcomes:?}");
}

#[tokio::test]
async fn a_refused_confirm_is_not_a_success() {
    let ground = Ground::amqp().await;
    let ringing = Ringing::open(&ground.options).await;
    ringing.bell.ring(&hint("q")).await.expect("rung");
    // A second queue on the same key that takes one message and refuses the next: the broker says nack.
    let meddler = Meddler::of(&ground.options).await;
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongLongInt(1));
    arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    let (name, exclusive) =
        (meddler.named("full"), amqp::QueueDeclareOptions { exclusive: true, ..Default::default() });
    meddler.channel.queue_declare(name.clone(), exclusive, arguments).await.expect("declared");
    let bind = amqp::QueueBindOptions::default();
    let bound =
        meddler.channel.queue_bind(name, meddler.named("jobs"), "q".into(), bind, FieldTable::default());
    bound.await.expect("bound");
    ringing.bell.ring(&hint("q")).await.expect("rung: there is room for one");
    let refused = ringing.bell.ring(&hint("q")).await;
    assert!(matches!(refused, Err(Error::Refused)), "{refused:?}");
}

#[tokio::test]
async fn a_publishing_channel_that_fails_is_replaced() {
    let ground = Ground::amqp().await;
    let ringing = Ringing::open(&ground.options).await;
    let (mut hints, mut notes) = (ringing.hints("q", 5).await, ringing.notes().await);
    ringing.bell.ring(&hint("q")).await.expect("rung");
    assert_eq!(heard(&mut hints).await.ack().await.ok(), Some(()));
    let meddler = Meddler::of(&ground.options).await;
    meddler.delete_exchange("jobs").await;
    let broken = ringing.bell.ring(&hint("q")).await;
    assert!(matches!(broken, Err(Error::Broken(_))), "{broken:?}");
    let again = hint("q");
    ringing.bell.ring(&again).await.expect("rung on a new channel, which declares what is missing");
    assert_eq!(taken(&mut hints).await, again);
    // The connection and its other channels were not touched.
    let note = note(1);
    ringing.bell.announce(&note).await.expect("announced");
    assert_eq!(noted(&mut notes).await, note);
}

/// On a broker that nobody else uses: it loses its patience for good (`outage.rs`).
pub(crate) async fn a_consuming_channel_that_the_broker_closes_is_replaced(broker: &Broker) {
    // The broker closes a channel whose message is not acknowledged in time; checked on channels opened later.
    let impatient = "application:set_env(rabbit, consumer_timeout, 1000), \
                     application:set_env(rabbit, channel_tick_interval, 200).";
    broker.ctl(&["eval", impatient]).await;
    let options = Options::Amqp { url: broker.url(), prefix: unique_prefix() };
    let ringing = Ringing::open(&options).await;
    let mut hints = ringing.hints("q", 5).await;
    let rung = hint("q");
    ringing.bell.ring(&rung).await.expect("rung");
    let held = heard(&mut hints).await;
    resubscribed(&mut hints).await;
    assert!(held.ack().await.is_err(), "the channel that it came by is gone");
    assert_eq!(taken(&mut hints).await, rung, "so it comes again");
}

#[tokio::test]
async fn what_cannot_be_read_is_handed_over_whole() {
    let ground = Ground::amqp().await;
    let ringing = Ringing::open(&ground.options).await;
    let mut hints = ringing.hints("q", 1).await;
    let meddler = Meddler::of(&ground.options).await;
    let mut headers = FieldTable::default();
    headers.insert("x-from".into(), AMQPValue::LongString("a stranger".into()));
    headers.insert("x-tries".into(), AMQPValue::LongInt(3));
    let properties = BasicProperties::default().with_headers(headers).with_message_id("odd".into());
    meddler.publish("q", b"\xff\x00 not JSON", properties).await;
    match delivery(&mut hints).await {
        Delivery::Poison(poison) => {
            assert_eq!(poison.body, b"\xff\x00 not JSON");
            assert!(poison.queue.ends_with(".jobs.q"), "{}", poison.queue);
            assert_eq!(poison.headers["headers"], json!({"x-from": "a stranger", "x-tries": 3}));
            assert_eq!(poison.headers["messageId"], json!("odd"));
            assert!(!poison.error.is_empty());
            poison.ack().await.expect("acknowledged");
        }
        other => panic!("poison was expected, not {other:?}"),
    }
    // With room for one unacknowledged message, this one shows that the poison is gone.
    let readable = hint("q");
    ringing.bell.ring(&readable).await.expect("rung");
    assert_eq!(taken(&mut hints).await, readable);
}

#[tokio::test]
async fn no_more_hints_are_handed_out_than_the_prefetch_says() {
    let ground = Ground::amqp().await;
    let ringing = Ringing::open(&ground.options).await;
    let mut hints = ringing.hints("q", 2).await;
    for _ in 0..5 {
        ringing.bell.ring(&hint("q")).await.expect("rung");
    }
    let (one, two) = (heard(&mut hints).await, heard(&mut hints).await);
    let meddler = Meddler::of(&ground.options).await;
    assert_eq!(meddler.ready("q").await, 3);
    one.ack().await.expect("acknowledged");
    wait::until_true("one more to be handed out", BOUND, || async { meddler.ready("q").await == 2 }).await;
    two.ack().await.expect("acknowledged");
}

#[tokio::test]
async fn what_a_reader_leaves_unacknowledged_goes_to_the_next_one() {
    let ground = Ground::amqp().await;
    let ringing = Ringing::open(&ground.options).await;
    let mut leaving = ringing.hints("q", 5).await;
    let rung = hint("q");
    ringing.bell.ring(&rung).await.expect("rung");
    let unfinished = heard(&mut leaving).await;
    drop(leaving);
    assert_eq!(taken(&mut ringing.hints("q", 5).await).await, rung);
    assert!(unfinished.ack().await.is_err());
}
