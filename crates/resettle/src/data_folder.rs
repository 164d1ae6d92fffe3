//! The folder that an all-in-one keeps everything in: database, objects, API key. One process holds it at a
//! time; a second one is told who does.

use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has it.
    #[error(
        "the data folder {} is in use by another resettle ({holder}): stop that one first, or name another \
         folder with --data", path.display()
    )]
    Held {
        /// Which folder.
        path: PathBuf,
        /// What the holder wrote about itself.
        holder: String,
    },
    /// It cannot be made or written.
    #[error("the data folder {} cannot be used", path.display())]
    Io {
        /// The folder or a file in it.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A data folder, held for as long as the value lives.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    // The lock goes with the file handle, also when the process is killed.
    _lock: File,
}

impl DataFolder {
    /// Makes the folder if need be, and holds it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let failed = |at: &Path, source| Error::Io { path: at.to_owned(), source };
        let fresh = !path.exists();
        fs::create_dir_all(path).map_err(|e| failed(path, e))?;
        let path = path.canonicalize().map_err(|e| failed(path, e))?;
        if fresh {
            // As root the database runs as somebody else, who has to pass through; what is secret in here has
            // its own permissions.
            let mode = if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).map_err(|e| failed(&path, e))?;
        }
        let lock = Self::lock(&path)?;
        Ok(Self { path, _lock: lock })
    }

    fn lock(folder: &Path) -> Result<File, Error> {
        let path = folder.join("lock");
        let failed = |source| Error::Io { path: path.clone(), source };
        let options =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).to_owned();
        let mut file = options.open(&path).map_err(failed)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut holder = String::new();
            file.read_to_string(&mut holder).map_err(failed)?;
            let holder = if holder.trim().is_empty() { "which has only just begun".into() } else { holder };
            return Err(Error::Held { path: folder.to_owned(), holder: holder.trim().to_owned() });
        }
        let written = file
            .set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| writeln!(file, "process {}", std::process::id()));
        written.map_err(failed)?;
        Ok(file)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the API key of this installation is kept, readable by its owner alone.
    pub fn api_key_file(&self) -> PathBuf {
        self.path.join("api-key")
    }

    /// Where bodies, documents and artefacts are kept.
    pub fn objects(&self) -> PathBuf {
        self.path.join("objects")
    }

    /// Writes a file that only its owner can read, whole or not at all.
    pub fn write_secret(&self, path: &Path, text: &str) -> Result<(), Error> {
        let failed = |source| Error::Io { path: path.to_owned(), source };
        let written = || {
            // Named temporary files are 0600 from the start.
            let mut file = tempfile::NamedTempFile::new_in(&self.path)?;
            writeln!(file, "{text}")?;
            file.persist(path)?;
            Ok(())
        };
        written().map_err(failed)
    }
}

/// Where data goes when nothing else is said: for root under /var/lib, where the database's user may go; for
/// anybody else where the desktop standard says.
pub fn default_path() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/lib/resettle");
    }
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/share"));
    data.or_else(home).map_or_else(|| PathBuf::from(".resettle"), |folder| folder.join("resettle"))
}
