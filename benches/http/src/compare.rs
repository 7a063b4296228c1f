//! The comparison: every group's servers beside one another, asked in turn, round after round.

mod plan;
mod plot;
mod report;

use std::{collections::HashMap, fs, path::PathBuf, rc::Rc, time::Duration};

use nix::{
    sched::{CpuSet, sched_setaffinity},
    unistd::Pid,
};

use crate::{
    Outcome,
    child::{Child, GENERATOR_CORE},
    example,
    load::{Ask, Done, ask},
    rustauth,
};
use plan::{Group, Server, Target};

/// How many connections ask at once, where that is not what is varied.
const CONNECTIONS: usize = 16;
const WARM_UP: Duration = Duration::from_millis(500);

/// One round of one target.
pub(crate) struct Sample {
    pub(crate) a_second: f64,
    /// CPU time of the server a request, in microseconds.
    pub(crate) cpu: f64,
    pub(crate) median: Duration,
    pub(crate) p99: Duration,
}

struct Options {
    rounds: usize,
    span: Duration,
    only: Option<String>,
    out: PathBuf,
}

pub(crate) fn compare(words: &[&str]) -> Outcome<()> {
    let options = Options::read(words)?;
    let mut cores = CpuSet::new();
    cores.set(GENERATOR_CORE)?;
    sched_setaffinity(Pid::from_raw(0), &cores)
        .map_err(|_| "the generator and the servers need a core each, and there is only one")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        println!("{}\n", report::conditions(&options)?);
        let is_wanted = |group: &Group| match &options.only {
            Some(word) => group.name.contains(word.as_str()),
            None => true,
        };
        for group in plan::groups().into_iter().filter(is_wanted) {
            let measured = interleaved(&group, &options).await?;
            println!("{}\n", report::table(&group, &measured));
        }
        let curves = plan::curves();
        if is_wanted(&curves) {
            let measured = against_connections(&curves, &options).await?;
            println!(
                "{}\n",
                report::curves(&curves, &plan::CONNECTIONS, &measured)
            );
            fs::create_dir_all(&options.out)?;
            let (throughput, cost) = plot::curves(&curves, &plan::CONNECTIONS, &measured);
            fs::write(options.out.join("throughput.svg"), throughput)?;
            fs::write(options.out.join("cost.svg"), cost)?;
        }
        Ok(())
    })
}

/// All rounds of a target, and the most memory that its server ever had.
pub(crate) struct Measured {
    pub(crate) samples: Vec<Sample>,
    pub(crate) peak_memory: u64,
}

/// A B C A B C …: whatever else the machine does meets all of them alike.
async fn interleaved(group: &Group, options: &Options) -> Outcome<Vec<Measured>> {
    let running = Running::start(&group.targets).await?;
    for place in 0..group.targets.len() {
        running.sample(place, CONNECTIONS, WARM_UP).await?;
    }
    let mut samples: Vec<Vec<Sample>> = group.targets.iter().map(|_| Vec::new()).collect();
    for _ in 0..options.rounds {
        for (place, samples) in samples.iter_mut().enumerate() {
            samples.push(running.sample(place, CONNECTIONS, options.span).await?);
        }
    }
    let measured = samples.into_iter().enumerate().map(|(place, samples)| {
        let peak_memory = running.server(place).peak_memory()?;
        Ok(Measured {
            samples,
            peak_memory,
        })
    });
    measured.collect()
}

/// The same for each number of connections: a target's samples stand in that order.
async fn against_connections(group: &Group, options: &Options) -> Outcome<Vec<Vec<Measured>>> {
    let running = Running::start(&group.targets).await?;
    let mut all = Vec::new();
    for connections in plan::CONNECTIONS {
        for place in 0..group.targets.len() {
            running.sample(place, connections, WARM_UP).await?;
        }
        let mut samples: Vec<Vec<Sample>> = group.targets.iter().map(|_| Vec::new()).collect();
        for _ in 0..options.rounds {
            for (place, samples) in samples.iter_mut().enumerate() {
                samples.push(running.sample(place, connections, options.span).await?);
            }
        }
        let measured = samples.into_iter().map(|samples| Measured {
            samples,
            peak_memory: 0,
        });
        all.push(measured.collect());
    }
    Ok(all)
}

/// A group's servers, and what is asked of each target's.
struct Running {
    servers: Vec<Child>,
    asks: Vec<(usize, Rc<Ask>)>,
}

impl Running {
    async fn start(targets: &[Target]) -> Outcome<Self> {
        let (mut servers, mut asks) = (Vec::new(), Vec::new());
        let mut known: HashMap<Server, usize> = HashMap::new();
        for target in targets {
            let place = match known.get(&target.server) {
                Some(place) => *place,
                None => {
                    eprintln!("starting {}", target.server);
                    servers.push(match &target.server {
                        Server::Example(framework) => example::start(framework).await?,
                        Server::Of(words) => Child::start(words)?,
                        Server::Rustauth(words) => rustauth::start(words)?,
                    });
                    known.insert(target.server.clone(), servers.len() - 1);
                    servers.len() - 1
                }
            };
            let ask = target.ask(&servers[place]).await?;
            asks.push((place, Rc::new(ask)));
        }
        Ok(Self { servers, asks })
    }

    fn server(&self, target: usize) -> &Child {
        &self.servers[self.asks[target].0]
    }

    async fn sample(&self, target: usize, connections: usize, span: Duration) -> Outcome<Sample> {
        let server = self.server(target);
        let before = server.cpu()?;
        let done: Done = ask(&self.asks[target].1, connections, span).await?;
        let used = server.cpu()? - before;
        Ok(Sample {
            a_second: done.a_second(),
            cpu: used.as_secs_f64() * 1e6 / done.waits.len().max(1) as f64,
            median: done.quantile(0.5),
            p99: done.quantile(0.99),
        })
    }
}

impl Options {
    fn read(words: &[&str]) -> Outcome<Self> {
        let mut options = Self {
            rounds: 7,
            span: Duration::from_secs(1),
            only: None,
            out: concat!(env!("CARGO_MANIFEST_DIR"), "/plots").into(),
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let value = words
                .next()
                .ok_or_else(|| format!("{word} wants a value"))?;
            match *word {
                "--rounds" => options.rounds = value.parse()?,
                "--seconds" => options.span = Duration::from_secs_f64(value.parse()?),
                "--only" => options.only = Some((*value).to_owned()),
                "--out" => options.out = value.into(),
                _ => return Err(format!("no such option: {word}").into()),
            }
        }
        if options.rounds == 0 {
            return Err("a comparison has at least one round".into());
        }
        Ok(options)
    }
}
