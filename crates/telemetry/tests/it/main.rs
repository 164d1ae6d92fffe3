//! Telemetry as a process has it. One subscriber per process, so each file here starts this binary again as a
//! child where it needs a process of its own.

mod child;
mod export;
mod lines;
