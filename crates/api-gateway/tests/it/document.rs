//! The OpenAPI document and its viewer.

use crate::server::Server;
use reqwest::Method;
use serde_json::{Value, json};

const ROUTES: &[(&str, &str)] = &[
    ("delete", "/api/schedules/{name}"),
    ("get", "/api/admin/dead-letters"),
    ("get", "/api/admin/dead-letters/{id}"),
    ("get", "/api/admin/gates"),
    ("get", "/api/admin/gates/changes"),
    ("get", "/api/admin/jobs"),
    ("get", "/api/admin/jobs/{id}"),
    ("get", "/api/admin/leases"),
    ("get", "/api/admin/poison"),
    ("get", "/api/admin/queues"),
    ("get", "/api/admin/workers"),
    ("get", "/api/dead-letters"),
    ("get", "/api/dead-letters/replays/{id}"),
    ("get", "/api/dead-letters/{id}"),
    ("get", "/api/docs"),
    ("get", "/api/docs/"),
    ("get", "/api/events/stream"),
    ("get", "/api/jobs"),
    ("get", "/api/jobs/kinds"),
    ("get", "/api/jobs/{id}"),
    ("get", "/api/jobs/{id}/attempts"),
    ("get", "/api/jobs/{id}/transitions"),
    ("get", "/api/migration"),
    ("get", "/api/migration/{id}"),
    ("get", "/api/migration/{id}/analysis"),
    ("get", "/api/migration/{id}/analysis/pages"),
    ("get", "/api/migration/{id}/analysis/pages/{number}"),
    ("get", "/api/migration/{id}/artifact"),
    ("get", "/api/migration/{id}/events"),
    ("get", "/api/migration/{id}/plan"),
    ("get", "/api/migration/{id}/result"),
    ("get", "/api/migration/{id}/result/pictures/{hash}"),
    ("get", "/api/migration/{id}/stream"),
    ("get", "/api/openapi.json"),
    ("get", "/api/schedules"),
    ("get", "/api/schedules/{name}"),
    ("get", "/healthz"),
    ("get", "/livez"),
    ("get", "/metrics"),
    ("get", "/problems/{code}"),
    ("get", "/readyz"),
    ("patch", "/api/migration/{id}/plan"),
    ("post", "/api/admin/dead-letters/{id}/discard"),
    ("post", "/api/admin/dead-letters/{id}/replay"),
    ("post", "/api/admin/gates/{scope}/{key}/pause"),
    ("post", "/api/admin/gates/{scope}/{key}/resume"),
    ("post", "/api/dead-letters/replays"),
    ("post", "/api/dead-letters/replays/{id}/cancel"),
    ("post", "/api/dead-letters/{id}/discard"),
    ("post", "/api/dead-letters/{id}/replay"),
    ("post", "/api/jobs"),
    ("post", "/api/jobs/{id}/cancel"),
    ("post", "/api/jobs/{id}/retry"),
    ("post", "/api/migration/start"),
    ("post", "/api/migration/{id}/cancel"),
    ("post", "/api/migration/{id}/retry"),
    ("put", "/api/admin/gates/{scope}/{key}"),
    ("put", "/api/schedules/{name}"),
];

async fn document(server: &Server) -> Value {
    let answer = server.request(Method::GET, "/api/openapi.json").send().await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "application/json");
    answer.json().await.expect("JSON")
}

/// (method, path, operation)
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().expect("paths").iter();
    let mut found: Vec<_> = paths
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().expect("operations").iter();
            methods.map(|(method, operation)| (method.clone(), path.clone(), operation))
        })
        .collect();
    found.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    found
}

#[tokio::test]
async fn the_document_is_openapi_3_1_and_lists_what_is_served() {
    let server = Server::start().await;
    let document = document(&server).await;
    assert!(document["openapi"].as_str().expect("a version").starts_with("3.1"));
    assert!(document["components"]["securitySchemes"]["api_key"].is_object());
    let session = &document["components"]["securitySchemes"]["session"];
    assert_eq!((&session["in"], &session["name"]), (&json!("cookie"), &json!("resettle_session")));
    assert_eq!(document["security"], json!([{"api_key": []}, {"session": []}]));
    let operations = operations(&document);
    let listed: Vec<(&str, &str)> = operations.iter().map(|(m, p, _)| (m.as_str(), p.as_str())).collect();
    assert_eq!(listed, ROUTES);
    let id = server.started("/").await;
    for (method, path, operation) in &operations {
        let refusal = &operation["responses"]["default"]["content"]["application/problem+json"];
        assert!(refusal.is_object(), "{method} {path} does not say how it refuses");
        // Served: with or without a key as the document says, and never by the word for unknown addresses.
        let method: Method = method.to_uppercase().parse().expect("a method");
        let asked = path
            .replace("{id}", &id)
            .replace("{code}", "internal")
            .replace("{number}", "1")
            .replace("{name}", "nightly")
            .replace("{scope}/{key}", "queue/a");
        let bare = server.request(method, &asked).send().await.expect("an answer").status();
        let open = operation["security"] == json!([]);
        assert_eq!(bare.as_u16(), if open { 200 } else { 401 }, "{path}");
    }
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().expect("a name");
        assert!(document["components"]["schemas"][name].is_object(), "{name} is referred to and missing");
    }
}

#[tokio::test]
async fn every_problem_is_in_the_document_and_has_a_page() {
    let server = Server::start().await;
    let document = document(&server).await;
    let schema = &document["components"]["schemas"]["Problem"]["properties"];
    let told: Vec<&str> =
        schema["code"]["enum"].as_array().expect("codes").iter().filter_map(Value::as_str).collect();
    let responses: String =
        operations(&document).iter().map(|(_, _, o)| o["responses"].to_string()).collect();
    for code in api_gateway::Code::ALL {
        let slug = code.slug();
        assert!(told.contains(&slug), "{slug}");
        // The first two are what an address answers that is not in the document, the third is told to our pages only.
        if !matches!(slug, "route_not_found" | "method_not_allowed" | "site_unreadable") {
            assert!(responses.contains(&format!("`{slug}`")), "no route is said to answer {slug}");
        }
    }
    for slug in told.into_iter().chain(["too_many_streams"]) {
        let page = server.request(Method::GET, &format!("/problems/{slug}")).send().await.expect("an answer");
        assert_eq!(page.status(), 200, "{slug}");
        assert!(page.text().await.expect("text").contains("What to do"), "{slug}");
    }
}

#[tokio::test]
async fn the_viewer_needs_no_other_host() {
    let server = Server::start().await;
    let page = server.request(Method::GET, "/api/docs/").send().await.expect("an answer");
    assert_eq!(page.status(), 200);
    let page = page.text().await.expect("text");
    assert!(!page.contains("https://") && !page.contains("src=\"//"), "{page}");
    let script =
        server.request(Method::GET, "/api/docs/swagger-ui-bundle.js").send().await.expect("an answer");
    assert_eq!(script.status(), 200);
    for asset in ["swagger-initializer.js", "swagger-ui.css", "index.css"] {
        let asset =
            server.request(Method::GET, &format!("/api/docs/{asset}")).send().await.expect("an answer");
        assert_eq!(asset.status(), 200);
        let text = asset.text().await.expect("text");
        assert!(!text.contains("petstore") && !text.contains("@import"), "{text}");
    }
    let redirected = server.request(Method::GET, "/api/docs").send().await.expect("an answer");
    assert_eq!(redirected.status(), 200);
}

#[tokio::test]
async fn what_can_be_read_can_be_asked_about_without_its_body() {
    let server = Server::start().await;
    let id = server.started("/").await;
    for path in
        ["/healthz", "/api/openapi.json", "/api/migration", &format!("/api/migration/{id}"), "/nowhere"]
    {
        let get = server.get(path).await;
        let head =
            server.request(Method::HEAD, path).bearer_auth(&server.key).send().await.expect("an answer");
        assert_eq!(head.status(), get.status(), "{path}");
        for name in ["content-type", "content-length"] {
            let length_differs = path == "/nowhere" && name == "content-length";
            assert!(length_differs || head.headers().get(name) == get.headers().get(name), "{path} {name}");
        }
        assert_eq!(head.bytes().await.expect("an end").len(), 0, "{path}");
    }
    let bare = server.request(Method::HEAD, "/api/migration").send().await.expect("an answer");
    assert_eq!(bare.status(), 401);
    let start = server.request(Method::HEAD, "/api/migration/start").bearer_auth(&server.key).send().await;
    assert_eq!(start.expect("an answer").status(), 405);
}
