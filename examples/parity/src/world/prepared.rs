//! What a request may present: credentials that are alive, and such as are dead for every reason.

use std::time::Duration;

use ps_apikey::{AllowedAddresses, KeyName, NewKey, Scopes};
use ps_core::{
    AccountId, AccountVersion, Accounts, EmailAddress, Raised, Requester, Timestamp, User,
    VerifiedEmail,
};
use ps_magiccode::Purpose;
use ps_oauth::{Intent, ReturnTo};
use ps_password::{Change, NewPassword};
use ps_session::{Method, OpenSession};

use super::{HERE, MISSING, World};

const PASSWORD: &str = "correct horse battery";

/// How a key is made.
struct Wish<'a> {
    name: &'a str,
    scopes: &'a [&'a str],
    allowed: &'a [&'a str],
    expires_at: Option<Timestamp>,
}

const PLAIN: Wish<'_> = Wish {
    name: "plain",
    scopes: &["a:b"],
    allowed: &[],
    expires_at: None,
};

impl World {
    pub(super) async fn prepare(&mut self) {
        let now = || self.test.ambient().clock.now();
        let ada = self.member("ada@example.com").await;
        let bob = self.member("bob@example.com").await;
        let eve = self.member("eve@example.com").await;
        self.set_password(&ada).await;

        let soon = Some(now().plus(Duration::from_secs(60)));
        let dies = Wish {
            name: "dies",
            expires_at: soon,
            ..PLAIN
        };
        let expired_key = self.issue(&ada.id, &dies).await;
        let expired = self.open(&ada.id).await;
        self.advance(20 * 60).await;

        let key = self.issue(&ada.id, &PLAIN).await;
        let bare = Wish {
            name: "bare",
            scopes: &[],
            ..PLAIN
        };
        let bare = self.issue(&ada.id, &bare).await;
        let elsewhere = Wish {
            name: "elsewhere",
            allowed: &["203.0.113.0/24"],
            ..PLAIN
        };
        let elsewhere = self.issue(&ada.id, &elsewhere).await;
        let revoked = self.issue(&ada.id, &PLAIN).await;
        let here = Requester::new(HERE);
        let revoked_id = revoked.1.parse().expect("an id");
        let revoking = self.keys.revoke(&ada.id, &revoked_id, &here);
        revoking.await.expect("the memory store answers");
        let others = self.issue(&bob.id, &PLAIN).await;

        let ended = self.open(&ada.id).await;
        let ending = self.sessions.end(&ada.id, &ended.record.id, &here);
        ending.await.expect("the memory store answers");
        let disabled = self.open(&eve.id).await;
        let disabled_key = self.issue(&eve.id, &PLAIN).await;
        let disabling = self.auth.disable(&eve.id);
        disabling.await.expect("the memory store answers");

        let asking = self.codes.request(&ada.email, Purpose::SignIn, None, &here);
        let challenge = asking.await.expect("it is the first").challenge;
        self.settle().await;
        let intent = Intent::SignIn {
            replaces: None,
            carries: None,
        };
        let begun = self.social.begin("google", intent, ReturnTo::default());
        let begun = begun.await.expect("it is known");

        for (name, value) in [
            ("missing", MISSING),
            ("password", PASSWORD),
            ("key", &key.0),
            ("key_id", &key.1),
            ("bare_key", &bare.0),
            ("elsewhere_key", &elsewhere.0),
            ("revoked_key", &revoked.0),
            ("revoked_key_id", &revoked.1),
            ("expired_key", &expired_key.0),
            ("disabled_key", &disabled_key.0),
            ("others_key_id", &others.1),
            ("expired_token", expired.access.expose()),
            ("ended_token", ended.access.expose()),
            ("ended_refresh", ended.refresh.expose()),
            ("disabled_token", disabled.access.expose()),
            ("challenge", challenge.as_str()),
            ("attempt", begun.cookie.expose()),
            ("location", &begun.authorize_url),
        ] {
            self.keep(name, value);
        }
        self.renew().await;
        let token = self.value("token");
        let signed = token.rsplit_once('.').map_or("", |(signed, _)| signed);
        let forged = format!("{signed}.{}", "A".repeat(86));
        self.keep("forged_token", forged);
    }

    /// Signs Ada in once more: `{token}`, `{refresh}` and `{session}` are then alive, whatever has
    /// become of those before.
    pub async fn renew(&mut self) {
        let email = EmailAddress::parse("ada@example.com").expect("an address");
        let ada = self.store.import_user(&email, Timestamp::from_seconds(0));
        let open = self.open(&ada.id).await;
        self.keep("token", open.access.expose());
        self.keep("refresh", open.refresh.expose());
        self.keep("session", open.record.id.to_string());
    }

    /// Somebody whose mailbox is proven.
    async fn member(&self, address: &str) -> User {
        let now = self.test.ambient().clock.now();
        let email = EmailAddress::parse(address).expect("an address");
        let user = self.store.import_user(&email, now);
        #[expect(clippy::disallowed_methods, reason = "the test is the proof")]
        let proof = VerifiedEmail::danger_proven(email, now);
        let under = AccountVersion::default();
        let claimed = self.store.claim(&user.id, &proof, under, now).await;
        assert!(matches!(claimed, Ok(Raised::To(_))), "{claimed:?}");
        user
    }

    async fn version(&self, account: &AccountId) -> AccountVersion {
        let standing = self.store.standing(account).await;
        standing.expect("the memory store answers").version
    }

    async fn set_password(&self, user: &User) {
        let new = NewPassword::parse(PASSWORD.to_owned()).expect("it is long enough");
        let change = Change {
            account: &user.id,
            address: &user.email,
            keep: None,
            under: self.version(&user.id).await,
            authenticated_at: self.test.ambient().clock.now(),
            by_mailbox_or_provider: true,
            current: None,
        };
        let here = Requester::new(HERE);
        let changing = self.passwords.change(change, &new, &here);
        changing.await.expect("it is the first");
    }

    async fn open(&self, account: &AccountId) -> OpenSession {
        let under = self.version(account).await;
        let here = Requester::new(HERE);
        let opening = self
            .sessions
            .open(account, under, Method::MagicCode, None, &here);
        opening.await.expect("the account is good")
    }

    /// A key and its id.
    async fn issue(&self, account: &AccountId, wish: &Wish<'_>) -> (String, String) {
        let new = NewKey {
            name: KeyName::new(wish.name).expect("a name"),
            scopes: Scopes::new(wish.scopes).expect("scopes"),
            allowed_addresses: AllowedAddresses::parse(wish.allowed).expect("networks"),
            expires_at: wish.expires_at,
        };
        let under = self.version(account).await;
        let here = Requester::new(HERE);
        let issuing = self.keys.issue(account, under, new, &here);
        let issued = issuing.await.expect("there is room");
        (issued.key.expose().to_owned(), issued.record.id.to_string())
    }
}
