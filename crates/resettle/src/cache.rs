//! What can be had again: `deploy/setup` puts a Node.js there when the machine's own is missing or too old, and
//! the packages that check projects are installed there once for all data folders.

use std::{env, ffi::OsString, path::PathBuf};

/// `$XDG_CACHE_HOME/resettle`, or `~/.cache/resettle`.
pub(crate) fn folder() -> Option<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    cache.or_else(home).map(|folder| folder.join("resettle"))
}

/// The path for tools that we start: with what setup installed before what the machine has.
pub(crate) fn search_path() -> OsString {
    let given = env::var_os("PATH").unwrap_or_default();
    let installed = folder().map(|folder| folder.join("bin"));
    let all = installed.into_iter().chain(env::split_paths(&given));
    // Only a folder with a colon in its name cannot be joined; then the path stays as it is.
    env::join_paths(all).unwrap_or(given)
}

/// A program on [`search_path`].
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    env::split_paths(&search_path()).map(|folder| folder.join(name)).find(|path| path.is_file())
}
