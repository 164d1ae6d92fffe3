//! What a lost note, a lost bell and lost connections cost: time, and nothing else.

use crate::world::{NEVER, World};
use realtime_broadcaster::Options;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_note_is_enough_where_nothing_else_looks() {
    let world = World::new(Options { tail_check: NEVER, ..Options::default() }).await;
    world.bell_is_up().await;
    let migration = world.migration(&world.me).await;
    let mut stream = world.listen(migration, None).await;
    assert_eq!(stream.numbers(1).await, [1]);
    // Three events, one note: it says "look", not what there is.
    for _ in 0..3 {
        world.log(migration).await;
    }
    world.announce(migration, 2).await;
    assert_eq!(stream.numbers(3).await, [2, 3, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_whose_notes_were_lost_are_found() {
    let world = World::new(Options { tail_check: Duration::from_millis(100), ..Options::default() }).await;
    let migration = world.migration(&world.me).await;
    let mut stream = world.listen(migration, None).await;
    assert_eq!(stream.numbers(1).await, [1]);
    for expected in 2..=5 {
        world.log(migration).await;
        assert_eq!(stream.numbers(1).await, [expected]);
    }
    world.done(migration).await;
    assert_eq!(stream.numbers(1).await, [6]);
    assert!(stream.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_database_connections_are_replaced_under_open_streams() {
    let world = World::new(Options { tail_check: Duration::from_millis(200), ..Options::default() }).await;
    world.bell_is_up().await;
    let migration = world.migration(&world.me).await;
    let mut stream = world.listen(migration, None).await;
    assert_eq!(stream.numbers(1).await, [1]);
    for round in 0..5 {
        // The bell's own connection is among them.
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE datname = current_database() AND usename = 'resettle_broadcaster'";
        let cut = world.sql.query(cut, &[]).await.expect("the superuser may");
        assert!(!cut.is_empty(), "there were connections to cut");
        for expected in 0..3 {
            let seq = world.log(migration).await;
            world.announce(migration, seq).await;
            assert_eq!(stream.numbers(1).await, [2 + round * 3 + expected]);
        }
        // New listeners are served as well, with the whole backlog.
        let mut late = world.listen(migration, None).await;
        let count = usize::try_from(4 + round * 3).expect("small");
        assert_eq!(late.numbers(count).await.last(), Some(&(4 + round * 3)));
        world.bell_is_up().await;
    }
}
