//! One SQL statement with its values, the same for every database.

use ps_core::{AccountId, AccountVersion, Cursor, EmailAddress, Timestamp};
use sqlx::{SqlSafeStr, SqlStr};

/// What stands in one column. PostgreSQL wants to know the type of a missing value too.
#[derive(Clone)]
pub(crate) enum Value {
    Bytes(Option<Vec<u8>>),
    /// Stands in no column, and only databases take it that [have arrays](crate::backend::Backend::HAS_ARRAYS).
    #[cfg_attr(not(feature = "postgres"), expect(dead_code))]
    Digests(Vec<[u8; 32]>),
    Integer(Option<i64>),
    Text(Option<String>),
}

/// A statement with numbered parameters (`$1`) and the values that they stand for.
#[derive(Clone)]
pub(crate) struct Statement {
    pub(crate) sql: SqlStr,
    pub(crate) values: Vec<Value>,
}

impl Statement {
    pub(crate) fn new(sql: impl SqlSafeStr) -> Self {
        Self {
            sql: sql.into_sql_str(),
            values: Vec::new(),
        }
    }

    /// With the value of the next parameter.
    pub(crate) fn with(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }
}

macro_rules! values {
    ($($variant:ident($value:ident: $type:ty) => $into:expr;)+) => {
        $(
            impl From<$type> for Value {
                fn from($value: $type) -> Self {
                    Self::$variant(Some($into))
                }
            }

            impl From<Option<$type>> for Value {
                fn from(value: Option<$type>) -> Self {
                    Self::$variant(value.map(|$value| $into))
                }
            }
        )+
    };
}

impl From<Vec<[u8; 32]>> for Value {
    fn from(digests: Vec<[u8; 32]>) -> Self {
        Self::Digests(digests)
    }
}

// A number that is greater than a column can hold equals nothing that is stored.
values! {
    Bytes(bytes: &[u8]) => bytes.to_vec();
    Bytes(digest: &[u8; 32]) => digest.to_vec();
    Integer(version: AccountVersion) => version.number().try_into().unwrap_or(i64::MAX);
    Integer(cursor: Cursor) => cursor.number().try_into().unwrap_or(i64::MAX);
    Integer(moment: Timestamp) => moment.as_millis();
    Integer(number: i64) => number;
    Integer(number: u32) => number.into();
    Integer(number: usize) => number.try_into().unwrap_or(i64::MAX);
    Text(id: &AccountId) => id.as_str().to_owned();
    Text(address: &EmailAddress) => address.as_str().to_owned();
    Text(text: &str) => text.to_owned();
    Text(text: String) => text;
}
