//! What a store of API keys keeps of a key, made and replaced as a service does it.

use std::{net::IpAddr, sync::Arc};

use ps_apikey::{
    AllowedAddresses, ApiKeyStore, ApiKeys, Issued, KeyName, KeyPolicy, NewKey, Scopes,
};
use ps_core::{AccountVersion, Following, Requester};

use super::{
    common::{HOUR, account},
    secrets::Secrets,
};
use crate::TestAmbient;

/// What this suite tests.
pub trait Ports: ApiKeyStore {}
impl<T: ApiKeyStore> Ports for T {}
type Store = Arc<dyn Ports>;

suite! {
    $ keys_at_rest __keys_at_rest {
        self {
            no_key_is_at_rest
        }
    }
}

// AK2
async fn no_key_is_at_rest(store: Store) -> Secrets {
    let test = TestAmbient::default();
    let (following, policy) = (Following::default(), KeyPolicy::default());
    let keys = ApiKeys::new(store, following, policy, test.ambient());
    let (account, under) = (account("a"), AccountVersion::default());
    let requester = Requester::new(IpAddr::from([203, 0, 113, 7]));
    let new = NewKey {
        name: KeyName::new("a key").unwrap(),
        scopes: Scopes::default(),
        allowed_addresses: AllowedAddresses::default(),
        expires_at: None,
    };
    let issued = keys.issue(&account, under, new, &requester).await.unwrap();
    let id = issued.record.id;
    let rotated = keys.rotate(&account, &id, HOUR, under, &requester);
    let rotated = rotated.await.unwrap();
    let mut secrets = Secrets::default();
    for Issued { key, .. } in [&issued, &rotated] {
        let caller = keys.authenticate(key.expose(), &requester).await.unwrap();
        assert_eq!(*caller.account(), account, "it works, so it is stored");
        secrets.add("a key", key.expose().as_bytes());
        // The prefix is public, and what stands before the checksum is all of the secret.
        let random = &key.expose()[3..35];
        secrets.add("what is random in a key", random.as_bytes());
    }
    keys.flush().await.unwrap();
    secrets
}
