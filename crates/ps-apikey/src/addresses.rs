//! Where a key may be used from.

use std::{net::IpAddr, slice, sync::Arc};

use ipnet::{IpNet, Ipv4Net};

/// Why a list cannot be a key's allowed addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAddresses {
    /// An entry is neither an IP address nor a network in CIDR notation.
    #[error("each entry must be an IP address or a network such as 203.0.113.0/24")]
    Form,
    /// More than 32.
    #[error("must be at most 32 addresses")]
    TooMany,
}

/// Where a key may be used from: at most 32 networks. The default is none, and none means anywhere.
///
/// Networks are kept in one canonical form: host bits cut off, IPv4 mapped into IPv6 written as IPv4.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedAddresses(Networks);

/// One network lies in place, as what a node remembers of a key does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Networks {
    #[default]
    Any,
    One(IpNet),
    Several(Arc<[IpNet]>),
}

impl AllowedAddresses {
    /// Reads a list of addresses (`203.0.113.7`) and networks (`2001:db8::/32`).
    ///
    /// # Errors
    /// [`InvalidAddresses`] for whatever the type's documentation refuses.
    pub fn parse<S: AsRef<str>>(
        list: impl IntoIterator<Item = S>,
    ) -> Result<Self, InvalidAddresses> {
        let mut networks = Vec::new();
        for (place, text) in list.into_iter().enumerate() {
            if place == 32 {
                return Err(InvalidAddresses::TooMany);
            }
            let network = read_network(text.as_ref()).ok_or(InvalidAddresses::Form)?;
            if !networks.contains(&network) {
                networks.push(network);
            }
        }
        Ok(Self(match networks[..] {
            [] => Networks::Any,
            [network] => Networks::One(network),
            _ => Networks::Several(networks.into()),
        }))
    }

    /// Whether a key may be used from `address`.
    #[must_use]
    pub fn allow(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let networks = self.networks();
        networks.is_empty() || networks.iter().any(|network| network.contains(&address))
    }

    /// Each network as text: an address alone where it holds just one, else in CIDR notation.
    pub fn iter(&self) -> impl Iterator<Item = String> {
        self.networks().iter().map(|network| {
            if network.prefix_len() == network.max_prefix_len() {
                network.addr().to_string()
            } else {
                network.to_string()
            }
        })
    }

    fn networks(&self) -> &[IpNet] {
        match &self.0 {
            Networks::Any => &[],
            Networks::One(network) => slice::from_ref(network),
            Networks::Several(networks) => networks,
        }
    }
}

fn read_network(text: &str) -> Option<IpNet> {
    let network: IpNet = match text.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().into(),
        Err(_) => text.parse().ok()?,
    };
    Some(canonical(network).trunc())
}

/// `::ffff:10.0.0.0/104` is `10.0.0.0/8`.
fn canonical(network: IpNet) -> IpNet {
    let mapped = match network {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => v6.addr().to_ipv4_mapped(),
        _ => None,
    };
    mapped
        .and_then(|v4| Ipv4Net::new(v4, network.prefix_len() - 96).ok())
        .map_or(network, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_one_form() {
        let table = [
            ("203.0.113.7", "203.0.113.7"),
            ("203.0.113.7/24", "203.0.113.0/24"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("::ffff:10.1.2.3/104", "10.0.0.0/8"),
            ("2001:DB8:0::1/32", "2001:db8::/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
        ];
        for (text, form) in table {
            let parsed = AllowedAddresses::parse([text]).unwrap();
            assert_eq!(parsed.iter().collect::<Vec<_>>(), [form], "{text}");
        }
    }

    #[test]
    fn only_what_is_listed_is_allowed() {
        let listed = AllowedAddresses::parse(["203.0.113.0/24", "2001:db8::/32"]).unwrap();
        let table = [
            ("203.0.113.255", true),
            ("::ffff:203.0.113.1", true),
            ("203.0.114.0", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::1", false),
        ];
        for (address, allowed) in table {
            assert_eq!(listed.allow(address.parse().unwrap()), allowed, "{address}");
        }
        assert!(AllowedAddresses::default().allow([198, 51, 100, 1].into()));
    }

    #[test]
    fn what_is_not_a_network_is_refused() {
        for text in [
            "",
            "203.0.113",
            "203.0.113.7/33",
            "203.0.113.7/-1",
            "::/129",
            "example.com",
            "1.2.3.4 ",
            "01.2.3.4",
        ] {
            let parsed = AllowedAddresses::parse([text]);
            assert_eq!(parsed, Err(InvalidAddresses::Form), "{text:?}");
        }
        let many = AllowedAddresses::parse((0..33).map(|i| format!("10.0.0.{i}")));
        assert_eq!(many, Err(InvalidAddresses::TooMany));
    }
}
