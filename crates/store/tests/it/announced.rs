//! That there is something to announce: who is told, who is not, and that one word does for many.

use crate::world::{World, event, worker};
use futures::future::{Either, join_all, select};
use std::{
    future::poll_fn,
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use store::{Fenced, Store};
use testkit::wait;
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls, Socket, tls::NoTlsStream};

const BOUND: Duration = Duration::from_secs(60);
const HOLD: Duration = Duration::from_secs(300);

/// Somebody who listens where relays do.
struct Ear {
    connection: Connection<Socket, NoTlsStream>,
    _client: Client,
}

impl Ear {
    async fn open(world: &World) -> Self {
        let url = world.db.url("resettle_worker");
        let (client, mut connection) = tokio_postgres::connect(&url, NoTls).await.expect("connected");
        {
            let listening = pin!(client.batch_execute("LISTEN resettle_outbox"));
            let hearing = poll_fn(|context| connection.poll_message(context));
            // Nothing is said before it listens: the only message would be the connection's end.
            match select(listening, hearing).await {
                Either::Left((listening, _)) => listening.expect("anybody may listen"),
                Either::Right(_) => panic!("the connection is lost"),
            }
        }
        Self { connection, _client: client }
    }

    /// The next word's payload.
    async fn next(&mut self) -> String {
        loop {
            let message = poll_fn(|context| self.connection.poll_message(context));
            match wait::within("a word", BOUND, message).await {
                Some(Ok(AsyncMessage::Notification(word))) => return word.payload().to_owned(),
                Some(Ok(_)) => {}
                lost => panic!("the connection is lost: {:?}", lost.map(Result::err)),
            }
        }
    }
}

/// Something that only the test says: what was not heard before it was not said.
async fn mark(world: &World) {
    world.sql.batch_execute("SELECT pg_notify('resettle_outbox', 'mark')").await.expect("anybody may");
}

/// Takes what there is to announce; answers how much.
async fn take_all(store: &Store) -> usize {
    let mut taken = 0;
    loop {
        match store.claim_outbox(worker(), 1000, HOLD).await.expect("rows").len() {
            0 => return taken,
            some => taken += some,
        }
    }
}

#[tokio::test]
async fn who_commits_an_announcement_says_so_and_nobody_else_does() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let mut ear = Ear::open(&world).await;
    world.gateway.ping().await.expect("it answers");
    mark(&world).await;
    assert_eq!(ear.next().await, "mark", "a commit without an announcement is silent");
    world.start(member, "https://example.com/").await;
    assert_eq!(ear.next().await, "");
    mark(&world).await;
    assert_eq!(ear.next().await, "mark", "said once");
}

/// A worker relays by itself what it commits.
#[tokio::test]
async fn a_process_with_a_relay_tells_only_its_own() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    wait::within("its own commits", BOUND, world.worker.announced()).await;
    let mut ear = Ear::open(&world).await;
    let told = world.worker.append_events(&lease, 1, &[event(1)]).await.expect("an event");
    assert!(matches!(told, Fenced::Done(_)));
    wait::within("its own commit", BOUND, world.worker.announced()).await;
    mark(&world).await;
    assert_eq!(ear.next().await, "mark");
}

/// Who commits while another is about to say so says nothing: what is said then has to come after that commit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_commits_at_once_who_only_listens_misses_none() {
    const MANY: usize = 60;
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let mut ear = Ear::open(&world).await;
    let starts =
        join_all((0..MANY).map(async |n| world.start(member, &format!("https://{n}.example.com/")).await));
    let relay = async {
        let (mut taken, mut words) = (0, 0);
        while taken < 2 * MANY {
            assert_eq!(ear.next().await, "");
            words += 1;
            taken += take_all(&world.worker).await;
        }
        (taken, words)
    };
    let (_, (taken, words)) = tokio::join!(starts, relay);
    assert_eq!(taken, 2 * MANY, "of each a job and an event");
    assert!(words <= MANY, "{words} words for {MANY} commits");
}

#[tokio::test]
async fn a_relay_hears_of_others_commits_until_its_connection_is_lost() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let listens = AtomicBool::new(false);
    let hearing = async {
        wait::within("the beginning", BOUND, world.worker.announced_elsewhere()).await;
        assert!(listens.load(Ordering::Relaxed));
        world.start(member, "https://example.com/").await;
        wait::within("another's commit", BOUND, world.worker.announced_elsewhere()).await;
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE datname = current_database() AND application_name = 'resettle announcements'";
        let ended = world.sql.query(sql, &[]).await.expect("the owner may").len();
        assert_eq!(ended, 1);
    };
    let listening = || listens.store(true, Ordering::Relaxed);
    let lost = wait::within("the end", BOUND, world.worker.hear_announced(listening));
    let (error, ()) = tokio::join!(lost, hearing);
    assert_eq!(error.kind(), domain::Kind::Unavailable, "{error:?}");
}
