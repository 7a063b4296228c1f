//! Who is believed to be a provider.

use ps_oauth::HttpError;
use ps_reqwest::{CallPolicy, InvalidClient, ReqwestClient};

use crate::{
    NOTHING, Server,
    certificates::{Authority, self_signed},
    get, whole,
};

fn trusting(authority: &Authority) -> ReqwestClient {
    let client = ReqwestClient::new(CallPolicy::default()).unwrap();
    let client = client.with_root_certificate(authority.pem.as_bytes());
    client.unwrap()
}

#[tokio::test]
async fn a_private_authority_is_believed_once_named() {
    let (ours, also_ours) = (Authority::new(), Authority::new());
    let client = trusting(&ours);
    let client = client.with_root_certificate(also_ours.pem.as_bytes());
    let client = client.unwrap();
    let bundle = ours.pem.clone() + &also_ours.pem;
    let at_once = ReqwestClient::new(CallPolicy::default()).unwrap();
    let at_once = at_once.with_root_certificate(bundle.as_bytes()).unwrap();
    for authority in [&ours, &also_ours] {
        for name in ["127.0.0.1", "localhost"] {
            let server = Server::start(Some(authority.server(name)), async |mut peer| {
                peer.say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
                    .await
            })
            .await;
            let url = format!("https://{name}:{}/", server.address.port());
            for client in [&client, &at_once] {
                let answer = get(client, &url).await.unwrap();
                assert_eq!(answer.body(), "{}");
            }
        }
    }
}

// OA23
#[tokio::test]
async fn a_certificate_that_does_not_verify_is_refused_before_anything_is_sent() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let public = ReqwestClient::danger_plain_loopback(CallPolicy::default()).unwrap();
    let private = trusting(&ours);
    let table = [
        (self_signed("127.0.0.1"), &private, "UnknownIssuer"),
        (theirs.server("127.0.0.1"), &private, "BadSignature"),
        (ours.server("127.0.0.1"), &public, "UnknownIssuer"),
        (ours.server("127.0.0.2"), &private, "NotValidForName"),
        (
            ours.server("accounts.example.com"),
            &private,
            "NotValidForName",
        ),
        (ours.expired("127.0.0.1"), &private, "Expired"),
    ];
    for (server, client, why) in table {
        let server = Server::start(Some(server), async |mut peer| peer.say(NOTHING).await).await;
        let url = format!("https://{}/", server.address);
        let error = get(client, &url).await.unwrap_err();
        assert!(matches!(error, HttpError::Unreachable(_)), "{why}: {error}");
        assert!(whole(&error).contains(why), "{why}: {}", whole(&error));
        assert_eq!((server.connections(), server.requests()), (1, 0), "{why}");
    }
}

#[tokio::test]
async fn clear_text_in_place_of_tls_is_refused() {
    let server = Server::plain(async |mut peer| peer.say(NOTHING).await).await;
    let policy = CallPolicy::default().with_connect(std::time::Duration::from_millis(300));
    let client = ReqwestClient::danger_plain_loopback(policy).unwrap();
    let url = format!("https://{}/", server.address);
    let error = get(&client, &url).await.unwrap_err();
    assert!(matches!(error, HttpError::Unreachable(_)), "{error}");
    assert_eq!(server.requests(), 0);
}

#[test]
fn a_root_certificate_is_one() {
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let good = Authority::new().pem;
    let half = &good[..good.len() / 2];
    let and_more = good.clone() + broken;
    for pem in [
        "",
        "certificate",
        "-----BEGIN CERTIFICATE-----\n",
        broken,
        half,
        &and_more,
    ] {
        let client = ReqwestClient::new(CallPolicy::default()).unwrap();
        let refused = client.with_root_certificate(pem.as_bytes());
        assert_eq!(
            refused.map(|_| ()),
            Err(InvalidClient::Certificate),
            "{pem}"
        );
    }
}
