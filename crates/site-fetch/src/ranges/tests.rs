//! The table against its own edges and against addresses written down independently of it.

use std::net::IpAddr;

use super::{V4, V6, rule};

#[test]
fn first_and_last_address_of_every_row_are_refused() {
    for (net, name) in V4 {
        assert_eq!(*net, net.trunc(), "{name} has host bits set");
        assert!(rule(net.network().into()).is_some(), "first of {name}");
        assert!(rule(net.broadcast().into()).is_some(), "last of {name}");
        assert!(name.starts_with(&net.to_string()), "{name} names {net}");
    }
    for (net, name) in V6 {
        assert_eq!(*net, net.trunc(), "{name} has host bits set");
        assert!(rule(net.network().into()).is_some(), "first of {name}");
        assert!(rule(net.broadcast().into()).is_some(), "last of {name}");
        let named: ipnet::Ipv6Net = name.split(' ').next().and_then(|n| n.parse().ok()).expect("a range");
        assert_eq!(named, *net, "{name}");
    }
}

#[test]
fn neighbours_of_the_ranges_are_public() {
    for text in [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "168.63.129.17",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.1.255",
        "192.0.3.0",
        "192.88.98.255",
        "192.88.100.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "8.8.8.8",
        "93.184.216.34",
        "2000::",
        "2001:200::",
        "2001:db7:ffff::",
        "2001:db9::",
        "2003::",
        "2606:4700::1111",
        "2620:4f:7fff::",
        "2620:4f:8001::",
        "3ffe:ffff::",
        "3fff:1000::",
        "2a00:1450::1",
    ] {
        let address: IpAddr = text.parse().expect("an address");
        assert_eq!(rule(address), None, "{text}");
    }
}

#[test]
fn known_bad_addresses_are_refused_by_the_named_rule() {
    for (text, start) in [
        ("0.0.0.0", "0.0.0.0/8"),
        ("10.1.2.3", "10.0.0.0/8"),
        ("172.16.0.1", "172.16.0.0/12"),
        ("172.31.255.255", "172.16.0.0/12"),
        ("198.18.0.1", "198.18.0.0/15"),
        ("198.19.255.255", "198.18.0.0/15"),
        ("169.254.169.254", "169.254.169.254/32 cloud metadata"),
        ("169.254.1.1", "169.254.0.0/16"),
        ("100.100.100.200", "100.100.100.200/32 cloud metadata"),
        ("100.100.100.201", "100.64.0.0/10"),
        ("192.0.0.192", "192.0.0.192/32 cloud metadata"),
        ("192.0.0.7", "192.0.0.0/29"),
        ("192.0.0.8", "192.0.0.8/32"),
        ("192.0.0.171", "192.0.0.170/31"),
        ("192.0.0.200", "192.0.0.0/24"),
        ("255.255.255.255", "255.255.255.255/32"),
        ("255.255.255.254", "240.0.0.0/4"),
        ("239.255.255.255", "224.0.0.0/4"),
        ("::", "::/128"),
        ("::1", "::1/128"),
        ("::7f00:1", "::/96"),
        ("::ffff:127.0.0.1", "::ffff:0:0/96"),
        ("::ffff:8.8.8.8", "::ffff:0:0/96"),
        ("::ffff:0:127.0.0.1", "::ffff:0:0:0/96"),
        ("64:ff9b::a9fe:a9fe", "64:ff9b::/96"),
        ("64:ff9b:1::1", "64:ff9b:1::/48"),
        ("2001::1", "2001::/32"),
        ("2001:2::1", "2001:2::/48"),
        ("2001:2:1::1", "2001::/23"),
        ("2001:1::1", "2001:1::1/128"),
        ("2001:1ff::1", "2001::/23"),
        ("2001:20::1", "2001:20::/28"),
        ("2002:7f00:1::", "2002::/16"),
        ("fd00:ec2::254", "fd00:ec2::254/128 cloud metadata"),
        ("fd00:ec2::255", "fc00::/7"),
        ("fd20:ce::254", "fd20:ce::254/128 cloud metadata"),
        ("fe80::1", "fe80::/10"),
        ("fec0::1", "fec0::/10"),
        ("ff02::1", "ff00::/8"),
        ("100::1", "100::/64"),
        ("4000::1", "4000::/2"),
        ("a000::1", "8000::/1"),
        ("200::1", "::/3"),
        ("3fff::1", "3fff::/20"),
    ] {
        let address: IpAddr = text.parse().expect("an address");
        let found = rule(address).unwrap_or("none");
        assert!(found.starts_with(start), "{text}: {found}");
    }
}

/// The two registries' blocks, written down apart from the table: each must be inside some row.
#[test]
fn every_block_of_the_registries_is_refused() {
    let blocks = "0.0.0.0/8 0.0.0.0/32 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 \
        192.0.0.0/29 192.0.0.8/32 192.0.0.9/32 192.0.0.10/32 192.0.0.170/32 192.0.0.171/32 192.0.2.0/24 192.31.196.0/24 \
        192.52.193.0/24 192.88.99.0/24 192.88.99.2/32 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 \
        203.0.113.0/24 240.0.0.0/4 255.255.255.255/32 ::1/128 ::/128 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 \
        100:0:0:1::/64 2001::/23 2001::/32 2001:1::1/128 2001:1::2/128 2001:1::3/128 2001:2::/48 2001:3::/32 \
        2001:4:112::/48 2001:10::/28 2001:20::/28 2001:30::/28 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20 \
        5f00::/16 fc00::/7 fe80::/10";
    for block in blocks.split_whitespace() {
        let net: ipnet::IpNet = block.parse().expect("a block");
        let covered = match net {
            ipnet::IpNet::V4(net) => V4.iter().any(|(row, _)| row.contains(&net)),
            ipnet::IpNet::V6(net) => V6.iter().any(|(row, _)| row.contains(&net)),
        };
        assert!(covered, "{block}");
    }
}

/// A narrow row behind the wide one around it would never name anything.
#[test]
fn no_row_hides_behind_a_wider_one() {
    for (at, (net, name)) in V4.iter().enumerate() {
        assert!(!V4[..at].iter().any(|(wide, _)| wide.contains(net)), "{name} is never reached");
    }
    for (at, (net, name)) in V6.iter().enumerate() {
        assert!(!V6[..at].iter().any(|(wide, _)| wide.contains(net)), "{name} is never reached");
    }
}
