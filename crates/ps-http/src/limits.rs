//! What one network may ask for, over all addresses and routes.

use std::{net::IpAddr, sync::Arc, time::Duration};

use ps_core::{Hit, LimitKey, LimitRule, Limited, Limiter, Network, Timestamp};

use crate::Problem;

const HOUR: Duration = Duration::from_secs(3600);
#[cfg(feature = "magiccode")]
const REQUESTS: LimitRule = LimitRule {
    limit: 300,
    per: HOUR,
};
const FAILURES: LimitRule = LimitRule {
    limit: 100,
    per: HOUR,
};
/// How many times the bound of one client a whole IPv6 site gets.
const SITE: u32 = 4;

/// At most 300 requests for and with codes, and 100 failures (wrong codes, wrong passwords, callbacks
/// that no provider stands by) an hour from one network: an IPv4 address or an IPv6
/// /64, and four times that from an IPv6 /48.
///
/// Budgets of an address bound what happens to one person; these bound what one client does to
/// many.
#[derive(Clone, Debug)]
pub struct NetworkLimits(Arc<dyn Limiter>);

impl NetworkLimits {
    /// Counts in `limiter`.
    #[must_use]
    pub fn new(limiter: Arc<dyn Limiter>) -> Self {
        Self(limiter)
    }

    /// Counts a request for a code.
    #[cfg(feature = "magiccode")]
    pub(crate) async fn admit_request(&self, from: IpAddr, now: Timestamp) -> Result<(), Problem> {
        let hits = hits("code request", from, REQUESTS, Hit::new);
        self.judge("requests", REQUESTS, &hits, now).await
    }

    /// Counts a request with a code, and asks whether its network has guessed too often.
    #[cfg(feature = "magiccode")]
    pub(crate) async fn admit_guess(&self, from: IpAddr, now: Timestamp) -> Result<(), Problem> {
        self.admit_after_failures(from, now).await?;
        self.admit_request(from, now).await
    }

    /// Asks whether the network has failed too often: by wrong codes, wrong passwords, or callbacks
    /// with codes that no provider takes.
    pub(crate) async fn admit_after_failures(
        &self,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let failures = hits("wrong code", from, FAILURES, Hit::peek);
        self.judge("failures", FAILURES, &failures, now).await
    }

    /// Counts a failure.
    pub(crate) async fn note_failure(&self, from: IpAddr, now: Timestamp) -> Result<(), Problem> {
        let hits = hits("wrong code", from, FAILURES, Hit::new);
        self.0.hit(&hits, now).await?;
        Ok(())
    }

    async fn judge(
        &self,
        name: &str,
        rule: LimitRule,
        hits: &[Hit],
        now: Timestamp,
    ) -> Result<(), Problem> {
        match self.0.hit(hits, now).await? {
            Limited::Passed { .. } => Ok(()),
            Limited::Refused { retry_after, .. } => Err(Problem::rate_limited(
                name,
                rule.limit,
                rule.per,
                retry_after,
            )),
        }
    }
}

fn hits(
    act: &'static str,
    from: IpAddr,
    rule: LimitRule,
    hit: fn(LimitKey, LimitRule) -> Hit,
) -> Vec<Hit> {
    let mut hits = vec![hit(LimitKey::new(act, Network::of(from)), rule)];
    if from.to_canonical().is_ipv6() {
        let rule = LimitRule {
            limit: rule.limit * SITE,
            ..rule
        };
        hits.push(hit(LimitKey::new(act, Network::site(from)), rule));
    }
    hits
}
