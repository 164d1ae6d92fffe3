//! The gateway over a real socket, on a real database: every route, every refusal, and what must hold when
//! requests collide or answers get lost.

mod analysis;
mod artifact;
mod dead_letters;
mod document;
mod idempotency;
mod live;
mod migrations;
mod outage;
mod pages;
mod plan;
mod process;
mod refusals;
mod retries;
mod server;
