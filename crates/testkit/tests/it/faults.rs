//! What tests break on purpose: a disk that is full, a clock that is wrong.

use std::{
    process::Command,
    time::{Duration, SystemTime},
};
use testkit::{clock, disk::SmallDisk, process::Child};

const BOUND: Duration = Duration::from_secs(20);

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[tokio::test]
async fn a_small_disk_is_seen_by_those_inside_alone_and_can_be_full() {
    let disk = SmallDisk::with_room_for(1 << 20).await;
    let folder = disk.path().display();
    let write =
        |name: &str| shell(&format!("cp /etc/passwd {folder}/{name} && echo written || echo refused"));
    let mut first = Child::spawn("a writer", disk.inside(&write("first")));
    first.line("written", BOUND).await;
    assert_eq!(
        std::fs::read_dir(disk.path()).expect("the folder").count(),
        0,
        "the machine sees nothing of it"
    );
    disk.fill();
    let mut second = Child::spawn("a writer", disk.inside(&write("second")));
    second.line("refused", BOUND).await;
    assert!(second.log().contains("No space left"), "{}", second.log());
    disk.make_room();
    Child::spawn("a writer", disk.inside(&write("third"))).line("written", BOUND).await;
}

#[tokio::test]
async fn a_skewed_clock_is_one_processs_alone() {
    const DAYS: i64 = 3 * 86_400;
    let seen = async |seconds: i64| -> i64 {
        let mut command = shell("date +'now %s'");
        clock::skew(&mut command, seconds);
        let line = Child::spawn("a clock", command).line("now", BOUND).await;
        line.trim_start_matches("now ").trim().parse().expect("seconds")
    };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs() as i64;
    for seconds in [DAYS, -DAYS] {
        let apart = seen(seconds).await - now;
        assert!((apart - seconds).abs() < 3600, "{seconds} wanted, {apart} seen");
    }
}
