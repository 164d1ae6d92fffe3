//! A database of a test's own, copied from a migrated template in a few dozen milliseconds.
//!
//! The template's name holds the hash of the migrations and is made once per server, under an advisory lock,
//! by whichever test process comes first. It must never be changed afterwards, so nobody may connect to it.

use super::server::Server;
use std::{sync::mpsc, time::Duration};
use store::Options;
use tokio_postgres::Client;
use uuid::Uuid;

/// One key for all test processes of a server: "the template is being made".
const TEMPLATE_LOCK: i64 = 0x7265_7365_7474_6c65;
const DROP_BOUND: Duration = Duration::from_secs(20);

/// A migrated database, dropped with everything in it, and whoever is connected, when this value is.
#[derive(Debug)]
pub struct Database {
    server: Server,
    name: String,
}

impl Database {
    /// A fresh database on the server that `make test` started.
    pub async fn create() -> Self {
        Self::create_on(Server::shared()).await
    }

    pub(super) async fn create_on(server: Server) -> Self {
        let admin = server.superuser("postgres").await;
        let template = template(&server, &admin).await;
        let name = format!("resettle_test_{}", Uuid::now_v7().simple());
        execute(&admin, &format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")).await;
        Self { server, name }
    }

    /// What the migrations run as, and what tests look into any table with.
    pub fn owner(&self) -> Options {
        self.options("postgres")
    }

    /// The gateway's own role.
    pub fn gateway(&self) -> Options {
        self.options("resettle_gateway")
    }

    /// The worker's own role.
    pub fn worker(&self) -> Options {
        self.options("resettle_worker")
    }

    /// The broadcaster's own role.
    pub fn broadcaster(&self) -> Options {
        self.options("resettle_broadcaster")
    }

    /// The operators' own role.
    pub fn operator(&self) -> Options {
        self.options("resettle_operator")
    }

    /// The URL for a role, for services that are started as processes.
    pub fn url(&self, role: &str) -> String {
        self.server.url(role, &self.name)
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A plain connection as the superuser, to arrange and to look.
    pub async fn sql(&self) -> Client {
        self.server.superuser(&self.name).await
    }

    /// A plain connection with one of the service roles, to try what it may not do.
    pub async fn sql_as(&self, role: &str) -> Client {
        match self.server.connect(role, &self.name).await {
            Ok(client) => client,
            Err(error) => panic!("{role} cannot connect to {}: {error:?}", self.name),
        }
    }

    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    fn options(&self, role: &str) -> Options {
        Options { url: self.url(role), ..Options::default() }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A thread with a runtime of its own: the test's runtime may be the one that is being torn down. The
        // bound keeps a dead server from holding up the end of a test.
        let (server, name) = (self.server.clone(), std::mem::take(&mut self.name));
        let (done, finished) = mpsc::channel::<()>();
        std::thread::spawn(move || {
            let _done = done;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                // A server that is gone has taken its databases along.
                if let Ok(admin) = server.connect("postgres", "postgres").await {
                    let _gone =
                        admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
                }
            });
        });
        let _bounded = finished.recv_timeout(DROP_BOUND);
    }
}

/// The name of the migrated template, made now if it is not there.
async fn template(server: &Server, admin: &Client) -> String {
    let name = format!("resettle_template_{}", env!("TESTKIT_SCHEMA_HASH"));
    if exists(admin, &name).await {
        return name;
    }
    execute(admin, &format!("SELECT pg_advisory_lock({TEMPLATE_LOCK})")).await;
    if !exists(admin, &name).await {
        // Migrated under another name and renamed at the end: a crash on the way leaves no half-made template.
        let unfinished = format!("{name}_unfinished");
        execute(admin, &format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)")).await;
        execute(admin, &format!("CREATE DATABASE {unfinished}")).await;
        migrate(server, &unfinished).await;
        execute(admin, &format!("ALTER DATABASE {unfinished} ALLOW_CONNECTIONS false")).await;
        disconnect_all(admin, &unfinished).await;
        execute(admin, &format!("ALTER DATABASE {unfinished} RENAME TO {name}")).await;
    }
    execute(admin, &format!("SELECT pg_advisory_unlock({TEMPLATE_LOCK})")).await;
    name
}

async fn migrate(server: &Server, database: &str) {
    let options = Options { url: server.url("postgres", database), ..Options::default() };
    if let Err(error) = store::schema::migrate(&options).await {
        panic!("the migrations do not run: {error:?}");
    }
}

async fn exists(admin: &Client, database: &str) -> bool {
    let asked =
        admin.query_one("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", &[&database]).await;
    asked.unwrap_or_else(|error| panic!("pg_database cannot be read: {error:?}")).get(0)
}

/// Nobody may be connected to a database that is renamed or copied.
async fn disconnect_all(admin: &Client, database: &str) {
    let bound = Duration::from_secs(10);
    crate::wait::until_true("the template to be left alone", bound, || async move {
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";
        admin.query(sql, &[&database]).await.is_ok_and(|left| left.is_empty())
    })
    .await;
}

async fn execute(admin: &Client, sql: &str) {
    if let Err(error) = admin.batch_execute(sql).await {
        panic!("{sql}: {error:?}");
    }
}
