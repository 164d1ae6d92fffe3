//! The worker as a program. Holds nothing but its name.

use migration_worker::{Config, SERVICE};
use service_kit::program::{self, Program};
use std::process::ExitCode;

fn main() -> ExitCode {
    let about = "Carries out migrations.";
    let grace = |config: &Config| config.grace;
    program::main(Program { name: SERVICE, about, check: Config::check, grace }, migration_worker::start)
}
