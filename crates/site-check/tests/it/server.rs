//! A written project on disk, built and served by the real Next.js, asked by HTTP.

use crate::snapshot::Site;
use site_check::Toolchain;
use site_read::ContentHash;
use site_write::{Bodies, Contents, Keeps, Plan, Project};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tempfile::TempDir;
use testkit::made::{Shelf, version};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    net::TcpStream,
    process::{Child, ChildStdout, Command},
};

/// A served project; the server dies with it.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    _server: Child,
    /// What it says from now on stays in the pipe; closed, the pipe would be an error to it.
    _said: Lines<BufReader<ChildStdout>>,
    pub(crate) folder: TempDir,
}

/// An answer, as far as tests look at it.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: String,
    pub(crate) body: String,
}

pub(crate) fn cache() -> PathBuf {
    let cache = std::env::var("RESETTLE_TEST_CACHE").expect("`make test` sets RESETTLE_TEST_CACHE");
    PathBuf::from(cache).join("toolchain")
}

/// Plans and writes.
pub(crate) fn written(site: &Site) -> (Plan, Project) {
    let plan = site_write::plan(&site.snapshot, &site.bodies).expect("a plan");
    let project = site_write::transform(&plan, &site.snapshot, &site.bodies).expect("a project");
    (plan, project)
}

/// The same by a plan of which some pages keep more of what the site had.
pub(crate) fn keeping(site: &Site, plan: &Plan, keeps: &Keeps) -> (Plan, Project) {
    let (snapshot, bodies) = (&site.snapshot, &site.bodies);
    let plan = site_write::keeping(plan, keeps, snapshot, bodies).expect("a plan");
    let project = site_write::transform(&plan, snapshot, bodies).expect("a project");
    (plan, project)
}

/// The text of one of the project's files.
pub(crate) fn text<'a>(project: &'a Project, path: &str) -> &'a str {
    match project.files.get(path) {
        Some(Contents::Text(text)) => text,
        other => panic!("{path}: {other:?}"),
    }
}

/// What is done to a project before it is served, for the shelf of what was built before.
const RECIPE: &str = "tsc --noEmit; next build";

/// Writes the project's files, type-checks and builds them, and starts the server. The same files are built once for as
/// long as the packages and Node are the same: what these tests look at is what comes of the build.
pub(crate) async fn serve(site: &Site, project: &Project) -> Served {
    std::fs::create_dir_all(cache()).expect("the cache can be made");
    // Beside the packages, so that they can be hard-linked.
    let folder = tempfile::Builder::new().prefix("traps-").tempdir_in(cache()).expect("a scratch folder");
    for (path, contents) in &project.files {
        put(&folder.path().join(path), contents, &site.bodies);
    }
    let toolchain = Toolchain::prepare(&cache()).await.expect("Node and npm are here");
    // The packages' folder is named by their lock file.
    let beside = [RECIPE, &toolchain.node_modules().to_string_lossy(), &version("node")];
    let building = build(folder.path(), &toolchain);
    Shelf::of("built").made(folder.path(), &beside, building).await;
    // What was built before needs its packages, too, to be served.
    toolchain.install_into(folder.path()).await.expect("the packages can be linked");
    let (server, said, address) = start(folder.path()).await;
    Served { address, _server: server, _said: said, folder }
}

async fn build(folder: &Path, toolchain: &Toolchain) {
    toolchain.install_into(folder).await.expect("the packages can be linked");
    let problems = site_check::type_check(folder, toolchain).await.expect("tsc runs");
    assert_eq!(problems, [], "tsc takes every file");
    let build = site_check::build(folder).await.expect("next build runs");
    assert!(build.succeeded, "next build takes the project:\n{}", build.said);
}

pub(crate) fn put(target: &Path, contents: &Contents, bodies: &dyn Bodies) {
    std::fs::create_dir_all(target.parent().expect("below the folder")).expect("a folder can be made");
    let stored = |hash: &ContentHash| bodies.get(hash).expect("a stored body").to_vec();
    let bytes = match contents {
        Contents::Text(text) => text.clone().into_bytes(),
        Contents::Stored(hash) => stored(hash),
    };
    std::fs::write(target, bytes).expect("a file can be written");
}

/// Starts the server on a port that the kernel gives to it, and reads from its own words which one that is.
async fn start(folder: &Path) -> (Child, Lines<BufReader<ChildStdout>>, SocketAddr) {
    let mut command = Command::new("node");
    command.args(["node_modules/next/dist/bin/next", "start", "-H", "127.0.0.1", "-p", "0"]);
    command
        .current_dir(folder)
        .env("NEXT_TELEMETRY_DISABLED", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let mut server = command.spawn().expect("node can be started");
    let mut lines = BufReader::new(server.stdout.take().expect("it is piped")).lines();
    let listening = async {
        while let Some(line) = lines.next_line().await.expect("it writes text") {
            if let Some((_, address)) = line.split_once("http://") {
                return address.trim().parse().expect("an address and a port");
            }
        }
        panic!("next start ended without listening");
    };
    let address = tokio::time::timeout(Duration::from_secs(60), listening).await.expect("next start listens");
    (server, lines, address)
}

impl Served {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let mut connection = TcpStream::connect(self.address).await.expect("it listens");
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address);
        connection.write_all(request.as_bytes()).await.expect("it is sent");
        let mut bytes = Vec::new();
        connection.read_to_end(&mut bytes).await.expect("an answer");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let location = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("location").then(|| value.trim().to_owned())
        });
        Answer { status, location: location.unwrap_or_default(), body: body.to_owned() }
    }
}
