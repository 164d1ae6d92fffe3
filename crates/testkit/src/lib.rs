//! What tests stand on: real servers, real processes, real sites, and waiting without sleeping.
//!
//! Nothing in here skips: what is missing is a panic that says how to get it. Everything that is started is
//! stopped when its value is dropped, and also when the test process dies. Only for `[dev-dependencies]`.

pub mod broker;
pub mod clock;
pub mod corpus;
pub mod disk;
pub mod made;
pub mod otlp;
pub mod packages;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod site;
pub mod wait;
