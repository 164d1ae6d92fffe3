//! How a process stops, and what makes it stop.

use futures::{StreamExt, stream};
use service_kit::{Fatal, Lifecycle};
use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;

const BOUND: Duration = Duration::from_secs(20);
const LONG: Duration = Duration::from_secs(3600);

async fn ended(lifecycle: &Lifecycle) -> Result<(), Fatal> {
    timeout(BOUND, lifecycle.clone().wait_with(stream::pending())).await.expect("it ends in time")
}

#[tokio::test]
async fn a_task_that_ends_by_itself_stops_the_process_and_is_named() {
    for outcome in [Ok(()), Err("the disk is full".into())] {
        let lifecycle = Lifecycle::new(LONG);
        let other = lifecycle.stopping();
        lifecycle.spawn("waits", async move {
            other.cancelled().await;
            Ok(())
        });
        let failed = outcome.is_err();
        lifecycle.spawn("dies", async move { outcome });
        match ended(&lifecycle).await.expect_err("fatal") {
            Fatal::Failed { task: "dies", source } if failed => {
                assert_eq!(source.to_string(), "the disk is full")
            }
            Fatal::Ended { task: "dies" } if !failed => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_panic_stops_the_process_also_in_a_task_that_may_end() {
    let lifecycle = Lifecycle::new(LONG);
    let joined = lifecycle.spawn_finite("explodes", async { panic!("at once") });
    assert!(matches!(ended(&lifecycle).await, Err(Fatal::Panicked { task: "explodes" })));
    assert!(joined.await.expect_err("it panicked").is_panic());
}

#[tokio::test]
async fn a_task_that_may_end_ends_without_harm_and_is_waited_for() {
    let lifecycle = Lifecycle::new(LONG);
    assert_eq!(lifecycle.spawn_finite("adds", async { 1 + 1 }).await.expect("no panic"), 2);
    assert!(!lifecycle.stopping().is_cancelled());
    let (stopping, finished) = (lifecycle.stopping(), Arc::new(AtomicBool::new(false)));
    let finish = Arc::clone(&finished);
    lifecycle.spawn_finite("finishes what it has in hand", async move {
        stopping.cancelled().await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        finish.store(true, Ordering::SeqCst);
    });
    lifecycle.stop();
    ended(&lifecycle).await.expect("no fault");
    assert!(finished.load(Ordering::SeqCst), "the end waits for it");
    assert!(lifecycle.killed().is_cancelled(), "what is left over knows that it is over");
}

#[tokio::test]
async fn the_first_signal_is_soft_and_the_second_is_hard() {
    let lifecycle = Lifecycle::new(LONG);
    let (signal, signals) = mpsc::channel(2);
    let (told, mut heard) = mpsc::channel(2);
    let (stopping, killed) = (lifecycle.stopping(), lifecycle.killed());
    lifecycle.spawn("stubborn", async move {
        stopping.cancelled().await;
        told.send("soft").await?;
        killed.cancelled().await;
        told.send("hard").await?;
        Ok(())
    });
    let waiting = tokio::time::timeout(BOUND, lifecycle.wait_with(ReceiverStream::new(signals).map(|()| ())));
    let signalling = async {
        signal.send(()).await.expect("it listens");
        assert_eq!(heard.recv().await, Some("soft"));
        signal.send(()).await.expect("it still listens");
        assert_eq!(heard.recv().await, Some("hard"));
    };
    let (ended, ()) = tokio::join!(waiting, signalling);
    ended.expect("in time").expect("no fault");
}

#[tokio::test]
async fn the_end_of_the_grace_period_is_hard() {
    let grace = Duration::from_millis(100);
    let lifecycle = Lifecycle::new(grace);
    let killed = lifecycle.killed();
    let began = tokio::time::Instant::now();
    lifecycle.spawn("slow", async move {
        killed.cancelled().await;
        Ok(())
    });
    lifecycle.stop();
    ended(&lifecycle).await.expect("it let go");
    assert!(began.elapsed() >= grace);
}

#[tokio::test]
async fn a_task_that_never_lets_go_is_named() {
    let lifecycle = Lifecycle::new(Duration::from_millis(10));
    lifecycle.spawn("stuck", pending());
    lifecycle.stop();
    match ended(&lifecycle).await {
        Err(Fatal::Stuck { tasks }) => assert_eq!(tasks, ["stuck"]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn tasks_run_on_the_runtime_that_made_the_lifecycle_whoever_spawns_them() {
    let main = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
    let lifecycle = main.block_on(async { Lifecycle::new(LONG) });
    let elsewhere = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let inside = elsewhere.enter();
    let spawned = lifecycle.spawn_finite("outlives its spawner", async { 7 });
    drop(inside);
    drop(elsewhere);
    assert_eq!(main.block_on(spawned).expect("it still ran"), 7);
}
