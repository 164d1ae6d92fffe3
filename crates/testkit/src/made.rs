//! What a program made of a folder's files, kept for the next run: the same program makes the same of the same bytes.
//!
//! Only for programs whose outcome hangs on nothing but those bytes and what is named beside them (versions, arguments):
//! a bundler, a linter. Never for what a test is about by itself: a build that is to be confined, bounded or refused has to
//! be one. Only what succeeded is kept, and never a half of it; a failure is found anew each time.

use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Packages are named by their lock file, and what a bundler keeps for itself is no part of what it made.
const PASSED_OVER: &[&str] = &["node_modules", ".next/cache"];
/// So many results are kept of a kind; those that were used longest ago go.
const MOST: usize = 24;

/// A kind of results, in the cache that outlives test runs.
#[derive(Debug)]
pub struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    /// The shelf of this kind, below the cache that `make test` names.
    pub fn of(kind: &str) -> Self {
        let cache = std::env::var_os("RESETTLE_TEST_CACHE").expect("`make test` sets RESETTLE_TEST_CACHE");
        Self::at(&Path::new(&cache).join("made").join(kind))
    }

    /// A shelf in this folder.
    pub fn at(folder: &Path) -> Self {
        fs::create_dir_all(folder).expect("the cache can be made");
        Self { folder: folder.to_owned() }
    }

    /// Has `make` work on a folder, unless it did so before on the same bytes and with the same beside them: then what it
    /// had added or changed is put there instead. `make` panics where it fails. True if it had to work.
    pub async fn made(&self, folder: &Path, beside: &[&str], make: impl Future<Output = ()>) -> bool {
        let before = digests(folder).expect("the folder can be read");
        let entry = self.folder.join(name(&before, beside));
        if restore(&entry, folder).is_ok() {
            return false;
        }
        make.await;
        self.keep(&entry, folder, &before).expect("the cache takes what was made");
        true
    }

    /// Copies what is new or different under a name that nobody looks for, and gives it its own when it is whole.
    fn keep(&self, entry: &Path, folder: &Path, before: &BTreeMap<PathBuf, String>) -> io::Result<()> {
        let unfinished = tempfile::Builder::new().prefix("unfinished-").tempdir_in(&self.folder)?;
        for (path, digest) in digests(folder)? {
            if before.get(&path) != Some(&digest) {
                copy(&folder.join(&path), &unfinished.path().join(&path))?;
            }
        }
        match fs::rename(unfinished.path(), entry) {
            Ok(()) => drop(unfinished.keep()),
            // Somebody else was quicker, with the same.
            Err(_) if entry.is_dir() => {}
            Err(error) => return Err(error),
        }
        self.make_room()
    }

    fn make_room(&self) -> io::Result<()> {
        // What another run is throwing away at this moment is none of ours.
        let used = |entry: fs::DirEntry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()));
        let mut entries: Vec<(SystemTime, PathBuf)> =
            fs::read_dir(&self.folder)?.filter_map(|entry| used(entry.ok()?)).collect();
        entries.sort();
        for (_, path) in entries.iter().rev().skip(MOST) {
            // Another run may be at the same.
            let _gone = fs::remove_dir_all(path);
        }
        Ok(())
    }
}

/// What a program says of its version: part of what its results hang on.
pub fn version(program: &str) -> String {
    let said = std::process::Command::new(program).arg("--version").output();
    let said = said.unwrap_or_else(|error| panic!("{program} cannot be started: {error}"));
    String::from_utf8_lossy(&said.stdout).trim().to_owned()
}

/// Puts an entry's files where they were made, and marks it as used. An error where there is none, or where it is being
/// thrown away: what was put there by then is made again.
fn restore(entry: &Path, folder: &Path) -> io::Result<()> {
    File::open(entry)?.set_modified(SystemTime::now())?;
    for path in files(entry)? {
        copy(&entry.join(&path), &folder.join(&path))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to.parent().expect("a file is in a folder"))?;
    match fs::read_link(from) {
        Ok(target) => std::os::unix::fs::symlink(target, to),
        Err(_) => fs::copy(from, to).map(drop),
    }
}

/// One word for files, their bytes and what stands beside them; lengths keep one from running into the next.
fn name(files: &BTreeMap<PathBuf, String>, beside: &[&str]) -> String {
    let mut hash = Sha256::new();
    let mut take = |part: &[u8]| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    for (path, digest) in files {
        take(path.as_os_str().as_encoded_bytes());
        take(digest.as_bytes());
    }
    for part in beside {
        take(part.as_bytes());
    }
    hex(hash.finalize().as_slice())
}

fn digests(folder: &Path) -> io::Result<BTreeMap<PathBuf, String>> {
    let digest = |path: PathBuf| {
        let bytes = match fs::read_link(folder.join(&path)) {
            Ok(target) => target.into_os_string().into_encoded_bytes(),
            Err(_) => fs::read(folder.join(&path))?,
        };
        Ok((path, hex(Sha256::digest(bytes).as_slice())))
    };
    files(folder)?.into_iter().map(digest).collect()
}

/// Every file and link below a folder by its path there, but what is passed over.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut found, mut open) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(below) = open.pop() {
        for entry in fs::read_dir(folder.join(&below))? {
            let entry = entry?;
            let path = below.join(entry.file_name());
            if PASSED_OVER.iter().any(|passed| path == Path::new(passed)) {
                continue;
            }
            if entry.file_type()?.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    Ok(found)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
