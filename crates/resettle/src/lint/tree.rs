//! The files of a project on disk. Links are not followed, so nothing outside the folder is read or written; packages, builds
//! and the site's own files are passed over; what there may be is bounded.

use super::Error;
use site_check::lint::is_linted;
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// So many entries are looked at, files and folders together.
const ENTRIES: usize = 200_000;
/// So deep go folders.
const DEPTH: usize = 64;
/// Folders with nothing of the project's own code, wherever they are.
const NEVER: &[&str] = &["node_modules", ".next", ".git"];
/// And at the root, where no route can be called so.
const NOT_AT_ROOT: &[&str] = &["public", "out", "dist", "build", "coverage"];

/// Every file that the lint reads, by its path with `/`. Of one with more than `largest` bytes so many and one are read, so
/// that the lint says that it is too large.
pub(super) fn read(folder: &Path, largest: usize) -> Result<BTreeMap<String, String>, Error> {
    let mut files = BTreeMap::new();
    let mut open = vec![(folder.to_owned(), String::new(), 0_usize)];
    let mut seen = 0_usize;
    while let Some((path, name, depth)) = open.pop() {
        let unreadable = |source| Error::Unreadable { path: path.clone(), source };
        for entry in fs::read_dir(&path).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            seen += 1;
            if seen > ENTRIES {
                return Err(Error::TooMany { path: folder.to_owned(), limit: ENTRIES });
            }
            let kind = entry.file_type().map_err(unreadable)?;
            // A name that is no text is no module that anything could import.
            let Ok(own) = entry.file_name().into_string() else { continue };
            let relative = if name.is_empty() { own.clone() } else { format!("{name}/{own}") };
            let at_root = depth == 0 && (own.starts_with('.') || NOT_AT_ROOT.contains(&own.as_str()));
            if kind.is_dir() && depth < DEPTH && !at_root && !NEVER.contains(&own.as_str()) {
                open.push((entry.path(), relative, depth + 1));
            } else if kind.is_file() && is_linted(&relative) {
                files.insert(relative, text(&entry.path(), largest)?);
            }
        }
    }
    Ok(files)
}

fn text(path: &Path, largest: usize) -> Result<String, Error> {
    let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(unreadable)?;
    file.take(largest as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        // A bound may have cut a character; elsewhere it is no text, which would be written back as something else.
        Err(error) if error.as_bytes().len() > largest => {
            Ok(String::from_utf8_lossy(error.as_bytes()).into_owned())
        }
        Err(error) => Err(unreadable(io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))),
    }
}

/// Copies a project without its packages and builds; what is neither file nor folder is left out, as when it is read.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut open = vec![(from.to_owned(), to.to_owned(), 0_usize)];
    let mut seen = 0_usize;
    while let Some((from, to, depth)) = open.pop() {
        for entry in fs::read_dir(&from)? {
            let (entry, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
            seen += 1;
            if seen > ENTRIES || depth > DEPTH {
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, "there are too many files"));
            }
            let (kind, target) = (fs::symlink_metadata(&entry)?.file_type(), to.join(&name));
            if kind.is_dir() && !NEVER.iter().any(|never| name.to_str() == Some(never)) {
                fs::create_dir(&target)?;
                open.push((entry, target, depth + 1));
            } else if kind.is_file() {
                fs::copy(&entry, &target)?;
            }
        }
    }
    Ok(())
}

/// Puts a text in place of a file at once: whoever reads it meanwhile sees the old one or the new one.
pub(super) fn replace(folder: &Path, relative: &str, text: &str) -> Result<(), Error> {
    let path: PathBuf = folder.join(relative);
    let unwritable = |source| Error::Unwritable { path: path.clone(), source };
    let parent = path.parent().unwrap_or(folder);
    let mut file = tempfile::Builder::new().prefix(".lint-").tempfile_in(parent).map_err(unwritable)?;
    file.write_all(text.as_bytes()).map_err(unwritable)?;
    let mode = fs::metadata(&path).map_err(unwritable)?.permissions();
    file.as_file().set_permissions(mode).map_err(unwritable)?;
    file.as_file().sync_all().map_err(unwritable)?;
    file.persist(&path).map_err(|error| unwritable(error.error))?;
    Ok(())
}
