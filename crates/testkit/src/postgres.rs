//! Postgres for tests: a migrated database of its own for each test, and whole clusters for tests that stop,
//! restart or kill the server; and a door at which an answer gets lost.

mod cluster;
mod database;
mod door;
mod server;

pub use cluster::Cluster;
pub use database::Database;
pub use door::Door;
