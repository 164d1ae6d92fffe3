//! `WatchMigration` and `GetFigures`, asked by a real client over HTTP/2.

use crate::world::{BOUND, NEVER, World};
use domain::{MigrationId, TenantId, event::EventType};
use proto::stream::v1::{
    GetFiguresRequest, GetFiguresResponse, Hello, Verdict, WatchMigrationRequest, WatchMigrationResponse,
    migration_watch_client::MigrationWatchClient, stream_figures_client::StreamFiguresClient,
    watch_migration_response::Told,
};
use realtime_broadcaster::{Config, Options};
use serde_json::json;
use service_kit::Secret;
use std::{net::SocketAddr, time::Duration};
use tokio::time::timeout;
use tonic::{Code, Request, Status, Streaming, transport::Channel};

const TOKEN: &str = "a-token-between-services";

struct Services {
    world: World,
    address: SocketAddr,
    channel: Channel,
}

impl Services {
    async fn new(options: Options) -> Self {
        let world = World::new(options.clone()).await;
        let config = Config {
            grpc_listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            grpc_token: Secret::new(TOKEN),
            stream: options,
            ..Config::default()
        };
        let address = world.broadcaster.serve_grpc(&config).await.expect("a port").expect("it is asked for");
        let channel = Channel::from_shared(format!("http://{address}")).expect("a URL");
        let channel = channel.connect().await.expect("it listens");
        Self { world, address, channel }
    }

    async fn watch(&self, migration: MigrationId, cursor: &str) -> Watching {
        let tenant = self.world.me.member.tenant;
        self.ask(tenant, migration, cursor, TOKEN).await.expect("a stream")
    }

    async fn ask(
        &self,
        tenant: TenantId,
        migration: MigrationId,
        cursor: &str,
        token: &str,
    ) -> Result<Watching, Status> {
        let wanted = WatchMigrationRequest {
            tenant_id: tenant.to_string(),
            migration_id: migration.to_string(),
            cursor: cursor.to_owned(),
        };
        let mut client = MigrationWatchClient::new(self.channel.clone());
        let answer = timeout(BOUND, client.watch_migration(signed(wanted, token))).await;
        Ok(Watching { messages: answer.expect("an answer in time")?.into_inner(), cursor: cursor.to_owned() })
    }

    async fn figures(&self) -> GetFiguresResponse {
        let mut client = StreamFiguresClient::new(self.channel.clone());
        let answer = client.get_figures(signed(GetFiguresRequest {}, TOKEN)).await;
        answer.expect("figures").into_inner()
    }
}

fn signed<T>(message: T, token: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("ASCII"));
    request
}

struct Watching {
    messages: Streaming<WatchMigrationResponse>,
    cursor: String,
}

impl Watching {
    async fn next(&mut self) -> Option<Told> {
        let message = timeout(BOUND, self.messages.message()).await.expect("a message in time");
        message.expect("no error").map(|message| message.told.expect("it says something"))
    }

    async fn hello(&mut self) -> Hello {
        match self.next().await {
            Some(Told::Hello(hello)) => {
                self.cursor.clone_from(&hello.cursor);
                hello
            }
            other => panic!("no greeting but {other:?}"),
        }
    }

    /// The numbers of the next events, at least so many.
    async fn numbers(&mut self, least: usize) -> Vec<i64> {
        let mut numbers = Vec::new();
        while numbers.len() < least {
            match self.next().await {
                Some(Told::Events(told)) => numbers.extend(self.take(told)),
                other => panic!("no events but {other:?}"),
            }
        }
        numbers
    }

    fn take(&mut self, told: proto::stream::v1::Events) -> Vec<i64> {
        assert!(!told.events.is_empty(), "a message that says nothing");
        let events = told.events.into_iter().map(|event| {
            self.cursor.clone_from(&event.cursor);
            domain::event::Event::try_from(event).expect("the envelope").seq
        });
        events.collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_watches_from_a_cursor_to_the_end() {
    let services = Services::new(Options { tail_check: NEVER, ..Options::default() }).await;
    let world = &services.world;
    world.bell_is_up().await;
    let migration = world.migration(&world.me).await;
    world.log(migration).await;
    let mut first = services.watch(migration, "").await;
    let hello = first.hello().await;
    assert_eq!((hello.verdict(), hello.from, hello.last), (Verdict::Started, 0, 2));
    assert!(hello.retry_ms >= 2000 && hello.why.is_empty());
    assert_eq!(first.numbers(2).await, [1, 2]);
    let seq = world.log(migration).await;
    world.announce(migration, seq).await;
    assert_eq!(first.numbers(1).await, [3]);

    let mut second = services.watch(migration, &first.cursor).await;
    let hello = second.hello().await;
    assert_eq!((hello.verdict(), hello.from, hello.last), (Verdict::Resumed, 3, 3));
    let seq = world.done(migration).await;
    world.announce(migration, seq).await;
    for watching in [&mut first, &mut second] {
        assert_eq!(watching.numbers(1).await, [4]);
        assert_eq!(watching.next().await, None, "it ends at `done`");
    }
    let mut over = services.watch(migration, &second.cursor).await;
    let hello = over.hello().await;
    assert_eq!((hello.verdict(), hello.from, hello.last), (Verdict::Over, 4, 4));
    assert_eq!(over.next().await, None);
    let mut lost = services.watch(migration, "nonsense").await;
    let hello = lost.hello().await;
    assert_eq!((hello.verdict(), hello.why.as_str()), (Verdict::ResumedWithGap, "malformed"));
    assert_eq!(lost.numbers(4).await, [1, 2, 3, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_watch_is_told_so() {
    let services = Services::new(Options { max_streams_per_tenant: 1, ..Options::default() }).await;
    let world = &services.world;
    let migration = world.migration(&world.me).await;
    let (mine, other) = (world.me.member.tenant, world.other().await.member.tenant);
    let refused = async |tenant, token| services.ask(tenant, migration, "", token).await.err();
    let code = |status: Option<Status>| status.expect("a refusal").code();
    assert_eq!(code(refused(mine, "a-token-between-serviceZ").await), Code::Unauthenticated);
    assert_eq!(code(refused(other, TOKEN).await), Code::NotFound);
    let mut client = MigrationWatchClient::new(services.channel.clone());
    let nonsense = WatchMigrationRequest { migration_id: "seven".into(), ..Default::default() };
    let answer = client.watch_migration(signed(nonsense, TOKEN)).await;
    assert_eq!(answer.expect_err("refused").code(), Code::InvalidArgument);
    let figures = StreamFiguresClient::new(services.channel.clone())
        .get_figures(Request::new(GetFiguresRequest {}))
        .await;
    assert_eq!(figures.expect_err("refused").code(), Code::Unauthenticated);

    let mut open = services.watch(migration, "").await;
    open.hello().await;
    assert_eq!(code(refused(mine, TOKEN).await), Code::ResourceExhausted);
    // A caller that goes away is noticed without anything being said.
    drop(open);
    let mut again = testkit::wait::until("a place to be given back", BOUND, async || {
        services.ask(mine, migration, "", TOKEN).await.ok()
    })
    .await;
    again.hello().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cuts_of_bus_and_database_and_a_new_process_cost_no_event_and_double_none() {
    let options = Options { tail_check: Duration::from_millis(200), ..Options::default() };
    let mut services = Services::new(options.clone()).await;
    let migration = services.world.migration(&services.world.me).await;
    let mut watching = services.watch(migration, "").await;
    watching.hello().await;
    let mut got = watching.numbers(1).await;
    for round in 0..4 {
        // Bell and pool alike.
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE datname = current_database() AND usename = 'resettle_broadcaster'";
        services.world.sql.query(cut, &[]).await.expect("the superuser may");
        for _ in 0..3 {
            let seq = services.world.log(migration).await;
            services.world.announce(migration, seq).await;
        }
        got.extend(watching.numbers(3).await);
        if round == 1 {
            let cursor = watching.cursor.clone();
            services.world.lifecycle.stop();
            assert_eq!(watching.next().await, Some(bye("stopping")));
            assert_eq!(watching.next().await, None);
            services = services.reborn(options.clone()).await;
            watching = services.watch(migration, &cursor).await;
            assert_eq!(watching.hello().await.verdict(), Verdict::Resumed);
        }
    }
    services.world.done(migration).await;
    got.extend(watching.numbers(1).await);
    assert_eq!(got, (1..=14).collect::<Vec<_>>());
    assert_eq!(watching.next().await, None);
}

fn bye(reason: &str) -> Told {
    Told::Bye(proto::stream::v1::Bye { reason: reason.into() })
}

impl Services {
    /// Another broadcaster over the same database.
    async fn reborn(self, options: Options) -> Self {
        let world = self.world.reborn(options.clone()).await;
        let config = Config {
            grpc_listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            grpc_token: Secret::new(TOKEN),
            ..Config::default()
        };
        let address = world.broadcaster.serve_grpc(&config).await.expect("a port").expect("it is asked for");
        assert_ne!(address, self.address);
        let channel = Channel::from_shared(format!("http://{address}")).expect("a URL");
        Self { world, address, channel: channel.connect().await.expect("it listens") }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_takes_nothing_is_sent_away_and_comes_back_without_loss() {
    let options = Options {
        patience: Duration::from_secs(1),
        tail_check: Duration::from_millis(100),
        page: 8,
        ahead: 64 * 1024,
        ..Options::default()
    };
    let services = Services::new(options).await;
    let world = &services.world;
    let migration = world.migration(&world.me).await;
    let mut slow = services.watch(migration, "").await;
    slow.hello().await;
    let line = "x".repeat(64 * 1024);
    for _ in 2..=60 {
        world.write(migration, EventType::Log, json!({ "notes": line })).await;
    }
    // Its window and its buffer are full; nobody takes anything until its stream has ended.
    testkit::wait::until_true("the slow one to be sent away", BOUND, async || {
        services.figures().await.watch_streams == 0
    })
    .await;
    let mut got = Vec::new();
    loop {
        match slow.next().await {
            Some(Told::Events(told)) => got.extend(slow.take(told)),
            Some(Told::Bye(bye)) => assert_eq!(bye.reason, "slow"),
            Some(Told::Hello(_)) => panic!("a second greeting"),
            None => break,
        }
    }
    assert!(got.len() < 60, "it was cut off");
    let mut again = services.watch(migration, &slow.cursor).await;
    again.hello().await;
    got.extend(again.numbers(60 - got.len()).await);
    assert_eq!(got, (1..=60).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_see_what_the_process_carries() {
    let services = Services::new(Options::default()).await;
    let world = &services.world;
    let migration = world.migration(&world.me).await;
    let mut stream = world.listen(migration, None).await;
    stream.numbers(1).await;
    let mut watching = services.watch(migration, "").await;
    watching.hello().await;
    watching.numbers(1).await;
    let figures = testkit::wait::until("both deliveries to be counted", BOUND, async || {
        let figures = services.figures().await;
        (figures.events_delivered == 2).then_some(figures)
    })
    .await;
    let expected = GetFiguresResponse {
        migration_streams: 1,
        watch_streams: 1,
        most_streams: 10_000,
        migrations_followed: 1,
        events_delivered: 2,
        ..GetFiguresResponse::default()
    };
    assert_eq!(figures, expected);
}
