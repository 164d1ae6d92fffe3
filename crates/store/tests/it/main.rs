//! The store against a real Postgres: every statement, every fence, every promise of the schema.

mod across;
mod agreement;
mod analysis;
mod cancel;
mod claim;
mod cluster;
mod deadlines;
mod events;
mod fencing;
mod figures;
mod idempotency;
mod lifecycle;
mod migrations;
mod moves;
mod outbox;
mod plans;
mod repeated;
mod rerun;
mod rescue;
mod retries;
mod runner;
mod schema;
mod statements;
mod tenants;
mod tracking;
mod world;
