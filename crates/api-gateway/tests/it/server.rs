//! One gateway on a free port with a database of its own, and a client with a key.

use api_gateway::{Config, Gateway};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use service_kit::{Lifecycle, Secret, admin::Readiness, http};
use std::{net::SocketAddr, time::Duration};
use store::{NewApiKey, Store};
use testkit::{postgres::Database, site::StaticSite};

pub(crate) const GRPC_TOKEN: &str = "a-token-for-the-workers";

/// A running gateway, with a site that it may move.
pub(crate) struct Server {
    pub(crate) database: Database,
    pub(crate) address: SocketAddr,
    pub(crate) site: StaticSite,
    pub(crate) objects: tempfile::TempDir,
    pub(crate) key: String,
    http: reqwest::Client,
    lifecycle: Lifecycle,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    /// With a configuration that is different in something.
    pub(crate) async fn start_with(change: fn(&mut Config)) -> Self {
        Self::start_on(Database::create().await, change).await
    }

    pub(crate) async fn start_on(database: Database, change: fn(&mut Config)) -> Self {
        let _first_stays = rustls::crypto::ring::default_provider().install_default();
        let site = StaticSite::serve(std::collections::BTreeMap::new()).await;
        let objects = tempfile::tempdir().expect("a folder for artefacts");
        let mut config = Config {
            store: database.gateway(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            operator_store: database.operator(),
            grpc_token: Secret::new(GRPC_TOKEN),
            allow_addresses: vec![site.addr()],
            ..Config::default()
        };
        config.objects.url = format!("file://{}", objects.path().display());
        change(&mut config);
        config.check().expect("the test's configuration is valid");
        let store = Store::connect(&config.store).await.expect("the database is there");
        let operators = match config.operator_store.url.as_str() {
            "" => None,
            _ => Some(Store::connect(&config.operator_store).await.expect("the database is there")),
        };
        let gateway =
            Gateway::new(&config, store.clone(), operators).expect("the gateway can be put together");
        let lifecycle = Lifecycle::new(Duration::from_secs(5));
        let readiness = Readiness::new(&lifecycle).with("database", move || {
            let store = store.clone();
            async move { Ok(store.ping().await?) }
        });
        let server =
            http::Server { name: "api", listen: config.listen, workers: 2, grace: Duration::from_secs(1) };
        let routes = gateway.routes(readiness, prometheus::Registry::new());
        let address = http::serve(&lifecycle, server, routes).expect("a free port");
        let key = key_of(&database, "first@example.com").await;
        let http = reqwest::Client::builder().no_proxy().build().expect("a plain client");
        Self { database, address, site, objects, key, http, lifecycle }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.address))
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).bearer_auth(&self.key).send().await.expect("an answer")
    }

    pub(crate) fn start_request(&self, body: &Value) -> RequestBuilder {
        self.request(Method::POST, "/api/migration/start").bearer_auth(&self.key).json(body)
    }

    /// The body of a start that is taken: the path tells sites apart.
    pub(crate) fn wish(&self, path: &str) -> Value {
        json!({"sourceUrl": format!("{}{path}", self.site.url()), "userPrompt": "Keep it."})
    }

    /// Starts a migration and returns its id.
    pub(crate) async fn started(&self, path: &str) -> String {
        let answer = self.start_request(&self.wish(path)).send().await.expect("an answer");
        assert_eq!(answer.status(), 202);
        let answer: Value = answer.json().await.expect("JSON");
        answer["migrationId"].as_str().expect("an id").to_owned()
    }

    pub(crate) async fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        self.database.sql().await.query_one(&sql, &[]).await.expect("a count").get(0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.lifecycle.stop();
    }
}

/// A fresh key of a user with a tenant of its own.
pub(crate) async fn key_of(database: &Database, email: &str) -> String {
    let owner = Store::connect(&database.owner()).await.expect("the owner may connect");
    let member = owner.create_personal_tenant(email).await.expect("a tenant");
    let key = auth::generate();
    let new = NewApiKey {
        tenant: member.tenant,
        user: member.user,
        name: "test".into(),
        prefix: key.prefix.clone(),
        hash: key.hash,
        expires_at: None,
    };
    owner.create_api_key(&new).await.expect("a key");
    key.plaintext.expose().to_owned()
}

/// Asserts a refusal's status, code and form, and returns the document.
pub(crate) async fn refused(answer: Response, status: u16, code: &str) -> Value {
    let got = answer.status().as_u16();
    let content_type =
        answer.headers().get("content-type").and_then(|v| v.to_str().ok()).unwrap_or("").to_owned();
    let text = answer.text().await.expect("a body");
    assert_eq!((got, content_type.as_str()), (status, "application/problem+json"), "{text}");
    let document: Value = serde_json::from_str(&text).expect("a problem is JSON");
    assert_eq!(document["code"], code, "{text}");
    assert_eq!(document["type"], format!("/problems/{code}"));
    assert_eq!(document["status"], status);
    assert!(document["title"].is_string());
    assert!(document["detail"].as_str().is_some_and(|d| d.len() > 10), "it says what to do: {text}");
    document
}
