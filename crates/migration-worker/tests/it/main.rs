//! The worker against a real Postgres, a real broker and real sites on the loopback.

mod analysis;
mod dispatch;
mod failing;
mod fencing;
mod fleet;
mod leases;
mod process;
mod relay;
mod repeated;
mod rerun;
mod retention;
mod status;
mod tasks;
mod whole;
mod world;
mod writes;
