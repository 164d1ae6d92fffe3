//! The special-purpose address ranges, as data.
//!
//! Union of the IANA special-purpose registries (IPv4 and IPv6; RFC 6890 and what updates it),
//! multicast, the addresses at which clouds answer about their own machines, and every IPv6 form that
//! carries an IPv4 address inside. Such a form is refused whole rather than unwrapped: what it wraps is
//! reached by its own address. The blocks that the registries call globally reachable (relays, AS112,
//! PCP and TURN anycast, ORCHID, drone tags) are refused too: they carry machinery, never a website.
//!
//! The first row that holds an address names the rule, so a narrow row stands before the wide one
//! around it. A row is added here, never as a condition elsewhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// A refused IPv4 range.
pub type Row4 = (Ipv4Net, &'static str);
/// A refused IPv6 range.
pub type Row6 = (Ipv6Net, &'static str);

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(s: [u16; 8], prefix: u8) -> Ipv6Net {
    let address = Ipv6Addr::new(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]);
    Ipv6Net::new_assert(address, prefix)
}

/// Refused IPv4 ranges.
pub const V4: &[Row4] = &[
    // Where clouds tell a machine about itself, often with its credentials.
    (v4(169, 254, 169, 254, 32), "169.254.169.254/32 cloud metadata"),
    (v4(169, 254, 169, 253, 32), "169.254.169.253/32 cloud metadata: AWS name server"),
    (v4(169, 254, 169, 250, 32), "169.254.169.250/32 cloud metadata: Rancher"),
    (v4(169, 254, 169, 123, 32), "169.254.169.123/32 cloud metadata: AWS time"),
    (v4(169, 254, 170, 2, 32), "169.254.170.2/32 cloud metadata: AWS container credentials"),
    (v4(169, 254, 170, 23, 32), "169.254.170.23/32 cloud metadata: AWS pod credentials"),
    (v4(169, 254, 42, 42, 32), "169.254.42.42/32 cloud metadata: Scaleway"),
    (v4(169, 254, 0, 23, 32), "169.254.0.23/32 cloud metadata: Tencent"),
    (v4(100, 100, 100, 200, 32), "100.100.100.200/32 cloud metadata: Alibaba"),
    (v4(168, 63, 129, 16, 32), "168.63.129.16/32 cloud metadata: Azure platform"),
    (v4(192, 0, 0, 192, 32), "192.0.0.192/32 cloud metadata: Oracle"),
    (v4(192, 80, 8, 124, 32), "192.80.8.124/32 cloud metadata: Equinix"),
    (v4(0, 0, 0, 0, 8), "0.0.0.0/8 this network"),
    (v4(10, 0, 0, 0, 8), "10.0.0.0/8 private use"),
    (v4(100, 64, 0, 0, 10), "100.64.0.0/10 carrier-grade NAT"),
    (v4(127, 0, 0, 0, 8), "127.0.0.0/8 loopback"),
    (v4(169, 254, 0, 0, 16), "169.254.0.0/16 link-local"),
    (v4(172, 16, 0, 0, 12), "172.16.0.0/12 private use"),
    (v4(192, 0, 0, 0, 29), "192.0.0.0/29 DS-Lite"),
    (v4(192, 0, 0, 8, 32), "192.0.0.8/32 dummy address"),
    (v4(192, 0, 0, 9, 32), "192.0.0.9/32 PCP anycast"),
    (v4(192, 0, 0, 10, 32), "192.0.0.10/32 TURN anycast"),
    (v4(192, 0, 0, 170, 31), "192.0.0.170/31 NAT64 discovery"),
    (v4(192, 0, 0, 0, 24), "192.0.0.0/24 protocol assignments"),
    (v4(192, 0, 2, 0, 24), "192.0.2.0/24 documentation"),
    (v4(192, 31, 196, 0, 24), "192.31.196.0/24 AS112"),
    (v4(192, 52, 193, 0, 24), "192.52.193.0/24 AMT"),
    (v4(192, 88, 99, 2, 32), "192.88.99.2/32 6a44 relays"),
    (v4(192, 88, 99, 0, 24), "192.88.99.0/24 6to4 relays"),
    (v4(192, 168, 0, 0, 16), "192.168.0.0/16 private use"),
    (v4(192, 175, 48, 0, 24), "192.175.48.0/24 AS112"),
    (v4(198, 18, 0, 0, 15), "198.18.0.0/15 benchmarking"),
    (v4(198, 51, 100, 0, 24), "198.51.100.0/24 documentation"),
    (v4(203, 0, 113, 0, 24), "203.0.113.0/24 documentation"),
    (v4(224, 0, 0, 0, 4), "224.0.0.0/4 multicast"),
    (v4(255, 255, 255, 255, 32), "255.255.255.255/32 limited broadcast"),
    (v4(240, 0, 0, 0, 4), "240.0.0.0/4 reserved"),
];

/// Refused IPv6 ranges. The last rows are the complement of 2000::/3, the only global unicast space;
/// the named ones before them exist so that a refusal says what the address is.
pub const V6: &[Row6] = &[
    (v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128), "fd00:ec2::254/128 cloud metadata: AWS"),
    (v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x253], 128), "fd00:ec2::253/128 cloud metadata: AWS name server"),
    (v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x123], 128), "fd00:ec2::123/128 cloud metadata: AWS time"),
    (v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23], 128), "fd00:ec2::23/128 cloud metadata: AWS pod credentials"),
    (v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128), "fd20:ce::254/128 cloud metadata: Google"),
    (v6([0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42], 128), "fd00:42::42/128 cloud metadata: Scaleway"),
    (v6([0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe], 128), "fd00:c1::a9fe:a9fe/128 cloud metadata: Oracle"),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe], 128), "fe80::a9fe:a9fe/128 cloud metadata: OpenStack"),
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 128), "::/128 unspecified"),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), "::1/128 loopback"),
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 96), "::/96 IPv4-compatible"),
    (v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96), "::ffff:0:0/96 IPv4-mapped"),
    (v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96), "::ffff:0:0:0/96 IPv4-translated"),
    (v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96), "64:ff9b::/96 NAT64"),
    (v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), "64:ff9b:1::/48 local NAT64"),
    (v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64), "100::/64 discard only"),
    (v6([0x100, 0, 0, 1, 0, 0, 0, 0], 64), "100:0:0:1::/64 dummy prefix"),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32), "2001::/32 Teredo"),
    (v6([0x2001, 1, 0, 0, 0, 0, 0, 1], 128), "2001:1::1/128 PCP anycast"),
    (v6([0x2001, 1, 0, 0, 0, 0, 0, 2], 128), "2001:1::2/128 TURN anycast"),
    (v6([0x2001, 1, 0, 0, 0, 0, 0, 3], 128), "2001:1::3/128 service registration anycast"),
    (v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48), "2001:2::/48 benchmarking"),
    (v6([0x2001, 3, 0, 0, 0, 0, 0, 0], 32), "2001:3::/32 AMT"),
    (v6([0x2001, 4, 0x112, 0, 0, 0, 0, 0], 48), "2001:4:112::/48 AS112"),
    (v6([0x2001, 0x10, 0, 0, 0, 0, 0, 0], 28), "2001:10::/28 ORCHID"),
    (v6([0x2001, 0x20, 0, 0, 0, 0, 0, 0], 28), "2001:20::/28 ORCHIDv2"),
    (v6([0x2001, 0x30, 0, 0, 0, 0, 0, 0], 28), "2001:30::/28 drone tags"),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), "2001::/23 protocol assignments"),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), "2001:db8::/32 documentation"),
    (v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), "2002::/16 6to4"),
    (v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48), "2620:4f:8000::/48 AS112"),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), "3fff::/20 documentation"),
    (v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16), "5f00::/16 segment routing"),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), "fc00::/7 unique local"),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), "fe80::/10 link-local"),
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), "fec0::/10 site-local"),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), "ff00::/8 multicast"),
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 3), "::/3 outside global unicast"),
    (v6([0x4000, 0, 0, 0, 0, 0, 0, 0], 2), "4000::/2 outside global unicast"),
    (v6([0x8000, 0, 0, 0, 0, 0, 0, 0], 1), "8000::/1 outside global unicast"),
];

/// The row that refuses this address, or `None` for a public one.
#[must_use]
pub fn rule(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(ip) => V4.iter().find(|(net, _)| net.contains(&ip)).map(|r| r.1),
        IpAddr::V6(ip) => V6.iter().find(|(net, _)| net.contains(&ip)).map(|r| r.1),
    }
}

#[cfg(test)]
mod tests;
