//! RabbitMQ for tests: the shared one under a prefix of the test's own, and whole brokers for tests that stop,
//! restart or reconfigure the server.

use crate::{
    ports,
    process::{Child, User, find_program, run, server_folder},
};
use std::{
    net::Ipv4Addr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tempfile::TempDir;
use tokio::net::TcpStream;
use uuid::Uuid;

const VARIABLE: &str = "RESETTLE_TEST_AMQP";
const START_BOUND: Duration = Duration::from_secs(120);
const STOP_BOUND: Duration = Duration::from_secs(60);
const CTL_BOUND: Duration = Duration::from_secs(60);
/// What RabbitMQ writes when it is up.
const STARTED: &str = "Server startup complete";
/// A free port may be taken by somebody else before the server comes to it.
const TRIES: usize = 3;

/// The URL of the broker that `make test` started for all tests.
pub fn shared_url() -> String {
    match std::env::var(VARIABLE) {
        Ok(url) => url,
        Err(_) => panic!(
            "{VARIABLE} is not set: `make test` starts the servers, `tests/run --servers-only` keeps them up"
        ),
    }
}

/// A prefix for exchanges and queues that no other test has. What is declared under it goes with the broker,
/// which lives as long as the test run.
pub fn unique_prefix() -> String {
    format!("t{}", Uuid::now_v7().simple())
}

/// A RabbitMQ of a test's own: home, cookie, data and ports are private and on the loopback, its own epmd
/// included, so that nothing of the system's Erlang is touched. Killed, with its folder, when dropped.
#[derive(Debug)]
pub struct Broker {
    // Dropped in this order: the folder last, when nobody writes into it any more.
    running: Option<Child>,
    epmd: Child,
    ports: Ports,
    user: Option<User>,
    folder: TempDir,
}

#[derive(Clone, Copy, Debug)]
struct Ports {
    amqp: u16,
    distribution: u16,
    epmd: u16,
}

impl Broker {
    /// Makes a broker and starts it; takes some seconds.
    pub async fn start() -> Self {
        for _ in 1..TRIES {
            let mut broker = Self::prepare();
            if broker.try_start().await.is_ok() {
                return broker;
            }
        }
        let mut broker = Self::prepare();
        broker.start_again().await;
        broker
    }

    /// A broker that is not up yet, at an address where nobody else will listen: what a service finds that starts before
    /// its broker does, or has none at all. [`Broker::start_again`] brings it up.
    pub fn absent() -> Self {
        Self::prepare()
    }

    /// `amqp://…` for its default virtual host.
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.ports.amqp)
    }

    /// Stops it in an orderly way; its data stays.
    pub async fn stop(&mut self) {
        let mut running = self.running.take().expect("the broker is running");
        running.terminate();
        running.exited(STOP_BOUND).await;
    }

    /// kill -9; its data stays.
    pub fn kill(&mut self) {
        self.running.take().expect("the broker is running").kill();
    }

    /// Takes away all that it knew, users and queues included. To be called while it does not run.
    pub fn lose_everything(&mut self) {
        assert!(self.running.is_none(), "the broker is running");
        std::fs::remove_dir_all(self.folder.path().join("data")).expect("the folder is ours");
    }

    /// Starts it on the data that it has, and waits until it says that it is up.
    pub async fn start_again(&mut self) {
        if let Err(log) = self.try_start().await {
            panic!("RabbitMQ does not start:\n{log}");
        }
    }

    /// Runs `rabbitmqctl` with the arguments against it, and returns what it prints.
    pub async fn ctl(&self, arguments: &[&str]) -> String {
        self.tool("rabbitmqctl", arguments).await
    }

    /// Runs `rabbitmq-diagnostics`, `rabbitmq-queues`, … against it.
    pub async fn tool(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = self.command(program);
        command.arg("--quiet").args(arguments);
        run(program, command, self.user.as_ref(), CTL_BOUND).await
    }

    fn prepare() -> Self {
        let user = User::to_become("rabbitmq");
        let folder = server_folder("rmq", user.as_ref());
        let [amqp, distribution, epmd] = ports::free();
        let ports = Ports { amqp, distribution, epmd };
        let config = format!(
            "listeners.tcp.1 = 127.0.0.1:{amqp}\nloopback_users = none\ndisk_free_limit.absolute = 50MB\n"
        );
        write(&folder, "rabbitmq.conf", &config, 0o644, user.as_ref());
        write(&folder, "enabled_plugins", "[].\n", 0o644, user.as_ref());
        write(&folder, ".erlang.cookie", &Uuid::new_v4().simple().to_string(), 0o400, user.as_ref());
        let epmd = start_epmd(epmd, user.as_ref());
        Self { running: None, epmd, ports, user, folder }
    }

    async fn try_start(&mut self) -> Result<(), String> {
        assert!(self.running.is_none(), "the broker is running");
        if !self.epmd.is_running() {
            return Err(self.epmd.log());
        }
        self.epmd_answers().await?;
        let mut running =
            Child::spawn_as("rabbitmq-server", self.command("rabbitmq-server"), self.user.as_ref());
        let deadline = tokio::time::Instant::now() + START_BOUND;
        // Its own word, not an open port: that could be somebody else's, and opens before the broker is whole.
        while !running.log().contains(STARTED) {
            if !running.is_running() || tokio::time::Instant::now() > deadline {
                return Err(running.log());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        if !self.epmd.is_running() {
            return Err(self.epmd.log());
        }
        self.running = Some(running);
        Ok(())
    }

    /// Before the node asks for it: a node that finds no epmd starts one for the whole system.
    async fn epmd_answers(&mut self) -> Result<(), String> {
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.ports.epmd)).await.is_err() {
            if !self.epmd.is_running() {
                return Err(self.epmd.log());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    fn command(&self, program: &str) -> Command {
        let at = |name: &str| self.folder.path().join(name);
        let mut command = Command::new(find_program(program, &[PathBuf::from("/usr/lib/rabbitmq/bin")]));
        let loopback = "-kernel inet_dist_use_interface {127,0,0,1}";
        // By default its idle threads spin for a while in case something comes, and the tests want the processors.
        let idle = "+sbwt none +sbwtdcpu none +sbwtdio none";
        command
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env("RABBITMQ_NODENAME", "test@localhost")
            .env("RABBITMQ_DIST_PORT", self.ports.distribution.to_string())
            .env("ERL_EPMD_PORT", self.ports.epmd.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", format!("{loopback} {idle}"))
            .env("RABBITMQ_CTL_ERL_ARGS", loopback)
            // The machine's own settings must not leak in.
            .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
            .env("RABBITMQ_CONFIG_FILE", at("rabbitmq.conf"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", at("enabled_plugins"))
            .env("RABBITMQ_MNESIA_BASE", at("data"))
            .env("RABBITMQ_LOG_BASE", at("log"))
            .env("RABBITMQ_PID_FILE", at("pid"))
            .env("RABBITMQ_LOGS", "-")
            // Makes the start script become the server instead of waiting for it, so that its pid is ours.
            .env("RUNNING_UNDER_SYSTEMD", "true")
            .env_remove("NOTIFY_SOCKET");
        command
    }
}

fn start_epmd(port: u16, user: Option<&User>) -> Child {
    let mut epmd = Command::new(find_program("epmd", &[]));
    epmd.args(["-address", "127.0.0.1", "-port", &port.to_string()]);
    Child::spawn_as("epmd", epmd, user)
}

fn write(folder: &TempDir, name: &str, text: &str, mode: u32, user: Option<&User>) {
    let path: &Path = &folder.path().join(name);
    std::fs::write(path, text).expect("the folder is ours");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("the file is ours");
    User::own(user, path);
}
