//! A static server that is not the limit: answers are made beforehand, one thread and one write each.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;

/// Answers a path with a whole response, head and body.
type Answer = dyn Fn(&str) -> Arc<[u8]> + Send + Sync;

/// Serves until the process ends.
pub(crate) fn start(answer: impl Fn(&str) -> Arc<[u8]> + Send + Sync + 'static) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let answer: Arc<Answer> = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            thread::spawn(move || serve(stream, answer.as_ref()));
        }
    });
    Ok(address)
}

/// All files under a folder, by their path.
pub(crate) fn files(root: &Path) -> io::Result<impl Fn(&str) -> Arc<[u8]> + Send + Sync + 'static> {
    let mut answers = HashMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(root).map_err(io::Error::other)?;
            let kind = mime_guess::from_path(&path).first_or_octet_stream();
            let answer = response("200 OK", kind.essence_str(), &std::fs::read(&path)?);
            answers.insert(format!("/{}", name.display()), answer);
        }
    }
    let missing = response("404 Not Found", "text/html", b"<p>not here");
    Ok(move |path: &str| {
        let path = path.split('?').next().unwrap_or_default();
        answers.get(path).unwrap_or(&missing).clone()
    })
}

/// A response as it goes over the wire.
pub(crate) fn response(status: &str, kind: &str, body: &[u8]) -> Arc<[u8]> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat().into()
}

fn serve(mut stream: TcpStream, answer: &Answer) {
    let _ = stream.set_nodelay(true);
    let mut head = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") else {
            match stream.read(&mut buffer) {
                Ok(count) if count > 0 => head.extend_from_slice(&buffer[..count]),
                _ => return,
            }
            continue;
        };
        let line = String::from_utf8_lossy(&head[..end]);
        let whole = answer(line.split(' ').nth(1).unwrap_or_default());
        head.drain(..end + 4);
        if stream.write_all(&whole).is_err() {
            return;
        }
    }
}
