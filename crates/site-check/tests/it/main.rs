//! From a snapshot to a project that the real compiler, the real bundler, a real server and a real browser take.

mod browser;
mod compare;
mod likeness;
mod lint;
mod menus;
mod routing;
mod seo;
mod server;
mod snapshot;
mod traps;
