//! The fetcher against real sockets on loopback.

mod guard;
mod limits;
mod manners;
mod robots;
mod server;
