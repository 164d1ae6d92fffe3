//! The gateway: REST in front of the record.
//!
//! Every route authenticates, judges its input, and makes at most one transaction; a refusal is a problem document.
//! It never does a migration's work, never speaks to the bus (the outbox does), and never asks another service
//! for anything but a worker's word on what it is doing right now. What it fetches of a site is the first look that
//! its start page shows, through the guard.
//!
//! Start at [`Gateway::routes`]; each route has a file in `routes`.

mod answers;
mod config;
mod correlation;
mod gateway;
mod input;
mod keyed;
mod live;
mod metrics;
mod openapi;
mod pages;
mod problem;
mod process;
mod routes;
mod stored;
mod view;

pub use config::{Colour, Config, Instance};
pub use gateway::{Error, Gateway};
pub use openapi::document as openapi_document;
pub use problem::{Code, Problem};
pub use process::start;

/// The name under which this service is configured, traced and logged.
pub const SERVICE: &str = "api-gateway";
