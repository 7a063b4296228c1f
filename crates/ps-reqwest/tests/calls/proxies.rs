//! What the environment says about proxies.

use std::env;

use tokio::{net::TcpListener, process::Command};

use crate::{NOTHING, Server, certificates::Authority, client, get};

const THIS: &str = "proxies::proxies_of_the_environment_are_ignored";
const IS_CHILD: &str = "PS_REQWEST_CALLS_DIRECTLY";
const PROXIES: [&str; 6] = [
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "all_proxy",
    "http_proxy",
    "https_proxy",
];

/// Runs once more as a process of its own, in whose environment a proxy stands.
// OA23
#[tokio::test]
async fn proxies_of_the_environment_are_ignored() {
    if env::var_os(IS_CHILD).is_some() {
        return call_directly().await;
    }
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", proxy.local_addr().unwrap());
    let mut child = Command::new(env::current_exe().unwrap());
    child.args([THIS, "--exact"]).env(IS_CHILD, "1");
    for name in PROXIES {
        child.env(name, &url);
    }
    for name in ["NO_PROXY", "no_proxy", "REQUEST_METHOD"] {
        child.env_remove(name);
    }
    tokio::select! {
        ran = child.output() => {
            let ran = ran.unwrap();
            let said = String::from_utf8_lossy(&ran.stdout);
            assert!(ran.status.success() && said.contains("1 passed"), "{said}");
        }
        _ = proxy.accept() => panic!("the proxy was called"),
    }
}

async fn call_directly() {
    let authority = Authority::new();
    let client = client().with_root_certificate(authority.pem.as_bytes());
    let client = client.unwrap();
    for tls in [None, Some(authority.server("127.0.0.1"))] {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let server = Server::start(tls, async |mut peer| peer.say(NOTHING).await).await;
        let url = format!("{scheme}://{}/", server.address);
        get(&client, &url).await.unwrap();
    }
}
