//! Jobs that repeat, over HTTP: said whole, said again, and refused with what is allowed.

use crate::{
    jobs::World,
    server::{key_of, refused},
};
use reqwest::{Method, Response};
use serde_json::{Value, json};

impl World {
    async fn schedule(&self, method: Method, name: &str, body: Option<&Value>) -> Response {
        let path = format!("/api/schedules/{name}");
        let request = self.server.request(method, &path).bearer_auth(&self.server.key);
        let request = body.into_iter().fold(request, |request, body| request.json(body));
        request.send().await.expect("an answer")
    }

    async fn put(&self, name: &str, body: &Value) -> Response {
        self.schedule(Method::PUT, name, Some(body)).await
    }
}

fn nightly() -> Value {
    json!({"cron": "30 2 * * *", "timeZone": "Europe/Berlin", "missed": "once", "kind": "resize", "payload": {"width": 5}})
}

async fn body(answer: Response, status: u16) -> Value {
    assert_eq!(answer.status(), status);
    answer.json().await.expect("JSON")
}

#[tokio::test]
async fn a_schedule_stands_until_it_is_removed_and_said_again_it_stays_as_it_is() {
    let world = World::new().await;
    let first = body(world.put("nightly", &nightly()).await, 201).await;
    assert_eq!(
        (&first["name"], &first["maxAttempts"], &first["paused"]),
        (&json!("nightly"), &json!(3), &json!(false))
    );
    let upcoming: Vec<&str> =
        first["upcoming"].as_array().expect("times").iter().filter_map(Value::as_str).collect();
    assert_eq!((upcoming.len(), upcoming[0]), (5, first["nextAt"].as_str().expect("a time")));
    assert!(upcoming.is_sorted(), "{upcoming:?}");
    let again = body(world.put("nightly", &nightly()).await, 200).await;
    assert_eq!(again, first, "nothing is written");
    assert_eq!(body(world.schedule(Method::GET, "nightly", None).await, 200).await, again);
    let mut paused = nightly();
    paused["paused"] = json!(true);
    let paused = body(world.put("nightly", &paused).await, 200).await;
    assert_eq!((&paused["nextAt"], &paused["upcoming"]), (&Value::Null, &json!([])));
    let listed = world.json("/api/schedules").await;
    assert_eq!(
        (listed["schedules"].as_array().map(Vec::len), &listed["schedules"][0]["paused"]),
        (Some(1), &json!(true))
    );
    assert_eq!(world.schedule(Method::DELETE, "nightly", None).await.status(), 204);
    refused(world.schedule(Method::DELETE, "nightly", None).await, 404, "schedule_not_found").await;
    refused(world.schedule(Method::GET, "nightly", None).await, 404, "schedule_not_found").await;
}

#[tokio::test]
async fn what_never_fires_or_fits_no_kind_is_told_what_does_and_nothing_is_written() {
    let world = World::new().await;
    let with = |name: &str, value: Value| {
        let mut schedule = nightly();
        schedule[name] = value;
        schedule
    };
    for (schedule, code, told) in [
        (with("cron", json!("0 0 30 2 *")), "invalid_schedule", "never fires"),
        (with("cron", json!("every day")), "invalid_schedule", "five fields"),
        (with("cron", json!("* * * * * *")), "invalid_schedule", "five fields"),
        (with("timeZone", json!("Mars/Olympus")), "invalid_schedule", "Europe/Berlin"),
        (with("missed", json!("later")), "invalid_schedule", "skip, once or all"),
        (with("kind", json!("resise")), "unknown_kind", "any, resize"),
        (with("payload", json!({"width": 0})), "invalid_payload", "/width"),
        (with("priority", json!(101)), "invalid_job", "-100 and 100"),
        (with("maxAttempts", json!(4)), "invalid_job", "between 1 and 3"),
    ] {
        let answer = refused(world.put("nightly", &schedule).await, 422, code).await;
        let detail = answer["detail"].as_str().expect("text");
        assert!(detail.contains(told) && !detail.contains("jobs["), "{answer}");
    }
    refused(world.put("nightly", &with("colour", json!("red"))).await, 400, "invalid_body").await;
    for name in ["a%20b", "a%2Fb", &"x".repeat(101)] {
        refused(world.put(name, &nightly()).await, 422, "invalid_schedule").await;
    }
    assert_eq!(world.server.count("schedules").await, 0);
}

#[tokio::test]
async fn strangers_see_no_schedule_and_viewers_change_none() {
    let mut world = World::new().await;
    body(world.put("nightly", &nightly()).await, 201).await;
    let own = std::mem::take(&mut world.server.key);
    world.server.key = key_of(&world.server.database, "second@example.com").await;
    assert_eq!(world.json("/api/schedules").await, json!({"schedules": []}));
    for method in [Method::GET, Method::DELETE] {
        refused(world.schedule(method, "nightly", None).await, 404, "schedule_not_found").await;
    }
    body(world.put("nightly", &nightly()).await, 201).await;
    world.server.key = own;
    let sql = world.server.database.sql().await;
    sql.execute("UPDATE members SET role = 'viewer'", &[]).await.expect("an update");
    refused(world.put("nightly", &nightly()).await, 403, "forbidden").await;
    refused(world.schedule(Method::DELETE, "nightly", None).await, 403, "forbidden").await;
    assert_eq!(world.json("/api/schedules").await["schedules"][0]["name"], "nightly");
}
