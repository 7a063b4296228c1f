//! The real server in a folder of its own, and a client over a real socket.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

use serde_json::Value;

/// A running server; killed and its folder removed when dropped.
pub struct Server {
    child: Child,
    pub folder: PathBuf,
    pub address: String,
    ops: Option<String>,
    keep: bool,
}

/// A port for what has to know it before it listens. It lies below those that systems choose by
/// themselves, and is named once: what asks for any port is not given it meanwhile.
pub fn free_port() -> u16 {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mut ports = PORTS.map(|_| {
        let count = COUNT.fetch_add(1, Ordering::Relaxed) as usize;
        PORTS.start + ((std::process::id() as usize * 64 + count) % PORTS.len()) as u16
    });
    ports
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}

const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// Everything holds on each of them.
pub const FRAMEWORKS: [&str; 2] = ["axum", "actix"];

impl Server {
    pub fn start() -> Self {
        Self::start_in(Self::new_folder(), &[])
    }

    pub fn start_on(framework: &str) -> Self {
        Self::start_in(Self::new_folder(), &["--framework", framework])
    }

    /// With an operations listener.
    pub fn start_with_ops(variables: &[(&str, &str)]) -> Self {
        let ops = format!("127.0.0.1:{}", free_port());
        let mut server = Self::start_with(
            Self::new_folder(),
            "127.0.0.1:0",
            &["--ops-listen", &ops],
            variables,
        );
        server.ops = Some(ops);
        server
    }

    pub fn new_folder() -> PathBuf {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "ps-example-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// Starts on a free port and waits until it says where.
    pub fn start_in(folder: PathBuf, flags: &[&str]) -> Self {
        Self::start_with(folder, "127.0.0.1:0", flags, &[])
    }

    /// On this address, with these variables.
    pub fn start_at(address: &str, variables: &[(&str, &str)]) -> Self {
        Self::start_with(Self::new_folder(), address, &[], variables)
    }

    pub fn start_with(
        folder: PathBuf,
        listen: &str,
        flags: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join("log"))
            .unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_example-server"))
            .args(["--listen", listen, "--network-limits", "off"])
            .args(flags)
            .current_dir(&folder)
            .env_clear()
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut address = None;
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while address.is_none() {
            let line = lines.next().expect("the server says where it is").unwrap();
            let listening = line.trim_start().strip_prefix("listening on");
            address = listening.map(|address| address.trim().to_owned());
        }
        thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            folder,
            address: address.unwrap(),
            ops: None,
            keep: false,
        }
    }

    /// SIGKILL: nothing is said goodbye to. The folder stays.
    pub fn kill(mut self) -> PathBuf {
        self.keep = true;
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.folder.clone()
    }

    /// SIGTERM, and what the process then answers. The folder stays.
    pub fn stop(mut self) -> (PathBuf, Option<i32>) {
        self.keep = true;
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        (self.folder.clone(), self.child.wait().unwrap().code())
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap()
    }

    /// What the operations listener says at `/metrics`.
    pub fn numbers(&self) -> String {
        let address = self.ops.clone().unwrap();
        let mut client = Client {
            address,
            jar: BTreeMap::new(),
        };
        client.send("GET", "/metrics", &[], "").body
    }

    pub fn client(&self) -> Client {
        Client {
            address: self.address.clone(),
            jar: BTreeMap::new(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !self.keep {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// A client with a cookie jar, one connection a request.
#[derive(Clone)]
pub struct Client {
    pub address: String,
    pub jar: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

fn is(header: &str, name: &str) -> bool {
    header.eq_ignore_ascii_case(name)
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// Where it sends the browser.
    pub fn location(&self) -> String {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(": "));
        let location = headers.find(|(name, _)| is(name, "location"));
        location.map_or(String::new(), |(_, url)| url.to_owned())
    }

    pub fn text(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap_or_default().to_owned()
    }

    pub fn refusal(&self) -> (u16, String) {
        (self.status, self.text("code"))
    }
}

impl Client {
    /// `None` where the server does not answer.
    pub fn try_send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Option<Reply> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let mut text = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n",
            self.address
        );
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        if !self.jar.is_empty() {
            let jar: Vec<String> = self.jar.iter().map(|(k, v)| format!("{k}={v}")).collect();
            text += &format!("cookie: {}\r\n", jar.join("; "));
        }
        if !body.is_empty() {
            text += &format!(
                "content-type: application/json\r\ncontent-length: {}\r\n",
                body.len()
            );
        } else if method != "GET" {
            text += "content-length: 0\r\n";
        }
        stream
            .write_all(format!("{text}\r\n{body}").as_bytes())
            .ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let answer = String::from_utf8(answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        for line in head.lines() {
            let header = line.split_once(": ");
            if let Some((_, cookie)) = header.filter(|(name, _)| is(name, "set-cookie")) {
                let (name, rest) = cookie.split_once('=')?;
                if cookie.ends_with("Max-Age=0") {
                    self.jar.remove(name);
                } else {
                    self.jar
                        .insert(name.to_owned(), rest.split(';').next()?.to_owned());
                }
            }
        }
        Some(Reply {
            status,
            head: head.to_owned(),
            body: body.to_owned(),
        })
    }

    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        self.try_send(method, path, headers, body)
            .expect("the server answers")
    }

    pub fn get(&mut self, path: &str, token: &str) -> Reply {
        self.send(
            "GET",
            path,
            &[("authorization", &format!("Bearer {token}"))],
            "",
        )
    }

    pub fn post(&mut self, path: &str, token: &str, body: &str) -> Reply {
        self.send(
            "POST",
            path,
            &[("authorization", &format!("Bearer {token}"))],
            body,
        )
    }

    pub fn delete(&mut self, path: &str, token: &str) -> Reply {
        self.send(
            "DELETE",
            path,
            &[("authorization", &format!("Bearer {token}"))],
            "",
        )
    }

    /// Asks for a URL of the server itself, as a browser does that was sent there.
    pub fn follow(&mut self, url: &str) -> Reply {
        let site = format!("http://{}", self.address);
        let path = url.strip_prefix(&site).unwrap_or(url);
        assert!(path.starts_with('/'), "{url}");
        self.send("GET", path, &[], "")
    }

    /// Carries the session of the refresh cookie on, and answers its access token.
    pub fn refreshed(&mut self) -> String {
        let reply = self.send("POST", "/api/auth/refresh", &[], "");
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.text("access_token")
    }

    /// The code in the newest of `count` mails to the address.
    pub fn code(&mut self, to: &str, count: usize) -> String {
        loop {
            let mails = self
                .send("GET", &format!("/dev/mailbox?to={to}"), &[], "")
                .json();
            let mails = mails["messages"].as_array().unwrap();
            if mails.len() >= count {
                let text = mails.last().unwrap()["text"].as_str().unwrap();
                let runs = text.split(|c: char| !c.is_ascii_digit());
                return runs.filter(|run| (6..=8).contains(&run.len())).collect();
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Asks for a code and answers it: the session answer.
    pub fn sign_up(&mut self, email: &str) -> Reply {
        let mails = self
            .send("GET", &format!("/dev/mailbox?to={email}"), &[], "")
            .json();
        let mails = mails["messages"].as_array().unwrap().len();
        let asked = self.send(
            "POST",
            "/api/auth/register-magic",
            &[],
            &format!(r#"{{"email":"{email}"}}"#),
        );
        assert_eq!(asked.status, 202, "{asked:?}");
        let code = self.code(email, mails + 1);
        self.send(
            "POST",
            "/api/auth/register-magic/verify",
            &[],
            &format!(r#"{{"code":"{code}"}}"#),
        )
    }
}
