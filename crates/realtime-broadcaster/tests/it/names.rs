//! Clients that say who they are.

use crate::{
    client::{get, path},
    world::World,
};
use domain::MigrationId;
use proto::stream::v1::{GetFiguresRequest, stream_figures_client::StreamFiguresClient};
use realtime_broadcaster::{Config, Options};
use service_kit::Secret;
use std::net::SocketAddr;
use tonic::Request;

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_comes_back_again_and_again_shows_in_the_figures() {
    let world = World::new(Options::default()).await;
    let token = "a-token-between-services";
    let config = Config {
        grpc_listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        grpc_token: Secret::new(token),
        ..Config::default()
    };
    let address = world.broadcaster.serve_grpc(&config).await.expect("a port").expect("it is asked for");
    let mut client = StreamFiguresClient::connect(format!("http://{address}")).await.expect("it listens");
    let mut restless = async || {
        let mut request = Request::new(GetFiguresRequest {});
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("ASCII"));
        client.get_figures(request).await.expect("figures").into_inner().restless_clients
    };
    let migration = world.migration(&world.me).await;
    let named = format!("{}?client=tab-1", path(migration));
    for _ in 0..4 {
        drop(open(&world, &named).await);
    }
    for _ in 0..6 {
        // Without a name nobody is known again.
        drop(open(&world, &path(migration)).await);
    }
    assert_eq!(restless().await, 0, "three reconnects are in order");
    drop(open(&world, &named).await);
    assert_eq!(restless().await, 1);
}

async fn open(world: &World, path: &str) -> reqwest::Response {
    let answer = get(world.address, Some(&world.me.key), path, None).await;
    assert_eq!(answer.status(), 200);
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_none_is_refused() {
    let world = World::new(Options::default()).await;
    let migration: MigrationId = world.migration(&world.me).await;
    for name in ["a%20b", "%0a", &"x".repeat(65)] {
        let path = format!("{}?client={name}", path(migration));
        let answer = get(world.address, Some(&world.me.key), &path, None).await;
        assert_eq!(answer.status(), 400, "{name}");
        let problem: serde_json::Value = answer.json().await.expect("JSON");
        assert_eq!(problem["code"], "invalid_query");
    }
}
