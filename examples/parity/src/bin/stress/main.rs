//! Bad clients, and what an adapter costs: `cargo run -p parity --release --bin stress`.
//!
//! Every server is a child process, so that its memory and its CPU time are its own.

mod clients;
mod process;
mod serve;

use std::{env, error::Error, time::Duration};

use bytes::Bytes;
use clients::{Load, idle, slow, vanishing};
use http::Request;
use process::Child;
use ps_http::Connection;
use tokio::time::{Instant, sleep};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const FRAMEWORKS: [&str; 2] = ["axum", "actix"];
/// How long any other client may have to wait meanwhile.
const AT_MOST: Duration = Duration::from_secs(1);
/// How much memory may have grown when it is over.
const GROWTH_KIB: u64 = 64 * 1024;
const ROUNDS: usize = 7;
const REQUESTS: usize = 20_000;

fn main() -> Outcome<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let ["serve", framework, what] = words[..] {
        return serve::serve(framework, what);
    }
    let only_alone = words == ["alone"];
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        if only_alone {
            return alone().await;
        }
        for framework in FRAMEWORKS {
            bad_clients(framework).await?;
        }
        cost().await?;
        alone().await
    })
}

/// Slow, idle and vanishing clients, all at once, and one who only wants an answer.
async fn bad_clients(framework: &str) -> Outcome<()> {
    let server = Child::start(framework, "auth")?;
    Load::new(&server, "/healthz").run(1_000).await?;
    let before = server.resident_kib()?;
    let senders = (0..100).map(|place| tokio::spawn(slow(server.address, place % 2 == 0)));
    let senders: Vec<_> = senders.collect();
    let sockets = idle(server.address, 1_000).await?;
    let mut worst = Duration::ZERO;
    let mut most = before;
    let end = Instant::now() + Duration::from_secs(15);
    while Instant::now() < end {
        vanishing(server.address, 40).await?;
        let asked = Instant::now();
        Load::new(&server, "/api/v1/whoami").run(1).await?;
        worst = worst.max(asked.elapsed());
        most = most.max(server.resident_kib()?);
        sleep(Duration::from_millis(100)).await;
    }
    let open = sockets.len();
    drop(sockets);
    for sender in senders {
        sender.abort();
    }
    Load::new(&server, "/healthz").run(1_000).await?;
    println!(
        "{framework}: 100 slow senders, {open} idle sockets, 40 vanishing clients at a time: \
         others waited {worst:?} at most; resident {before} KiB, {most} KiB at most"
    );
    if worst > AT_MOST || most > before + GROWTH_KIB {
        return Err(format!("{framework}: too long, or too much").into());
    }
    Ok(())
}

/// CPU time of the server a request, beside that of the framework's own hello.
async fn cost() -> Outcome<()> {
    for framework in FRAMEWORKS {
        let bare = Child::start(framework, "bare")?;
        let auth = Child::start(framework, "auth")?;
        let runs = [
            ("hello, bare", Load::new(&bare, "/healthz")),
            ("/healthz", Load::new(&auth, "/healthz")),
            ("API key", Load::new(&auth, "/api/v1/whoami")),
        ];
        let mut spent = [const { Vec::new() }; 3];
        for round in 0..=ROUNDS {
            for (place, (_, load)) in runs.iter().enumerate() {
                let before = load.server().cpu()?;
                load.run(REQUESTS).await?;
                let used = load.server().cpu()? - before;
                if round > 0 {
                    spent[place].push(used.as_secs_f64() * 1e6 / REQUESTS as f64);
                }
            }
        }
        let ratios = |place: usize| {
            let pairs = spent[place].iter().zip(&spent[0]);
            pairs.map(|(one, bare)| one / bare).collect()
        };
        for (place, (name, _)) in runs.iter().enumerate() {
            println!(
                "{framework:<6} {name:<12} {:>6.2} µs of CPU a request, {:.2} times the bare one",
                median(spent[place].clone()),
                median(ratios(place))
            );
        }
    }
    Ok(())
}

/// What of that is `ps-http`, asked in this process and without a socket.
async fn alone() -> Outcome<()> {
    const CALLS: usize = 200_000;
    let (auth, key) = serve::compose().await?;
    let background = auth.clone();
    tokio::spawn(async move { background.run().await });
    let peer = ([127, 0, 0, 1], 40_000).into();
    for path in ["/healthz", "/api/v1/whoami"] {
        let before = process::cpu_of(std::process::id())?;
        for _ in 0..CALLS {
            let request = Request::get(path)
                .header("host", "127.0.0.1:8080")
                .header("x-api-key", &key)
                .body(Bytes::new())?;
            let on = Connection { peer, tls: false };
            let answer = auth.handle(request, on).await;
            if answer.status() != 200 {
                return Err(format!("{answer:?}").into());
            }
        }
        let used = process::cpu_of(std::process::id())? - before;
        let each = used.as_secs_f64() * 1e6 / CALLS as f64;
        println!("ps-http alone, {path}: {each:.2} µs of CPU a request");
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
