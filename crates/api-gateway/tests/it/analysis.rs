//! What is known of a site: a first look, then the whole, paged and filtered, and seen by nobody else.

use crate::server::{Server, key_of, refused};
use domain::{
    MigrationId, WorkerId,
    analysis::{Depth, SizeClass},
    phase::Phase,
};
use serde_json::{Value, json};
use std::time::Duration;
use store::{Analysis, ClaimRequest, Fenced, Lease, ProblemCounts, SitePage, Store};
use uuid::Uuid;

/// A worker that holds the migration's job, in ANALYZE.
async fn worker(server: &Server, id: &str) -> (Store, Lease) {
    let store = Store::connect(&server.database.worker()).await.expect("the worker may connect");
    let worker = WorkerId(Uuid::now_v7());
    let request =
        ClaimRequest { queue: "migrations", worker, slots: 9, ttl: Duration::from_secs(60), begin: None };
    let claimed = store.claim(&request).await.expect("a claim");
    let wanted: MigrationId = id.parse().expect("an id");
    let lease = claimed
        .into_iter()
        .find(|job| job.lease.carries.is_some_and(|of| of.migration == wanted))
        .expect("it waits")
        .lease;
    assert!(matches!(store.begin_job(&lease, &[]).await, Ok(Fenced::Done(()))));
    assert!(matches!(store.begin_phase(&lease, Phase::Analyze, &[]).await, Ok(Fenced::Done(_))));
    (store, lease)
}

fn analysis(depth: Depth, pages: i32) -> Analysis {
    Analysis {
        depth,
        size_class: SizeClass::Medium,
        pages,
        ai_seconds: 90,
        problems: ProblemCounts { errors: 1, warnings: 2, infos: 3 },
        truncated: Some("pages".into()),
        facts: json!({"home": "https://example.com/"}),
    }
}

/// Pages that are alike in everything that one could sort by.
fn page(n: i32) -> SitePage {
    let problems: &[&str] = if n % 3 == 0 { &["missing-alt"] } else { &[] };
    SitePage {
        url: format!("https://example.com/{n:03}"),
        kind: if n % 2 == 0 { "article" } else { "listing" }.into(),
        status: 200,
        title: Some("The same".into()),
        language: None,
        words: 5,
        depth: 1,
        problems: problems.len() as i32,
        problem_codes: problems.iter().map(ToString::to_string).collect(),
        body_hash: "ab".repeat(32),
        facts: json!({"title": "The same", "images": [n]}),
    }
}

/// A migration whose site was read: so many pages.
async fn analyzed(server: &Server, path: &str, pages: i32) -> String {
    let id = server.started(path).await;
    let (store, lease) = worker(server, &id).await;
    let rows: Vec<SitePage> = (1..=pages).map(page).collect();
    assert!(matches!(store.write_site_pages(&lease, 1, &rows).await, Ok(Fenced::Done(()))));
    let deep = analysis(Depth::Deep, pages);
    assert!(matches!(store.complete_analysis(&lease, &deep, &json!({}), &[]).await, Ok(Fenced::Done(()))));
    id
}

async fn read(server: &Server, path: &str) -> Value {
    let answer = server.get(path).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.expect("JSON")
}

fn numbers(list: &Value) -> Vec<i64> {
    list["items"].as_array().expect("a list").iter().filter_map(|page| page["number"].as_i64()).collect()
}

#[tokio::test]
async fn nothing_then_a_first_look_then_the_whole() {
    let server = Server::start().await;
    let id = server.started("/").await;
    let path = format!("/api/migration/{id}/analysis");
    let none = refused(server.get(&path).await, 409, "not_analyzed").await;
    assert_eq!(none["migrationStatus"], "queued");

    let (store, lease) = worker(&server, &id).await;
    let kept = store.keep_analysis(&lease, &analysis(Depth::Shallow, 12)).await;
    assert!(matches!(kept, Ok(Fenced::Done(()))));
    assert!(matches!(store.write_site_pages(&lease, 1, &[page(1)]).await, Ok(Fenced::Done(()))));
    let first = read(&server, &path).await;
    assert_eq!((first["depth"].as_str(), first["pageCount"].as_i64()), (Some("shallow"), Some(12)));
    assert_eq!(first["pages"], json!({"items": [], "next": null}), "not before they are all there");
    refused(server.get(&format!("{path}/pages/1")).await, 404, "page_not_found").await;

    let deep = analysis(Depth::Deep, 1);
    assert!(matches!(store.complete_analysis(&lease, &deep, &json!({}), &[]).await, Ok(Fenced::Done(()))));
    let whole = read(&server, &path).await;
    assert_eq!(whole["migrationId"], id);
    assert_eq!((whole["depth"].as_str(), whole["run"].as_i64()), (Some("deep"), Some(1)));
    assert_eq!((whole["sizeClass"].as_str(), whole["truncated"].as_str()), (Some("medium"), Some("pages")));
    assert_eq!(whole["estimatedAiSeconds"], 90);
    assert_eq!(whole["problems"], json!({"error": 1, "warning": 2, "info": 3}));
    assert_eq!(whole["site"]["home"], "https://example.com/");
    assert_eq!(whole["pages"]["items"][0]["url"], "https://example.com/001");
    let one = read(&server, &format!("{path}/pages/1")).await;
    assert_eq!((&one["facts"]["images"], &one["number"]), (&json!([1]), &json!(1)));
    for number in ["0", "2", "-1", "x", "99999999999"] {
        refused(server.get(&format!("{path}/pages/{number}")).await, 404, "page_not_found").await;
    }
}

#[tokio::test]
async fn pages_that_are_alike_are_each_listed_once() {
    let server = Server::start().await;
    let id = analyzed(&server, "/", 25).await;
    let path = format!("/api/migration/{id}/analysis");
    let whole = read(&server, &format!("{path}?limit=10")).await;
    let (mut seen, mut next) = (numbers(&whole["pages"]), whole["pages"]["next"].clone());
    while let Some(cursor) = next.as_str().map(str::to_owned) {
        let list = read(&server, &format!("{path}/pages?limit=10&cursor={cursor}")).await;
        seen.extend(numbers(&list));
        next = list["next"].clone();
    }
    assert_eq!(seen, (1..=25).collect::<Vec<_>>());
    let exact = read(&server, &format!("{path}/pages?limit=25")).await;
    assert_eq!((numbers(&exact).len(), &exact["next"]), (25, &Value::Null), "no list that would be empty");

    let of = async |query: &str| numbers(&read(&server, &format!("{path}/pages?{query}")).await);
    assert_eq!(of("kind=listing&limit=3").await, [1, 3, 5]);
    assert_eq!(of("problem=missing-alt").await, [3, 6, 9, 12, 15, 18, 21, 24]);
    assert_eq!(of("kind=article&problem=missing-alt").await, [6, 12, 18, 24]);
    assert_eq!(of("kind=product").await, [0; 0]);
}

#[tokio::test]
async fn bad_queries_are_refused() {
    let server = Server::start().await;
    let (one, two) = (analyzed(&server, "/one", 3).await, analyzed(&server, "/two", 3).await);
    let path = format!("/api/migration/{one}/analysis");
    let foreign = read(&server, &format!("/api/migration/{two}/analysis/pages?limit=1")).await;
    let foreign = format!("cursor={}", foreign["next"].as_str().expect("more"));
    let endless = format!("cursor={}", "f".repeat(3000));
    for query in [
        "limit=0",
        "limit=201",
        "limit=x",
        "cursor=",
        "cursor=zz",
        &foreign,
        &endless,
        "kind=a%20b",
        "kind=",
        "problem=%27",
        "colour=red",
    ] {
        for route in ["", "/pages"] {
            refused(server.get(&format!("{path}{route}?{query}")).await, 400, "invalid_query").await;
        }
    }
}

#[tokio::test]
async fn another_tenant_sees_nothing_of_it() {
    let mut server = Server::start().await;
    let id = analyzed(&server, "/", 3).await;
    let routes = ["analysis", "analysis/pages", "analysis/pages/1"];
    for route in routes {
        assert_eq!(server.get(&format!("/api/migration/{id}/{route}")).await.status(), 200);
    }
    server.key = key_of(&server.database, "second@example.com").await;
    for route in routes {
        let answer = server.get(&format!("/api/migration/{id}/{route}")).await;
        refused(answer, 404, "migration_not_found").await;
    }
}
