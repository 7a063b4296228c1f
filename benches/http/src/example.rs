//! The example server as a user runs it: its binary, built for release, with everything composed.

use std::{env, net::SocketAddr, path::PathBuf, process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    Outcome,
    child::{Child, pinned},
    load::{REFRESH_COOKIE, Socket},
};

const KEYS: usize = 25;
const SESSIONS: usize = 20;
/// How long it may take until it answers.
const ATTEMPTS: u32 = 300;

/// Where `cargo build --release -p example-server` of the project puts it; `EXAMPLE_SERVER` says
/// otherwise.
pub(crate) fn binary() -> Option<PathBuf> {
    let usual = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../target/release/example-server"
    );
    let path = env::var_os("EXAMPLE_SERVER").map_or_else(|| usual.into(), PathBuf::from);
    path.is_file().then_some(path)
}

/// Starts it, signs somebody up through its mailbox, and makes keys.
pub(crate) async fn start(framework: &str) -> Outcome<Child> {
    let binary = binary().ok_or("no example-server: build it, or say where EXAMPLE_SERVER is")?;
    // The system says which port is free; nobody else is likely to take it meanwhile.
    let address: SocketAddr = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let folder = env::temp_dir().join(format!("http-load-example-{}", address.port()));
    std::fs::create_dir_all(&folder)?;
    let process = pinned(&binary.to_string_lossy())
        .args(["--listen", &address.to_string(), "--framework", framework])
        .args([
            "--public-url",
            &format!("http://{address}"),
            "--network-limits",
            "off",
        ])
        .args([
            "--database-url",
            &format!("sqlite://{}", folder.join("e.db").display()),
        ])
        .env("RUST_LOG", "warn")
        .current_dir(&folder)
        .stdout(Stdio::null())
        .spawn()?;
    let mut child = Child::of(process, address, folder);
    let mut client = Client::reach(address).await?;
    let mut token = String::new();
    for _ in 0..SESSIONS {
        let signed_in = client.sign_in().await?;
        let at = "access_token";
        token = signed_in[at]
            .as_str()
            .ok_or(format!("{signed_in}"))?
            .to_owned();
        child.credentials.push(format!("token {token}"));
        child.credentials.push(format!("cookie {}", client.cookie));
    }
    for number in 0..KEYS {
        let new = json!({"name": format!("load {number}"), "scopes": ["programs:read"]});
        let made = client.ask("POST", "/api/keys", Some(&token), &new).await?;
        let key = made["key"].as_str().ok_or(format!("{made}"))?;
        child.credentials.push(format!("key {key}"));
    }
    Ok(child)
}

struct Client {
    socket: Socket,
    host: String,
    /// The last refresh cookie.
    cookie: String,
    /// How many were asked for.
    mails: usize,
}

impl Client {
    async fn reach(address: SocketAddr) -> Outcome<Self> {
        for _ in 0..ATTEMPTS {
            if let Ok(socket) = Socket::open(address).await {
                return Ok(Self {
                    socket,
                    host: address.to_string(),
                    cookie: String::new(),
                    mails: 0,
                });
            }
            sleep(Duration::from_millis(100)).await;
        }
        Err("the example server does not answer".into())
    }

    /// Signs the same person up, and then in again.
    async fn sign_in(&mut self) -> Outcome<Value> {
        let address = "load@example.com";
        self.mails += 1;
        let asked = json!({"email": address});
        let begun = self
            .ask("POST", "/api/auth/register-magic", None, &asked)
            .await?;
        let challenge = begun["challenge"]
            .as_str()
            .ok_or(format!("{begun}"))?
            .to_owned();
        let code = self.code(address).await?;
        let proof = json!({"challenge": challenge, "code": code});
        let verify = "/api/auth/register-magic/verify";
        let answer = self.ask("POST", verify, None, &proof).await?;
        self.cookie = self.socket.cookie(REFRESH_COOKIE).unwrap_or_default();
        Ok(answer)
    }

    /// The code of the newest mail that was asked for. Others, such as the notice of a sign-in, have
    /// none.
    async fn code(&mut self, address: &str) -> Outcome<String> {
        let path = format!("/dev/mailbox?to={address}");
        for _ in 0..ATTEMPTS {
            sleep(Duration::from_millis(50)).await;
            let mails = self.ask("GET", &path, None, &Value::Null).await?;
            let mails = mails["messages"].as_array().ok_or(format!("{mails}"))?;
            let mut codes = mails.iter().filter_map(code_of);
            if let Some(newest) = codes.nth(self.mails - 1) {
                return Ok(newest.to_owned());
            }
        }
        Err(format!("no mail to {address} with code {}", self.mails).into())
    }

    async fn ask(
        &mut self,
        method: &str,
        path: &str,
        bearer: Option<&str>,
        body: &Value,
    ) -> Outcome<Value> {
        let host = &self.host;
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n");
        if let Some(token) = bearer {
            request += &format!("authorization: Bearer {token}\r\n");
        }
        if !body.is_null() {
            let body = body.to_string();
            let length = body.len();
            request += &format!("content-type: application/json\r\ncontent-length: {length}\r\n");
            request += &format!("\r\n{body}");
        } else {
            request += "\r\n";
        }
        self.socket.send(request.as_bytes()).await?;
        let text = self.socket.text();
        serde_json::from_slice(self.socket.body()).map_err(|_| text.into())
    }
}

fn code_of(mail: &Value) -> Option<&str> {
    let text = mail["text"].as_str()?;
    let mut runs = text.split(|letter: char| !letter.is_ascii_digit());
    runs.find(|run| (6..=8).contains(&run.len()))
}
