-- Every table of every flow, so that migrations have one order whatever is compiled in.
-- The text is the same for SQLite and PostgreSQL. Times are Unix milliseconds; digests are 32 bytes;
-- texts are compared byte by byte.

CREATE TABLE ps_users (
    id TEXT COLLATE "binary" NOT NULL PRIMARY KEY,
    email TEXT COLLATE "binary" NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

CREATE TABLE ps_accounts (
    id TEXT COLLATE "binary" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    proven_at BIGINT,
    disabled_at BIGINT
);

-- The feed's counter: one row, whose lock makes the order of numbers the order of commits.
CREATE TABLE ps_feed (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    number BIGINT NOT NULL
);
INSERT INTO ps_feed (id, number) VALUES (1, 0);

-- `what` is a key's digest or a session's id.
CREATE TABLE ps_changes (
    number BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT COLLATE "binary" NOT NULL,
    what BYTEA NOT NULL
);

-- The limiter's log: `times` hits under `name` at `at`.
CREATE TABLE ps_hits (
    name TEXT COLLATE "binary" NOT NULL,
    at BIGINT NOT NULL,
    times BIGINT NOT NULL,
    kept_until BIGINT NOT NULL,
    PRIMARY KEY (name, at)
);
CREATE INDEX ps_hits_kept_until ON ps_hits (kept_until);

CREATE TABLE ps_keys (
    id TEXT COLLATE "binary" NOT NULL PRIMARY KEY,
    account_id TEXT COLLATE "binary" NOT NULL REFERENCES ps_accounts (id),
    digest BYTEA NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    allowed_addresses TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    revoked_at BIGINT
);
CREATE UNIQUE INDEX ps_keys_of_account ON ps_keys (account_id, created_at, id);

-- `opened` numbers an account's sessions; `over_at` is when one ended or will expire.
CREATE TABLE ps_sessions (
    id TEXT COLLATE "binary" NOT NULL PRIMARY KEY,
    account_id TEXT COLLATE "binary" NOT NULL REFERENCES ps_accounts (id),
    opened BIGINT NOT NULL,
    version BIGINT NOT NULL,
    family BYTEA NOT NULL UNIQUE,
    generation BIGINT NOT NULL,
    rotation_key BYTEA,
    rotation_key_before BYTEA,
    method TEXT NOT NULL,
    authenticated_at BIGINT NOT NULL,
    refreshed_at BIGINT NOT NULL,
    idle_ends_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    ended_at BIGINT,
    over_at BIGINT NOT NULL,
    network TEXT NOT NULL,
    user_agent TEXT
);
CREATE UNIQUE INDEX ps_sessions_of_account ON ps_sessions (account_id, opened);
CREATE INDEX ps_sessions_ended_at ON ps_sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX ps_sessions_over_at ON ps_sessions (over_at);

-- What opens an account at a provider; `removed_at` is since when it opens nothing.
CREATE TABLE ps_identities (
    provider TEXT COLLATE "binary" NOT NULL,
    issuer TEXT COLLATE "binary" NOT NULL,
    subject TEXT COLLATE "binary" NOT NULL,
    account_id TEXT COLLATE "binary" NOT NULL REFERENCES ps_accounts (id),
    email TEXT,
    linked_at BIGINT NOT NULL,
    removed_at BIGINT,
    PRIMARY KEY (provider, issuer, subject)
);
CREATE INDEX ps_identities_of_account ON ps_identities (account_id);

-- PHC strings.
CREATE TABLE ps_passwords (
    account_id TEXT COLLATE "binary" NOT NULL PRIMARY KEY REFERENCES ps_accounts (id),
    hash TEXT COLLATE "binary" NOT NULL
);

-- `mails` is how many were sent; `counted_for` is how long its guesses count, in milliseconds.
CREATE TABLE ps_challenges (
    id TEXT COLLATE "binary" NOT NULL PRIMARY KEY,
    purpose TEXT COLLATE "binary" NOT NULL,
    email TEXT COLLATE "binary" NOT NULL,
    digits BIGINT NOT NULL,
    key_version BIGINT NOT NULL,
    attempts_left BIGINT NOT NULL,
    mails BIGINT NOT NULL,
    mailed_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    spent_at BIGINT,
    counted_for BIGINT NOT NULL
);
CREATE INDEX ps_challenges_of_address ON ps_challenges (email, expires_at);
CREATE INDEX ps_challenges_expires_at ON ps_challenges (expires_at);

-- Mails that nobody has answered. They outlive their challenge.
CREATE TABLE ps_mails (
    email TEXT COLLATE "binary" NOT NULL,
    at BIGINT NOT NULL,
    challenge_id TEXT COLLATE "binary" NOT NULL,
    number BIGINT NOT NULL,
    kept_until BIGINT NOT NULL,
    PRIMARY KEY (email, at, challenge_id, number)
);
CREATE INDEX ps_mails_kept_until ON ps_mails (kept_until);

-- Guesses, each wrong until it turns out to be right. They outlive their challenge.
CREATE TABLE ps_guesses (
    email TEXT COLLATE "binary" NOT NULL,
    at BIGINT NOT NULL,
    challenge_id TEXT COLLATE "binary" NOT NULL,
    attempts_left BIGINT NOT NULL,
    kept_until BIGINT NOT NULL,
    PRIMARY KEY (email, at, challenge_id, attempts_left)
);
CREATE INDEX ps_guesses_kept_until ON ps_guesses (kept_until, at);

-- Outcomes that concern an account, an address or a session. Nothing here is a secret: addresses are
-- masked and networks coarse.
CREATE TABLE ps_audit (
    id TEXT COLLATE "binary" NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    outcome TEXT COLLATE "binary" NOT NULL,
    reason TEXT COLLATE "binary",
    subject TEXT COLLATE "binary",
    account_id TEXT COLLATE "binary",
    address TEXT,
    network TEXT,
    request_id TEXT
);
CREATE INDEX ps_audit_of_account ON ps_audit (account_id, at, id);
CREATE INDEX ps_audit_at ON ps_audit (at);
