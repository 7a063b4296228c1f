-- Fills the tables with rows as long as real ones, and says what they take. Ids are random, as ours are.
-- psql -v rows=1000000 -f postgres.sql, on a database with the tables of ps-sqlx in it.
\set ON_ERROR_STOP on
CREATE FUNCTION pg_temp.id(kind text, n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT substr(translate(encode(sha256((kind || n)::bytea), 'base64'), '+/', 'zZ'), 1, 22) $$;
CREATE FUNCTION pg_temp.digest(kind text, n bigint) RETURNS bytea LANGUAGE sql IMMUTABLE AS
  $$ SELECT sha256((kind || n)::bytea) $$;

-- Two keys and one session an account, so half as many accounts as keys.
INSERT INTO ps_users SELECT pg_temp.id('u', n), 'person' || n || '@example.com', 1764000000000 + n
  FROM generate_series(1, :rows / 2) AS n;
INSERT INTO ps_accounts SELECT pg_temp.id('u', n), 2, 1764000000000 + n, NULL
  FROM generate_series(1, :rows / 2) AS n;
INSERT INTO ps_keys
  SELECT pg_temp.id('k', n), pg_temp.id('u', 1 + n % (:rows / 2)), pg_temp.digest('k', n),
    'ps_…' || right(n::text || 'abcd', 4), 'nightly export', 'programs:read programs:write', '',
    1764000000000 + n, NULL, 1764000000000 + n, NULL
  FROM generate_series(1, :rows) AS n;
INSERT INTO ps_sessions
  SELECT pg_temp.id('s', n), pg_temp.id('u', 1 + n % (:rows / 2)), 1 + n / (:rows / 2), 2,
    pg_temp.digest('s', n), 7, pg_temp.digest('i', n), pg_temp.digest('j', n), 'otp',
    1764000000000 + n, 1764000000000 + n, 1764600000000 + n, 1766592000000 + n, NULL,
    1764600000000 + n, '192.0.2.0/24',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36'
  FROM generate_series(1, :rows) AS n;
INSERT INTO ps_changes SELECT n, 1764000000000 + n, 'session', substr(pg_temp.id('s', n), 1, 22)::bytea
  FROM generate_series(1, :rows / 10) AS n;
INSERT INTO ps_challenges
  SELECT pg_temp.id('c', n), 'sign_in', 'person' || n || '@example.com', 6, 0, 5, 1,
    1764000000000 + n, 1764000600000 + n, NULL, 86400000
  FROM generate_series(1, :rows / 10) AS n;
INSERT INTO ps_audit
  SELECT pg_temp.id('a', n), 1764000000000 + n, 'session_opened', NULL, pg_temp.id('s', n),
    pg_temp.id('u', 1 + n % (:rows / 2)), NULL, '192.0.2.0/24', pg_temp.id('r', n)
  FROM generate_series(1, :rows) AS n;
VACUUM ANALYZE;

SELECT c.relname AS "table", c.reltuples::bigint AS rows,
  round((pg_relation_size(c.oid) / c.reltuples)::numeric) AS "row bytes",
  round((pg_indexes_size(c.oid) / c.reltuples)::numeric) AS "index bytes",
  round((pg_total_relation_size(c.oid) / c.reltuples)::numeric) AS "bytes in all"
  FROM pg_class AS c WHERE c.relname LIKE 'ps\_%' AND c.relkind = 'r' AND c.reltuples > 1 ORDER BY 1;
SELECT c.relname AS index, round((pg_relation_size(c.oid) / nullif(c.reltuples, 0))::numeric) AS bytes
  FROM pg_class AS c WHERE c.relname LIKE 'ps\_%' AND c.relkind = 'i' AND c.reltuples > 1 ORDER BY 1;
