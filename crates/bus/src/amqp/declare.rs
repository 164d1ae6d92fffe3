//! Declares the topology on a channel. Declaring what is there already changes nothing.

use crate::topology::{Argument, Exchange, ExchangeKind, Queue, Topology};
use lapin::{
    Channel, Result,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};

pub(super) async fn exchanges(channel: &Channel, topology: &Topology) -> Result<()> {
    for Exchange { name, kind } in topology.exchanges() {
        let kind = match kind {
            ExchangeKind::Direct => lapin::ExchangeKind::Direct,
            ExchangeKind::Fanout => lapin::ExchangeKind::Fanout,
        };
        let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        channel.exchange_declare(name.as_str().into(), kind, options, FieldTable::default()).await?;
    }
    Ok(())
}

pub(super) async fn queue(channel: &Channel, queue: &Queue) -> Result<()> {
    let Queue { name, durable, exchange, routing_key, arguments } = queue;
    let options = QueueDeclareOptions {
        durable: *durable,
        exclusive: !durable,
        auto_delete: !durable,
        ..QueueDeclareOptions::default()
    };
    let mut table = FieldTable::default();
    for (key, argument) in arguments {
        let value = match argument {
            Argument::Text(text) => AMQPValue::LongString((*text).into()),
            Argument::Number(number) => AMQPValue::LongLongInt(i64::from(*number)),
        };
        table.insert((*key).into(), value);
    }
    channel.queue_declare(name.as_str().into(), options, table).await?;
    let (name, exchange) = (name.as_str().into(), exchange.as_str().into());
    let options = QueueBindOptions::default();
    channel.queue_bind(name, exchange, routing_key.as_str().into(), options, FieldTable::default()).await
}
