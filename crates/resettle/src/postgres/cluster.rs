//! The database's folder: made whole or not at all, and only opened with the version that made it.

use super::{Account, Error, OWNER, Programs};
use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::process::Command;

/// Longer logs are begun anew at the next start.
const LOG_LIMIT: u64 = 16 * 1024 * 1024;

/// How much of a log an error quotes.
const QUOTED_LINES: usize = 12;

/// A folder with a database in it, and the programs that fit it.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    pub(crate) data: PathBuf,
    pub(crate) bin: PathBuf,
    pub(crate) log: PathBuf,
    pub(crate) account: Option<Account>,
}

impl Cluster {
    /// The last lines of the server's log.
    pub(crate) fn log_tail(&self) -> String {
        tail(&fs::read(&self.log).unwrap_or_default())
    }
}

/// The cluster of a data folder; made if there is none yet.
pub(crate) async fn open(
    folder: &Path,
    programs: &Programs,
    account: Option<Account>,
) -> Result<Cluster, Error> {
    let data = folder.join("postgres");
    if let Some(account) = &account {
        account.can_reach(&data)?;
    }
    let log = folder.join("postgres.log");
    if fs::metadata(&log).is_ok_and(|found| found.len() > LOG_LIMIT) {
        fs::remove_file(&log).map_err(Error::io("beginning the server's log anew"))?;
    }
    let bin = match fs::read_to_string(data.join("PG_VERSION")) {
        Ok(version) => fitting(&data, &version, programs)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !data.exists() => {
            let bin = programs.newest().1.to_owned();
            make(folder, &data, &bin, account.as_ref()).await?;
            bin
        }
        Err(error) => return Err(Error::io(format!("reading the version of {}", data.display()))(error)),
    };
    Ok(Cluster { data, bin, log, account })
}

fn fitting(data: &Path, version: &str, programs: &Programs) -> Result<PathBuf, Error> {
    let folder = version.trim().parse().map_err(|_| {
        let source = io::Error::new(io::ErrorKind::InvalidData, "not a version number");
        Error::io(format!("reading the version of {}", data.display()))(source)
    })?;
    let bin = programs.of(folder).map(Path::to_owned);
    bin.ok_or_else(|| Error::OtherVersion { path: data.to_owned(), folder, have: programs.versions() })
}

/// Made beside its place and then renamed: a kill in the middle leaves nothing that looks like a database.
async fn make(folder: &Path, data: &Path, bin: &Path, account: Option<&Account>) -> Result<(), Error> {
    let fresh = folder.join("postgres.new");
    let prepared = || {
        if fresh.exists() {
            fs::remove_dir_all(&fresh)?;
        }
        fs::create_dir(&fresh)?;
        fs::set_permissions(&fresh, fs::Permissions::from_mode(0o700))?;
        account.map_or(Ok(()), |account| account.own(&fresh))
    };
    prepared().map_err(Error::io(format!("making {}", fresh.display())))?;
    let mut command = Command::new(bin.join("initdb"));
    // Trust is confined by the socket's folder; bytes sort the same everywhere in the C locale.
    command.args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--data-checksums", "--username", OWNER]);
    command.arg("--pgdata").arg(&fresh).current_dir("/").stdin(Stdio::null()).kill_on_drop(true);
    if let Some(account) = account {
        account.become_in(&mut command);
    }
    let output = command.output().await.map_err(Error::io("starting initdb"))?;
    if !output.status.success() {
        let said = tail(&[output.stdout, output.stderr].concat());
        return Err(Error::Failed { program: "initdb", said });
    }
    fs::rename(&fresh, data).map_err(Error::io(format!("putting {} in its place", data.display())))
}

fn tail(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(QUOTED_LINES);
    lines[from..].iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_a_log_is_quoted() {
        let log: String = (0..40).map(|n| format!("line {n}\n")).collect();
        let quoted = tail(log.as_bytes());
        assert!(quoted.starts_with("  line 28\n") && quoted.ends_with("  line 39"), "{quoted}");
    }
}
