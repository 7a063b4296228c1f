//! Why a database cannot be used.

use std::error::Error;

type Cause = Box<dyn Error + Send + Sync + 'static>;

/// Why a store could not be opened. Nothing of it is for the client of a service.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It does not name a database of this kind, or asks something of it that is not known.
    #[error("this does not name a database of this kind")]
    Location,
    /// The tables could not be brought to what this version needs.
    #[error("the tables could not be brought up to date")]
    Migrations(#[source] Cause),
    /// A character of the URL may be its password's, so that another server would be asked.
    #[error(
        "the URL has a / ? # or @ where none belongs: in a password they are written %2F %3F %23 %40"
    )]
    Unescaped,
    /// The database did not let us in.
    #[error("the database could not be opened")]
    Unreachable(#[source] Cause),
    /// A variable of the environment, which is named, has a value that is not known.
    #[error("the value of the variable {0} is not known")]
    Variable(&'static str),
}
