//! The pages as a browser gets them, without its scripts: sign in, start, list, progress, sign out; each in both
//! languages, under the policy that was promised; and every way in that is shut.

use crate::{
    browser::{Browser, location},
    server::{Server, refused},
};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_site_owner_signs_in_starts_looks_stops_and_signs_out() {
    let server = Server::start().await;
    let browser = Browser::signed_in(&server).await;
    assert!(browser.read("/migrations").await.contains("Nothing has been moved yet."));
    let token = browser.token().await;
    let site = format!("{}one", server.site.url());
    let wish = [("token", token.as_str()), ("url", &site), ("brief", "Keep it.")];
    let begun = browser.form("/start", &wish).await;
    assert_eq!(begun.status(), 303);
    let at = location(&begun).to_owned();
    assert!(at.starts_with("/migrations/"), "{at}");
    let twice = browser.form("/start", &wish).await;
    assert_eq!(location(&twice), at, "whoever presses twice is led to the same move");
    assert_eq!(server.count("migrations").await, 1);

    let page = browser.read(&at).await;
    assert!(page.contains(&site) && page.contains(r#"data-phase="DEPLOY""#), "{page}");
    assert_eq!(page.matches(r#"data-step="waiting""#).count(), 5);
    assert!(browser.read("/migrations").await.contains(&at));

    let stopped = browser.form(&format!("{at}/cancel"), &[("token", &token)]).await;
    assert_eq!((stopped.status().as_u16(), location(&stopped)), (303, at.as_str()));
    assert!(browser.read(&at).await.contains(r#"data-state="cancelled""#));

    let out = browser.form("/sign-out", &[("token", &token)]).await;
    assert_eq!(location(&out), "/sign-in");
    assert!(out.headers()["set-cookie"].to_str().expect("text").contains("Max-Age=0"));
    let again = browser.get(&at).await;
    assert_eq!(location(&again), format!("/sign-in?next={at}"), "the session is over, not only the cookie");
}

#[tokio::test]
async fn pages_ask_nothing_of_others_and_are_kept_by_nobody() {
    let server = Server::start().await;
    let browser = Browser::signed_in(&server).await;
    for path in ["/", "/ar/", "/sign-in", "/ar/sign-in", "/migrations", "/ar/migrations"] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        let headers = answer.headers().clone();
        let policy = headers["content-security-policy"].to_str().expect("text");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("content-language", if path.starts_with("/ar") { "ar" } else { "en" }),
        ] {
            assert_eq!(headers[name], value, "{path}");
        }
        let page = answer.text().await.expect("a page");
        let direction =
            if path.starts_with("/ar") { r#"lang="ar" dir="rtl""# } else { r#"lang="en" dir="ltr""# };
        assert!(page.contains(direction), "{page}");
        assert!(
            !page.contains(" style=") && !page.contains("<style") && !page.contains(" onclick="),
            "{page}"
        );
        for at in page.split(r#"src=""#).skip(1).chain(page.split(r#"stylesheet" href=""#).skip(1)) {
            let file = at.split('"').next().unwrap_or_default();
            let answer = browser.get(file).await;
            assert_eq!(answer.status(), 200, "{file}");
            assert!(answer.headers()["cache-control"].to_str().expect("text").contains("immutable"));
        }
    }
    refused(browser.get("/assets/0000000000000000/style.css").await, 404, "route_not_found").await;
}

#[tokio::test]
async fn nothing_is_shown_and_nothing_changes_for_who_is_not_signed_in_or_not_here() {
    let server = Server::start().await;
    let stranger = Browser::new(&server);
    for (path, expected) in
        [("/", "/sign-in"), ("/ar/", "/ar/sign-in"), ("/migrations", "/sign-in?next=/migrations")]
    {
        let answer = stranger.get(path).await;
        assert_eq!((answer.status().as_u16(), location(&answer)), (303, expected));
    }
    let wrong = stranger.form("/sign-in", &[("key", "rsk_wrong")]).await;
    assert_eq!(wrong.status(), 401);
    assert!(wrong.text().await.expect("a page").contains("This key does not work."));
    let foreign = stranger.form_from("https://evil.example", "/sign-in", &[("key", &server.key)]).await;
    assert_eq!(foreign.status(), 403);
    assert!(!foreign.headers().contains_key("set-cookie"));
    let away = stranger.form("/sign-in", &[("key", &server.key), ("next", "//evil.example")]).await;
    assert_eq!(location(&away), "/", "the way back leads to no other host");

    let browser = Browser::signed_in(&server).await;
    let token = browser.token().await;
    let site = format!("{}one", server.site.url());
    let with = |token| [("token", token), ("url", site.as_str()), ("brief", "Keep it.")];
    let own = format!("http://{}", server.address);
    for (origin, token) in
        [("https://evil.example", token.as_str()), ("null", &token), (&own, ""), (&own, "0")]
    {
        let answer = browser.form_from(origin, "/start", &with(token)).await;
        assert_eq!(answer.status(), 403, "{origin} {token:?}");
    }
    let unnamed = browser.request(Method::GET, "/").header("host", "rebound.example").send().await;
    assert_eq!(unnamed.expect("an answer").status(), 403);
    assert_eq!(server.count("migrations").await, 0);
}

#[tokio::test]
async fn the_api_takes_the_cookie_only_with_the_forms_token() {
    let server = Server::start().await;
    let browser = Browser::signed_in(&server).await;
    let own = format!("http://{}", server.address);
    assert_eq!(browser.get("/api/migration").await.status(), 200);
    let cross = browser.request(Method::GET, "/api/migration").header("sec-fetch-site", "cross-site");
    refused(cross.send().await.expect("an answer"), 403, "untrusted_origin").await;
    let start = || browser.request(Method::POST, "/api/migration/start").json(&server.wish("one"));
    refused(start().send().await.expect("an answer"), 403, "untrusted_origin").await;
    let bare = start().header("origin", &own).send().await.expect("an answer");
    refused(bare, 403, "stale_form").await;
    let token = browser.token().await;
    let whole = start().header("origin", &own).header("x-form-token", token).send().await.expect("an answer");
    assert_eq!(whole.status(), 202);
    let preflight =
        server.request(Method::OPTIONS, "/api/migration").header("origin", "https://evil.example");
    let preflight = preflight.header("access-control-request-method", "GET").send().await.expect("an answer");
    assert!(!preflight.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn what_a_start_refuses_stands_at_the_field_with_what_was_written() {
    let server = Server::start().await;
    let browser = Browser::signed_in(&server).await;
    let token = browser.token().await;
    let table = [
        ("/start", "ftp://example.com/", "Keep it.", 422, "This is not the address of a website."),
        ("/start", "http://127.0.0.1:1/", "Keep it.", 422, "Only public ones can be moved."),
        ("/start", "https://example.com/", " ", 422, "The wishes are empty or too long"),
        ("/ar/start", "ftp://example.com/", "Keep it.", 422, "هذا ليس عنوان موقع."),
    ];
    for (path, url, brief, status, told) in table {
        let answer = browser.form(path, &[("token", &token), ("url", url), ("brief", brief)]).await;
        assert_eq!(answer.status(), status, "{url}");
        let page = answer.text().await.expect("a page");
        assert!(page.contains(told) && page.contains(r#"role="alert""#), "{page}");
        assert!(page.contains(&format!(r#"value="{url}""#)), "what was written stays: {page}");
    }
    let hostile = browser.form("/start", &[("token", &token), ("url", "\"><script>"), ("brief", "x")]).await;
    assert!(!hostile.text().await.expect("a page").contains("<script>"), "it is escaped");
    let page = browser.get("/migrations/0190a000-0000-7000-8000-000000000000").await;
    assert_eq!(page.status(), 404);
    assert!(page.text().await.expect("a page").contains("There is no such move"));
}

#[tokio::test]
async fn a_first_look_tells_what_there_is_and_starts_nothing() {
    let server = Server::start().await;
    let html =
        "<!doctype html><title>A shop</title><h1>A shop</h1><p>Tea.</p><a href=/a>A</a><a href=/b>B</a>";
    server.site.answer("/", testkit::site::Answer::html(html));
    let locations: String =
        (1..=7).map(|n| format!("<url><loc>{}{n}</loc></url>", server.site.url())).collect();
    let map = format!("<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">{locations}</urlset>");
    server.site.answer("/sitemap.xml", testkit::site::Answer::file("sitemap.xml", map));
    let browser = Browser::signed_in(&server).await;
    let (own, token) = (format!("http://{}", server.address), browser.token().await);
    let look = |url: String, language: &str| {
        let request =
            browser.request(Method::POST, "/look").header("origin", &own).header("x-form-token", &token);
        request.json(&json!({"url": url, "language": language})).send()
    };
    let found = look(server.site.url(), "en").await.expect("an answer");
    assert_eq!(found.status(), 200);
    let found: serde_json::Value = found.json().await.expect("JSON");
    assert_eq!(
        (&found["title"], &found["pages"], &found["listed"]),
        (&json!("A shop"), &json!(7), &json!(true))
    );
    assert_eq!(found["size"], "Medium");
    let missing = look(format!("{}missing", server.site.url()), "ar").await.expect("an answer");
    let told = refused(missing, 422, "site_unreadable").await;
    assert!(told["detail"].as_str().is_some_and(|detail| detail.contains("الموقع")), "{told}");
    refused(look("http://127.0.0.1:1/".into(), "en").await.expect("an answer"), 422, "address_forbidden")
        .await;
    let bare =
        browser.request(Method::POST, "/look").json(&json!({"url": "x", "language": "en"})).send().await;
    refused(bare.expect("an answer"), 403, "untrusted_origin").await;
    assert_eq!(server.count("migrations").await, 0);
}
