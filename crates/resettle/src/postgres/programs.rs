//! Where this machine keeps Postgres' server programs, and which versions they are.

use super::{Error, OLDEST};
use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Names one folder with the programs, to be looked at before all others.
const VARIABLE: &str = "RESETTLE_POSTGRES_BIN";

/// The server programs that are installed, by major version.
#[derive(Clone, Debug)]
pub struct Programs {
    by_major: BTreeMap<u32, PathBuf>,
}

impl Programs {
    /// Looks where Debian, Ubuntu and others put them, and on the path.
    pub fn find() -> Result<Self, Error> {
        let named = env::var_os(VARIABLE).map(PathBuf::from);
        let on_path =
            env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
        let folders = named.into_iter().chain(packaged()).chain(on_path);
        Self::among(folders)
    }

    fn among(folders: impl Iterator<Item = PathBuf>) -> Result<Self, Error> {
        let (mut by_major, mut too_old) = (BTreeMap::new(), Vec::new());
        for folder in folders {
            match major_of(&folder) {
                Some(major) if major < OLDEST => too_old.push(format!("{major} in {}", folder.display())),
                // The first one of a version wins: the named folder goes before the others.
                Some(major) => drop(by_major.entry(major).or_insert(folder)),
                None => {}
            }
        }
        if by_major.is_empty() {
            let looked = if too_old.is_empty() { "none at all".to_owned() } else { too_old.join(", ") };
            return Err(Error::NotInstalled { looked });
        }
        Ok(Self { by_major })
    }

    /// The newest version and its folder.
    pub fn newest(&self) -> (u32, &Path) {
        let (major, folder) = self.by_major.last_key_value().expect("never made without one");
        (*major, folder)
    }

    /// The folder of one version.
    pub(crate) fn of(&self, major: u32) -> Option<&Path> {
        self.by_major.get(&major).map(PathBuf::as_path)
    }

    pub(crate) fn versions(&self) -> Vec<String> {
        self.by_major.keys().map(u32::to_string).collect()
    }
}

/// `/usr/lib/postgresql/<major>/bin` of Debian's packages, `/usr/pgsql-<major>/bin` of PostgreSQL's own RPMs.
fn packaged() -> Vec<PathBuf> {
    let below = |root: &str| fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
    let debian = below("/usr/lib/postgresql").map(|version| version.join("bin"));
    let rpm =
        below("/usr").filter(|path| path.to_string_lossy().starts_with("/usr/pgsql-")).map(|p| p.join("bin"));
    debian.chain(rpm).collect()
}

/// The major version of the programs in a folder; `None` if they are not there or cannot be run.
fn major_of(folder: &Path) -> Option<u32> {
    if !folder.join("initdb").is_file() || !folder.join("postgres").is_file() {
        return None;
    }
    let output = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
    parse_major(&String::from_utf8_lossy(&output.stdout))
}

/// From `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
fn parse_major(version: &str) -> Option<u32> {
    let number = version.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_the_program_says() {
        assert_eq!(parse_major("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"), Some(15));
        assert_eq!(parse_major("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(parse_major("command not found"), None);
    }

    #[test]
    fn nothing_found_is_an_error_that_says_what_to_do() {
        let error = Programs::among(std::iter::empty()).expect_err("nothing is there");
        assert!(error.to_string().contains("install Debian's or Ubuntu's package"), "{error}");
    }
}
