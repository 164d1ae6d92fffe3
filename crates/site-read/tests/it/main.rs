//! The crawl against real local servers.

mod frontier;
mod golden;
mod hostile;
mod order;
mod pages;
mod passing;
mod render;
mod rendered;
mod resume;
mod server;
mod start;
mod traps;
