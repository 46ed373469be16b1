//! Proxies before the registry: who is behind them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

/// The header that most proxies write.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// An address, or a network of them: `10.0.0.7`, `10.0.0.0/8`, `2001:db8::/32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

/// Why a text is no network.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "`{0}` is neither an address nor a network, expected one such as `127.0.0.1` or `10.0.0.0/8`"
)]
pub struct NetworkError(String);

/// In which header a proxy says whom it asks for.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedHeader {
    /// `X-Forwarded-For: 203.0.113.7`
    #[default]
    XForwardedFor,
    /// `Forwarded: for=203.0.113.7` (RFC 7239)
    Forwarded,
}

/// The proxies that are believed.
#[derive(Clone, Debug, Default)]
pub(super) struct Proxies {
    networks: Vec<Network>,
    header: ForwardedHeader,
}

impl Proxies {
    pub(super) fn new(networks: &[Network], header: ForwardedHeader) -> Self {
        let networks = networks.to_vec();
        Self { networks, header }
    }

    /// Whether what comes from this address comes from a proxy that is believed.
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|it| it.0.contains(&address))
    }

    /// Who asks through the proxy at `address`: the last address in the header that is no
    /// proxy of ours. Those before it are what the client says, and may be made up.
    pub(super) fn client(&self, address: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = address;
        let name = match self.header {
            ForwardedHeader::XForwardedFor => X_FORWARDED_FOR,
            ForwardedHeader::Forwarded => header::FORWARDED,
        };
        let values: Vec<_> = headers.get_all(name).iter().collect();
        let values = values
            .iter()
            .rev()
            .map(|value| value.to_str().unwrap_or(""));
        for entry in values.flat_map(|value| value.rsplit(',')) {
            let told = match self.header {
                ForwardedHeader::XForwardedFor => address_in(entry),
                ForwardedHeader::Forwarded => address_in(node(entry)),
            };
            // Who is not named, or in a way that we do not know, is who named it.
            let Some(told) = told else {
                return client;
            };
            client = told;
            if !self.trusts(told) {
                return client;
            }
        }
        client
    }
}

/// The value of `for` in one element of `Forwarded`.
fn node(element: &str) -> &str {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let named = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    named.map_or("", |(_, value)| value.trim().trim_matches('"'))
}

/// An address, with or without a port: `::1`, `[::1]:80`, `10.0.0.7:80`.
fn address_in(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None if text.matches(':').count() == 1 => text.split_once(':')?.0,
        None => text,
    };
    bare.parse::<IpAddr>().ok().map(|it| it.to_canonical())
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let network = text.parse::<IpNet>().ok();
        let network = network.or_else(|| Some(text.parse::<IpAddr>().ok()?.to_canonical().into()));
        network
            .map(Self)
            .ok_or_else(|| NetworkError(text.to_owned()))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(header: ForwardedHeader, lines: &[(&'static str, &'static str)]) -> String {
        let networks = ["127.0.0.1", "10.0.0.0/8"].map(|text| text.parse().unwrap());
        let proxies = Proxies::new(&networks, header);
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        proxies
            .client("127.0.0.1".parse().unwrap(), &headers)
            .to_string()
    }

    #[test]
    fn the_last_address_that_is_no_proxy_asks() {
        for (value, expected) in [
            ("203.0.113.7", "203.0.113.7"),
            ("203.0.113.7:4711", "203.0.113.7"),
            ("198.51.100.1, 203.0.113.7, 10.1.2.3", "203.0.113.7"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("10.0.0.2, 10.0.0.1", "10.0.0.2"),
            ("203.0.113.7, unknown, 10.0.0.1", "10.0.0.1"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("nonsense", "127.0.0.1"),
            ("", "127.0.0.1"),
        ] {
            let lines = [("x-forwarded-for", value)];
            assert_eq!(
                client(ForwardedHeader::XForwardedFor, &lines),
                expected,
                "{value}"
            );
        }
        let two = [
            ("x-forwarded-for", "198.51.100.1"),
            ("x-forwarded-for", "203.0.113.7"),
        ];
        assert_eq!(client(ForwardedHeader::XForwardedFor, &two), "203.0.113.7");
    }

    #[test]
    fn only_the_header_that_the_proxy_writes_is_read() {
        let lines = [
            ("x-forwarded-for", "198.51.100.1"),
            ("forwarded", "for=203.0.113.7"),
        ];
        assert_eq!(
            client(ForwardedHeader::XForwardedFor, &lines),
            "198.51.100.1"
        );
        assert_eq!(client(ForwardedHeader::Forwarded, &lines), "203.0.113.7");
        let line = [(
            "forwarded",
            "for=_hidden, proto=https;For=\"[2001:db8::1]:4711\", for=10.0.0.1",
        )];
        assert_eq!(client(ForwardedHeader::Forwarded, &line), "2001:db8::1");
    }

    #[test]
    fn a_network_is_read_and_written() {
        for (text, written) in [("10.0.0.0/8", "10.0.0.0/8"), ("::1", "::1/128")] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), written);
        }
        assert!("10.0.0.0/33".parse::<Network>().is_err());
        assert!("proxy".parse::<Network>().is_err());
    }
}
