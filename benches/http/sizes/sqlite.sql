-- The same for SQLite: sqlite3 file.db, `.parameter set @rows 1000000`, `.read sqlite.sql`.
CREATE TEMP TABLE n AS
  WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < @rows) SELECT n FROM n;
CREATE TEMP TABLE accounts AS
  SELECT n, substr(hex(randomblob(11)), 1, 22) AS id FROM n WHERE n <= @rows / 2;
CREATE UNIQUE INDEX temp.accounts_n ON accounts (n);

BEGIN;
INSERT INTO ps_users SELECT id, 'person' || n || '@example.com', 1764000000000 + n FROM accounts;
INSERT INTO ps_accounts SELECT id, 2, 1764000000000 + n, NULL FROM accounts;
INSERT INTO ps_keys
  SELECT substr(hex(randomblob(11)), 1, 22), a.id, randomblob(32), 'ps_…' || substr(n.n || 'abcd', -4),
    'nightly export', 'programs:read programs:write', '', 1764000000000 + n.n, NULL,
    1764000000000 + n.n, NULL
  FROM n JOIN accounts AS a ON a.n = 1 + n.n % (@rows / 2);
INSERT INTO ps_sessions
  SELECT substr(hex(randomblob(11)), 1, 22), a.id, 1 + n.n / (@rows / 2), 2, randomblob(32), 7,
    randomblob(32), randomblob(32), 'otp', 1764000000000 + n.n, 1764000000000 + n.n,
    1764600000000 + n.n, 1766592000000 + n.n, NULL, 1764600000000 + n.n, '192.0.2.0/24',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36'
  FROM n JOIN accounts AS a ON a.n = 1 + n.n % (@rows / 2);
INSERT INTO ps_changes
  SELECT n, 1764000000000 + n, 'session', CAST(substr(hex(randomblob(11)), 1, 22) AS BLOB)
  FROM n WHERE n <= @rows / 10;
INSERT INTO ps_challenges
  SELECT substr(hex(randomblob(11)), 1, 22), 'sign_in', 'person' || n || '@example.com', 6, 0, 5, 1,
    1764000000000 + n, 1764000600000 + n, NULL, 86400000
  FROM n WHERE n <= @rows / 10;
INSERT INTO ps_audit
  SELECT substr(hex(randomblob(11)), 1, 22), 1764000000000 + n.n, 'session_opened', NULL,
    substr(hex(randomblob(11)), 1, 22), a.id, NULL, '192.0.2.0/24', substr(hex(randomblob(11)), 1, 22)
  FROM n JOIN accounts AS a ON a.n = 1 + n.n % (@rows / 2);
COMMIT;

.mode markdown
SELECT s.tbl_name AS "table", s.name AS "table or index",
  round(1.0 * sum(d.pgsize) / CASE
    WHEN s.tbl_name IN ('ps_users', 'ps_accounts') THEN @rows / 2
    WHEN s.tbl_name IN ('ps_changes', 'ps_challenges') THEN @rows / 10
    ELSE @rows END) AS "bytes a row"
  FROM dbstat AS d JOIN sqlite_schema AS s ON s.name = d.name
  WHERE s.tbl_name IN ('ps_users', 'ps_accounts', 'ps_keys', 'ps_sessions', 'ps_changes', 'ps_challenges', 'ps_audit')
  GROUP BY s.tbl_name, s.name ORDER BY 1, s.type DESC, 2;
