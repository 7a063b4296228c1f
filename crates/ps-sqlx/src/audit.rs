//! Outcomes, kept: the audit table.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use ps_core::{
    AccountId, AuthEvent, Clock, EventSink, Network, Outcome, Random, Refusal, StoreResult,
    Timestamp, random_base62,
};
use tokio::sync::{Mutex as AsyncMutex, Notify};

use crate::{
    SqlStore,
    backend::{Backend, Connection, Unit},
    purge::{Purge, Purged},
    row::Row,
    statement::Statement,
};

/// How many outcomes may wait to be written.
const WAITING: usize = 10_000;
/// How many are written in one transaction, and forgotten in one sweep.
const BATCH: u32 = 200;
/// How often old ones are forgotten.
const SWEEP: Duration = Duration::from_secs(600);
/// How long a failed write waits for its next try.
const RETRY: Duration = Duration::from_secs(1);

/// Keeps what concerns an account, an address or a session, in a table of the same database.
///
/// Told on a request's path, it only takes note; [`run`](Self::run) writes, so that a slow disk slows
/// nobody. What a client can repeat at no cost (a key or an access token, taken or refused) and what
/// concerns nobody (a garbled one) is not kept: counters are for these, and a flood would fill the
/// disk. Entries are forgotten after 90 days.
pub struct AuditLog {
    table: Arc<dyn Table>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    kept_for: Duration,
    waiting: Mutex<VecDeque<Entry>>,
    due: Notify,
    /// Held by the one that writes: what was written leaves the queue before anybody looks again.
    writing: AsyncMutex<()>,
    dropped: AtomicU64,
}

/// One outcome as it was kept. No field is a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditEntry {
    /// When it was judged.
    pub at: Timestamp,
    /// What came out: [`Outcome::name`].
    pub outcome: String,
    /// Why it was refused, if it was.
    pub reason: Option<String>,
    /// The key or session that it is about.
    pub subject: Option<String>,
    /// The network of whoever asked, coarse, in CIDR notation.
    pub network: Option<String>,
}

#[derive(Clone)]
struct Entry {
    id: String,
    account: Option<AccountId>,
    address: Option<String>,
    request_id: Option<String>,
    shown: AuditEntry,
}

impl AuditLog {
    /// Keeps outcomes in `store`'s database.
    #[must_use]
    #[expect(private_bounds, reason = "which databases there are is ours to say")]
    pub fn new<DB: Backend>(store: SqlStore<DB>) -> Self {
        Self {
            clock: store.clock.clone(),
            random: store.random.clone(),
            table: Arc::new(store),
            kept_for: Duration::from_secs(90 * 24 * 3_600),
            waiting: Mutex::default(),
            due: Notify::new(),
            writing: AsyncMutex::new(()),
            dropped: AtomicU64::new(0),
        }
    }

    /// Forgets entries after another time than 90 days.
    #[must_use]
    pub fn with_kept_for(mut self, span: Duration) -> Self {
        self.kept_for = span;
        self
    }

    /// Writes what comes, and forgets what is old, for ever. Run it once.
    pub async fn run(&self) {
        let clock = &self.clock;
        let mut swept = clock.now();
        loop {
            self.due.notified().await;
            while self.flush().await.is_err() {
                clock.sleep(RETRY).await;
            }
            if clock.now().since(swept) >= SWEEP {
                swept = clock.now();
                // A sweep that fails is made up for by the next.
                while let Ok(BATCH) = self.table.purge(swept.minus(self.kept_for)).await {}
            }
        }
    }

    /// Writes all that waits. Called once more when the process ends.
    ///
    /// # Errors
    /// What the database said; what could not be written keeps waiting.
    pub async fn flush(&self) -> StoreResult<()> {
        let _alone = self.writing.lock().await;
        loop {
            let batch: Vec<Entry> = self
                .waiting()
                .iter()
                .take(BATCH as usize)
                .cloned()
                .collect();
            let Some(last) = batch.last().map(|entry| entry.id.clone()) else {
                return Ok(());
            };
            self.table.write(batch).await?;
            let mut waiting = self.waiting();
            while waiting.pop_front().is_some_and(|entry| entry.id != last) {}
        }
    }

    /// The account's newest entries, the newest first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn recent(&self, account: &AccountId, limit: u32) -> StoreResult<Vec<AuditEntry>> {
        self.table.recent(account, limit).await
    }

    /// How many outcomes were not kept because too many waited.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventSink for AuditLog {
    fn record(&self, event: &AuthEvent<'_>) {
        if !is_kept(event) {
            return;
        }
        let mut id = vec![0; 22];
        random_base62(&*self.random, &mut id);
        let requester = event.requester;
        let network = requester.map(|who| Network::coarse(who.address).to_string());
        let entry = Entry {
            id: String::from_utf8(id).unwrap_or_default(),
            account: event.account.cloned(),
            address: event.address.map(|address| address.masked()),
            request_id: requester.map(|who| who.request_id.clone()),
            shown: AuditEntry {
                at: event.at,
                outcome: event.outcome.name().to_owned(),
                reason: event.outcome.refusal().map(|why| why.name().to_owned()),
                subject: event.outcome.subject(),
                network,
            },
        };
        let mut waiting = self.waiting();
        if waiting.len() < WAITING {
            waiting.push_back(entry);
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        drop(waiting);
        self.due.notify_one();
    }
}

/// Not what a client can repeat at no cost, nor what concerns nobody.
fn is_kept(event: &AuthEvent<'_>) -> bool {
    let concerns_somebody =
        event.account.is_some() || event.address.is_some() || event.outcome.subject().is_some();
    let is_cheap = matches!(
        event.outcome,
        Outcome::KeyAccepted(_) | Outcome::KeyRefused(_) | Outcome::SessionRefused(_)
    );
    // A flood that is held off must not fill the table; what it was held off for stands there.
    let is_held_off = event.outcome.refusal() == Some(Refusal::Throttled);
    concerns_somebody && !is_cheap && !is_held_off
}

/// The table, in whichever database.
#[async_trait]
trait Table: Send + Sync {
    async fn write(&self, entries: Vec<Entry>) -> StoreResult<()>;

    async fn recent(&self, account: &AccountId, limit: u32) -> StoreResult<Vec<AuditEntry>>;

    /// Forgets a batch; how many there were.
    async fn purge(&self, before: Timestamp) -> StoreResult<u32>;
}

#[async_trait]
impl<DB: Backend> Table for SqlStore<DB> {
    async fn write(&self, entries: Vec<Entry>) -> StoreResult<()> {
        self.database.write(Write(entries)).await
    }

    async fn recent(&self, account: &AccountId, limit: u32) -> StoreResult<Vec<AuditEntry>> {
        let newest = Statement::new(
            "SELECT at, outcome, reason, subject, network FROM ps_audit \
             WHERE account_id = $1 ORDER BY at DESC, id DESC LIMIT $2",
        );
        let rows = self.database.read(newest.with(account).with(limit));
        rows.await?.into_iter().map(read).collect()
    }

    async fn purge(&self, before: Timestamp) -> StoreResult<u32> {
        const ENTRIES: Purged = Purged {
            table: "ps_audit",
            key: "id",
            which: "at < $1",
            oldest: "at",
        };
        let purge = Purge::new(ENTRIES, before, BATCH);
        self.database.write(purge).await
    }
}

struct Write(Vec<Entry>);

#[async_trait]
impl Unit for Write {
    type Outcome = ();

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<()> {
        for entry in &self.0 {
            let add = Statement::new(
                "INSERT INTO ps_audit \
                 (id, at, outcome, reason, subject, account_id, address, network, request_id) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING",
            );
            let shown = entry.shown.clone();
            let add = add
                .with(entry.id.as_str())
                .with(shown.at)
                .with(shown.outcome)
                .with(shown.reason)
                .with(shown.subject)
                .with(entry.account.as_ref())
                .with(entry.address.clone())
                .with(shown.network)
                .with(entry.request_id.clone());
            on.rows(add).await?;
        }
        Ok(())
    }
}

fn read(mut row: Row) -> StoreResult<AuditEntry> {
    Ok(AuditEntry {
        at: row.next()?,
        outcome: row.next()?,
        reason: row.next()?,
        subject: row.next()?,
        network: row.next()?,
    })
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLog").finish_non_exhaustive()
    }
}
