//! What is measured, the same for both.

use crate::{
    Result, memory,
    nchan::Nchan,
    ours::{Ours, Ring},
    pack::{Pack, Report},
};
use futures::{StreamExt, stream};
use std::{net::SocketAddr, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

const MANY: usize = 10_000;
const CROWD: usize = 1_000;
/// How long each case writes.
const PACED: Duration = Duration::from_secs(10);
const FLAT_OUT: Duration = Duration::from_secs(4);
/// A heartbeat of each stream, and ten seconds more.
const SILENCE: Duration = Duration::from_secs(25);
/// Writers at once when nobody paces them.
const WRITERS: usize = 16;

/// One of the two that are compared.
enum Side {
    Ours(Box<Ours>),
    Nchan(Box<Nchan>),
}

impl Side {
    fn name(&self) -> &'static str {
        match self {
            Self::Ours(_) => "broadcaster",
            Self::Nchan(_) => "nginx + nchan",
        }
    }

    fn address(&self) -> SocketAddr {
        match self {
            Self::Ours(ours) => ours.address,
            Self::Nchan(nchan) => nchan.address,
        }
    }

    fn resident(&self) -> Result<u64> {
        match self {
            Self::Ours(ours) => memory::resident(&ours.pids()),
            Self::Nchan(nchan) => memory::resident(&nchan.pids()?),
        }
    }

    fn head(&self, channel: usize) -> String {
        match self {
            Self::Ours(ours) => ours.head(ours.migrations[channel]),
            Self::Nchan(nchan) => nchan.head(channel),
        }
    }

    async fn write(&self, channel: usize) -> Result<(u64, u64)> {
        match self {
            Self::Ours(ours) => ours.write(ours.migrations[channel]).await,
            Self::Nchan(nchan) => nchan.publish(channel).await,
        }
    }
}

pub(crate) async fn run_ours() -> Result<()> {
    for (streams, channels) in [(CROWD, 1), (MANY, MANY)] {
        let ours = Side::Ours(Box::new(Ours::start(channels, Ring::Amqp).await?));
        run(&ours, streams, channels).await?;
    }
    Ok(())
}

/// Silence alone: first a stream for each migration, then all of them on one.
pub(crate) async fn run_idle(ring: Ring) -> Result<()> {
    for channels in [MANY, 1] {
        let ours = Side::Ours(Box::new(Ours::start(channels, ring).await?));
        println!("\nbroadcaster, by {ring:?}: {MANY} silent streams on {channels}");
        let mut pack = Pack::spawn()?;
        let before = ours.resident()?;
        let heads: Vec<String> = (0..MANY).map(|stream| ours.head(stream % channels)).collect();
        pack.open(ours.address(), &heads).await?;
        sleep(SILENCE).await;
        told_memory("idle", before, ours.resident()?, MANY);
    }
    Ok(())
}

pub(crate) async fn run_nchan() -> Result<()> {
    for (streams, channels) in [(CROWD, 1), (MANY, MANY)] {
        let nchan = Side::Nchan(Box::new(Nchan::start().await?));
        let measured = run(&nchan, streams, channels).await;
        if let Side::Nchan(nchan) = nchan {
            nchan.stop().await?;
        }
        measured?;
    }
    Ok(())
}

async fn run(side: &Side, streams: usize, channels: usize) -> Result<()> {
    println!("\n{}: {streams} streams on {channels}", side.name());
    let mut pack = Pack::spawn()?;
    let before = side.resident()?;
    let heads: Vec<String> = (0..streams).map(|stream| side.head(stream % channels)).collect();
    let began = Instant::now();
    pack.open(side.address(), &heads).await?;
    println!("  opened in {:.1} s", began.elapsed().as_secs_f64());
    // What was needed for the opening only is given back by then.
    sleep(Duration::from_secs(5)).await;
    told_memory("idle", before, side.resident()?, streams);
    let rates: &[f64] = if channels == 1 { &[2.0, 20.0] } else { &[500.0] };
    for rate in rates {
        pack.forget().await?;
        let marks = paced(side, channels, *rate).await?;
        let report = settled(&mut pack, &marks).await?;
        told(&format!("{rate} events/s"), &marks, streams / channels, report);
    }
    told_memory("after that", before, side.resident()?, streams);
    pack.forget().await?;
    let marks = flat_out(side, channels).await?;
    let report = settled(&mut pack, &marks).await?;
    told("flat out", &marks, streams / channels, report);
    told_memory("after that", before, side.resident()?, streams);
    if channels == 1 {
        pack.stall().await?;
        pack.forget().await?;
        let marks = paced(side, channels, 20.0).await?;
        let report = settled(&mut pack, &marks).await?;
        told("20 events/s, one does not read", &marks, streams / channels, report);
        pack.forget().await?;
        let marks = flat_out(side, channels).await?;
        let report = settled(&mut pack, &marks).await?;
        told("flat out, one does not read", &marks, streams / channels, report);
        println!("    streams that the server ended: {}", report.closed);
    }
    Ok(())
}

/// Writes at a pace, each event to the next channel.
async fn paced(side: &Side, channels: usize, rate: f64) -> Result<Vec<(u64, u64)>> {
    let mut ticks = interval(Duration::from_secs_f64(1.0 / rate));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let count = (PACED.as_secs_f64() * rate) as usize;
    let writes = stream::unfold((0, ticks), |(number, mut ticks)| async move {
        ticks.tick().await;
        Some((number, (number + 1, ticks)))
    });
    let writes = writes.take(count).map(|number| side.write(number % channels));
    Box::pin(writes.buffer_unordered(WRITERS)).collect::<Vec<_>>().await.into_iter().collect()
}

async fn flat_out(side: &Side, channels: usize) -> Result<Vec<(u64, u64)>> {
    let until = Instant::now() + FLAT_OUT;
    let writes = stream::iter(0_usize..).take_while(|_| std::future::ready(Instant::now() < until));
    let writes = writes.map(|number| side.write(number % channels));
    Box::pin(writes.buffer_unordered(WRITERS)).collect::<Vec<_>>().await.into_iter().collect()
}

/// What came, once nothing more comes.
async fn settled(pack: &mut Pack, marks: &[(u64, u64)]) -> Result<Report> {
    sleep(Duration::from_secs(6)).await;
    pack.report(marks).await
}

fn told(case: &str, marks: &[(u64, u64)], listeners: usize, report: Report) {
    let expected = marks.len() * listeners;
    println!(
        "  {case}: {} events, {} of {expected} deliveries, {:.0}/s; p50 {:.2} ms, p99 {:.2} ms, most {:.1} ms",
        marks.len(),
        report.delivered,
        report.delivered as f64 / report.seconds.max(f64::EPSILON),
        report.p50,
        report.p99,
        report.most,
    );
}

fn told_memory(when: &str, before: u64, now: u64, streams: usize) {
    let more = now.saturating_sub(before);
    println!(
        "  {when}: {:.1} MiB, {:.2} KiB a stream ({:.1} MiB without streams)",
        now as f64 / 1_048_576.0,
        more as f64 / 1024.0 / streams as f64,
        before as f64 / 1_048_576.0,
    );
}
