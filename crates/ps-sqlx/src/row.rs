//! What a statement answered, read strictly.

use std::{str::FromStr, vec};

use ps_core::{
    AccountId, AccountVersion, Cursor, EmailAddress, KeyDigest, KeyId, SessionId, StoreError,
    StoreResult, Timestamp,
};

use crate::statement::Value;

/// One row. Its columns are read from the left.
pub(crate) struct Row {
    columns: vec::IntoIter<Value>,
    read: usize,
}

/// A column holds what nobody here has written.
#[derive(Debug, thiserror::Error)]
#[error("column {column} of a row cannot be read back as {expected}")]
struct Unreadable {
    column: usize,
    expected: &'static str,
}

impl Row {
    pub(crate) fn new(columns: Vec<Value>) -> Self {
        Self {
            columns: columns.into_iter(),
            read: 0,
        }
    }

    /// The next column.
    pub(crate) fn next<T: Column>(&mut self) -> StoreResult<T> {
        let unreadable = Unreadable {
            column: self.read,
            expected: std::any::type_name::<T>(),
        };
        self.read += 1;
        let value = self.columns.next();
        value
            .and_then(T::read)
            .ok_or_else(|| StoreError::new(unreadable))
    }
}

/// The first column of each row.
pub(crate) fn firsts<T: Column>(rows: Vec<Row>) -> StoreResult<Vec<T>> {
    rows.into_iter().map(|mut row| row.next()).collect()
}

/// The one row of a statement that always answers one.
pub(crate) fn only(rows: Vec<Row>) -> StoreResult<Row> {
    let row = rows.into_iter().next();
    row.ok_or_else(|| StoreError::new("a statement that answers a row answered none"))
}

/// What can be read from one column.
pub(crate) trait Column: Sized {
    /// `None` if the value is not one that was ever written there.
    fn read(value: Value) -> Option<Self>;
}

impl Column for i64 {
    fn read(value: Value) -> Option<Self> {
        match value {
            Value::Integer(number) => number,
            Value::Bytes(_) | Value::Digests(_) | Value::Text(_) => None,
        }
    }
}

impl Column for String {
    fn read(value: Value) -> Option<Self> {
        match value {
            Value::Text(text) => text,
            Value::Bytes(_) | Value::Digests(_) | Value::Integer(_) => None,
        }
    }
}

impl Column for Vec<u8> {
    fn read(value: Value) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => bytes,
            Value::Digests(_) | Value::Integer(_) | Value::Text(_) => None,
        }
    }
}

impl<T: Column> Column for Option<T> {
    fn read(value: Value) -> Option<Self> {
        match value {
            Value::Bytes(None) | Value::Integer(None) | Value::Text(None) => Some(None),
            present => T::read(present).map(Some),
        }
    }
}

/// Reads a column of one type by way of another.
macro_rules! columns {
    ($($type:ty: |$value:ident: $from:ty| $read:expr;)+) => {
        $(
            impl $crate::row::Column for $type {
                fn read(value: $crate::statement::Value) -> Option<Self> {
                    let $value = <$from as $crate::row::Column>::read(value)?;
                    $read
                }
            }
        )+
    };
}
#[cfg(any(feature = "apikey", feature = "magiccode", feature = "session"))]
pub(crate) use columns;

columns! {
    [u8; 32]: |bytes: Vec<u8>| bytes.try_into().ok();
    u8: |number: i64| number.try_into().ok();
    u32: |number: i64| number.try_into().ok();
    u64: |number: i64| number.try_into().ok();
    AccountId: |text: String| AccountId::new(text).ok();
    AccountVersion: |number: u64| Some(Self::new(number));
    Cursor: |number: u64| Some(Self::new(number));
    EmailAddress: |text: String| Self::parse(&text).ok().filter(|read| read.as_str() == text);
    KeyDigest: |bytes: [u8; 32]| Some(Self::from_bytes(bytes));
    KeyId: |text: String| Self::from_str(&text).ok();
    SessionId: |text: String| Self::from_str(&text).ok();
    Timestamp: |millis: i64| Some(Self::from_millis(millis));
}
