//! Names to addresses. A trait, so that a test can answer differently from one look-up to the next.

use std::io;
use std::net::{IpAddr, SocketAddr};

use async_trait::async_trait;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::Name;

/// Looks up every address of a host name.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// All addresses of the name, IPv4 and IPv6; `ErrorKind::NotFound` when it has none.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The machine's own name servers and hosts file.
///
/// Names are taken as they stand: no search domain is appended, since that would let a public
/// looking name mean an internal one.
pub struct SystemResolver {
    resolver: Option<TokioResolver>,
}

impl SystemResolver {
    /// Reads the machine's set-up. Without a usable one every look-up fails with a clear error;
    /// addresses written as numbers still work.
    #[must_use]
    pub fn new() -> Self {
        let resolver = TokioResolver::builder_tokio().and_then(|mut builder| {
            // Both families at once: a name must not hide a forbidden IPv6 address behind a good
            // IPv4 one that is simply asked for first.
            builder.options_mut().ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
            builder.build()
        });
        if let Err(error) = &resolver {
            tracing::warn!(%error, "no name server is set up on this machine");
        }
        Self { resolver: resolver.ok() }
    }

    /// Asks one name server, by UDP and then TCP, instead of the machine's own; the hosts file is not read.
    #[must_use]
    pub fn with_server(server: SocketAddr) -> Self {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
            connection.port = server.port();
            connection
        });
        let server = NameServerConfig::new(server.ip(), true, connections.into());
        let config = ResolverConfig::from_name_servers(vec![server]);
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        builder.options_mut().ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        builder.options_mut().use_hosts_file = ResolveHosts::Never;
        Self { resolver: builder.build().ok() }
    }
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let resolver = self
            .resolver
            .as_ref()
            .ok_or_else(|| io::Error::other("this machine has no name server set up (/etc/resolv.conf)"))?;
        // As the URL has it: in ASCII, and with the underscores that some sites have in their names.
        let mut name = Name::from_ascii(host).map_err(io::Error::other)?;
        name.set_fqdn(true);
        match resolver.lookup_ip(name).await {
            Ok(found) => Ok(found.iter().collect()),
            Err(error) if error.is_no_records_found() => Err(io::Error::new(io::ErrorKind::NotFound, error)),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}
