//! The fetcher against real sockets on loopback.

mod cached;
mod guard;
mod hostile;
mod https;
mod limits;
mod manners;
mod proxy;
mod robots;
mod server;
mod web;
