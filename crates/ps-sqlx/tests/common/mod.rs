//! What every test of SQLite needs.

#![allow(dead_code, unreachable_pub, unused_imports)] // each uses some of it

pub mod records;
pub mod two;

use std::{
    fs,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use ps_sqlx::SqliteStore;
pub use records::*;
use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};

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
