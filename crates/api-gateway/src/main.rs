//! The gateway as a program. Holds nothing but its name.

use api_gateway::{Config, SERVICE};
use service_kit::program::{self, Program};
use std::process::ExitCode;

fn main() -> ExitCode {
    let about = "Serves the REST API.";
    let grace = |config: &Config| config.grace;
    program::main(Program { name: SERVICE, about, check: Config::check, grace }, api_gateway::start)
}
