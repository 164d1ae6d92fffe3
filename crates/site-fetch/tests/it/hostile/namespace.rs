//! A network namespace with nothing but a loopback, and on it every address of the table.

use std::collections::BTreeSet;
use std::env;
use std::io::Write;
use std::net::IpAddr;
use std::process::{Command, Stdio};

const INSIDE: &str = "SITE_FETCH_TEST_IN_NAMESPACE";

pub(super) fn is_inside() -> bool {
    env::var_os(INSIDE).is_some()
}

/// Runs one test of this binary again, inside.
pub(super) fn run_again_inside(test: &str) {
    let binary = env::current_exe().expect("this test's binary");
    let ran = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net", "--"])
        .arg(binary)
        .args([test, "--exact", "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .expect("unshare of util-linux, which this test needs");
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.success() && told.contains("1 passed"),
        "inside the namespace (user namespaces have to be allowed, iproute2 installed):\n{told}{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

/// Where a fetch may arrive, and where not.
pub(super) fn addresses() -> (Vec<IpAddr>, Vec<IpAddr>) {
    let parsed = |list: &str| list.split_whitespace().map(|text| text.parse().expect("an address")).collect();
    let public = "93.184.216.34 8.8.8.8 2606:4700::1111";
    let forbidden = "0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 100.100.100.200 127.0.0.1 \
        127.255.255.254 168.63.129.16 169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 \
        192.0.0.1 192.0.0.9 192.0.0.192 192.0.0.171 192.0.2.1 192.31.196.1 192.52.193.1 192.80.8.124 192.88.99.1 \
        192.168.0.1 192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 240.0.0.1 \
        ::1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b::5db8:d822 64:ff9b:1::1 64:ff9b:1::a00:1 100::1 100:0:0:1::1 \
        2001::1 2001:2::1 2001:20::1 2001:1ff::1 2001:db8::1 2002:7f00:1::1 2002:a00:1::1 2002:a9fe:a9fe::1 \
        2620:4f:8000::1 3fff::1 5f00::1 fc00::1 fd12:3456::1 fd00:ec2::254 fd20:ce::254 fec0::1 4000::1 8000::1 200::1 \
        ::ffff:0:7f00:1";
    (parsed(public), parsed(forbidden))
}

/// Puts every address on the loopback.
pub(super) fn bring_up(public: &[IpAddr], forbidden: &[IpAddr]) {
    let mut commands = String::from("link set lo up\n");
    let own: [IpAddr; 3] =
        [[127, 0, 0, 1].into(), [127, 255, 255, 254].into(), "::1".parse().expect("loopback")];
    let all: BTreeSet<_> = public.iter().chain(forbidden).filter(|address| !own.contains(address)).collect();
    for address in all {
        let (prefix, flags) = if address.is_ipv4() { (32, "") } else { (128, " nodad") };
        commands.push_str(&format!("addr add {address}/{prefix} dev lo{flags}\n"));
    }
    let mut ip = Command::new("ip")
        .args(["-batch", "-"])
        // Debian keeps it where users' paths do not lead.
        .env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin")
        .stdin(Stdio::piped())
        .spawn()
        .expect("ip of iproute2, which this test needs");
    let mut input = ip.stdin.take().expect("its input");
    input.write_all(commands.as_bytes()).expect("commands");
    drop(input);
    assert!(ip.wait().expect("its end").success(), "the addresses cannot be put on the loopback");
}
