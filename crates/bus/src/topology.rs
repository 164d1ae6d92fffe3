//! Every exchange and queue, with every argument, as data: what is declared is what the test below prints.
//!
//! Understood by RabbitMQ 3.10 and 4.x alike. A name's arguments must never change between releases: a broker
//! refuses to declare an existing queue with other ones, so changed arguments need a new name.

use std::fmt;
use uuid::Uuid;

/// Hints beyond this many are stale news: the oldest is dropped, and polling has its job.
const MOST_HINTS: u32 = 100_000;
/// An hour-old hint says nothing that polling has not found.
const HINT_TTL_MS: u32 = 3_600_000;
/// How often a hint is handed out before it is dropped: a taker that dies on it must not do so forever.
const DELIVERY_LIMIT: u32 = 20;
/// A subscriber that is this far behind has to read the rows anyway.
const MOST_NOTES: u32 = 10_000;

/// The names under one prefix.
#[derive(Clone, Debug)]
pub(crate) struct Topology {
    prefix: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExchangeKind {
    Direct,
    Fanout,
}

/// A durable exchange.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) name: String,
    pub(crate) kind: ExchangeKind,
}

/// A queue with its one binding.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    pub(crate) name: String,
    /// Survives the broker's restart; otherwise it belongs to its connection and goes with it.
    pub(crate) durable: bool,
    pub(crate) exchange: String,
    pub(crate) routing_key: String,
    pub(crate) arguments: Vec<(&'static str, Argument)>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Argument {
    Text(&'static str),
    Number(u32),
}

impl Topology {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// Where hints are published, with the queue's name as the routing key.
    pub(crate) fn jobs_exchange(&self) -> String {
        format!("{}.jobs", self.prefix)
    }

    /// Where notes are published.
    pub(crate) fn events_exchange(&self) -> String {
        format!("{}.events", self.prefix)
    }

    /// All exchanges.
    pub(crate) fn exchanges(&self) -> [Exchange; 2] {
        [
            Exchange { name: self.jobs_exchange(), kind: ExchangeKind::Direct },
            Exchange { name: self.events_exchange(), kind: ExchangeKind::Fanout },
        ]
    }

    /// One quorum queue per class of work. No dead-letter exchange: a hint that is dropped costs latency.
    pub(crate) fn jobs(&self, queue: &str) -> Queue {
        Queue {
            name: format!("{}.jobs.{queue}", self.prefix),
            durable: true,
            exchange: self.jobs_exchange(),
            routing_key: queue.to_owned(),
            arguments: vec![
                ("x-queue-type", Argument::Text("quorum")),
                ("x-delivery-limit", Argument::Number(DELIVERY_LIMIT)),
                ("x-max-length", Argument::Number(MOST_HINTS)),
                ("x-message-ttl", Argument::Number(HINT_TTL_MS)),
                ("x-overflow", Argument::Text("drop-head")),
            ],
        }
    }

    /// One queue per subscription, exclusive to its connection and gone with its consumer.
    pub(crate) fn notes(&self, subscription: Uuid) -> Queue {
        Queue {
            name: format!("{}.events.{}", self.prefix, subscription.simple()),
            durable: false,
            exchange: self.events_exchange(),
            routing_key: String::new(),
            arguments: vec![
                ("x-queue-type", Argument::Text("classic")),
                ("x-max-length", Argument::Number(MOST_NOTES)),
                ("x-overflow", Argument::Text("drop-head")),
            ],
        }
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exchange {} {:?} durable", self.name, self.kind)
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let life = if self.durable { "durable" } else { "exclusive auto-delete" };
        write!(f, "queue {} {life} bound to {} by {:?}", self.name, self.exchange, self.routing_key)?;
        for (name, argument) in &self.arguments {
            match argument {
                Argument::Text(text) => write!(f, " {name}={text}")?,
                Argument::Number(number) => write!(f, " {name}={number}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_is_all_that_is_declared() {
        let topology = Topology::new("resettle");
        let mut lines: Vec<String> = topology.exchanges().iter().map(ToString::to_string).collect();
        lines.push(topology.jobs("migrations").to_string());
        lines.push(topology.notes(Uuid::nil()).to_string());
        let expected = [
            "exchange resettle.jobs Direct durable",
            "exchange resettle.events Fanout durable",
            "queue resettle.jobs.migrations durable bound to resettle.jobs by \"migrations\" x-queue-type=quorum \
             x-delivery-limit=20 x-max-length=100000 x-message-ttl=3600000 x-overflow=drop-head",
            "queue resettle.events.00000000000000000000000000000000 exclusive auto-delete bound to \
             resettle.events by \"\" x-queue-type=classic x-max-length=10000 x-overflow=drop-head",
        ];
        assert_eq!(lines, expected);
    }
}
