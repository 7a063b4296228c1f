//! `example-server fence`: what an operator runs after a backup was restored.

use std::{
    error::Error,
    fmt::Write as _,
    io::{self, BufRead, IsTerminal, Write as _},
};

use ps_core::{Clock, SystemClock, Timestamp};
use ps_http::rfc3339;
use ps_sqlx::{Fenced, KeyToReview};

use crate::{
    plan::{Database, Refusal},
    settings::Settings,
    store::{Store, Unopened},
};

/// Why nothing was fenced.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfenced {
    #[error("{0}")]
    Database(#[from] Refusal),
    #[error("database_unreachable: there is no file {0}")]
    NoFile(String),
    #[error("fence_unconfirmed: it signs everybody out: say --yes")]
    Unconfirmed,
    #[error("{0}")]
    Unopened(#[from] Unopened),
    #[error("the database could not answer, and nothing was done: {0}")]
    Unanswered(#[source] Box<dyn Error>),
}

/// Ends every session and code in the database of the settings, of which nothing else is asked, and
/// says which keys to review. Nodes may run meanwhile.
pub(crate) async fn fence(settings: &Settings, is_sure: bool) -> Result<String, Unfenced> {
    let database = Database::parse(&settings.database_url)?;
    if let Database::File(path) = &database
        && !path.is_file()
    {
        return Err(Unfenced::NoFile(path.display().to_string()));
    }
    if !is_sure && !is_confirmed(&database) {
        return Err(Unfenced::Unconfirmed);
    }
    let store = Store::open(&database).await?;
    let fenced = store.fence(SystemClock.now()).await;
    store.close().await;
    let fenced = fenced.map_err(|error| Unfenced::Unanswered(error.into()))?;
    Ok(describe(&fenced))
}

/// Asks whoever sits there.
fn is_confirmed(database: &Database) -> bool {
    if !io::stdin().is_terminal() {
        return false;
    }
    let mut out = io::stderr();
    let _ = write!(
        out,
        "This ends every session and every code in {database}. Type yes to go on: "
    );
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim() == "yes"
}

fn describe(fenced: &Fenced) -> String {
    let mut text = format!(
        "{} sessions and {} codes ended.\n",
        fenced.sessions, fenced.challenges
    );
    match fenced.known_until {
        Some(at) => {
            let _ = writeln!(
                text,
                "The data tell of nothing after {}. Keys that were revoked since then are active again.",
                rfc3339(at)
            );
        }
        None => text.push_str("The data tell of nothing.\n"),
    }
    if fenced.keys.is_empty() {
        text.push_str("No key opens anything.");
        return text;
    }
    let _ = writeln!(text, "\nEach owner is to look at these keys:\n");
    text + &table(&fenced.keys)
}

fn table(keys: &[KeyToReview]) -> String {
    let head = [
        "owner",
        "id",
        "name",
        "hint",
        "made",
        "last used",
        "expires",
    ];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(keys.iter().map(row));
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: [usize; 7] = std::array::from_fn(width);
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(widths);
        let cells = cells.map(|(cell, width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        line.trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn row(key: &KeyToReview) -> [String; 7] {
    let when = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), rfc3339);
    let owner = key.email.as_ref().map(ToString::to_string);
    [
        owner.unwrap_or_else(|| key.account.as_str().to_owned()),
        key.id.to_string(),
        key.name.clone(),
        key.hint.clone(),
        rfc3339(key.created_at),
        when(key.last_used_at),
        when(key.expires_at),
    ]
}
