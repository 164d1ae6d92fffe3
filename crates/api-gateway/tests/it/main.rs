//! The gateway over a real socket, on a real database: every route, every refusal, and what must hold when
//! requests collide or answers get lost.

mod admin;
mod again;
mod analysis;
mod artifact;
mod browser;
mod dead_letters;
mod document;
mod gates;
mod idempotency;
mod jobs;
mod live;
mod migrations;
mod outage;
mod pages;
mod plan;
mod process;
mod refusals;
mod result;
mod retries;
mod schedules;
mod server;
