//! The providers that one may sign in by: those configured, and in development stand-ins for the rest.

use std::sync::Arc;

use ps_core::Ambient;
use ps_http::Edge;
use ps_oauth::{Client, GOOGLE, HttpClient, InvalidClient, LINKEDIN};

use crate::{plan::ProviderPlan, stand_in::StandIn};

/// The clients, and the stand-ins that development serves itself.
#[derive(Debug, Default)]
pub(crate) struct Providers {
    pub(crate) clients: Vec<Client>,
    pub(crate) stand_ins: Vec<StandIn>,
}

impl Providers {
    /// # Errors
    /// Where a client cannot be made of what was configured.
    pub(crate) fn new(
        plans: &[ProviderPlan],
        http: &Arc<dyn HttpClient>,
        edge: &Edge,
        ambient: &Ambient,
    ) -> Result<Self, InvalidClient> {
        let mut providers = Self::default();
        let site = edge.public_url().to_string();
        for provider in [GOOGLE, LINKEDIN] {
            let redirect_uri = redirect_uri(&site, provider.name());
            let mut plans = plans.iter();
            if let Some(plan) = plans.find(|plan| plan.provider.name() == provider.name()) {
                let provider = plan.provider.clone();
                let (id, secret) = (plan.client_id.as_str(), plan.client_secret.as_str());
                let client = Client::new(provider, id, secret, redirect_uri, Arc::clone(http))?;
                providers.clients.push(client);
            } else if edge.is_development() {
                let (stand_in, client) = StandIn::new(provider, &site, &redirect_uri, ambient)?;
                providers.stand_ins.push(stand_in);
                providers.clients.push(client);
            }
        }
        Ok(providers)
    }
}

/// Where a provider sends browsers back to; what is registered with it.
fn redirect_uri(site: &str, provider: &str) -> String {
    format!("{site}/api/auth/social/{provider}/callback")
}
