//! The composition: one store behind every port, one follower, the flows, and `Auth` over them.

use std::sync::Arc;

use ps_apikey::{ApiKeys, KeyPolicy};
use ps_core::{Ambient, EventSink, Follower, Mailer, RootSecrets};
use ps_http::{Auth, Edge, NetworkLimits};
use ps_magiccode::{CodePolicy, MagicCodes, PlainLetters};
use ps_session::{SessionPolicy, Sessions};
use ps_sqlx::SqliteStore;

use crate::{mailbox::Mailbox, pages, programs::Programs};

/// What the composition is made of.
pub(crate) struct Parts {
    pub(crate) edge: Edge,
    pub(crate) events: Arc<dyn EventSink>,
    pub(crate) mailer: Option<Arc<dyn Mailer>>,
    pub(crate) network_limits: bool,
    pub(crate) roots: RootSecrets,
    pub(crate) store: Arc<SqliteStore>,
}

/// The service, and the one that only answers probes, for the operations listener.
pub(crate) struct Composed {
    pub(crate) auth: Arc<Auth>,
    pub(crate) probes: Arc<Auth>,
}

pub(crate) fn compose(parts: Parts) -> Composed {
    let Parts {
        edge,
        events,
        mailer,
        network_limits,
        roots,
        store,
    } = parts;
    let ambient = Ambient::system(events);
    let follower = Arc::new(Follower::new(store.clone(), ambient.clock.clone()));
    let site = edge.public_url().to_string();
    let (mailer, mailbox) = if edge.is_development() {
        let mailbox = Mailbox::new(ambient.clock.clone(), mailer);
        (Some(Arc::new(mailbox.clone()) as _), Some(mailbox))
    } else {
        (mailer, None)
    };
    let mailer: Arc<dyn Mailer> = mailer.expect("the plan has a mail server outside development");

    let keys = ApiKeys::new(
        store.clone(),
        follower.following(),
        KeyPolicy::default(),
        ambient.clone(),
    );
    let sessions = Sessions::new(
        store.clone(),
        store.clone(),
        &roots,
        &site,
        follower.following(),
        SessionPolicy::default(),
        ambient.clone(),
    );
    let codes = MagicCodes::new(
        store.clone(),
        store.clone(),
        mailer,
        Arc::new(PlainLetters::new(&site)),
        &roots,
        CodePolicy::default(),
        ambient.clone(),
    );
    let limits = network_limits.then(|| NetworkLimits::new(store.clone()));

    // What only development shows: its mails, and what to try.
    let development = mailbox.map(|mailbox| (mailbox.routes(), pages::routes()));
    let development = development
        .into_iter()
        .flat_map(|(mails, pages)| mails.into_iter().chain(pages));

    let probes = Auth::new(
        edge.clone(),
        store.clone(),
        follower.clone(),
        ambient.clone(),
    );
    let auth = Auth::new(edge, store.clone(), follower, ambient.clone())
        .with_api_keys(Arc::new(keys))
        .with_sessions(Arc::new(sessions), store.clone())
        .with_magic_codes(Arc::new(codes), store, limits)
        .with_routes(Programs::new(ambient).routes())
        .with_routes(development);
    Composed {
        auth: Arc::new(auth),
        probes: Arc::new(probes),
    }
}
