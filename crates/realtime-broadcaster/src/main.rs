//! The broadcaster as a program. Holds nothing but its name.

use realtime_broadcaster::{Config, SERVICE};
use service_kit::program::{self, Program};
use std::process::ExitCode;

fn main() -> ExitCode {
    let about = "Streams the progress of migrations.";
    let grace = |config: &Config| config.grace;
    program::main(Program { name: SERVICE, about, check: Config::check, grace }, realtime_broadcaster::start)
}
