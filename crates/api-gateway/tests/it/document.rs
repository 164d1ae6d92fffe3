//! The OpenAPI document and its viewer.

use crate::server::Server;
use reqwest::Method;
use serde_json::Value;

#[tokio::test]
async fn the_document_is_openapi_3_1_and_knows_every_route() {
    let server = Server::start().await;
    let answer = server.request(Method::GET, "/api/openapi.json").send().await.expect("an answer");
    let document: Value = answer.json().await.expect("JSON");
    assert!(document["openapi"].as_str().expect("a version").starts_with("3.1"));
    let paths: Vec<&String> = document["paths"].as_object().expect("paths").keys().collect();
    assert_eq!(
        paths,
        [
            "/api/migration",
            "/api/migration/start",
            "/api/migration/{id}",
            "/api/migration/{id}/artifact",
            "/api/migration/{id}/cancel",
            "/api/migration/{id}/events",
        ]
    );
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let refusal = &operation["responses"]["default"]["content"]["application/problem+json"];
            assert!(refusal.is_object(), "{method} {path} does not say how it refuses");
        }
    }
    assert!(document["components"]["securitySchemes"]["api_key"].is_object());
    let references = document.to_string();
    for reference in references.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().expect("a name");
        assert!(document["components"]["schemas"][name].is_object(), "{name} is referred to and missing");
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
    let redirected = server.request(Method::GET, "/api/docs").send().await.expect("an answer");
    assert_eq!(redirected.status(), 200);
}
