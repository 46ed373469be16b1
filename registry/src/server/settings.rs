//! `[server]` and `[limits]`: how long the registry waits for clients, and how much of it one
//! of them may take.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::proxies::{ForwardedHeader, Network};
use crate::rates::RateSettings;
use crate::settings::{ByteSize, Timespan};

/// `[server]`: how long the registry waits, for what.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServerSettings {
    /// Address and port to listen on; port 0 takes a free one. Default: `127.0.0.1:5000`.
    pub addr: SocketAddr,
    /// Listen on an address that other machines can reach even without TLS or access rules.
    /// Default: `false`.
    pub allow_remote: bool,
    /// The URL that clients know the registry by, when a proxy stands before it. Default:
    /// what the request's `Host` says.
    pub external_url: Option<String>,
    /// Proxies before the registry, by address or network. What they say of whom they ask for
    /// counts for rates, the audit log and wrong passwords; what others say does not.
    /// Default: none.
    pub trusted_proxies: Vec<Network>,
    /// In which header they say it: `x-forwarded-for`, or `forwarded` (RFC 7239). The proxy
    /// has to write it itself; one that passes on what clients say lets them be anyone.
    /// Default: `x-forwarded-for`.
    pub forwarded_header: ForwardedHeader,
    /// From the first byte of a request to the end of its headers, and for a TLS handshake.
    /// Headers fit into a few packets, so that who needs longer holds a connection for its own
    /// sake ("slowloris"). Default: `10s`.
    pub header_timeout: Timespan,
    /// How long a connection without a request is kept open. Longer than the 60 s after which
    /// most proxies close theirs, so that it is the proxy that does. Default: `75s`.
    pub keep_alive_timeout: Timespan,
    /// How long a client may be behind with a body that it sends or reads. In each such span
    /// that the registry waits for it, it has to move `min-bytes`. Default: `30s`.
    pub stall_timeout: Timespan,
    /// What a client that is waited for moves at least in one `stall-timeout`: a byte now and
    /// then holds as much memory as none. Default: `4 KiB`.
    pub min_bytes: ByteSize,
    /// How long the registry itself may work at a request while nothing is sent in either
    /// direction. It ends what would hang for ever, and is longer than it takes to hash and
    /// sync the largest blob. Default: `15m`.
    pub request_timeout: Timespan,
    /// How long to answer `/readyz` with 503 before connections are refused, at a shutdown, so
    /// that a load balancer looks elsewhere first. Default: `0s`.
    pub drain_delay: Timespan,
    /// How long requests under way may take to end at a shutdown, before they are cut.
    /// Default: `30s`.
    pub drain_timeout: Timespan,
}

/// `[limits]`: how much one client, and all of them, may take.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LimitsSettings {
    /// Connections at one time. Each takes a file descriptor and some kilobytes; more are
    /// closed as soon as they come. Default: 10000.
    pub connections: usize,
    /// Connections at one time from one address (for IPv6, from one /64). 0 is no limit, the
    /// default, since behind a proxy all come from one address.
    pub connections_per_address: usize,
    /// Requests that are answered at one time. More get 503 with `Retry-After`: to be refused
    /// at once is better than to wait for longer than the client does. Default: 4096.
    pub requests: usize,
    /// The headers of a request, in bytes, names and values. Tokens of OIDC are the largest
    /// that come, at a few kilobytes. At most 60 KiB. Default: `32 KiB`.
    pub header_bytes: ByteSize,
    /// The number of headers of a request. Default: 100.
    pub headers: usize,
    /// The target of a request, in bytes: a name (255), a digest (135), and a query with ten
    /// tags (128 each) fit many times. Default: `8 KiB`.
    pub uri_bytes: ByteSize,
    /// Requests at one time on one HTTP/2 connection. Default: 128.
    pub http2_streams: u32,
    /// Requests that an HTTP/2 client has taken back and that were not looked at yet ("rapid
    /// reset"); with more, its connection is closed. Default: 20.
    pub http2_resets: usize,
    /// How often somebody may ask.
    pub rates: RateSettings,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from(([127, 0, 0, 1], 5000)),
            allow_remote: false,
            external_url: None,
            trusted_proxies: Vec::new(),
            forwarded_header: ForwardedHeader::default(),
            header_timeout: Timespan::seconds(10),
            keep_alive_timeout: Timespan::seconds(75),
            stall_timeout: Timespan::seconds(30),
            min_bytes: ByteSize::kib(4),
            request_timeout: Timespan::minutes(15),
            drain_delay: Timespan::seconds(0),
            drain_timeout: Timespan::seconds(30),
        }
    }
}

impl Default for LimitsSettings {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_per_address: 0,
            requests: 4096,
            header_bytes: ByteSize::kib(32),
            headers: 100,
            uri_bytes: ByteSize::kib(8),
            http2_streams: 128,
            http2_resets: 20,
            rates: RateSettings::default(),
        }
    }
}
