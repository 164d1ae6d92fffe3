//! A project's archive becomes files: inside the given folder or not at all. The archive may come from a server
//! that is not ours, so every name and size in it is doubted.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    path::{Path, PathBuf},
};
use zip::ZipArchive;

const MOST_FILES: usize = 200_000;
const MOST_BYTES: u64 = 16 * 1024 * 1024 * 1024;

/// Why an archive was not unpacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the project's archive cannot be read")]
    Archive(#[from] zip::result::ZipError),
    #[error(
        "the project's archive has an entry {name:?}, which would leave its folder: nothing of it was kept"
    )]
    Escapes { name: String },
    #[error("the project's archive has an entry {name:?} that is neither a file nor a folder")]
    NotAFile { name: String },
    #[error("the project's archive has {name:?} twice")]
    Twice { name: String },
    #[error("the project's archive is larger than any project ({MOST_FILES} files, {MOST_BYTES} bytes)")]
    TooLarge,
    #[error("{name:?} of the project's archive cannot be written")]
    Write {
        name: String,
        #[source]
        source: io::Error,
    },
}

/// Unpacks into an empty folder; returns the number of files.
pub(crate) fn unpack(archive: &Path, into: &Path) -> Result<u64, Error> {
    let file = File::open(archive).map_err(zip::result::ZipError::from)?;
    let mut archive = ZipArchive::new(file)?;
    if archive.len() > MOST_FILES {
        return Err(Error::TooLarge);
    }
    let (mut files, mut left) = (0, MOST_BYTES);
    for index in 0..archive.len() {
        let entry = archive.by_index(index)?;
        let name = entry.name()?.into_owned();
        let path = into.join(inside(&name).ok_or_else(|| Error::Escapes { name: name.clone() })?);
        if entry.is_dir() {
            fs::create_dir_all(&path).map_err(|source| Error::Write { name, source })?;
            continue;
        }
        if !entry.is_file() {
            return Err(Error::NotAFile { name });
        }
        let written = write(entry.take(left + 1), &path).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => Error::Twice { name: name.clone() },
            _ => Error::Write { name: name.clone(), source },
        })?;
        left = left.checked_sub(written).ok_or(Error::TooLarge)?;
        files += 1;
    }
    Ok(files)
}

/// The path below the folder, if the name has nothing but plain parts.
fn inside(name: &str) -> Option<PathBuf> {
    let name = name.strip_suffix('/').unwrap_or(name);
    let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0']);
    name.split('/').all(plain).then(|| name.split('/').collect())
}

/// Declared sizes may lie; what is counted is what comes out.
fn write(mut from: impl Read, path: &Path) -> io::Result<u64> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    io::copy(&mut from, &mut file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use zip::{ZipWriter, write::SimpleFileOptions};

    fn archive(entries: &[&str]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("scratch");
        let mut writer = ZipWriter::new(file.reopen().expect("the same file"));
        for name in entries {
            writer.start_file(*name, SimpleFileOptions::default()).expect("any name can be written");
            writer.write_all(name.as_bytes()).expect("written");
        }
        writer.finish().expect("finished");
        file
    }

    #[test]
    fn files_land_below_the_folder() {
        let into = tempfile::tempdir().expect("scratch");
        let files =
            unpack(archive(&["package.json", "app/a b/page.tsx"]).path(), into.path()).expect("unpacked");
        assert_eq!(files, 2);
        assert_eq!(
            fs::read_to_string(into.path().join("app/a b/page.tsx")).expect("there"),
            "app/a b/page.tsx"
        );
    }

    #[test]
    fn nothing_leaves_the_folder() {
        for name in ["../evil", "/etc/evil", "a/../../evil", "a\\..\\evil", "a//b", "./a", ".."] {
            let scratch = tempfile::tempdir().expect("scratch");
            let into = scratch.path().join("into");
            fs::create_dir(&into).expect("made");
            let refused = unpack(archive(&[name]).path(), &into);
            assert!(matches!(refused, Err(Error::Escapes { .. })), "{name}: {refused:?}");
            assert_eq!(fs::read_dir(scratch.path()).expect("listed").count(), 1, "{name}");
            assert_eq!(fs::read_dir(&into).expect("listed").count(), 0, "{name}");
        }
    }

    #[test]
    fn links_are_refused() {
        let file = tempfile::NamedTempFile::new().expect("scratch");
        let mut writer = ZipWriter::new(file.reopen().expect("the same file"));
        writer.add_symlink("a", "/etc/passwd", SimpleFileOptions::default()).expect("written");
        writer.finish().expect("finished");
        let into = tempfile::tempdir().expect("scratch");
        assert!(matches!(unpack(file.path(), into.path()), Err(Error::NotAFile { .. })));
    }

    #[test]
    fn what_is_no_archive_is_an_error() {
        let file = tempfile::NamedTempFile::new().expect("scratch");
        let into = tempfile::tempdir().expect("scratch");
        assert!(matches!(unpack(file.path(), into.path()), Err(Error::Archive(_))));
    }
}
