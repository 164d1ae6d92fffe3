//! The bell's promises, against a real RabbitMQ and a real Postgres: one suite for both, and what only a
//! broker can do.

mod amqp;
mod conformance;
mod ground;
mod outage;
