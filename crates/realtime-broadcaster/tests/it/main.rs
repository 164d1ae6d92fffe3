//! The broadcaster against a real Postgres, over real HTTP connections.
#![expect(unreachable_pub, reason = "a test binary has no public face")]

mod access;
mod client;
mod crowd;
mod cursor;
mod feed;
mod grpc;
mod ingress;
mod limits;
mod loss;
mod names;
mod process;
mod refusal;
mod stop;
mod world;
