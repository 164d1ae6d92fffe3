//! A name server that answers as a row says, and something else at the next look-up.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;
const NO_SUCH_NAME: u8 = 3;

#[derive(Default)]
struct Script {
    /// One answer for each look-up; the last one stays.
    steps: Vec<String>,
    asked_a: usize,
    asked_aaaa: usize,
}

pub(super) struct NameServer {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
}

impl NameServer {
    pub(super) fn start(address: &str) -> Self {
        let socket = UdpSocket::bind(address).expect("a UDP port");
        let address = socket.local_addr().expect("an address");
        let script: Arc<Mutex<Script>> = Arc::default();
        let shared = script.clone();
        thread::spawn(move || {
            let mut packet = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut packet) {
                if let Some(answer) = reply(&packet[..length], &shared) {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        Self { address, script }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What is answered from now on, whatever the name; nothing means that no name exists.
    pub(super) fn answer(&self, steps: Option<&str>) {
        let steps = steps.unwrap_or("nxdomain").split(" > ").map(str::to_owned).collect();
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = Script { steps, ..Script::default() };
    }

    /// Look-ups since then.
    pub(super) fn look_ups(&self) -> u32 {
        let script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        script.asked_a.max(script.asked_aaaa) as u32
    }
}

/// The answer to one question (RFC 1035, section 4): records without compression, none to be kept.
fn reply(packet: &[u8], script: &Mutex<Script>) -> Option<Vec<u8>> {
    let mut end = 12;
    while *packet.get(end)? != 0 {
        end += usize::from(packet[end]) + 1;
    }
    let name = packet.get(12..=end)?.to_vec();
    let kind = u16::from_be_bytes([*packet.get(end + 1)?, *packet.get(end + 2)?]);
    let question = packet.get(12..end + 5)?;
    let step = next_step(&mut script.lock().unwrap_or_else(PoisonError::into_inner), kind, &name);

    let (mut records, mut count, mut owner) = (Vec::new(), 0u16, name);
    let mut code = 0;
    for word in step.split(',').map(str::trim) {
        let (record_kind, data) = match (word.strip_prefix("cname "), word.parse::<IpAddr>()) {
            (Some(target), _) => (CNAME, wire_name(target)),
            (_, Ok(IpAddr::V4(ip))) => (A, ip.octets().to_vec()),
            (_, Ok(IpAddr::V6(ip))) => (AAAA, ip.octets().to_vec()),
            _ => {
                code = if word == "nxdomain" { NO_SUCH_NAME } else { 0 };
                continue;
            }
        };
        if record_kind != CNAME && record_kind != kind {
            continue;
        }
        records.extend(&owner);
        records.extend(record_kind.to_be_bytes());
        records.extend([0, 1, 0, 0, 0, 0]);
        records.extend((data.len() as u16).to_be_bytes());
        records.extend(&data);
        count += 1;
        if record_kind == CNAME {
            owner = data;
        }
    }
    let mut answer = packet[..2].to_vec();
    answer.extend([0x81, 0x80 | code, 0, 1]);
    answer.extend(count.to_be_bytes());
    answer.extend([0, 0, 0, 0]);
    answer.extend(question);
    answer.extend(records);
    Some(answer)
}

/// What holds for this name: a step of the script, or what stands behind the name in the step that holds
/// already, for one inside a chain.
fn next_step(script: &mut Script, kind: u16, name: &[u8]) -> String {
    let last = script.steps.len().saturating_sub(1);
    let asked = match kind {
        A => &mut script.asked_a,
        AAAA => &mut script.asked_aaaa,
        _ => return "-".to_owned(),
    };
    let current = script.steps.get(asked.saturating_sub(1).min(last)).cloned().unwrap_or_default();
    let mut words = current.split(", ");
    if words.any(|word| word.strip_prefix("cname ").is_some_and(|inner| wire_name(inner) == name)) {
        return words.collect::<Vec<_>>().join(", ");
    }
    let at = *asked;
    *asked += 1;
    script.steps.get(at.min(last)).cloned().unwrap_or_default()
}

fn wire_name(name: &str) -> Vec<u8> {
    let labels = name.split('.').flat_map(|label| {
        let length = u8::try_from(label.len()).expect("a short label");
        std::iter::once(length).chain(label.bytes())
    });
    labels.chain([0]).collect()
}
