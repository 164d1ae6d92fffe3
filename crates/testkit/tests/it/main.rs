//! The testkit's own promises, against the real servers.

mod corpus;
mod database;
mod faults;
mod made;
mod process;
mod servers;
mod site;
