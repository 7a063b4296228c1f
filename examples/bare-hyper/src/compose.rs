//! What is served: API keys, and sessions that begin with a code. Mails are printed.

use std::{error::Error, sync::Arc};

use async_trait::async_trait;
use ps_apikey::{ApiKeys, KeyPolicy};
use ps_core::{Ambient, Follower, Mail, MailError, Mailer, RootSecret, RootSecrets};
use ps_http::{Auth, Edge, Origin};
use ps_magiccode::{CodePolicy, MagicCodes, PlainLetters};
use ps_memory::MemoryStore;
use ps_session::{SessionPolicy, Sessions};

pub(crate) fn compose(url: &str) -> Result<Auth, Box<dyn Error>> {
    let ambient = Ambient::default();
    let store = Arc::new(MemoryStore::new());
    let follower = Arc::new(Follower::new(store.clone(), ambient.clock.clone()));
    let mut secret = vec![0; 32];
    ambient.random.fill(&mut secret);
    let roots = RootSecrets::new([RootSecret::new(secret)?])?;

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
        url,
        follower.following(),
        SessionPolicy::default(),
        ambient.clone(),
    );
    let codes = MagicCodes::new(
        store.clone(),
        store.clone(),
        Arc::new(Printed),
        Arc::new(PlainLetters::new(url)),
        &roots,
        CodePolicy::default(),
        ambient.clone(),
    );
    let edge = Edge::development(Origin::parse(url)?)?;
    Ok(Auth::new(edge, store.clone(), follower, ambient)
        .with_api_keys(Arc::new(keys))
        .with_sessions(Arc::new(sessions), store.clone())
        .with_magic_codes(Arc::new(codes), store, None))
}

#[derive(Debug)]
struct Printed;

#[async_trait]
impl Mailer for Printed {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        println!("\n{}\n\n{}", mail.subject, mail.text);
        Ok(())
    }
}
