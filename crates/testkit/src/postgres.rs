//! Postgres for tests: a migrated database of its own for each test, and whole clusters for tests that stop,
//! restart or kill the server.

mod cluster;
mod database;
mod server;

pub use cluster::Cluster;
pub use database::Database;
