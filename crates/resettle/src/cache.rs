//! What can be had again: the packages that check and build projects, once for all data folders. `deploy/setup`
//! keeps its Node.js there, too, when the machine's own is missing or too old.

use std::{env, path::PathBuf};

/// `$XDG_CACHE_HOME/resettle`, or `~/.cache/resettle`.
fn folder() -> Option<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    cache.or_else(home).map(|folder| folder.join("resettle"))
}

/// Where the packages are; in the temporary folder for a user without a home.
pub(crate) fn toolchain() -> PathBuf {
    folder().unwrap_or_else(|| env::temp_dir().join("resettle-cache")).join("toolchain")
}
