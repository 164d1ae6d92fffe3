//! Pages as real React renders them: one Node process for all tests, which takes whole projects and gives back documents.

use crate::server::cache;
use serde::Deserialize;
use site_check::Toolchain;
use site_write::{Contents, Project};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Mutex, OnceLock},
};

const PROGRAM: &str = include_str!("react/render.cjs");

/// What became of one page.
#[derive(Debug, Deserialize)]
pub(crate) struct Rendered {
    /// The document, as plain markup.
    pub(crate) html: String,
    /// What React said against it.
    pub(crate) complaints: Vec<String>,
}

/// A Node process that renders. It ends when its input does, which is when this process ends.
struct Renderer {
    _node: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// Every page of a project by its file.
pub(crate) fn render(project: &Project) -> BTreeMap<String, Rendered> {
    static RENDERER: OnceLock<Mutex<Renderer>> = OnceLock::new();
    let files: BTreeMap<&str, &str> = project
        .files
        .iter()
        .filter_map(|(path, contents)| match contents {
            Contents::Text(text) if path.ends_with(".ts") || path.ends_with(".tsx") => {
                Some((path.as_str(), text.as_str()))
            }
            _ => None,
        })
        .collect();
    let request = serde_json::to_string(&files).expect("texts are JSON");
    let renderer = RENDERER.get_or_init(|| Mutex::new(Renderer::start()));
    // A test that fails while it holds the lock leaves no half an answer: each is read whole.
    let mut renderer = renderer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    renderer.ask(&request)
}

impl Renderer {
    fn start() -> Self {
        std::fs::create_dir_all(cache()).expect("the cache can be made");
        // A thread of its own: the caller may be inside a runtime already.
        let preparing = std::thread::spawn(|| {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(Toolchain::prepare(&cache())).expect("Node and npm are here")
        });
        let toolchain = preparing.join().expect("it does not panic");
        let mut command = Command::new("node");
        command.args(["--eval", PROGRAM]).arg(toolchain.node_modules());
        let mut node = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .env("NODE_ENV", "development")
            .spawn()
            .expect("node can be started");
        let input = node.stdin.take().expect("it is piped");
        let output = BufReader::new(node.stdout.take().expect("it is piped"));
        Self { _node: node, input, output }
    }

    fn ask(&mut self, request: &str) -> BTreeMap<String, Rendered> {
        writeln!(self.input, "{request}").expect("the renderer listens");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the renderer answers");
        serde_json::from_str(&line).expect("an answer for each page")
    }
}
