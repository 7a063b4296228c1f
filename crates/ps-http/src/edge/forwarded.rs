//! What a trusted proxy says of the client.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::{Connection, Head, head::visible};

/// Which headers the trusted proxies write. The other family is never read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedFamily {
    /// `Forwarded` (RFC 7239).
    Forwarded,
    /// `X-Forwarded-For` and `X-Forwarded-Proto`.
    #[default]
    XForwarded,
}

/// The proxies that are believed, by network. The default believes none.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies {
    family: ForwardedFamily,
    networks: Vec<IpNet>,
}

/// What is known of the client at the far end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) client: IpAddr,
    pub(super) secure: bool,
    pub(super) from_proxy: bool,
}

impl TrustedProxies {
    /// Believes the headers of `family` from peers in `networks`.
    #[must_use]
    pub fn new(family: ForwardedFamily, networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self {
            family,
            networks: networks.into_iter().collect(),
        }
    }

    fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks
            .iter()
            .any(|network| network.contains(&address))
    }

    /// Walks from the nearest hop to the first one that is not ours: that is the client. The scheme
    /// is what the nearest proxy says, once and only `https`; anything else is plain HTTP.
    ///
    /// A hop that cannot be read ends the walk at the proxy that wrote it: a client may put anything
    /// to the left of what our own proxies append, and none of it is believed.
    pub(super) fn judge(&self, head: &Head<'_>, on: Connection) -> Hop {
        let peer = on.peer.ip();
        if self.networks.is_empty() || !self.trust(peer) {
            return Hop {
                client: peer,
                secure: on.tls,
                from_proxy: false,
            };
        }
        let (hops, scheme) = match self.family {
            ForwardedFamily::XForwarded => x_forwarded(head),
            ForwardedFamily::Forwarded => forwarded(head),
        };
        let mut client = peer;
        for hop in hops.iter().rev() {
            match read_address(hop) {
                Some(address) => client = address,
                None => break,
            }
            if !self.trust(client) {
                break;
            }
        }
        Hop {
            client,
            secure: scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")),
            from_proxy: true,
        }
    }
}

/// The hops of `X-Forwarded-For`, farthest first, and the one value of `X-Forwarded-Proto`.
fn x_forwarded<'a>(head: &Head<'a>) -> (Vec<&'a str>, Option<&'a str>) {
    let hops = list(head, "x-forwarded-for");
    let schemes = list(head, "x-forwarded-proto");
    match schemes[..] {
        [scheme] => (hops, Some(scheme)),
        _ => (hops, None),
    }
}

/// The `for` of each element of `Forwarded`, farthest first, and the nearest element's `proto`.
fn forwarded<'a>(head: &Head<'a>) -> (Vec<&'a str>, Option<&'a str>) {
    let elements = list(head, "forwarded");
    let hops = elements.iter().map(|element| parameter(element, "for"));
    let scheme = elements
        .last()
        .and_then(|element| parameter(element, "proto"));
    (hops.map(Option::unwrap_or_default).collect(), scheme)
}

/// The comma-separated items of all the headers of that name, in order. One that is not ASCII
/// counts as one item that cannot be read.
fn list<'a>(head: &Head<'a>, name: &str) -> Vec<&'a str> {
    let lines = head
        .of_proxies
        .iter()
        .filter(|(written, _)| *written == name);
    lines
        .flat_map(|(_, value)| visible(value).unwrap_or_default().split(','))
        .map(|item| item.trim_matches([' ', '\t']))
        .collect()
}

/// The one value of a parameter of a `Forwarded` element, its quotes taken off.
///
/// Commas and semicolons inside quotes are not looked for: no address or scheme has one, and an
/// element torn at one cannot be read, which ends the walk.
fn parameter<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let mut values = element.split(';').filter_map(|pair| {
        let (key, value) = pair.trim_matches([' ', '\t']).split_once('=')?;
        key.eq_ignore_ascii_case(name).then_some(value)
    });
    let value = values.next()?;
    let unquoted = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    values.next().is_none().then_some(unquoted.unwrap_or(value))
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:4711`.
fn read_address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address = match bare.unwrap_or(text).parse() {
        Ok(address) => address,
        Err(_) => text.parse::<SocketAddr>().ok()?.ip(),
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::{super::head::tests::with, *};

    fn judge(
        family: ForwardedFamily,
        peer: &str,
        tls: bool,
        lines: &[(&str, &str)],
    ) -> (String, bool) {
        let networks = ["10.0.0.0/8", "2001:db8:ffff::/48"];
        let proxies = TrustedProxies::new(family, networks.map(|net| net.parse().unwrap()));
        let peer = SocketAddr::new(peer.parse().unwrap(), 1);
        let hop = proxies.judge(&with(lines), Connection { peer, tls });
        (hop.client.to_string(), hop.secure)
    }

    // HT2
    #[test]
    fn x_forwarded_table() {
        let proto = ("x-forwarded-proto", "https");
        let chain = |hops| vec![("x-forwarded-for", hops), proto];
        let table = [
            ("10.0.0.1", false, chain("203.0.113.9"), "203.0.113.9", true),
            (
                "10.0.0.1",
                false,
                chain("1.1.1.1, 203.0.113.9"),
                "203.0.113.9",
                true,
            ),
            (
                "10.0.0.1",
                false,
                chain("203.0.113.9, 10.2.0.1"),
                "203.0.113.9",
                true,
            ),
            (
                "10.0.0.1",
                false,
                chain("203.0.113.9:4711,10.2.0.1"),
                "203.0.113.9",
                true,
            ),
            (
                "10.0.0.1",
                false,
                chain("10.9.9.9, 10.2.0.1"),
                "10.9.9.9",
                true,
            ),
            (
                "10.0.0.1",
                false,
                chain("203.0.113.9, what, 10.2.0.1"),
                "10.2.0.1",
                true,
            ),
            ("10.0.0.1", false, chain(""), "10.0.0.1", true),
            (
                "10.0.0.1",
                false,
                chain("::ffff:203.0.113.9"),
                "203.0.113.9",
                true,
            ),
            (
                "2001:db8:ffff::1",
                false,
                chain("2001:db8::9"),
                "2001:db8::9",
                true,
            ),
            (
                "::ffff:10.0.0.1",
                false,
                chain("203.0.113.9"),
                "203.0.113.9",
                true,
            ),
            ("10.0.0.1", false, vec![proto], "10.0.0.1", true),
            ("10.0.0.1", false, vec![], "10.0.0.1", false),
            ("10.0.0.1", true, vec![], "10.0.0.1", false),
            (
                "10.0.0.1",
                true,
                vec![("x-forwarded-proto", "http")],
                "10.0.0.1",
                false,
            ),
            (
                "10.0.0.1",
                false,
                vec![("x-forwarded-proto", "https, https")],
                "10.0.0.1",
                false,
            ),
            ("10.0.0.1", false, vec![proto, proto], "10.0.0.1", false),
            (
                "10.0.0.1",
                false,
                vec![("x-forwarded-proto", "HTTPS")],
                "10.0.0.1",
                true,
            ),
            (
                "10.0.0.1",
                false,
                vec![("forwarded", "for=1.1.1.1;proto=https")],
                "10.0.0.1",
                false,
            ),
            (
                "10.0.0.1",
                false,
                vec![("x_forwarded_proto", "https")],
                "10.0.0.1",
                false,
            ),
            ("203.0.113.9", false, chain("1.1.1.1"), "203.0.113.9", false),
            ("203.0.113.9", true, chain("1.1.1.1"), "203.0.113.9", true),
        ];
        for (peer, tls, lines, client, secure) in table {
            let judged = judge(ForwardedFamily::XForwarded, peer, tls, &lines);
            assert_eq!(
                judged,
                (client.to_owned(), secure),
                "{peer} {tls} {lines:?}"
            );
        }
    }

    #[test]
    fn forwarded_table() {
        let table = [
            ("for=203.0.113.9;proto=https", "203.0.113.9", true),
            (
                "for=1.1.1.1;proto=http, for=203.0.113.9;proto=https",
                "203.0.113.9",
                true,
            ),
            (
                "for=203.0.113.9;proto=http, for=10.2.0.1;proto=https",
                "203.0.113.9",
                true,
            ),
            (
                "For=\"[2001:db8::9]:4711\"; Proto=https",
                "2001:db8::9",
                true,
            ),
            (
                "for=203.0.113.9;proto=https;proto=https",
                "203.0.113.9",
                false,
            ),
            ("for=unknown;proto=https", "10.0.0.1", true),
            ("for=_hidden;proto=https", "10.0.0.1", true),
            ("proto=https", "10.0.0.1", true),
            ("for=203.0.113.9", "203.0.113.9", false),
            ("for=203.0.113.9;proto=https, ", "10.0.0.1", false),
        ];
        for (value, client, secure) in table {
            let judged = judge(
                ForwardedFamily::Forwarded,
                "10.0.0.1",
                false,
                &[("forwarded", value)],
            );
            assert_eq!(judged, (client.to_owned(), secure), "{value}");
        }
        let other = [
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-proto", "https"),
        ];
        let judged = judge(ForwardedFamily::Forwarded, "10.0.0.1", false, &other);
        assert_eq!(judged, ("10.0.0.1".to_owned(), false));
    }

    proptest::proptest! {
        /// Whatever a client writes, what our own proxy appends behind it is what counts.
        #[test]
        fn what_stands_to_the_left_is_never_believed(
            lie in r#"[ -~]{0,60}"#,
            client in proptest::prelude::any::<[u8; 4]>(),
        ) {
            let client = IpAddr::from(client);
            proptest::prop_assume!(!client.to_string().starts_with("10."));
            let x = format!("{lie}, {client}");
            let judged = judge(ForwardedFamily::XForwarded, "10.0.0.1", false, &[("x-forwarded-for", &x)]);
            proptest::prop_assert_eq!(judged, (client.to_string(), false));
            let x = format!("{lie}, for={client};proto=http");
            let judged = judge(ForwardedFamily::Forwarded, "10.0.0.1", false, &[("forwarded", &x)]);
            proptest::prop_assert_eq!(judged, (client.to_string(), false));
        }
    }
}
