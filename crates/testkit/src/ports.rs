//! Ports for servers that cannot be told to take a free one: outside the range from which the kernel serves whoever
//! asks for any, so that no such asker can get between the choice and the server, or take the port while the server
//! is being restarted.

use std::{
    net::{Ipv4Addr, TcpListener},
    ops::RangeInclusive,
};
use uuid::Uuid;

const SETTING: &str = "/proc/sys/net/ipv4/ip_local_port_range";
const TRIES: usize = 200;

/// Different ports of the loopback that are free at this moment.
pub fn free<const N: usize>() -> [u16; N] {
    let range = unserved(&std::fs::read_to_string(SETTING).expect("the kernel tells its range of ports"));
    // All are held until all are known, so that they differ.
    let held = [(); N].map(|()| bind_one(&range));
    held.map(|listener| listener.local_addr().expect("a bound socket has an address").port())
}

fn bind_one(range: &RangeInclusive<u16>) -> TcpListener {
    let width = u128::from(range.end() - range.start()) + 1;
    let tries = (0..TRIES).find_map(|_| {
        let draw =
            u16::try_from(Uuid::new_v4().as_u128() % width).expect("under the width of a range of ports");
        TcpListener::bind((Ipv4Addr::LOCALHOST, range.start() + draw)).ok()
    });
    tries.unwrap_or_else(|| panic!("no free port in {range:?} in {TRIES} tries"))
}

/// The wider part of the unprivileged ports that the kernel hands out only by name.
fn unserved(setting: &str) -> RangeInclusive<u16> {
    const FIRST: u16 = 1024;
    let served: Vec<u16> = setting.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    let [low, high] = served[..] else { panic!("{SETTING} says {setting:?}") };
    let (below, above) = (low.saturating_sub(FIRST), u16::MAX - high);
    assert!(below.max(above) > 100, "{SETTING} leaves no ports for servers: {setting:?}");
    if below >= above { FIRST..=low - 1 } else { high + 1..=u16::MAX }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_lie_outside_what_the_kernel_serves() {
        assert_eq!(unserved("32768\t60999\n"), 1024..=32767);
        assert_eq!(unserved("1024\t20000"), 20001..=65535);
        let range = unserved(&std::fs::read_to_string(SETTING).expect("a setting"));
        let ports: [u16; 3] = free();
        assert!(ports.iter().all(|port| range.contains(port)), "{ports:?} in {range:?}");
        assert!(ports[0] != ports[1] && ports[1] != ports[2] && ports[0] != ports[2]);
    }
}
