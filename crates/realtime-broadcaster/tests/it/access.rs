//! Browsers: a cookie in place of a key, from where it counts, until it ends; and pages of other origins.

use crate::{
    client::{Stream, http, path},
    world::{BOUND, World},
};
use realtime_broadcaster::Options;
use reqwest::Response;
use serde_json::{Value, json};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

/// Looks for ends all the time.
fn watchful() -> Options {
    Options { tail_check: Duration::from_millis(50), ..Options::default() }
}

/// Names and values.
type Headers<'a> = &'a [(&'a str, &'a str)];

async fn cookie(world: &World) -> String {
    let token = auth::sign_in(&world.gateway, &world.me.key, HOUR).await.expect("a session");
    format!("resettle_session={}", token.expose())
}

async fn get(world: &World, path: &str, headers: Headers<'_>) -> Response {
    let mut request = http().get(format!("http://{}{path}", world.address));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    tokio::time::timeout(BOUND, request.send()).await.expect("an answer in time").expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_counts_from_our_own_pages_only() {
    let world = World::new(Options::default()).await;
    let ours = path(world.migration(&world.me).await);
    let cookie = cookie(&world).await;
    let own = format!("http://{}", world.address);
    let signed_in = ("cookie", cookie.as_str());
    let table: [(Headers<'_>, u16, &str); 9] = [
        (&[signed_in], 200, ""),
        (&[signed_in, ("origin", &own), ("sec-fetch-site", "same-origin")], 200, ""),
        (&[], 401, "unauthenticated"),
        (&[("cookie", "resettle_session=rss_wrong")], 401, "unauthenticated"),
        (&[("cookie", "__Host-resettle_session=rss_wrong")], 401, "unauthenticated"),
        (&[signed_in, ("host", "rebound.example")], 403, "untrusted_origin"),
        (&[signed_in, ("origin", "https://app.example")], 403, "untrusted_origin"),
        (&[signed_in, ("origin", "null")], 403, "untrusted_origin"),
        (&[signed_in, ("sec-fetch-site", "cross-site")], 403, "untrusted_origin"),
    ];
    for (headers, status, code) in table {
        for path in [ours.as_str(), "/api/events/stream"] {
            let answer = get(&world, path, headers).await;
            assert_eq!(answer.status(), status, "{path} {headers:?}");
            if status != 200 {
                let problem: Value = answer.json().await.expect("JSON");
                assert_eq!(problem["code"], code, "{headers:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_the_sign_out_and_with_its_keys_revocation() {
    let world = World::new(watchful()).await;
    let migration = world.migration(&world.me).await;
    let cookie = cookie(&world).await;
    let signed_in = [("cookie", cookie.as_str())];
    let mut by_session = Stream::of(get(&world, &path(migration), &signed_in).await, None);
    let mut feed = Stream::of(get(&world, "/api/events/stream", &signed_in).await, None);
    let mut by_key = world.listen(migration, None).await;
    for stream in [&mut by_session, &mut by_key] {
        assert_eq!(stream.numbers(1).await, [1]);
    }
    feed.hello().await;

    let host = world.address.to_string();
    let sent = auth::Sent { cookie: Some(&cookie), host: Some(&host), ..auth::Sent::default() };
    let caller = auth::identify(&world.gateway, &auth::Origins::default(), &sent).await.expect("signed in");
    auth::sign_out(&world.gateway, &caller).await.expect("signed out");
    for stream in [&mut by_session, &mut feed] {
        assert_eq!(last_word(stream).await, json!("signed_out"));
    }
    assert_eq!(get(&world, &path(migration), &signed_in).await.status(), 401);

    world.log(migration).await;
    assert_eq!(by_key.numbers(1).await, [2], "the key itself still works");
    assert!(world.owner.revoke_api_key(caller.key).await.expect("revoked"));
    assert_eq!(last_word(&mut by_key).await, json!("signed_out"));
}

/// The reason in the last frame.
async fn last_word(stream: &mut Stream) -> Value {
    let mut reason = Value::Null;
    while let Some(frame) = stream.next().await {
        if frame.event == "bye" {
            reason = frame.data["reason"].clone();
        }
    }
    reason
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_and_one_address_may_have_only_so_many() {
    let by_user = Options { max_streams_per_user: 1, ..Options::default() };
    let by_address = Options { max_streams_per_address: 1, ..Options::default() };
    for (options, told) in [(by_user, "one person"), (by_address, "network address")] {
        let world = World::new(options).await;
        let ours = path(world.migration(&world.me).await);
        let _open = world.listen(world.migration(&world.me).await, None).await;
        let answer = crate::client::get(world.address, Some(&world.me.key), &ours, None).await;
        assert_eq!(answer.status(), 429);
        let problem: Value = answer.json().await.expect("JSON");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(told)), "{problem}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_named_origins_may_read_with_a_key() {
    let world = World::new(Options::default()).await;
    let bearer = format!("Bearer {}", world.me.key);
    for (origin, told) in
        [("https://app.example", Some("https://app.example")), ("https://evil.example", None)]
    {
        let headers = [("authorization", bearer.as_str()), ("origin", origin)];
        let answer = get(&world, "/api/events/stream", &headers).await;
        let allowed = answer.headers().get("access-control-allow-origin");
        assert_eq!(allowed.and_then(|value| value.to_str().ok()), told);
        assert!(!answer.headers().contains_key("access-control-allow-credentials"));
    }
}
