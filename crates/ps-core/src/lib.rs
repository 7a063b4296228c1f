#![doc = include_str!("../README.md")]

mod account;
mod ambient;
mod change;
mod email;
mod error;
mod event;
mod follow;
mod id;
mod language;
mod limit;
mod mac;
mod mail;
mod outbox;
mod random;
mod requester;
mod secret;
mod time;
mod user;

pub use account::{Accounts, Raised, Standing};
pub use ambient::Ambient;
pub use change::{Change, Changes, Cursor};
pub use email::{EmailAddress, InvalidEmail, VerifiedEmail};
pub use error::{StoreError, StoreResult};
pub use event::{AuthEvent, EventSink, EventSinks, NoEvents, Outcome, Refusal};
pub use follow::{FollowChanges, Follower, Following};
pub use id::{AccountId, AccountVersion, ChallengeId, InvalidId, KeyDigest, KeyId, SessionId};
pub use limit::{Hit, HitEffect, LimitKey, LimitRule, Limited, Limiter, judge_hits, judge_limits};
pub use mac::{MacKey, MacKeys, Tag};
pub use mail::{Mail, MailError, Mailer};
pub use outbox::{Draft, Outbox, Unwritten};
pub use random::{Random, SystemRandom, random_base62};
pub use requester::{Network, Requester};
pub use secret::{InvalidSecret, KeyPurpose, KeyVersion, RootSecret, RootSecrets, Seed};
pub use time::{Clock, Sleep, SystemClock, Timestamp};
pub use user::{Registered, User, Users};
