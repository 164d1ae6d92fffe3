//! The builder-compatibility lint: what compiles, and yet breaks in a browser, a build or a visual builder. It reads syntax
//! trees with their scopes; it runs nothing, opens no file and asks nobody. The same files give the same report.
//!
//! [`lint`] looks, [`fix`] mends what has one safe mending, [`settle`] writes down why a freshly written project keeps what
//! its site had. Start reading at `registry` (the rules), then `file` (what a rule is shown) and one file of `rule`.

mod deep;
mod element;
mod file;
mod fix;
mod lines;
mod registry;
mod report;
mod rule;
mod run;
mod settle;
mod ssr;
mod suppress;

use std::collections::BTreeSet;

pub use fix::{Applied, Fixed, fix};
pub use registry::{Rule, Severity, rules};
pub use report::{Excerpt, Report, Violation};
pub use run::{is_linted, lint};
pub use settle::settle;

/// What the lint is to know, and where it stops.
#[derive(Clone, Debug)]
pub struct Options {
    /// Hosts whose images may stay `<img>`, beside those that `next.config` names itself.
    pub image_hosts: BTreeSet<String>,
    /// A file with more bytes is not read, which is a violation. No more than 4 GiB.
    pub largest_file: usize,
    /// So many violations are told, the first by file and place; the report says that there are more.
    pub most_violations: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { image_hosts: BTreeSet::new(), largest_file: 16 << 20, most_violations: 10_000 }
    }
}
