//! The testkit's own promises, against the real servers.

mod database;
