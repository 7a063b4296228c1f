//! What is said of keys, in both directions.

use std::{fmt::Display, time::Duration};

use ps_apikey::{AllowedAddresses, ApiKeyRecord, KeyCursor, KeyName, KeyPatch, NewKey, Scopes};
use ps_core::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::{
    Call, Detail, Problem,
    answer::{read_rfc3339, rfc3339},
};

/// The longest grace of a key that is replaced: seven days.
const LONGEST_GRACE: u64 = 7 * 24 * 3_600;

/// An owner is not among the fields: it is the session's account and nothing else.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = NewKey))]
#[serde(deny_unknown_fields)]
pub(super) struct NewKeyBody {
    /// None of its characters may be one of control.
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 1,
            max_length = 64,
            pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
        )
    )]
    name: String,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<Scope>>, max_items = 32))]
    scopes: Option<Vec<String>>,
    /// In the future.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    expires_at: Option<String>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<Network>>, max_items = 32))]
    allowed_ips: Option<Vec<String>>,
}

impl NewKeyBody {
    pub(super) fn check(self) -> Result<NewKey, Problem> {
        let mut check = Check::default();
        let name = check.read("name", KeyName::new(self.name));
        let scopes = check.read("scopes", Scopes::new(self.scopes.unwrap_or_default()));
        let allowed = AllowedAddresses::parse(self.allowed_ips.unwrap_or_default());
        let allowed = check.read("allowed_ips", allowed);
        let expires_at = self.expires_at.map(|text| read_expiry(&text));
        let expires_at = check.read("expires_at", expires_at.transpose());
        match (name, scopes, allowed, expires_at) {
            (Some(name), Some(scopes), Some(allowed_addresses), Some(expires_at)) => Ok(NewKey {
                name,
                scopes,
                allowed_addresses,
                expires_at,
            }),
            _ => Err(Problem::invalid(check.details)),
        }
    }
}

/// What a key is granted.
#[cfg(feature = "openapi")]
#[derive(utoipa::ToSchema)]
#[schema(pattern = "^[a-z0-9_.:-]{1,64}$")]
#[expect(dead_code, reason = "it is a schema only")]
struct Scope(String);

/// An IP address, or a network in CIDR notation.
#[cfg(feature = "openapi")]
#[derive(utoipa::ToSchema)]
#[schema(pattern = "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$")]
#[expect(dead_code, reason = "it is a schema only")]
struct Network(String);

/// What is not there stays as it is; `null` takes an expiry or the addresses away.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = KeyPatch))]
#[serde(deny_unknown_fields)]
pub(super) struct PatchBody {
    #[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 1, max_length = 64, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"))]
    #[serde(default)]
    name: Given<String>,
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Scope>, max_items = 32))]
    #[serde(default)]
    scopes: Given<Vec<String>>,
    /// In the future; `null` for none.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    #[serde(default)]
    expires_at: Given<String>,
    /// `null` for anywhere.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<Network>>, max_items = 32))]
    #[serde(default)]
    allowed_ips: Given<Vec<String>>,
}

impl PatchBody {
    pub(super) fn check(self) -> Result<KeyPatch, Problem> {
        let mut check = Check::default();
        let name = self.name.required().map(|name| {
            name.and_then(|name| KeyName::new(name).map_err(|error| error.to_string()))
        });
        let scopes = self
            .scopes
            .required()
            .map(|list| list.and_then(|list| Scopes::new(list).map_err(|error| error.to_string())));
        let expires_at = self.expires_at.optional();
        let expires_at = expires_at.map(|text| text.map(|text| read_expiry(&text)).transpose());
        let allowed = self.allowed_ips.optional();
        let allowed = allowed.map(|list| AllowedAddresses::parse(list.unwrap_or_default()));
        let patch = KeyPatch {
            name: check.read("name", name.transpose()).flatten(),
            scopes: check.read("scopes", scopes.transpose()).flatten(),
            allowed_addresses: check.read("allowed_ips", allowed.transpose()).flatten(),
            expires_at: check.read("expires_at", expires_at.transpose()).flatten(),
        };
        if check.details.is_empty() {
            Ok(patch)
        } else {
            Err(Problem::invalid(check.details))
        }
    }
}

#[derive(Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = KeyRotation))]
#[serde(deny_unknown_fields)]
pub(super) struct RotateBody {
    /// How long the old key works on.
    #[cfg_attr(feature = "openapi", schema(maximum = 604_800))]
    #[serde(default, deserialize_with = "read_whole")]
    grace_seconds: Option<u64>,
}

impl RotateBody {
    pub(super) fn check(&self) -> Result<Duration, Problem> {
        match self.grace_seconds.unwrap_or(0) {
            seconds @ 0..=LONGEST_GRACE => Ok(Duration::from_secs(seconds)),
            _ => Err(Problem::invalid_field(
                "grace_seconds",
                "must be 0 to 604800, seven days",
            )),
        }
    }
}

/// A field of a patch: not there, `null`, or a value.
#[derive(Default)]
enum Given<T> {
    #[default]
    Absent,
    Null,
    Value(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

impl<T> Given<T> {
    /// The value, if the field is there; `null` is no value for it.
    fn required(self) -> Option<Result<T, String>> {
        match self {
            Self::Absent => None,
            Self::Null => Some(Err("must not be null".to_owned())),
            Self::Value(value) => Some(Ok(value)),
        }
    }

    /// The value or `null`, if the field is there.
    fn optional(self) -> Option<MaybeNull<T>> {
        match self {
            Self::Absent => None,
            Self::Null => Some(None),
            Self::Value(value) => Some(Some(value)),
        }
    }
}

type MaybeNull<T> = Option<T>;

/// Looks at every field, so that the client learns of all that is wrong at once.
#[derive(Default)]
struct Check {
    details: Vec<Detail>,
}

impl Check {
    fn read<T, E: Display>(&mut self, field: &str, read: Result<T, E>) -> Option<T> {
        let error = match read {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        let (field, message) = (field.to_owned(), error.to_string());
        self.details.push(Detail { field, message });
        None
    }
}

fn read_expiry(text: &str) -> Result<Timestamp, &'static str> {
    read_rfc3339(text).ok_or("must be an RFC 3339 time such as 2027-01-31T00:00:00Z")
}

/// A whole number, which JSON may also write `3600.0`.
fn read_whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<f64>::deserialize(deserializer)? else {
        return Ok(None);
    };
    if number < 0.0 || number.fract() != 0.0 {
        return Err(D::Error::custom("not a whole number"));
    }
    Ok(Some(number as u64))
}

/// A key just made, in the clear.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = KeyShown))]
pub(super) struct Shown<'a> {
    /// It is never shown again.
    pub(super) key: &'a str,
    #[serde(flatten)]
    pub(super) record: KeyView<'a>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = KeyPage))]
pub(super) struct KeyPage<'a> {
    keys: Vec<KeyView<'a>>,
    /// The `cursor` of the next page, where there is one.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    next_cursor: Option<String>,
}

impl<'a> KeyPage<'a> {
    pub(super) fn of(page: &'a ps_apikey::KeyPage, now: Timestamp) -> Self {
        Self {
            keys: page
                .keys
                .iter()
                .map(|record| KeyView::of(record, now))
                .collect(),
            next_cursor: page.next.map(write_cursor),
        }
    }
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Key))]
pub(super) struct KeyView<'a> {
    id: &'a str,
    name: &'a str,
    /// How it begins, and its last four characters.
    hint: &'a str,
    scopes: Vec<&'a str>,
    /// Networks that it may be used from; none means anywhere.
    allowed_ips: Vec<String>,
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    created_at: String,
    #[cfg_attr(feature = "openapi", schema(format = DateTime, required = true))]
    expires_at: Option<String>,
    /// To the minute.
    #[cfg_attr(feature = "openapi", schema(format = DateTime, required = true))]
    last_used_at: Option<String>,
    #[cfg_attr(feature = "openapi", schema(format = DateTime, required = true))]
    revoked_at: Option<String>,
}

impl<'a> KeyView<'a> {
    /// A key in its grace is not shown as revoked before it is.
    pub(super) fn of(record: &'a ApiKeyRecord, now: Timestamp) -> Self {
        Self {
            id: record.id.as_str(),
            name: record.name.as_str(),
            hint: &record.hint,
            scopes: record.scopes.iter().collect(),
            allowed_ips: record.allowed_addresses.iter().collect(),
            created_at: rfc3339(record.created_at),
            expires_at: record.expires_at.map(rfc3339),
            last_used_at: record.last_used_at.map(rfc3339),
            revoked_at: record.revoked_at.filter(|at| *at <= now).map(rfc3339),
        }
    }
}

/// The `cursor` of a list, as an earlier page gave it.
pub(super) fn cursor(call: &Call) -> Result<Option<KeyCursor>, Problem> {
    let read = |text: String| {
        let cursor = read_cursor(&text);
        cursor.ok_or_else(|| Problem::invalid_field("cursor", "must be a next_cursor of this list"))
    };
    call.query("cursor")?.map(read).transpose()
}

/// The `limit` of a list: 1 to 100, 50 where there is none. `+5` and `05` are no numbers.
pub(super) fn limit(call: &Call) -> Result<u32, Problem> {
    let Some(text) = call.query("limit")? else {
        return Ok(50);
    };
    let number = text
        .parse()
        .ok()
        .filter(|number: &u32| number.to_string() == text);
    let number = number.filter(|number| (1..=100).contains(number));
    number.ok_or_else(|| Problem::invalid_field("limit", "must be a number from 1 to 100"))
}

fn write_cursor(cursor: KeyCursor) -> String {
    format!("{}-{}", cursor.created_at.as_millis(), cursor.id)
}

fn read_cursor(text: &str) -> Option<KeyCursor> {
    let (millis, id) = text.rsplit_once('-')?;
    let created_at = Timestamp::from_millis(millis.parse().ok()?);
    Some(KeyCursor {
        created_at,
        id: id.parse().ok()?,
    })
}
