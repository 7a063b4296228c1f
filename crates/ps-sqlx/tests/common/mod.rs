//! What every test of SQLite needs.

#![allow(dead_code, unreachable_pub)] // each uses some of it

use std::{
    fs,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use ps_core::{AccountId, AccountVersion, EmailAddress, SessionId, SystemRandom, Timestamp};
use ps_session::{FamilyDigest, Method, Opened, SessionRecord, SessionStore};
use ps_sqlx::SqliteStore;
use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};

/// 2026-11-22T10:00:00Z.
pub const NOW: Timestamp = Timestamp::from_seconds(1_795_341_600);
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A new folder, removed with what is in it.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("ps-sqlx-{}-{number}", process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Where the database of a test stands.
    pub fn database(&self) -> PathBuf {
        self.0.join("auth.db")
    }

    /// Every byte of every file.
    pub fn bytes(&self) -> Vec<u8> {
        let files = fs::read_dir(&self.0).unwrap();
        let files = files.map(|file| fs::read(file.unwrap().path()).unwrap());
        files.flatten().collect()
    }

    pub async fn open(&self) -> SqliteStore {
        SqliteStore::open(self.database()).await.unwrap()
    }

    /// The file as another program has it open.
    pub async fn connect(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.database());
        options.create_if_missing(true).connect().await.unwrap()
    }

    /// How many transactions the log holds: the frames of this log (by its salt) that end one (by
    /// the size of the database after it). <https://www.sqlite.org/fileformat2.html#walformat>
    pub fn commits(&self) -> usize {
        let log = fs::read(self.0.join("auth.db-wal")).unwrap();
        let number = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap());
        let (header, frames) = log.split_at(32);
        let frame = 24 + number(&header[8..12]) as usize;
        let frames = frames.chunks_exact(frame);
        let of_this = frames.filter(|frame| frame[8..16] == header[16..24]);
        of_this.filter(|frame| number(&frame[4..8]) != 0).count()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn account(name: &str) -> AccountId {
    AccountId::new(name).unwrap()
}

pub fn email(name: &str) -> EmailAddress {
    EmailAddress::parse(&format!("{name}@example.com")).unwrap()
}

/// A session of an account that nobody has touched.
pub fn session(name: &str) -> SessionRecord {
    let id = SessionId::random(&SystemRandom);
    let mut family = [0; 32];
    family[..22].copy_from_slice(id.as_str().as_bytes());
    SessionRecord {
        id,
        account: account(name),
        version: AccountVersion::default(),
        family: FamilyDigest::from_bytes(family),
        generation: 0,
        rotation_key: None,
        rotation_key_before: None,
        method: Method::MagicCode,
        authenticated_at: NOW,
        refreshed_at: NOW,
        idle_ends_at: NOW.plus(DAY * 7),
        ends_at: NOW.plus(DAY * 30),
        ended_at: None,
        network: "192.0.2.0/24".to_owned(),
        user_agent: None,
    }
}

pub async fn open(store: &SqliteStore, session: &SessionRecord) {
    let opened = store.open(session, None, u32::MAX, NOW).await.unwrap();
    assert_eq!(opened, Opened::Done { ended: Vec::new() });
}
