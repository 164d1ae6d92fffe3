//! Checks a written project: by reading it, by its compiler and by its build.
//!
//! [`verify`] needs nothing but the project and the snapshot it came from. [`type_check`] and [`build`] need Node; that it
//! is missing is an error of its own kind, which callers turn into a finding, never into a passed check. Nothing of a site
//! is ever given to a shell, and every command is bounded in time and memory.
//!
//! A [`Workshop`] builds and serves a project in a cell, and a [`Comparer`] holds it against its site in a browser.

mod command;
pub mod compare;
mod confined;
mod error;
pub mod lint;
pub mod project;
pub mod repair;
mod scratch;
mod source;
pub mod toolchain;
mod verify;

pub use compare::{Comparer, Comparison};
pub use confined::{Bounds, Server, Workshop};
pub use error::Error;
pub use toolchain::{Build, Toolchain, build, type_check};
pub use verify::{Check, LINT, Problem, Report, verify};

/// What this crate's functions give back.
pub type Result<T> = std::result::Result<T, Error>;
