//! `resettle demo`: the bundled example website, moved end to end by the real services on a real database, and built.

use crate::{
    all_in_one::{self, AllInOne},
    cli::DemoArguments,
    client::Client,
    example_site,
    exit::Outcome,
    migrate::{self, AfterInterrupt, Job},
    terminal::note,
};
use anyhow::Context;
use futures::stream;
use service_kit::Lifecycle;
use std::{fs::Permissions, net::SocketAddr, os::unix::fs::PermissionsExt, time::Duration};
use url::Url;

const PROMPT: &str = "Move the studio's website as it is: the same look, content and addresses.";

/// The command.
pub(crate) async fn command(arguments: DemoArguments) -> Result<Outcome, anyhow::Error> {
    let site = Lifecycle::new(Duration::from_secs(5));
    let address = example_site::serve(&site).context("the example site cannot be served")?;
    note(format_args!("the example site is at http://{address}/ while this runs"));
    let moved = move_it(address, arguments).await;
    site.stop();
    site.wait_with(stream::pending()).await?;
    moved
}

async fn move_it(address: SocketAddr, arguments: DemoArguments) -> Result<Outcome, anyhow::Error> {
    // As root the database runs as somebody else, who has to pass through.
    let scratch = tempfile::Builder::new()
        .prefix("resettle-demo-")
        .permissions(Permissions::from_mode(0o711))
        .tempdir()?;
    let after_interrupt = if arguments.data.is_some() { AfterInterrupt::Kept } else { AfterInterrupt::Gone };
    let data = arguments.data.unwrap_or_else(|| scratch.path().join("data"));
    let options = all_in_one::Options {
        data,
        listen: ([127, 0, 0, 1], 0).into(),
        allow_addresses: vec![address],
        filter: arguments.log,
    };
    let job = Job {
        source: Url::parse(&format!("http://{address}/"))?,
        prompt: PROMPT.to_owned(),
        out: arguments.out,
        json: false,
        build: !arguments.no_build,
        after_interrupt,
    };
    note("starting PostgreSQL and the three services");
    let service = AllInOne::start(options).await?;
    let ran = async { migrate::run(&Client::new(&service.url(), service.key())?, &job).await };
    let ran = service.unless_ended(ran).await;
    service.stop().await?;
    ran
}
