//! A place of its own for each test on one server. Other packages' tests include this file too.

#![allow(dead_code)] // each uses some of it

use std::{
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use ps_sqlx::{PostgresOptions, PostgresStore};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqlSafeStr, query};
use tokio::time::sleep;

#[derive(Clone)]
pub(crate) struct Schema {
    server: String,
    name: String,
}

impl Schema {
    pub(crate) async fn make(server: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let schema = Self {
            server: server.to_owned(),
            name: format!("ps_test_{}_{number}", process::id()),
        };
        schema
            .execute(format!("CREATE SCHEMA {}", schema.name))
            .await;
        schema
    }

    /// What connects to it also carries its name.
    pub(crate) fn url(&self) -> String {
        let Self { server, name } = self;
        let and = if server.contains('?') { '&' } else { '?' };
        format!("{server}{and}options[search_path]={name}&application_name={name}")
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Patiently, for races are won by who is right and not by who is quick.
    pub(crate) async fn open(&self) -> PostgresStore {
        let options = PostgresOptions::default().with_acquire_timeout(Duration::from_secs(30));
        let opened = PostgresStore::open_with(&self.url(), options).await;
        opened.unwrap()
    }

    /// As another program connects to it.
    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.unwrap()
    }

    pub(crate) async fn execute(&self, sql: impl Into<String>) {
        let mut connection = self.connect().await;
        execute(&mut connection, sql).await;
    }

    pub(crate) async fn number(&self, sql: impl SqlSafeStr) -> i64 {
        let mut connection = self.connect().await;
        number(&mut connection, sql).await
    }

    /// Waits until so many of the connections to it are in a state. For 10 s: then that is wrong.
    pub(crate) async fn until(&self, how_many: i64, state: &str) {
        let count = AssertSqlSafe(format!(
            "SELECT COUNT(*) FROM pg_stat_activity \
             WHERE application_name = '{}' AND pid <> pg_backend_pid() AND {state}",
            self.name
        ));
        let (count, mut connection) = (count.into_sql_str(), self.connect().await);
        let mut counted = 0;
        for _ in 0..1_000 {
            counted = number(&mut connection, count.clone()).await;
            if counted == how_many {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("{counted} instead of {how_many}: {state}");
    }

    /// Waits until so many wait for a lock.
    pub(crate) async fn until_waiting(&self, how_many: i64) {
        self.until(how_many, "wait_event_type = 'Lock'").await;
    }

    /// Every byte of every row.
    pub(crate) async fn dump(&self) -> Vec<u8> {
        let mut connection = self.connect().await;
        let tables = query(
            "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = current_schema()",
        );
        let tables = tables.fetch_all(&mut connection).await.unwrap();
        assert!(tables.len() > 10);
        let mut dump = Vec::new();
        for table in tables {
            let copy = format!("SELECT * FROM {}", table.get::<String, _>(0));
            let rows = query(AssertSqlSafe(copy)).fetch_all(&mut connection).await;
            for row in rows.unwrap() {
                for column in 0..row.len() {
                    let value = row.try_get_raw(column).unwrap();
                    dump.extend(value.as_bytes().unwrap_or_default());
                    dump.push(0);
                }
            }
        }
        dump
    }

    pub(crate) async fn remove(&self) {
        self.execute(format!("DROP SCHEMA {} CASCADE", self.name))
            .await;
    }
}

pub(crate) async fn execute(connection: &mut PgConnection, sql: impl Into<String>) {
    let sql = sqlx::raw_sql(AssertSqlSafe(sql.into()));
    sql.execute(connection).await.unwrap();
}

pub(crate) async fn number(connection: &mut PgConnection, sql: impl SqlSafeStr) -> i64 {
    query(sql).fetch_one(connection).await.unwrap().get(0)
}
