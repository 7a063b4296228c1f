//! The composition: one store behind every port, one follower, the flows, and `Auth` over them.

use std::sync::Arc;

use ps_apikey::{ApiKeys, KeyPolicy};
use ps_core::{Ambient, EventSink, Follower, Mailer, RootSecrets};
use ps_http::{Auth, Edge, KnownBrowsers, NetworkLimits, Notices, PlainNotices};
use ps_magiccode::{CodePolicy, MagicCodes, PlainLetters};
use ps_oauth::{HttpClient, InvalidClient, SocialLogins, SocialPolicy};
use ps_password::{PasswordPolicy, Passwords};
use ps_session::{SessionPolicy, Sessions};
use ps_sqlx::AuditLog;

use crate::{
    docs_page, mailbox::Mailbox, plan::ProviderPlan, programs::Programs, providers::Providers,
    site, site::Site, stand_in::StandIn, store::Ports,
};

/// What the composition is made of.
pub(crate) struct Parts {
    pub(crate) audit: Arc<AuditLog>,
    pub(crate) edge: Edge,
    pub(crate) events: Arc<dyn EventSink>,
    pub(crate) mailer: Option<Arc<dyn Mailer>>,
    pub(crate) http: Arc<dyn HttpClient>,
    pub(crate) network_limits: bool,
    pub(crate) providers: Vec<ProviderPlan>,
    pub(crate) ports: Ports,
    pub(crate) roots: RootSecrets,
}

/// The service, and the one that only answers probes, for the operations listener.
pub(crate) struct Composed {
    pub(crate) auth: Arc<Auth>,
    pub(crate) probes: Arc<Auth>,
}

/// # Errors
/// Where a configured provider cannot be used.
pub(crate) fn compose(parts: Parts) -> Result<Composed, InvalidClient> {
    let Parts {
        audit,
        edge,
        events,
        mailer,
        http,
        network_limits,
        providers,
        ports,
        roots,
    } = parts;
    let ambient = Ambient::system(events);
    let follower = Arc::new(Follower::new(ports.changes, ambient.clock.clone()));
    let site = edge.public_url().to_string();
    let (mailer, mailbox) = if edge.is_development() {
        let mailbox = Mailbox::new(ambient.clock.clone(), mailer);
        (Some(Arc::new(mailbox.clone()) as _), Some(mailbox))
    } else {
        (mailer, None)
    };
    let mailer: Arc<dyn Mailer> = mailer.expect("the plan has a mail server outside development");

    let keys = ApiKeys::new(
        ports.keys,
        follower.following(),
        KeyPolicy::default(),
        ambient.clone(),
    );
    let sessions = Sessions::new(
        ports.sessions,
        ports.accounts.clone(),
        &roots,
        &site,
        follower.following(),
        SessionPolicy::default(),
        ambient.clone(),
    );
    let codes = MagicCodes::new(
        ports.challenges,
        ports.users.clone(),
        mailer.clone(),
        Arc::new(PlainLetters::new(&site)),
        &roots,
        CodePolicy::default(),
        ambient.clone(),
    );
    let notices = Notices::new(
        mailer.clone(),
        Arc::new(PlainNotices::new(&site)),
        ambient.clone(),
    );
    let passwords = Passwords::new(
        ports.passwords,
        ports.limiter.clone(),
        PasswordPolicy::default(),
        ambient.clone(),
    );
    let Providers { clients, stand_ins } = Providers::new(&providers, &http, &edge, &ambient)?;
    let social = SocialLogins::new(
        clients,
        ports.identities,
        ports.users.clone(),
        ports.accounts.clone(),
        &roots,
        SocialPolicy::default(),
        ambient.clone(),
    );
    let browsers = KnownBrowsers::new(&roots, ports.limiter.clone(), notices.clone());
    let limits = network_limits.then(|| NetworkLimits::new(ports.limiter));

    // What only development has: its mails, and providers of its own.
    let development = mailbox.into_iter().flat_map(Mailbox::routes);
    let development = development.chain(stand_ins.into_iter().map(StandIn::route));
    let pages = Site::new(social.providers(), edge.is_development()).routes();

    let probes = Auth::new(
        edge.clone(),
        ports.accounts.clone(),
        follower.clone(),
        ambient.clone(),
    );
    let auth = Auth::new(edge, ports.accounts, follower, ambient.clone())
        .with_api_keys(Arc::new(keys))
        .with_sessions(Arc::new(sessions), ports.users.clone())
        .with_known_browsers(browsers)
        .with_magic_codes(Arc::new(codes), ports.users.clone(), limits.clone())
        .with_passwords(
            Arc::new(passwords),
            ports.users.clone(),
            notices.clone(),
            limits.clone(),
        )
        .with_social_logins(Arc::new(social), ports.users, notices, limits)
        .with_routes(Programs::new(ambient).routes())
        .with_routes(pages)
        .with_routes([site::activity(audit)])
        .with_routes(development)
        .with_openapi();
    let docs = docs_page::route(&auth.openapi());
    let auth = auth.with_routes([docs]);
    Ok(Composed {
        auth: Arc::new(auth),
        probes: Arc::new(probes),
    })
}
