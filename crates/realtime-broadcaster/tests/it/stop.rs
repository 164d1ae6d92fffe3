//! Stopping: streams end with a word, within a bound, and can be taken up elsewhere.

use crate::world::{BOUND, World};
use futures::{future::join_all, stream};
use realtime_broadcaster::Options;
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_all_streams_with_a_word_and_within_its_grace() {
    let world = World::new(Options::default()).await;
    let migration = world.migration(&world.me).await;
    let mut streams = join_all((0..20).map(|_| world.listen(migration, None))).await;
    for stream in &mut streams {
        assert_eq!(stream.numbers(1).await, [1]);
    }
    // A listener that has left its connection open and does not read must not hold up the end.
    let unread = world.listen(migration, None).await;
    world.lifecycle.stop();
    let stopped = world.lifecycle.clone().wait_with(stream::pending());
    timeout(BOUND, stopped).await.expect("it stops in time").expect("it stops without a fault");
    for stream in &mut streams {
        let bye = stream.next().await.expect("a last frame");
        assert_eq!((bye.event.as_str(), &bye.data["reason"]), ("bye", &"stopping".into()));
        assert!(stream.next().await.is_none());
    }
    drop(unread);
}
