//! A browser without its scripts: a cookie, forms with their origin, and no redirect followed unseen.

use crate::server::Server;
use reqwest::{Method, RequestBuilder, Response, StatusCode};

/// A browser that keeps its cookie and says where its forms come from.
pub(crate) struct Browser<'a> {
    server: &'a Server,
    http: reqwest::Client,
    cookie: String,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(server: &'a Server) -> Self {
        let plain = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        Self { server, http: plain.build().expect("a plain client"), cookie: String::new() }
    }

    pub(crate) async fn signed_in(server: &'a Server) -> Self {
        let mut browser = Self::new(server);
        let answer = browser.form("/sign-in", &[("key", &server.key)]).await;
        assert_eq!((answer.status(), location(&answer)), (StatusCode::SEE_OTHER, "/"));
        let cookie = answer.headers()["set-cookie"].to_str().expect("text");
        for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="] {
            assert!(cookie.contains(part), "{cookie}");
        }
        browser.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        browser
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("http://{}{path}", self.server.address));
        if self.cookie.is_empty() { request } else { request.header("cookie", &self.cookie) }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.expect("an answer")
    }

    pub(crate) async fn read(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.expect("a page")
    }

    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        self.form_from(&format!("http://{}", self.server.address), path, fields).await
    }

    pub(crate) async fn form_from(&self, origin: &str, path: &str, fields: &[(&str, &str)]) -> Response {
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let request = self.request(Method::POST, path).header("origin", origin);
        let request =
            request.header("content-type", "application/x-www-form-urlencoded").body(body.join("&"));
        request.send().await.expect("an answer")
    }

    pub(crate) async fn token(&self) -> String {
        let page = self.read("/").await;
        let (_, rest) = page.split_once(r#"name="token" value=""#).expect("a form with its token");
        rest.split('"').next().unwrap_or_default().to_owned()
    }
}

fn encoded(value: &str) -> String {
    value.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

pub(crate) fn location(answer: &Response) -> &str {
    answer.headers().get("location").and_then(|value| value.to_str().ok()).unwrap_or_default()
}
