//! Going on from a cursor: every sort of cursor gets a clear answer.

use crate::{
    client::{get, path},
    world::World,
};
use realtime_broadcaster::Options;

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_resumes_right_after_its_event() {
    let world = World::new(Options::default()).await;
    let migration = world.migration(&world.me).await;
    for _ in 0..4 {
        world.log(migration).await;
    }
    let mut first = world.listen(migration, None).await;
    assert_eq!(first.headers["content-type"], "text/event-stream");
    assert_eq!(first.headers["cache-control"], "no-store");
    assert_eq!(first.headers["x-accel-buffering"], "no");
    let hello = first.hello().await;
    assert_eq!(
        (&hello["verdict"], &hello["from"], &hello["last"]),
        (&"started".into(), &0.into(), &5.into())
    );
    assert_eq!(hello["heartbeatMs"], 15_000);
    assert_eq!(first.numbers(3).await, [1, 2, 3]);
    let cursor = first.cursor.clone();

    let mut second = world.listen(migration, Some(&cursor)).await;
    assert_eq!(second.hello().await["verdict"], "resumed");
    assert_eq!(second.numbers(2).await, [4, 5]);

    // Those who cannot send a header: by query, under both names. The header wins, because it is newer.
    for name in ["cursor", "lastEventId"] {
        let url = format!("{}?{name}={cursor}", path(migration));
        let text = first_frames(get(world.address, Some(&world.me.key), &url, None).await).await;
        assert!(text.contains(r#""verdict":"resumed""#) && text.contains(r#""from":3"#), "{text}");
        let text =
            first_frames(get(world.address, Some(&world.me.key), &url, Some(&second.cursor)).await).await;
        assert!(text.contains(r#""from":5"#), "{text}");
    }
}

async fn first_frames(mut response: reqwest::Response) -> String {
    let bytes = response.chunk().await.expect("a chunk").expect("a frame");
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_cannot_be_used_is_told_so_and_the_history_begins_anew() {
    let world = World::new(Options::default()).await;
    let migration = world.migration(&world.me).await;
    world.log(migration).await;
    let cursor_of = async |migration| {
        let mut stream = world.listen(migration, None).await;
        stream.numbers(1).await;
        stream.cursor
    };
    let good = cursor_of(migration).await;
    let elsewhere = cursor_of(world.migration(&world.me).await).await;
    let future = format!("{}ff", &good[..32]);
    let cases = [
        ("-1", "malformed"),
        ("17", "malformed"),
        ("ünusable", "malformed"),
        (&good[..20], "malformed"),
        (&"f".repeat(4_000), "malformed"),
        (&future, "future"),
        (&elsewhere, "other_history"),
    ];
    for (cursor, why) in cases {
        let mut stream = world.listen(migration, Some(cursor)).await;
        let hello = stream.hello().await;
        assert_eq!(hello["verdict"], "resumed_with_gap", "{cursor:.40}");
        assert_eq!(hello["why"], why, "{cursor:.40}");
        assert_eq!(stream.numbers(2).await, [1, 2], "{cursor:.40}");
        assert_ne!(stream.cursor, cursor, "it is replaced by one that can be used");
    }
    // A restore brings a new incarnation: cursors from before it speak of another history.
    let world = world.restored(Options::default()).await;
    let mut stream = world.listen(migration, Some(&good)).await;
    assert_eq!(stream.hello().await["why"], "other_history");
    assert_eq!(stream.numbers(2).await, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn done_ends_the_stream_and_its_cursor_says_do_not_come_again() {
    let world = World::new(Options::default()).await;
    world.bell_is_up().await;
    let migration = world.migration(&world.me).await;
    let mut live = world.listen(migration, None).await;
    assert_eq!(live.numbers(1).await, [1]);
    let seq = world.done(migration).await;
    world.announce(migration, seq).await;
    assert_eq!(live.numbers(1).await, [2]);
    assert!(live.next().await.is_none(), "the live stream ends");
    let mut late = world.listen(migration, None).await;
    assert_eq!(late.numbers(2).await, [1, 2]);
    assert!(late.next().await.is_none(), "the backlog ends too");
    assert_eq!(late.cursor, live.cursor);

    let again = get(world.address, Some(&world.me.key), &path(migration), Some(&late.cursor)).await;
    assert_eq!(again.status(), 204);

    // A later run goes on in the same history, and the same cursor then has something to resume.
    world.log(migration).await;
    let mut next_run = world.listen(migration, Some(&late.cursor)).await;
    assert_eq!(next_run.numbers(1).await, [3]);
    let mut from_the_start = world.listen(migration, None).await;
    assert_eq!(from_the_start.numbers(3).await, [1, 2, 3], "a done in the middle ends nothing");
}
