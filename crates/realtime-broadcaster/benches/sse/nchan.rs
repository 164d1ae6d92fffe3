//! nginx with nchan, as a process of its own: it keeps messages in memory, and is told them by HTTP.

use crate::{Result, memory, now};
use std::{net::SocketAddr, process::Stdio, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::{Child, Command},
    sync::Mutex,
    time::sleep,
};

const MODULE: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";

pub(crate) struct Nchan {
    pub(crate) address: SocketAddr,
    process: Child,
    publisher: Mutex<TcpStream>,
    _folder: TempDir,
}

impl Nchan {
    pub(crate) async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let address = free_address()?;
        let root = folder.path().display();
        let config = format!(
            "load_module {MODULE};\nuser root;\nworker_processes 2;\nworker_rlimit_nofile 20000;\ndaemon off;\n\
             pid {root}/pid;\nerror_log {root}/error.log;\n\
             events {{ worker_connections 12000; }}\n\
             http {{\n  access_log off;\n  nchan_max_reserved_memory 512M;\n  keepalive_requests 100000000;\n\
             server {{\n    listen {address};\n\
             location /pub {{ nchan_publisher; nchan_channel_id $arg_id; nchan_message_buffer_length 256; }}\n\
             location /sub {{ nchan_subscriber eventsource; nchan_channel_id $arg_id; \
             nchan_subscriber_first_message newest; nchan_subscriber_timeout 0; }}\n  }}\n}}\n"
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, config)?;
        let process = Command::new("nginx")
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .kill_on_drop(false)
            .spawn()?;
        for _ in 0..100 {
            if let Ok(publisher) = TcpStream::connect(address).await {
                publisher.set_nodelay(true)?;
                return Ok(Self { address, process, publisher: Mutex::new(publisher), _folder: folder });
            }
            sleep(Duration::from_millis(50)).await;
        }
        Err(std::fs::read_to_string(folder.path().join("error.log"))?.into())
    }

    /// The master and its workers.
    pub(crate) fn pids(&self) -> Result<Vec<u32>> {
        let master = self.process.id().ok_or("nginx ended")?;
        let mut pids = memory::children(master)?;
        pids.push(master);
        Ok(pids)
    }

    pub(crate) fn head(&self, channel: usize) -> String {
        let address = self.address;
        format!("GET /sub?id={channel} HTTP/1.1\nHost: {address}\nAccept: text/event-stream")
    }

    /// Publishes a message of the size of an event; its mark, and when it was handed over.
    pub(crate) async fn publish(&self, channel: usize) -> Result<(u64, u64)> {
        let mark = now();
        let body = format!(
            "{{\"seq\":1,\"ts\":1,\"type\":\"log\",\"migrationId\":\"{0}\",\"run\":1,\"phase\":null,\"progress\":0,\
             \"correlationId\":\"{0}\",\"detail\":{{\"notes\":\"reading /some/page/of/the/site.html\",\
             \"currentTool\":\"crawler\",\"sentNs\":{mark}}}}}",
            uuid::Uuid::nil()
        );
        let (address, length) = (self.address, body.len());
        let request = format!(
            "POST /pub?id={channel} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let mut publisher = self.publisher.lock().await;
        let handed_over = now();
        publisher.write_all(request.as_bytes()).await?;
        read_answer(&mut publisher).await?;
        Ok((mark, handed_over))
    }

    /// Asks it to end, as its operator would.
    pub(crate) async fn stop(mut self) -> Result<()> {
        let pid = self.process.id().and_then(|pid| rustix::process::Pid::from_raw(i32::try_from(pid).ok()?));
        if let Some(pid) = pid {
            rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        }
        self.process.wait().await?;
        Ok(())
    }
}

/// One whole answer with a `Content-Length`.
async fn read_answer(stream: &mut TcpStream) -> Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let text = String::from_utf8_lossy(&head).to_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.ok_or("an answer without a length")?.trim().parse()?];
    stream.read_exact(&mut body).await?;
    if !text.starts_with("http/1.1 20") {
        return Err(text.into());
    }
    Ok(())
}

fn free_address() -> Result<SocketAddr> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
