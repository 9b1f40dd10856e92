//! Whom a request came from, as an upstream is told.

use gannet_features::proxy::{ForwardedStyle, ProxyOptions};

use super::world::{CLIENT, From, Proxied, SERVER, Seen, poll};

const PROXY: &str = "10.0.0.1:5555";

fn proxied(forwarded: ForwardedStyle) -> Proxied {
    let trusted = ["10.0.0.0/8", "fd00::/8"].map(|text| text.parse().expect("a network"));
    let trusted = trusted.into_iter().collect();
    Proxied::new(&[3000], ProxyOptions { forwarded, trusted, ..ProxyOptions::default() })
}

fn sent_by(peer: &str, fields: &str) -> Seen {
    let proxied = proxied(ForwardedStyle::Both);
    proxied.ask_from(
        From { peer: Some(peer), server: Some(SERVER), is_secure: false },
        "GET / HTTP/1.1",
        fields,
    );
    proxied.last()
}

#[test]
fn what_a_client_says_of_itself_is_left_out_and_what_it_is_is_said() {
    let lies = "X-Forwarded-For: 1.1.1.1\r\nx-forwarded-for: 2.2.2.2\r\nForwarded: for=1.1.1.1\r\nX-Forwarded-Proto: https\r\n\
                X-Forwarded-Host: evil.example\r\nX-Forwarded-Port: 443\r\nX-Forwarded-Server: evil\r\nX-Forwarded-Prefix: /evil\r\n\
                X-Forwarded: 1.1.1.1\r\nX-Real-IP: 1.1.1.1\r\nX-Client-IP: 1.1.1.1\r\nTrue-Client-IP: 1.1.1.1\r\n\
                CF-Connecting-IP: 1.1.1.1\r\nX-Original-URL: /admin\r\nX-Rewrite-URL: /admin\r\nFront-End-Https: on\r\n\
                X_Forwarded_For: 1.1.1.1\r\nX_Real_IP: 1.1.1.1\r\n";
    let seen = sent_by(CLIENT, lies);
    assert_eq!(seen.one("x-forwarded-for"), "203.0.113.9");
    assert_eq!((seen.one("x-forwarded-proto"), seen.one("x-forwarded-host")), ("http", "a.example"));
    assert_eq!(seen.one("forwarded"), "for=203.0.113.9;host=a.example;proto=http");
    assert_eq!(seen.fields.len(), 6, "{:?}", seen.fields);
    assert!(!seen.fields.iter().any(|(_, value)| value.contains("1.1.1.1") || value.contains("evil")));
}

#[test]
fn what_a_trusted_proxy_says_is_kept_and_who_it_is_added() {
    let seen = sent_by(
        PROXY,
        "X-Forwarded-For: 1.1.1.1, 203.0.113.9\r\nX-Forwarded-For: 10.0.0.7\r\nForwarded: for=203.0.113.9;proto=https\r\n\
         Forwarded: for=10.0.0.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b.example\r\nX-Forwarded-Port: 443\r\nX-Real-IP: 203.0.113.9\r\n",
    );
    assert_eq!(seen.one("x-forwarded-for"), "1.1.1.1, 203.0.113.9, 10.0.0.7, 10.0.0.1");
    assert_eq!(
        seen.one("forwarded"),
        "for=203.0.113.9;proto=https, for=10.0.0.7, for=10.0.0.1;host=a.example;proto=http"
    );
    assert_eq!((seen.one("x-forwarded-proto"), seen.one("x-forwarded-host")), ("https", "b.example"));
    assert_eq!((seen.one("x-forwarded-port"), seen.one("x-real-ip")), ("443", "203.0.113.9"));
}

#[test]
fn a_trusted_proxy_is_one_also_where_its_address_is_mapped_into_ipv6() {
    let seen = sent_by("[::ffff:10.0.0.1]:5555", "X-Forwarded-For: 203.0.113.9\r\n");
    assert_eq!(seen.one("x-forwarded-for"), "203.0.113.9, 10.0.0.1");
}

#[test]
fn what_came_in_one_style_is_said_in_the_other_too() {
    let seen = sent_by(
        PROXY,
        "X-Forwarded-For: 1.1.1.1, 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b.example:8443\r\n",
    );
    assert_eq!(
        seen.one("forwarded"),
        "for=203.0.113.9;host=\"b.example:8443\";proto=https, for=10.0.0.1;host=a.example;proto=http",
        "and not what the proxy does not vouch for"
    );
    let seen = sent_by(
        PROXY,
        "Forwarded: for=1.1.1.1, for=\"[2001:db8::9]:4711\";proto=https;host=\"b.example:8443\"\r\n",
    );
    assert_eq!(seen.one("x-forwarded-for"), "2001:db8::9, 10.0.0.1");
    assert_eq!((seen.one("x-forwarded-proto"), seen.one("x-forwarded-host")), ("https", "b.example:8443"));
    let seen = sent_by(PROXY, "X-Forwarded-Proto: https\r\n");
    assert_eq!(
        (seen.one("x-forwarded-for"), seen.one("forwarded")),
        ("10.0.0.1", "for=10.0.0.1;host=a.example;proto=https")
    );
}

#[test]
fn connection_takes_nothing_away_that_a_trusted_proxy_said() {
    let seen = sent_by(PROXY, "Connection: x-forwarded-for, forwarded\r\nX-Forwarded-For: 203.0.113.9\r\n");
    assert_eq!(seen.one("x-forwarded-for"), "203.0.113.9, 10.0.0.1");
}

#[test]
fn a_list_that_a_client_left_open_does_not_swallow_what_we_add() {
    let seen = sent_by(PROXY, "Forwarded: for=\"1.1.1.1\r\n");
    assert_eq!(seen.one("forwarded"), "for=10.0.0.1;host=a.example;proto=http");
}

#[test]
fn nodes_and_hosts_are_quoted_where_they_are_no_tokens() {
    let proxied = proxied(ForwardedStyle::Both);
    let from = From { peer: Some("[2001:db8::1]:4711"), server: Some(SERVER), is_secure: true };
    proxied.ask_from(from, "GET http://[::1]:8080/ HTTP/1.1", "");
    let seen = proxied.last();
    assert_eq!(seen.one("forwarded"), "for=\"[2001:db8::1]\";host=\"[::1]:8080\";proto=https");
    assert_eq!(seen.one("x-forwarded-for"), "2001:db8::1");
    assert_eq!((seen.one("x-forwarded-proto"), seen.one("x-forwarded-host")), ("https", "[::1]:8080"));
}

#[test]
fn a_client_without_an_address_is_unknown_and_not_trusted() {
    let proxied = proxied(ForwardedStyle::Both);
    proxied.ask_from(From::default(), "GET / HTTP/1.1", "X-Forwarded-For: 1.1.1.1\r\n");
    let seen = proxied.last();
    assert_eq!(
        (seen.one("forwarded"), seen.all("x-forwarded-for")),
        ("for=unknown;host=a.example;proto=http", vec![])
    );
}

#[test]
fn only_the_style_that_is_wanted_is_sent() {
    let x = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"];
    for (style, has_x, has_forwarded) in [
        (ForwardedStyle::Both, true, true),
        (ForwardedStyle::XForwarded, true, false),
        (ForwardedStyle::Forwarded, false, true),
        (ForwardedStyle::Neither, false, false),
    ] {
        let proxied = proxied(style);
        for peer in [CLIENT, PROXY] {
            let said = "X-Forwarded-For: 1.1.1.1\r\nForwarded: for=1.1.1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\n";
            proxied.ask_from(
                From { peer: Some(peer), server: Some(SERVER), is_secure: false },
                "GET / HTTP/1.1",
                said,
            );
            let seen = proxied.last();
            assert!(x.iter().all(|name| seen.all(name).len() == usize::from(has_x)), "{style:?} {peer}");
            assert_eq!(seen.all("forwarded").len(), usize::from(has_forwarded), "{style:?} {peer}");
        }
    }
}

#[test]
fn the_proxy_protocol_says_the_client_that_is_vouched_for() {
    use gannet_core::ProxyProtocol;
    let options = |proxy_protocol| ProxyOptions {
        proxy_protocol,
        trusted: "10.0.0.0/8".parse().into_iter().collect(),
        ..ProxyOptions::default()
    };
    let proxied = Proxied::new(&[3000], options(Some(ProxyProtocol::V2)));
    for (peer, expected) in [(CLIENT, CLIENT), (PROXY, "198.51.100.77:0")] {
        let from = From { peer: Some(peer), server: Some(SERVER), is_secure: false };
        proxied.ask_from(from, "GET / HTTP/1.1", "X-Forwarded-For: 198.51.100.77\r\n");
        let seen = proxied.last();
        let (client, server) = seen.client.expect("both are known");
        assert_eq!((client.to_string().as_str(), server.to_string().as_str()), (expected, "198.51.100.1:80"));
        assert_eq!(seen.upstream.proxy_protocol, Some(ProxyProtocol::V2));
    }
    // Where our own address is not known, the client is said all the same.
    let text = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
    for (peer, server) in [(CLIENT, "0.0.0.0:0"), ("[2001:db8::1]:4711", "[::]:0")] {
        let request = proxied.request(From { peer: Some(peer), server: None, is_secure: false }, text);
        poll(&mut Box::pin(proxied.handler.handle(request)));
        let said = proxied.last().client.map(|(client, server)| (client.to_string(), server.to_string()));
        assert_eq!(said, Some((peer.to_owned(), server.to_owned())));
    }
    let proxied = Proxied::new(&[3000], options(None));
    proxied.get("");
    assert_eq!(proxied.last().client, None);
}
