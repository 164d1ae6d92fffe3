//! From a snapshot to a project that the real compiler, the real bundler, a real server and a real browser take.

mod attributes;
mod browser;
mod cards;
mod clicks;
mod compare;
mod doctypes;
mod generated;
mod images;
mod likeness;
mod lint;
mod menus;
mod nesting;
mod next_14;
mod outline;
mod projects;
mod react;
mod repair;
mod roundtrip;
mod routing;
mod seo;
mod server;
mod services;
mod snapshot;
mod traps;
