//! Who may not listen, and what they are told.

use crate::{
    client::{get, http, path},
    world::World,
};
use domain::MigrationId;
use realtime_broadcaster::Options;
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_a_problem_document() {
    let world = World::new(Options::default()).await;
    let migration = world.migration(&world.me).await;
    let foreign = world.other().await;
    let me = Some(world.me.key.as_str());
    // Its last character is another one, whatever it is by chance.
    let (all_but_one, last) = world.me.key.split_at(world.me.key.len() - 1);
    let wrong = format!("{all_but_one}{}", if last == "x" { "y" } else { "x" });
    let unknown = path(MigrationId(Uuid::now_v7()));
    let ours = path(migration);
    let cases = [
        (me, unknown.as_str(), 404, "migration_not_found"),
        (Some(foreign.key.as_str()), ours.as_str(), 404, "migration_not_found"),
        (me, "/api/migration/seven/stream", 400, "invalid_id"),
        (me, "/api/migration/%ff/stream", 400, "invalid_id"),
        (me, "/api/events/stream?migrations=seven", 400, "invalid_query"),
        (me, "/api/events/stream?cursor=a&cursor=b", 400, "invalid_query"),
        // Who asks is judged before what is asked.
        (None, "/api/migration/seven/stream", 401, "unauthenticated"),
        (None, "/api/events/stream?cursor=a&cursor=b", 401, "unauthenticated"),
        (None, &ours, 401, "unauthenticated"),
        (Some("rsk_no"), &ours, 401, "unauthenticated"),
        (Some(&wrong), &ours, 401, "unauthenticated"),
    ];
    let mut told = Vec::new();
    for (key, path, status, code) in cases {
        let response = get(world.address, key, path, None).await;
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let problem: Value = response.json().await.expect("JSON");
        assert_eq!(problem["type"], format!("/problems/{code}"));
        assert_eq!(problem["status"], status);
        for member in ["title", "detail"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member} of {problem}");
        }
        assert!(problem.get("traceId").is_some());
        told.push(problem);
    }
    assert_eq!(told[0], told[1], "somebody else's migration looks like one that is not there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_cursor_opens_no_door() {
    let world = World::new(Options::default()).await;
    let migration = world.migration(&world.me).await;
    let foreign = world.other().await;
    let mut stream = world.listen(migration, None).await;
    stream.numbers(1).await;
    let answer = get(world.address, Some(&foreign.key), &path(migration), Some(&stream.cursor)).await;
    assert_eq!(answer.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_can_be_asked_about_and_nothing_else_be_done_with_it() {
    let world = World::new(Options::default()).await;
    let ours = path(world.migration(&world.me).await);
    for path in [ours.as_str(), "/api/events/stream"] {
        let url = format!("http://{}{path}", world.address);
        let asked = |method, key: Option<&str>| {
            let request = http().request(method, &url);
            key.into_iter().fold(request, |request, key| request.bearer_auth(key)).send()
        };
        let head = asked(Method::HEAD, Some(&world.me.key)).await.expect("an answer");
        assert_eq!(
            (head.status().as_u16(), &head.headers()["content-type"]),
            (200, &"text/event-stream".parse().expect("a type"))
        );
        assert_eq!(head.text().await.expect("an end"), "");
        let stranger = asked(Method::HEAD, None).await.expect("an answer");
        assert_eq!(stranger.status(), 401);
        let refused = asked(Method::DELETE, Some(&world.me.key)).await.expect("an answer");
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()["allow"]),
            (405, &"GET, HEAD".parse().expect("methods"))
        );
        let problem: Value = refused.json().await.expect("JSON");
        assert_eq!(problem["type"], "/problems/method_not_allowed");
    }
}
