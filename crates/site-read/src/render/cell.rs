//! A cell: what runs in it has namespaces of its own, of users (one that is nobody, with no rights), processes,
//! mounts, network (a loopback and nothing else), names and IPC. It sees the system's programs, read-only, nothing of
//! our environment, and no file that the caller did not name. It ends when the thread that started it ends.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Unavailable;

/// Memory for each of the folders that can be written to inside, in bytes.
pub(super) const SCRATCH: &str = "268435456";

/// Makes cells, by bubblewrap.
#[derive(Debug, Clone)]
pub struct Cells {
    bwrap: PathBuf,
}

impl Cells {
    /// Looks for bubblewrap.
    pub fn find() -> Result<Self, Unavailable> {
        Ok(Self { bwrap: on_path("bwrap", "bubblewrap")? })
    }

    /// Runs a program that does nothing in a cell: it says whether this machine allows one.
    pub fn try_out(&self) -> Result<(), Unavailable> {
        let mut command = self.command("nobody");
        command.args(["--", "true"]).stdin(Stdio::null());
        let outcome = command.output();
        let said = match outcome {
            Ok(output) if output.status.success() => return Ok(()),
            Ok(output) => String::from_utf8_lossy(&output.stderr).trim().chars().take(300).collect(),
            Err(error) => error.to_string(),
        };
        Err(Unavailable::Confinement { said })
    }

    /// The beginning of a command: bubblewrap with what every cell has. More mounts may follow, then `--`, then the
    /// program. The environment is empty but for what is needed to find programs.
    #[must_use]
    pub fn command(&self, host_name: &str) -> Command {
        let mut command = Command::new(&self.bwrap);
        command.env_clear();
        command.args(["--unshare-all", "--uid", "1000", "--gid", "1000", "--hostname", host_name]);
        command.args(["--die-with-parent", "--new-session", "--clearenv", "--chdir", "/"]);
        for (name, value) in [("PATH", "/usr/bin:/bin"), ("HOME", "/tmp"), ("LANG", "C.UTF-8"), ("TZ", "UTC")]
        {
            command.args(["--setenv", name, value]);
        }
        command.args(["--ro-bind", "/usr", "/usr"]);
        for folder in ["/bin", "/sbin", "/lib", "/lib64", "/lib32"] {
            match std::fs::read_link(folder) {
                Ok(target) => command.arg("--symlink").arg(target).arg(folder),
                Err(_) => command.args(["--ro-bind-try", folder, folder]),
            };
        }
        // The list is short on purpose: a key or a configuration may lie anywhere else under /etc.
        for file in ["/etc/fonts", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d"] {
            command.args(["--ro-bind-try", file, file]);
        }
        command.args(["--proc", "/proc", "--dev", "/dev", "--size", SCRATCH, "--tmpfs", "/dev/shm"]);
        command.args(["--size", SCRATCH, "--tmpfs", "/tmp", "--tmpfs", "/run"]);
        command
    }
}

/// A folder that only we can enter, removed on drop.
pub fn private_folder() -> io::Result<tempfile::TempDir> {
    // Short: the path of a socket has some hundred bytes at most.
    tempfile::Builder::new().prefix("rs-").permissions(std::fs::Permissions::from_mode(0o700)).tempdir()
}

/// A program by its name; `package` is the Debian package that has it.
pub fn on_path(program: &'static str, package: &'static str) -> Result<PathBuf, Unavailable> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin"));
    let mut folders = std::env::split_paths(&path).chain(["/usr/bin".into(), "/bin".into()]);
    let found =
        folders.find_map(|folder| Some(folder.join(OsStr::new(program))).filter(|path| is_program(path)));
    found.ok_or(Unavailable::NoProgram { program, package })
}

pub(super) fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
