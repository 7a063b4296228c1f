//! A store of one's own: the application's users in a file, and whether it keeps what `ps_core::Users`
//! promises. `cargo run -p custom-store` prints the table, `cargo test -p custom-store` tests the same.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use ps_core::{
    AccountId, EmailAddress, Random, Registered, StoreError, StoreResult, SystemRandom, Timestamp,
    User, Users, VerifiedEmail, random_base62,
};
use ps_testkit::conformance::{self as suites, Harness};
use serde_json::{Value, json};

/// Users in memory, and each in a line of JSON at the end of a file before anybody hears of it.
#[derive(Clone, Debug)]
struct FileUsers(Arc<Mutex<Inside>>);

#[derive(Debug)]
struct Inside {
    file: File,
    /// How much of the file is good; what a failed write left behind it is cut off.
    length: u64,
    users: HashMap<AccountId, User>,
    /// What makes an address unique: its canonical form, byte by byte, with nothing folded.
    ids: HashMap<EmailAddress, AccountId>,
}

impl FileUsers {
    /// One process at a time: a second would not see what the first adds.
    fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.append(true).create(true).open(path)?;
        file.try_lock()?;
        let text = fs::read_to_string(path)?;
        let mut inside = Inside {
            file,
            length: 0,
            users: HashMap::new(),
            ids: HashMap::new(),
        };
        // A last line without its end was never acknowledged: the process died while it wrote it.
        for line in text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
        {
            inside.remember(read(line).ok_or(io::ErrorKind::InvalidData)?);
            inside.length += line.len() as u64;
        }
        inside.file.set_len(inside.length)?;
        Ok(Self(Arc::new(Mutex::new(inside))))
    }

    /// Acts with all of it to itself, on a thread that may wait for a disk.
    ///
    /// A caller that hangs up meanwhile stops nothing halfway.
    async fn alone<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Inside) -> io::Result<T> + Send + 'static,
    ) -> StoreResult<T> {
        let inside = Arc::clone(&self.0);
        let acting = tokio::task::spawn_blocking(move || {
            act(&mut inside.lock().unwrap_or_else(PoisonError::into_inner))
        });
        acting
            .await
            .map_err(StoreError::new)?
            .map_err(StoreError::new)
    }
}

impl Inside {
    fn remember(&mut self, user: User) {
        self.ids.insert(user.email.clone(), user.id.clone());
        self.users.insert(user.id.clone(), user);
    }

    fn by_email(&self, email: &EmailAddress) -> Option<User> {
        self.ids.get(email).map(|id| self.users[id].clone())
    }

    /// On the disk first, then in memory: whoever is told of a user is told of one that stays.
    fn add(&mut self, user: User) -> io::Result<()> {
        let line = write(&user);
        self.file.set_len(self.length)?;
        self.file.write_all(line.as_bytes())?;
        self.file.sync_data()?;
        self.length += line.len() as u64;
        self.remember(user);
        Ok(())
    }
}

#[async_trait]
impl Users for FileUsers {
    async fn find(&self, id: &AccountId) -> StoreResult<Option<User>> {
        let id = id.clone();
        self.alone(move |inside| Ok(inside.users.get(&id).cloned()))
            .await
    }

    async fn find_by_email(&self, email: &EmailAddress) -> StoreResult<Option<User>> {
        let email = email.clone();
        self.alone(move |inside| Ok(inside.by_email(&email))).await
    }

    /// Looking and adding are one step, because the lock is held over both.
    async fn register(&self, proof: &VerifiedEmail, now: Timestamp) -> StoreResult<Registered> {
        let email = proof.address().clone();
        self.alone(move |inside| {
            if let Some(user) = inside.by_email(&email) {
                return Ok(Registered::Existing(user));
            }
            let id = new_id(&SystemRandom);
            let user = User {
                id,
                email,
                created_at: now,
            };
            inside.add(user.clone())?;
            Ok(Registered::New(user))
        })
        .await
    }
}

fn new_id(random: &dyn Random) -> AccountId {
    let mut id = [0; 22];
    random_base62(random, &mut id);
    let id = String::from_utf8_lossy(&id);
    AccountId::new(id.as_ref()).expect("22 letters and digits are an id")
}

fn write(user: &User) -> String {
    let (id, email) = (user.id.as_str(), user.email.as_str());
    let line = json!({ "id": id, "email": email, "created_at": user.created_at.as_millis() });
    format!("{line}\n")
}

fn read(line: &str) -> Option<User> {
    let line: Value = serde_json::from_str(line).ok()?;
    Some(User {
        id: AccountId::new(line["id"].as_str()?).ok()?,
        email: EmailAddress::parse(line["email"].as_str()?).ok()?,
        created_at: Timestamp::from_millis(line["created_at"].as_i64()?),
    })
}

/// A new file for each property, removed when the harness is dropped.
struct InAFile(PathBuf);

impl InAFile {
    fn new() -> Self {
        let name = format!("users-{}.jsonl", new_id(&SystemRandom).as_str());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for InAFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[async_trait]
impl Harness for InAFile {
    type Store = FileUsers;

    async fn fresh(&self) -> Arc<FileUsers> {
        Arc::new(FileUsers::open(&self.0).expect("a temporary file can be made"))
    }
}

#[expect(clippy::print_stdout, reason = "whoever runs it reads the table")]
fn main() -> ExitCode {
    let report = suites::table(InAFile::new, suites::users::properties());
    println!("{report}");
    ExitCode::from(u8::from(!report.all_hold()))
}

#[cfg(test)]
ps_testkit::conformance!(InAFile::new() => users);

#[cfg(test)]
mod tests;
