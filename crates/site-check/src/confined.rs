//! Builds and serves a project in a cell: no network but a loopback of its own, no file but the system's programs, the
//! packages (read-only) and the project itself, nothing of our environment, bounded in processor time, memory, time, open
//! files and bytes written. What a site's own code does at build time, or while its pages are rendered, it does there.
//!
//! A served project listens on a socket in a folder that only we can enter; nobody reaches it by a network. Never runs
//! anything outside a cell: where there is none, there is no build.

use std::{
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use site_read::render::{Cells, End, Kept, Unavailable, on_path, private_folder};
use site_write::OLD_DOCTYPES;
use tempfile::TempDir;
use tokio::{io::AsyncReadExt, process::ChildStdout, sync::Semaphore, time::timeout};

use crate::{Build, Error, Result, Toolchain};

/// Where the project, the socket's folder and Node are inside.
const PROJECT: &str = "/project";
const OUT: &str = "/run/out";
const NODE: &str = "/run/node";
/// The socket's name in its folder.
const SOCKET: &str = "copy";
/// What the cell says when the server can be reached.
const READY: &str = "resettle: it listens";
/// The end of what is said that is kept, in bytes.
const KEPT: usize = 64 * 1024;
/// How often the bytes written are counted.
const COUNT: Duration = Duration::from_secs(1);

/// Bounds of each process: no core files, seconds of processor time, bytes of one file (in blocks of 512), open files.
const LIMITS: &str =
    r#"ulimit -c 0; ulimit -t "$1" || exit 71; ulimit -f "$2" || exit 71; ulimit -n 8192 || exit 71; "#;
/// As `npm run build` does it; `$4` is the script that keeps old doctypes, if the project has it.
const BUILD: &str = r#"
"$3" node_modules/next/dist/bin/next build 2>&1 || exit
if [ -f "$4" ]; then exec "$3" "$4" 2>&1; fi
"#;
/// The port is 3000 (0BB8). When the server ends, so does the cell.
const SERVE: &str = r#"
"$3" node_modules/next/dist/bin/next start -H 127.0.0.1 -p 3000 2>&1 &
server=$!
socat UNIX-LISTEN:/run/out/copy,fork,backlog=64 TCP-CONNECT:127.0.0.1:3000 </dev/null >/dev/null 2>&1 &
until [ -S /run/out/copy ] && grep -q ':0BB8 00000000:0000 0A' /proc/net/tcp; do
    kill -0 "$server" || exit 70
    sleep 0.02
done
echo "resettle: it listens"
wait "$server"
"#;

/// The bounds of a build and of a server.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Longest build of a project without pages, ...
    pub build: Duration,
    /// ... and so much longer for each page.
    pub page: Duration,
    /// Longest start of a server.
    pub start: Duration,
    /// Most memory of all processes together, in bytes.
    pub memory: u64,
    /// Most processor time of one process.
    pub processor: Duration,
    /// Most bytes that a build may add to the project's folder; one file may have as many.
    pub written: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            build: Duration::from_secs(15 * 60),
            page: Duration::from_secs(2),
            start: Duration::from_secs(60),
            memory: 6 << 30,
            processor: Duration::from_secs(60 * 60),
            written: 4 << 30,
        }
    }
}

impl Bounds {
    /// The longest build of the project in this folder.
    pub(crate) async fn build_of(&self, folder: &Path) -> Duration {
        let app = folder.join("app");
        let count = move || files(&app).filter(|(path, _)| path.ends_with("page.tsx")).count();
        let pages = tokio::task::spawn_blocking(count).await.unwrap_or(0);
        self.build + self.page.saturating_mul(u32::try_from(pages).unwrap_or(u32::MAX))
    }
}

/// Where projects are built, one after the other, and served.
#[derive(Clone, Debug)]
pub struct Workshop {
    cells: Cells,
    node: PathBuf,
    toolchain: Toolchain,
    bounds: Bounds,
    /// Held by the build that is under way: it may use all the memory that the bounds give.
    building: Arc<Semaphore>,
}

impl Workshop {
    /// Looks for what confines, and tries it. An error says what to install or allow.
    pub fn open(toolchain: Toolchain, bounds: Bounds) -> std::result::Result<Self, Unavailable> {
        let cells = Cells::find()?;
        on_path("socat", "socat")?;
        let node = on_path("node", "nodejs")?;
        let node = node.canonicalize().unwrap_or(node);
        cells.try_out()?;
        Ok(Self { cells, node, toolchain, bounds, building: Arc::new(Semaphore::new(1)) })
    }

    /// Runs `next build` on the project in `folder`, with the shared packages: nothing is installed. It waits for the build that is
    /// under way in this workshop; the bound on its time begins with it.
    pub async fn build(&self, folder: &Path) -> Result<Build> {
        // Nobody closes it: what `acquire` could say else is never said.
        let _alone = self.building.acquire().await;
        let command = self.cell(folder, None, BUILD).map_err(|source| at(folder, source))?;
        let (before, bound) = (written(folder).await, self.bounds.build_of(folder).await);
        let (kept, mut said) = self.start(command, folder).await?;
        let ending = async {
            let mut tail = Tail::default();
            let (read, end) = tokio::join!(tail.read(&mut said, None), kept.ended());
            read.map(|_| (tail, end))
        };
        let grown = async {
            let mut pace = tokio::time::interval(COUNT);
            loop {
                pace.tick().await;
                if written(folder).await.saturating_sub(before) > self.bounds.written {
                    return;
                }
            }
        };
        let endless = |_| Error::Endless { command: "next build".into(), bound };
        let (tail, end) = tokio::select! {
            ended = timeout(bound, ending) => {
                ended.map_err(endless)?.map_err(|source| at(folder, source))?
            }
            () = grown => return Ok(Build { succeeded: false, said: self.wrote_too_much() }),
        };
        let said = if end.outgrown { self.took_too_much() } else { tail.text() };
        Ok(Build { succeeded: end.status.is_some_and(|status| status.success()), said })
    }

    /// Starts `next start` on a project that was built here.
    pub async fn serve(&self, folder: &Path) -> Result<Server> {
        let place = private_folder().map_err(|source| at(folder, source))?;
        let command = self.cell(folder, Some(place.path()), SERVE).map_err(|source| at(folder, source))?;
        let (process, mut said) = self.start(command, folder).await?;
        let mut tail = Tail::default();
        let endless = |_| Error::Endless { command: "next start".into(), bound: self.bounds.start };
        let listens = timeout(self.bounds.start, tail.read(&mut said, Some(READY))).await;
        let listens = listens.map_err(endless)?.map_err(|source| at(folder, source))?;
        if !listens {
            return Err(Error::Unserved { said: tail.text() });
        }
        Ok(Server { socket: place.path().join(SOCKET), _place: place, process, said })
    }

    async fn start(&self, command: Command, folder: &Path) -> Result<(Kept, ChildStdout)> {
        let started = async {
            let (kept, ends) = Kept::start(command, self.bounds.memory).await?;
            let said = ends.from.ok_or(io::ErrorKind::BrokenPipe)?;
            Ok((kept, ChildStdout::from_std(said)?))
        };
        started.await.map_err(|source| at(folder, source))
    }

    fn cell(&self, folder: &Path, out: Option<&Path>, script: &str) -> io::Result<Command> {
        // The packages are mounted here.
        std::fs::create_dir_all(folder.join("node_modules"))?;
        let mut command = self.cells.command("workshop");
        command.arg("--bind").arg(folder).arg(PROJECT);
        command.arg("--ro-bind").arg(self.toolchain.node_modules()).arg(format!("{PROJECT}/node_modules"));
        if let Some(out) = out {
            command.arg("--bind").arg(out).arg(OUT);
        }
        let system = self.node.starts_with("/usr");
        let node = if system { self.node.as_path() } else { Path::new(NODE) };
        if !system {
            command.arg("--ro-bind").arg(&self.node).arg(NODE);
        }
        let heap = format!("--max-old-space-size={}", self.bounds.memory / 2 / (1 << 20));
        for (name, value) in [("NODE_OPTIONS", heap.as_str()), ("NEXT_TELEMETRY_DISABLED", "1"), ("CI", "1")]
        {
            command.args(["--setenv", name, value]);
        }
        command.args(["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", PROJECT, "--"]);
        command.args(["sh", "-c", &format!("{LIMITS}{script}"), "sh"]);
        command.arg(self.bounds.processor.as_secs().to_string());
        command.arg((self.bounds.written / 512).to_string()).arg(node).arg(OLD_DOCTYPES);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        Ok(command)
    }

    fn took_too_much(&self) -> String {
        format!("it took more than {} bytes of memory and was ended", self.bounds.memory)
    }

    fn wrote_too_much(&self) -> String {
        format!("it wrote more than {} bytes and was ended", self.bounds.written)
    }
}

/// A project that is served. Dropping it ends the server.
pub struct Server {
    socket: PathBuf,
    _place: TempDir,
    process: Kept,
    /// What it says from now on stays in the pipe; closed, the pipe would be an error to it.
    said: ChildStdout,
}

impl Server {
    /// The socket that it answers HTTP at.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Ends it and waits until it is gone.
    pub async fn end(self) -> End {
        drop(self.said);
        self.process.end().await
    }
}

/// The end of what a program says.
#[derive(Default)]
struct Tail {
    bytes: Vec<u8>,
}

impl Tail {
    /// Reads to the end, or until `word` was said; whether it was.
    async fn read(&mut self, from: &mut ChildStdout, word: Option<&str>) -> io::Result<bool> {
        let mut chunk = vec![0; 8 * 1024];
        loop {
            let count = from.read(&mut chunk).await?;
            if count == 0 {
                return Ok(false);
            }
            self.bytes.extend_from_slice(&chunk[..count]);
            if word.is_some_and(|word| self.text().contains(word)) {
                return Ok(true);
            }
            let over = self.bytes.len().saturating_sub(KEPT);
            self.bytes.drain(..over);
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

async fn written(folder: &Path) -> u64 {
    let folder = folder.to_owned();
    tokio::task::spawn_blocking(move || files(&folder).map(|(_, bytes)| bytes).sum()).await.unwrap_or(0)
}

/// All files below a folder with their bytes, links not followed. What cannot be read any more has just gone.
fn files(folder: &Path) -> impl Iterator<Item = (PathBuf, u64)> {
    let mut folders = vec![folder.to_owned()];
    let mut entries = None;
    std::iter::from_fn(move || {
        loop {
            if entries.is_none() {
                entries = Some(std::fs::read_dir(folders.pop()?).into_iter().flatten().flatten());
            }
            let Some(entry) = entries.as_mut().and_then(Iterator::next) else {
                entries = None;
                continue;
            };
            match entry.metadata() {
                Ok(found) if found.is_dir() => folders.push(entry.path()),
                Ok(found) => return Some((entry.path(), found.len())),
                Err(_) => {}
            }
        }
    })
}

fn at(path: &Path, source: io::Error) -> Error {
    Error::File { path: path.to_owned(), source }
}
