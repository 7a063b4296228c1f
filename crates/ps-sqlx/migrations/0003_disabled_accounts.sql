-- Each lookup of a key asks whether its account is disabled. Hardly any is, so that is answered from
-- a page or two.
CREATE INDEX ps_accounts_disabled ON ps_accounts (id) WHERE disabled_at IS NOT NULL;
