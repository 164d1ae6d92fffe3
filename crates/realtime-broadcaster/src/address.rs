//! The address that a request comes from, behind proxies that are known and no others: anybody may write a header.

use ipnet::IpNet;
use serde::Deserialize;
use std::net::{IpAddr, Ipv6Addr};

/// A network, such as `10.0.0.0/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network(IpNet);

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let one = text.parse::<IpAddr>().map(IpNet::from);
        let network = text.parse().or(one).map_err(|_| format!("{text:?} is no network and no address"))?;
        Ok(Self(network))
    }
}

/// Who is at the other end: the peer, or, if that is a known proxy, the last address in `X-Forwarded-For` that is
/// none. Of IPv6 the first half, since that is what one customer has.
pub(crate) fn of(peer: IpAddr, forwarded: &str, proxies: &[Network]) -> IpAddr {
    let known = |address: &IpAddr| proxies.iter().any(|proxy| proxy.0.contains(address));
    let mut address = peer.to_canonical();
    for named in forwarded.rsplit(',') {
        if !known(&address) {
            break;
        }
        // What is no address was not written by a proxy of ours: the proxy itself has to do.
        let Ok(named) = named.trim().parse::<IpAddr>() else { break };
        address = named.to_canonical();
    }
    match address {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_known_proxies_wrote_is_believed() {
        let proxies: Vec<Network> = ["10.0.0.0/8", "192.0.2.7"]
            .map(|text| Network::try_from(text.to_owned()).expect("a network"))
            .to_vec();
        let table = [
            ("203.0.113.9", "", "203.0.113.9"),
            ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
            ("10.1.2.3", "198.51.100.1", "198.51.100.1"),
            ("10.1.2.3", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
            ("10.1.2.3", "198.51.100.1, 10.9.9.9", "198.51.100.1"),
            ("192.0.2.7", "nonsense", "192.0.2.7"),
            ("10.1.2.3", "", "10.1.2.3"),
            ("::ffff:10.1.2.3", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ];
        for (peer, forwarded, expected) in table {
            let peer: IpAddr = peer.parse().expect("an address");
            assert_eq!(of(peer, forwarded, &proxies).to_string(), expected, "{peer} {forwarded:?}");
        }
        assert!(Network::try_from("10.0.0.0/64".to_owned()).is_err());
    }
}
