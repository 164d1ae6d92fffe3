//! `--allow-address HOST:PORT`: addresses that may be fetched although they are not public. Resolved once, here:
//! what is opened is an address, not a name that may point elsewhere later.

use crate::exit::usage;
use std::net::SocketAddr;

/// The addresses behind what was given.
pub(crate) async fn resolve(given: &[String]) -> Result<Vec<SocketAddr>, anyhow::Error> {
    let mut addresses = Vec::new();
    for text in given {
        let found = tokio::net::lookup_host(text.as_str()).await;
        let found = found.map_err(|why| {
            usage(format!("--allow-address {text:?} is not HOST:PORT, or its host has no address ({why})"))
        })?;
        addresses.extend(found);
    }
    Ok(addresses)
}
