//! Resettle's command line, and the all-in-one: the three services in one process on one port, with a Postgres
//! of its own.
//!
//! The services are only put together here, never changed: what the all-in-one does, three processes do just
//! the same. Start at [`cli`] (what can be asked), [`all_in_one`] (how the services are put together) and
//! [`postgres`] (the private server).

pub mod all_in_one;
pub mod cli;
pub mod data_folder;
pub mod postgres;

mod allowed;
mod api_keys;
mod build;
mod cache;
mod client;
mod convert;
mod crawl;
mod demo;
mod doctor;
mod example_site;
mod exit;
mod lint;
mod migrate;
mod operations;
mod out_folder;
mod progress;
mod schema;
mod terminal;
mod tools;
mod unpack;
mod up;

pub use cli::run;
