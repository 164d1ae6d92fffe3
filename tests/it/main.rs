//! The one end-to-end binary: what holds for the tree as a whole, and for the three services together.
//!
//! Black box only: the services are reached by their ports, the database is looked at as a person would with
//! psql. Servers come from `make test` (see `tests/run`); a missing one fails the test that needs it.

mod chaos;
mod client;
mod crashes;
mod embedded;
mod example;
mod faults;
mod jobs;
mod kept;
mod manifests;
mod moves;
mod record;
mod reruns;
mod runner;
mod schemas;
mod stack;
mod streams;
mod tracing;
mod tree;
