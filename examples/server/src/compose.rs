//! The composition: one store behind every port, one follower, the flows, and `Auth` over them.

use std::sync::Arc;

use ps_apikey::{ApiKeys, KeyPolicy};
use ps_core::{Ambient, Follower, RootSecrets};
use ps_http::{Auth, NetworkLimits, TracingEvents};
use ps_magiccode::{CodePolicy, MagicCodes, PlainLetters};
use ps_memory::MemoryStore;
use ps_session::{SessionPolicy, Sessions};

use crate::{mailbox::Mailbox, pages, plan::Plan, programs::Programs};

pub(crate) fn compose(plan: Plan, roots: &RootSecrets) -> Auth {
    let Plan {
        edge,
        network_limits,
    } = plan;
    let ambient = Ambient::system(Arc::new(TracingEvents));
    let store = Arc::new(MemoryStore::new());
    let follower = Arc::new(Follower::new(store.clone(), ambient.clock.clone()));
    let site = edge.public_url().to_string();
    let mailbox = Mailbox::new(ambient.clock.clone());

    let keys = ApiKeys::new(
        store.clone(),
        follower.following(),
        KeyPolicy::default(),
        ambient.clone(),
    );
    let sessions = Sessions::new(
        store.clone(),
        store.clone(),
        roots,
        &site,
        follower.following(),
        SessionPolicy::default(),
        ambient.clone(),
    );
    let codes = MagicCodes::new(
        store.clone(),
        store.clone(),
        Arc::new(mailbox.clone()),
        Arc::new(PlainLetters::new(&site)),
        roots,
        CodePolicy::default(),
        ambient.clone(),
    );
    let limits = network_limits.then(|| NetworkLimits::new(store.clone()));

    Auth::new(edge, store.clone(), follower, ambient.clone())
        .with_api_keys(Arc::new(keys))
        .with_sessions(Arc::new(sessions), store.clone())
        .with_magic_codes(Arc::new(codes), store, limits)
        .with_routes(Programs::new(ambient).routes())
        .with_routes(mailbox.routes())
        .with_routes(pages::routes())
}
