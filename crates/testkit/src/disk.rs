//! A small disk that a test can fill: a file system in memory, in a mount namespace of its own, which processes are put
//! into. The machine sees nothing of it, and it goes with the process that holds it, however that ends.

use crate::process::{Child, find_program};
use std::{
    fs::File,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tempfile::TempDir;

const BOUND: Duration = Duration::from_secs(20);
const MOUNTED: &str = "the small disk is there";
const SCRIPT: &str = r#"mount -t tmpfs -o size="$1" small "$2" && echo "$3" && exec sleep infinity"#;

/// A disk. Its folder looks empty to whoever is not [inside](Self::inside).
#[derive(Debug)]
pub struct SmallDisk {
    holder: Child,
    folder: TempDir,
    /// Only root may mount anything without a user namespace.
    is_root: bool,
}

impl SmallDisk {
    /// Makes one with room for so many bytes. Where the machine lets nobody mount anything it panics, and says what
    /// `mount` said.
    pub async fn with_room_for(bytes: u64) -> Self {
        let folder = tempfile::tempdir().expect("the temporary folder takes folders");
        let is_root = rustix::process::geteuid().is_root();
        let mut command = Command::new(find_program("unshare", &[]));
        command.arg("--mount");
        if !is_root {
            command.args(["--user", "--map-root-user"]);
        }
        command.args(["--", "sh", "-c", SCRIPT, "sh", &bytes.to_string()]).arg(folder.path()).arg(MOUNTED);
        let mut holder = Child::spawn("a small disk (it takes root, or user namespaces)", command);
        holder.line(MOUNTED, BOUND).await;
        Self { holder, folder, is_root }
    }

    /// Where it is, for those inside.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The same command, run where the disk is seen.
    pub fn inside(&self, command: &Command) -> Command {
        let mut inside = Command::new(find_program("nsenter", &[]));
        inside.arg("--target").arg(self.holder.pid().to_string()).arg("--mount");
        if !self.is_root {
            inside.args(["--user", "--preserve-credentials"]);
        }
        inside.arg("--").arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        inside
    }

    /// Leaves no room for a single byte.
    pub fn fill(&self) {
        let mut ballast = File::create(self.ballast()).expect("the disk takes a file");
        for size in [1 << 20, 1 << 12, 1] {
            let block = vec![1; size];
            loop {
                match ballast.write(&block) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => panic!("the disk cannot be filled: {error}"),
                }
            }
        }
    }

    /// Gives back what [`Self::fill`] took.
    pub fn make_room(&self) {
        std::fs::remove_file(self.ballast()).expect("it was filled before");
    }

    /// The way to a place on it for whoever is not inside.
    pub fn from_outside(&self, place: &str) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.pid()));
        root.join(self.path().strip_prefix("/").expect("the temporary folder's path is whole")).join(place)
    }

    fn ballast(&self) -> PathBuf {
        self.from_outside("ballast")
    }
}
