//! The parts that need a runtime, a port or a process of their own.

mod admin;
mod lifecycle;
mod program;
mod signals;
