//! What an access token says, read strictly.

use std::{borrow::Cow, time::Duration};

use ps_core::{AccountId, Refusal, SessionId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Method, SessionCaller, SessionRecord, policy::LONGEST_ACCESS_LIFE};

/// The claims of an authentic access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) caller: SessionCaller,
    issued_at: Timestamp,
    not_before: Timestamp,
    expires_at: Timestamp,
}

/// The claims as they are written (RFC 9068 §2.2, RFC 7519 §4.1). All are required, and nothing
/// else is: serde refuses what is missing, unknown or there twice, and any other JSON type.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<'a> {
    #[serde(borrow)]
    iss: Cow<'a, str>,
    #[serde(borrow)]
    aud: Cow<'a, str>,
    #[serde(borrow)]
    sub: Cow<'a, str>,
    #[serde(borrow)]
    sid: Cow<'a, str>,
    #[serde(borrow)]
    jti: Cow<'a, str>,
    iat: u64,
    nbf: u64,
    exp: u64,
    auth_time: u64,
    #[serde(borrow)]
    amr: [Cow<'a, str>; 1],
}

impl Claims {
    /// What a token says that is made at `now` for `session` and lives for `life` at most.
    pub(crate) fn new(session: &SessionRecord, life: Duration, now: Timestamp) -> Self {
        Self {
            caller: SessionCaller {
                account: session.account.clone(),
                session: session.id,
                authenticated_at: session.authenticated_at,
                method: session.method,
            },
            issued_at: now,
            not_before: now,
            expires_at: now.plus(life).min(session.expires_at()),
        }
    }

    /// For how long it says that it lives, in whole seconds as they are written.
    pub(crate) fn life(&self) -> Duration {
        let (from, to) = (seconds(self.issued_at), seconds(self.expires_at));
        Duration::from_secs(to.saturating_sub(from))
    }

    /// The claims as JSON. The audience is the issuer itself.
    pub(crate) fn write(&self, issuer: &str, jti: &str) -> String {
        let written = Written {
            iss: issuer.into(),
            aud: issuer.into(),
            sub: self.caller.account.as_str().into(),
            sid: self.caller.session.as_str().into(),
            jti: jti.into(),
            iat: seconds(self.issued_at),
            nbf: seconds(self.not_before),
            exp: seconds(self.expires_at),
            auth_time: seconds(self.caller.authenticated_at),
            amr: [self.caller.method.as_str().into()],
        };
        serde_json::to_string(&written).expect("strings and numbers are JSON")
    }

    /// Reads the claims of a token whose signature has been verified; `None` unless they are
    /// exactly what `issuer` would write.
    pub(crate) fn read(json: &[u8], issuer: &str) -> Option<Self> {
        // serde reads a struct from an array too.
        if json.first() != Some(&b'{') {
            return None;
        }
        let written: Written<'_> = serde_json::from_slice(json).ok()?;
        let ours = written.iss == issuer && written.aud == issuer && !written.jti.is_empty();
        let life = written.exp.checked_sub(written.iat)?;
        if !ours || life > LONGEST_ACCESS_LIFE.as_secs() {
            return None;
        }
        Some(Self {
            caller: SessionCaller {
                account: AccountId::new(written.sub).ok()?,
                session: written.sid.parse::<SessionId>().ok()?,
                authenticated_at: moment(written.auth_time)?,
                method: Method::read(&written.amr[0])?,
            },
            issued_at: moment(written.iat)?,
            not_before: moment(written.nbf)?,
            expires_at: moment(written.exp)?,
        })
    }

    /// Whether the token counts at `now`, where clocks may differ by `leeway`.
    pub(crate) fn judge_time(&self, leeway: Duration, now: Timestamp) -> Result<(), Refusal> {
        let latest = now.plus(leeway);
        let begins = [
            self.issued_at,
            self.not_before,
            self.caller.authenticated_at,
        ];
        if begins.iter().any(|begin| *begin > latest) {
            return Err(Refusal::TooEarly);
        }
        if now >= self.expires_at.plus(leeway) {
            return Err(Refusal::Expired);
        }
        Ok(())
    }
}

fn seconds(moment: Timestamp) -> u64 {
    u64::try_from(moment.as_seconds()).unwrap_or(0)
}

fn moment(seconds: u64) -> Option<Timestamp> {
    let millis = i64::try_from(seconds).ok()?.checked_mul(1000)?;
    Some(Timestamp::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ISSUER: &str = "https://app.example";
    const NOW: u64 = 1_795_341_600;
    const CLAIMS: [&str; 10] = [
        "iss",
        "aud",
        "sub",
        "sid",
        "jti",
        "iat",
        "nbf",
        "exp",
        "auth_time",
        "amr",
    ];

    fn good() -> Value {
        json!({
            "iss": ISSUER,
            "aud": ISSUER,
            "sub": "account-1",
            "sid": "0000000000000000000001",
            "jti": "7777777777777777777777",
            "iat": NOW,
            "nbf": NOW,
            "exp": NOW + 900,
            "auth_time": NOW - 600,
            "amr": ["otp"],
        })
    }

    fn read(json: &str) -> Option<Claims> {
        Claims::read(json.as_bytes(), ISSUER)
    }

    fn with(name: &str, value: Value) -> String {
        let mut claims = good();
        claims[name] = value;
        claims.to_string()
    }

    fn at(seconds: u64) -> Timestamp {
        moment(seconds).unwrap()
    }

    #[test]
    fn good_claims_are_read() {
        let claims = read(&good().to_string()).unwrap();
        assert_eq!(claims.caller.account.as_str(), "account-1");
        assert_eq!(claims.caller.session.as_str(), "0000000000000000000001");
        assert_eq!(claims.caller.authenticated_at, at(NOW - 600));
        assert_eq!(claims.caller.method, Method::MagicCode);
        let times = (claims.issued_at, claims.not_before, claims.expires_at);
        assert_eq!(times, (at(NOW), at(NOW), at(NOW + 900)));
    }

    #[test]
    fn what_is_written_is_read() {
        let claims = read(&good().to_string()).unwrap();
        assert_eq!(read(&claims.write(ISSUER, "id")), Some(claims));
    }

    // SE3
    #[test]
    fn every_claim_is_required_once_with_its_type() {
        for name in CLAIMS {
            let mut without = good();
            without.as_object_mut().unwrap().remove(name);
            assert_eq!(read(&without.to_string()), None, "{name} missing");

            let (text, value) = (good().to_string(), &good()[name]);
            let disguised = format!("\\u{:04x}{}", name.as_bytes()[0], &name[1..]);
            for again in [name, &disguised] {
                let twice = format!("{{\"{again}\":{value},{}", &text[1..]);
                assert_eq!(read(&twice), None, "{twice}");
            }
            for value in of_other_types(name) {
                assert_eq!(read(&with(name, value.clone())), None, "{name} {value}");
            }
            for literal in [
                "18446744073709551616",
                "1e400",
                "NaN",
                "Infinity",
                "01",
                "+1",
                "0x1",
            ] {
                let text = with(name, json!("@")).replace("\"@\"", literal);
                assert_eq!(read(&text), None, "{name} {literal}");
            }
        }
    }

    fn of_other_types(name: &str) -> Vec<Value> {
        let mut values = vec![
            json!(null),
            json!(true),
            json!({}),
            json!({"a": 1}),
            json!([]),
        ];
        values.extend(match name {
            "amr" => vec![
                json!("otp"),
                json!(1),
                json!([1]),
                json!([null]),
                json!([["otp"]]),
                json!(["otp", "otp"]),
                json!(["otp", "pwd"]),
            ],
            "iat" | "nbf" | "exp" | "auth_time" => vec![
                json!(""),
                json!(NOW.to_string()),
                json!([NOW]),
                json!(-1),
                json!(1.5),
                json!(1.795_341_6e9),
                json!(1e300),
                json!(u64::MAX),
                json!(i64::MAX),
            ],
            _ => vec![
                json!(1),
                json!(-1),
                json!(1.5),
                json!([good()[name]]),
                json!(u64::MAX),
            ],
        });
        values
    }

    // SE3
    #[test]
    fn foreign_claims_and_other_shapes_are_refused() {
        let text = good().to_string();
        let values: Vec<_> = CLAIMS.iter().map(|name| good()[*name].clone()).collect();
        let shapes = [
            with("scope", json!("admin")),
            with("iss", json!("https://app.example/")),
            with("aud", json!("https://other.example")),
            with("iss", json!("")),
            with("aud", json!("")),
            with("sub", json!("")),
            with("sub", json!("a\nb")),
            with("sub", json!("a".repeat(256))),
            with("sid", json!("")),
            with("sid", json!("000000000000000000001")),
            with("sid", json!("00000000000000000000_1")),
            with("jti", json!("")),
            with("amr", json!(["sms"])),
            with("exp", json!(NOW + 901)),
            with("exp", json!(NOW - 1)),
            json!(values).to_string(),
            json!([good()]).to_string(),
            format!(" {text}"),
            format!("{text} {{}}"),
            format!("\u{feff}{text}"),
            text.replace(':', "="),
            text.replace('"', "'"),
            text[..text.len() - 1].to_owned(),
            String::new(),
        ];
        for shape in shapes {
            assert_eq!(read(&shape), None, "{shape}");
        }
        assert_eq!(Claims::read(&[b'{', 0xff, b'}'], ISSUER), None);
    }

    // SE6
    #[test]
    fn clocks_may_differ_by_the_leeway_and_no_more() {
        let leeway = Duration::from_secs(5);
        let second = Duration::from_secs(1);
        let millisecond = Duration::from_millis(1);
        let judge = |name: &str, value: u64, now| {
            let claims = read(&with(name, json!(value))).unwrap();
            claims.judge_time(leeway, now)
        };
        let end = at(NOW + 900);
        let table = [
            (end, Ok(())),
            (end.plus(leeway).minus(second), Ok(())),
            (end.plus(leeway).minus(millisecond), Ok(())),
            (end.plus(leeway), Err(Refusal::Expired)),
            (end.plus(leeway).plus(second), Err(Refusal::Expired)),
        ];
        for (now, verdict) in table {
            assert_eq!(judge("exp", NOW + 900, now), verdict, "{now:?}");
        }
        for name in ["iat", "nbf", "auth_time"] {
            let begin = at(NOW + 100);
            let table = [
                (begin, Ok(())),
                (begin.minus(leeway), Ok(())),
                (
                    begin.minus(leeway).minus(millisecond),
                    Err(Refusal::TooEarly),
                ),
                (begin.minus(leeway).minus(second), Err(Refusal::TooEarly)),
            ];
            for (now, verdict) in table {
                assert_eq!(judge(name, NOW + 100, now), verdict, "{name} {now:?}");
            }
        }
    }
}
