//! Where a project goes. It appears whole or not at all, and never in place of something that is not ours.

use serde_json::Value;
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use url::Url;

/// Says that the folder is a project of ours, and may be replaced by a newer one.
const MARK: &str = ".resettle.json";

/// Why a folder cannot take the project.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(
        "{} is not empty and was not written by resettle: name another folder with --out, or empty this one",
        path.display()
    )]
    NotOurs { path: PathBuf },
    #[error("{} is not a folder: name another one with --out", path.display())]
    NotAFolder { path: PathBuf },
    #[error("{doing} {} failed", path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// The folder that was chosen.
#[derive(Debug)]
pub(crate) struct OutFolder {
    path: PathBuf,
}

impl OutFolder {
    /// `--out`, or `./out/<host>`; refused if something else is there.
    pub(crate) fn choose(out: Option<&Path>, source: &Url) -> Result<Self, Error> {
        let path = out.map_or_else(|| Path::new("out").join(name(source)), Path::to_owned);
        let path = std::path::absolute(&path).map_err(|source| io_error("finding", &path, source))?;
        let chosen = Self { path };
        chosen.check()?;
        Ok(chosen)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn check(&self) -> Result<(), Error> {
        let path = self.path.clone();
        match fs::read_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => Err(Error::NotAFolder { path }),
            Err(source) => Err(io_error("reading", &path, source)),
            Ok(mut entries) => {
                let free = entries.next().is_none() || path.join(MARK).is_file();
                if free { Ok(()) } else { Err(Error::NotOurs { path }) }
            }
        }
    }

    /// A scratch folder beside the chosen one, so that it can be renamed into its place.
    pub(crate) fn prepare(&self) -> Result<TempDir, Error> {
        let parent = self.path.parent().unwrap_or(Path::new("/"));
        let made = fs::create_dir_all(parent).and_then(|()| {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            tempfile::Builder::new().prefix(".resettle-").permissions(mode).tempdir_in(parent)
        });
        made.map_err(|source| io_error("making a folder in", parent, source))
    }

    /// Puts the finished project in its place, instead of an earlier one.
    pub(crate) fn settle(&self, fresh: TempDir, mark: &Value) -> Result<(), Error> {
        let settled = || {
            fs::write(fresh.path().join(MARK), format!("{mark:#}\n"))?;
            if !self.path.exists() {
                return fs::rename(fresh.keep(), &self.path);
            }
            // Renamed first, and removed only when the new one is in its place: removing takes time, and a
            // half-removed project is worse than an old one.
            let old = tempfile::Builder::new()
                .prefix(".resettle-old-")
                .tempdir_in(self.path.parent().unwrap_or(Path::new("/")))?;
            let aside = old.path().join("project");
            fs::rename(&self.path, &aside)?;
            if let Err(error) = fs::rename(fresh.path(), &self.path) {
                // Back to where it was; if even that fails, it is kept and not removed with its folder.
                if fs::rename(&aside, &self.path).is_err() {
                    let kept = old.keep();
                    tracing::error!(kept = %kept.display(), "the earlier project could not be put back");
                }
                return Err(error);
            }
            let _moved = fresh.keep();
            Ok(())
        };
        self.check()?; // it may have been filled meanwhile
        settled().map_err(|source| io_error("putting the project into", &self.path, source))
    }
}

/// A folder's name for a site: its host, and its port if it is not the usual one.
fn name(source: &Url) -> String {
    let port = source.port().map(|port| format!("_{port}")).unwrap_or_default();
    let host = source.host_str().unwrap_or("site").trim_matches(['[', ']', '.']);
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c } else { '_' };
    format!("{}{port}", host.chars().map(plain).collect::<String>())
}

fn io_error(doing: &'static str, path: &Path, source: io::Error) -> Error {
    Error::Io { doing, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    #[test]
    fn a_folder_is_named_after_the_host() {
        assert_eq!(name(&url("https://www.example.com/a/../b?c")), "www.example.com");
        assert_eq!(name(&url("http://127.0.0.1:4100/")), "127.0.0.1_4100");
        assert_eq!(name(&url("http://[::1]:8080/")), "__1_8080");
        assert_eq!(name(&url("https://example.com./")), "example.com");
    }

    #[test]
    fn a_strangers_folder_is_refused_and_ours_is_replaced() {
        let scratch = tempfile::tempdir().expect("scratch");
        let path = scratch.path().join("site");
        let choose = || OutFolder::choose(Some(&path), &url("https://example.com/"));
        let project = |text: &str| {
            let out = choose().expect("free or ours");
            let fresh = out.prepare().expect("prepared");
            fs::write(fresh.path().join("page.tsx"), text).expect("written");
            out.settle(fresh, &json!({"files": 1})).expect("settled");
        };
        project("first");
        project("second");
        assert_eq!(fs::read_to_string(path.join("page.tsx")).expect("there"), "second");
        assert_eq!(fs::read_dir(scratch.path()).expect("listed").count(), 1, "nothing is left beside it");
        fs::remove_file(path.join(MARK)).expect("removed");
        assert!(matches!(choose(), Err(Error::NotOurs { .. })));
        assert_eq!(fs::read_to_string(path.join("page.tsx")).expect("still there"), "second");
    }

    #[test]
    fn a_file_in_the_way_is_refused() {
        let scratch = tempfile::NamedTempFile::new().expect("scratch");
        let refused = OutFolder::choose(Some(scratch.path()), &url("https://example.com/"));
        assert!(matches!(refused, Err(Error::NotAFolder { .. })));
    }
}
