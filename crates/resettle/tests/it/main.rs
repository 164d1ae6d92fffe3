//! The command line as its users meet it: the real program, real Postgres servers of its own, real sockets.

mod cli;
mod convert;
mod crawl;
mod foreign;
mod jobs;
mod lint;
mod pages;
mod postgres;
mod remote;
mod scratch;
mod up;
mod whole;
