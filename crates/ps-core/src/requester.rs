//! Who asks, as far as the network shows.

use std::{fmt, net::IpAddr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::{EmailAddress, Lane, language};

/// The client behind a request, as the edge saw it: what limits, mails and events speak of.
///
/// None of it authenticates anybody.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Requester {
    /// The client's address, in canonical form (an IPv4 address mapped into IPv6 is IPv4).
    pub address: IpAddr,
    /// What the client calls itself: printable, 256 characters at most.
    pub user_agent: Option<String>,
    /// The languages that the client asks for, as in `Accept-Language`: printable, 256 characters at most.
    /// A mail to it is written in [one of them](Self::language_of).
    pub languages: Option<String>,
    /// The name of this request in logs and events.
    pub request_id: String,
    /// The address that the browser signed in to before, as a cookie says that only we can make. It
    /// authenticates nobody: it moves whoever asks about this address out of the strangers' [lanes](Lane).
    pub known_for: Option<EmailAddress>,
}

impl Requester {
    /// A requester of whom only the address is known.
    #[must_use]
    pub fn new(address: IpAddr) -> Self {
        Self {
            address: address.to_canonical(),
            user_agent: None,
            languages: None,
            request_id: String::new(),
            known_for: None,
        }
    }

    /// With the client's name for itself, made printable and cut to 256 characters.
    #[must_use]
    pub fn with_user_agent(mut self, text: &str) -> Self {
        self.user_agent = printable(text);
        self
    }

    /// With the languages that the client asks for, made printable and cut to 256 characters.
    #[must_use]
    pub fn with_languages(mut self, text: &str) -> Self {
        self.languages = printable(text);
        self
    }

    /// Which of these languages (BCP 47 tags) the client likes best, by the weights that it gives
    /// them (RFC 9110 §12.5.4); `None` where it names none of them.
    ///
    /// ```
    /// # use ps_core::Requester;
    /// let client = Requester::new([127, 0, 0, 1].into()).with_languages("de, es-MX;q=0.9, en;q=0.8");
    /// assert_eq!(client.language_of(&["en", "es"]), Some("es"));
    /// ```
    #[must_use]
    pub fn language_of<'a>(&self, known: &[&'a str]) -> Option<&'a str> {
        language::best(self.languages.as_deref()?, known)
    }

    /// In a browser that signed in to `address` before: whoever says so has read it from what only we
    /// can make.
    #[must_use]
    pub fn with_known_browser(mut self, address: EmailAddress) -> Self {
        self.known_for = Some(address);
        self
    }

    /// Whose acts on `address` count together with this client's. A browser that is known for another
    /// address is a stranger here.
    #[must_use]
    pub fn lane(&self, address: &EmailAddress) -> Lane {
        match &self.known_for {
            Some(known_for) if known_for == address => Lane::Known,
            _ => Lane::Network(Network::of(self.address)),
        }
    }

    /// With the name of the request.
    #[must_use]
    pub fn with_request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = id.into();
        self
    }
}

fn printable(text: &str) -> Option<String> {
    let is_clean = text.len() <= 256 && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let clean: String = if is_clean {
        text.to_owned()
    } else {
        text.chars().filter(|c| !c.is_control()).take(256).collect()
    };
    (!clean.is_empty()).then_some(clean)
}

/// A part of the network that one client can be taken to own, in canonical binary form.
///
/// Limits count networks, not addresses: whoever has one IPv6 address usually has 2⁶⁴ of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(IpNet);

impl Network {
    /// One client: the IPv4 address itself, or the IPv6 /64.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Self::cut(address, 32, 64)
    }

    /// One site: the IPv4 address itself, or the IPv6 /48.
    #[must_use]
    pub fn site(address: IpAddr) -> Self {
        Self::cut(address, 32, 48)
    }

    /// Coarse enough to be shown and kept: the IPv4 /24 or the IPv6 /48.
    #[must_use]
    pub fn coarse(address: IpAddr) -> Self {
        Self::cut(address, 24, 48)
    }

    fn cut(address: IpAddr, v4: u8, v6: u8) -> Self {
        let net = match address.to_canonical() {
            IpAddr::V4(address) => Ipv4Net::new(address, v4).map(IpNet::V4),
            IpAddr::V6(address) => Ipv6Net::new(address, v6).map(IpNet::V6),
        };
        Self(net.expect("the lengths are in range").trunc())
    }
}

impl fmt::Display for Network {
    /// CIDR notation: `203.0.113.0/24`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // MC13
    #[test]
    fn every_spelling_of_an_address_is_one_network() {
        let table = [
            ("203.0.113.7", "203.0.113.7/32", "203.0.113.0/24"),
            ("::ffff:203.0.113.7", "203.0.113.7/32", "203.0.113.0/24"),
            ("::ffff:cb00:7107", "203.0.113.7/32", "203.0.113.0/24"),
            (
                "2001:db8:1:2:3:4:5:6",
                "2001:db8:1:2::/64",
                "2001:db8:1::/48",
            ),
            (
                "2001:0DB8:0001:0002::ffff",
                "2001:db8:1:2::/64",
                "2001:db8:1::/48",
            ),
        ];
        for (text, one, coarse) in table {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(Network::of(address).to_string(), one, "{text}");
            assert_eq!(Network::coarse(address).to_string(), coarse, "{text}");
        }
    }

    // MC12
    #[test]
    fn a_browser_is_known_for_one_address_and_a_stranger_for_all_others() {
        let [alice, bob] = ["alice", "bob"]
            .map(|name| EmailAddress::parse(&format!("{name}@example.com")).unwrap());
        let somebody = Requester::new("2001:db8:1:2:3::4".parse().unwrap());
        let known = somebody.clone().with_known_browser(alice.clone());
        let table = [
            (&somebody, &alice, "2001:db8:1:2::/64"),
            (&known, &alice, "known"),
            (&known, &bob, "2001:db8:1:2::/64"),
        ];
        for (requester, address, name) in table {
            let lane = requester.lane(address);
            assert_eq!(lane.to_string(), name);
            assert_eq!(lane.is_known(), name == "known");
        }
    }

    #[test]
    fn what_a_client_says_of_itself_is_cut_and_cleaned() {
        let local = IpAddr::from([127, 0, 0, 1]);
        let said = Requester::new(local).with_user_agent(&format!("a\r\nb{}", "c".repeat(300)));
        let agent = said.user_agent.unwrap();
        assert!(agent.starts_with("abc") && agent.len() == 256);
        assert_eq!(Requester::new(local).with_user_agent("\n").user_agent, None);
    }
}
