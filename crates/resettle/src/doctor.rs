//! `resettle doctor`: looks at what is needed, changes nothing, and says what to do about what is missing.

use crate::{
    cli::DoctorArguments,
    data_folder::{self, DataFolder},
    exit::Outcome,
    postgres::Programs,
    terminal::say,
};
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use url::Url;

const NODE: [u32; 2] = [20, 9];
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

type Finding = Result<String, String>;

/// The command.
pub(crate) async fn command(arguments: DoctorArguments) -> Result<Outcome, anyhow::Error> {
    let mut findings =
        vec![("PostgreSQL", postgres()), ("Node.js", node()), ("data folder", data(&arguments.data.data))];
    if let Some(server) = &arguments.server {
        findings.push(("server", reached(server).await));
    }
    let healthy = findings.iter().all(|(_, finding)| finding.is_ok());
    for (name, finding) in findings {
        match finding {
            Ok(found) => say(format_args!("ok       {name}: {found}")),
            Err(missing) => say(format_args!("missing  {name}: {missing}")),
        }
    }
    Ok(if healthy { Outcome::Done } else { Outcome::Unsuccessful })
}

fn postgres() -> Finding {
    let programs = Programs::find().map_err(|error| error.to_string())?;
    let (major, folder) = programs.newest();
    Ok(format!("{major} in {}", folder.display()))
}

fn node() -> Finding {
    let wanted = "Node.js 20.9 or newer type-checks and builds projects; `deploy/setup demo` installs it";
    let node = on_path("node").ok_or_else(|| format!("not on the PATH. {wanted}"))?;
    on_path("npm").ok_or_else(|| format!("npm is not on the PATH. {wanted}"))?;
    let said = Command::new(&node).arg("--version").output().map_err(|error| format!("{error}. {wanted}"))?;
    let version = String::from_utf8_lossy(&said.stdout).trim().to_owned();
    let numbers: Vec<u32> =
        version.trim_start_matches('v').split('.').filter_map(|n| n.parse().ok()).collect();
    if numbers.as_slice() < NODE.as_slice() {
        return Err(format!("{} is {version}. {wanted}", node.display()));
    }
    Ok(format!("{version} at {}", node.display()))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

fn data(path: &Path) -> Finding {
    if !path.exists() {
        return Ok(format!("{} (not made yet)", path.display()));
    }
    match DataFolder::open(path) {
        Ok(_) => Ok(path.display().to_string()),
        // Somebody at work in it is as it should be.
        Err(data_folder::Error::Held { holder, .. }) => {
            Ok(format!("{} (in use by {holder})", path.display()))
        }
        Err(error) => Err(service_kit::exit::chain(&error)),
    }
}

async fn reached(server: &Url) -> Finding {
    let asked = async {
        let client = reqwest::Client::builder().timeout(ANSWER_WITHIN).build()?;
        let url = server.join("healthz").unwrap_or_else(|_| server.clone());
        client.get(url).send().await?.error_for_status()
    };
    match asked.await {
        Ok(_) => Ok(format!("{server} answers")),
        Err(error) => Err(service_kit::exit::chain(&error)),
    }
}
