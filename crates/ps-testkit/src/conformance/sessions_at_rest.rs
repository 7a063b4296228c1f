//! What a store of sessions keeps of a refresh token, made and rotated as a service does it.

use std::{net::IpAddr, sync::Arc};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ps_core::{Accounts, Following, Requester, RootSecret, RootSecrets};
use ps_session::{IdempotencyKey, Method, SessionPolicy, SessionStore, Sessions};

use super::{
    common::{NOW, account, claim},
    secrets::Secrets,
};
use crate::TestAmbient;

/// What this suite tests.
pub trait Ports: Accounts + SessionStore {}
impl<T: Accounts + SessionStore> Ports for T {}
type Store = Arc<dyn Ports>;

suite! {
    $ sessions_at_rest __sessions_at_rest {
        self {
            no_token_is_at_rest
        }
    }
}

// SE11
async fn no_token_is_at_rest(store: Store) -> Secrets {
    let under = claim(&*store, &account("a"), NOW).await;
    let root = RootSecret::new((0..32).collect::<Vec<u8>>()).unwrap();
    let sessions = Sessions::new(
        Arc::clone(&store) as _,
        store,
        &RootSecrets::new([root]).unwrap(),
        "https://example.com",
        Following::default(),
        SessionPolicy::default(),
        TestAmbient::default().ambient(),
    );
    let requester = Requester::new(IpAddr::from([203, 0, 113, 7]));
    let method = Method::MagicCode;
    let opened = sessions
        .open(&account("a"), under, method, None, &requester)
        .await
        .unwrap();
    let (text, mut secrets) = ("a-key-of-the-client", Secrets::default());
    let key = IdempotencyKey::parse(text).unwrap();
    let refreshed = sessions.refresh(&opened.refresh, Some(&key), &requester);
    let refreshed = refreshed.await.unwrap();
    for open in [&opened, &refreshed] {
        let token = open.refresh.expose();
        secrets.add("a refresh token", token.as_bytes());
        secrets.add("an access token", open.access.expose().as_bytes());
        // Format and key version, then the reference, the generation and the MAC.
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).unwrap();
        secrets.add("a family reference", &bytes[5..37]);
        let reference = BASE64_URL_SAFE_NO_PAD.encode(&bytes[5..37]);
        secrets.add("a family reference, as text", reference.as_bytes());
        secrets.add("a token's MAC", &bytes[41..]);
    }
    secrets.add("an idempotency key", text.as_bytes());
    secrets
}
