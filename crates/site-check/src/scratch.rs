//! A folder in which packages are being installed, and what is left of one whose process was killed.
//!
//! Whoever installs holds a lock on its folder for as long as it lives; the kernel gives it back with the process,
//! however that ends. A folder that can be locked is therefore nobody's any more. Making one and clearing them away
//! take turns by a lock on the folder above, so that none is cleared away before its maker holds it.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::Path,
};
use tempfile::TempDir;

const PREFIX: &str = "installing-";

/// A folder of one's own; gone when dropped, unless it was kept.
pub(crate) struct Scratch {
    pub(crate) folder: TempDir,
    _held: File,
}

/// Removes what killed processes left below `dir`.
pub(crate) fn clear(dir: &Path) -> io::Result<()> {
    clear_in_turn(dir).map(drop)
}

/// A new folder below `dir`.
pub(crate) fn make(dir: &Path) -> io::Result<Scratch> {
    let _turn = clear_in_turn(dir)?;
    let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(dir)?;
    let held = File::open(folder.path())?;
    held.lock()?;
    Ok(Scratch { folder, _held: held })
}

/// The turn is over when the answer is dropped.
fn clear_in_turn(dir: &Path) -> io::Result<File> {
    let turn = File::open(dir)?;
    turn.lock()?;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let left = match File::open(entry.path()) {
            // It finished, or gave up, meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            opened => opened?,
        };
        match left.try_lock() {
            Ok(()) => {
                tracing::info!(folder = %entry.path().display(), "what a killed install left is removed");
                fs::remove_dir_all(entry.path())?;
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(turn)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(dir: &Path) -> Vec<String> {
        let names = fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").file_name());
        names.map(|name| name.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn what_nobody_holds_is_removed_and_what_somebody_holds_is_not() {
        let dir = tempfile::tempdir().expect("a scratch folder");
        let lost = dir.path().join("installing-lost/node_modules/x");
        fs::create_dir_all(&lost).expect("made");
        fs::write(lost.join("index.js"), "half").expect("written");
        let running = make(dir.path()).expect("a folder");
        assert_eq!(left(dir.path()), [running.folder.path().file_name().expect("a name").to_string_lossy()]);
        fs::write(running.folder.path().join("package.json"), "{}").expect("still there");

        let other = make(dir.path()).expect("another");
        assert_eq!(left(dir.path()).len(), 2, "two install side by side");
        drop(other);
        // What a kill -9 leaves: the folder without its holder.
        let killed = running.folder.keep();
        assert!(killed.is_dir());
        drop(running._held);
        clear(dir.path()).expect("cleared");
        assert!(left(dir.path()).is_empty(), "{:?}", left(dir.path()));
    }

    #[test]
    fn nothing_else_is_touched() {
        let dir = tempfile::tempdir().expect("a scratch folder");
        fs::create_dir_all(dir.path().join("6ec246e78d554f15/node_modules")).expect("made");
        clear(dir.path()).expect("cleared");
        assert_eq!(left(dir.path()), ["6ec246e78d554f15"]);
    }
}
