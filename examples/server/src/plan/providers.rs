//! Which providers are configured, each whole or not at all.

use std::fmt;

use ps_oauth::{Client, GOOGLE, InvalidClient, LINKEDIN, Provider};

use super::{Judge, Refusal};
use crate::settings::Settings;

/// Our registration at a provider.
#[derive(Clone)]
pub(crate) struct ProviderPlan {
    /// Where; at another issuer than its own, if one was given.
    pub(crate) provider: Provider,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
}

impl fmt::Debug for ProviderPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, id) = (self.provider.name(), &self.client_id);
        write!(f, "ProviderPlan({name} as {id})")
    }
}

impl Judge {
    pub(super) fn providers(
        &mut self,
        settings: &Settings,
        is_development: bool,
    ) -> Vec<ProviderPlan> {
        let google = (
            GOOGLE,
            "GOOGLE",
            &settings.google_client_id,
            &settings.google_client_secret,
            &settings.google_issuer,
        );
        let linkedin = (
            LINKEDIN,
            "LINKEDIN",
            &settings.linkedin_client_id,
            &settings.linkedin_client_secret,
            &settings.linkedin_issuer,
        );
        let mut plans = Vec::new();
        for (provider, prefix, id, secret, issuer) in [google, linkedin] {
            match (id, secret, issuer) {
                (None, None, None) => {}
                (Some(id), Some(secret), issuer) => {
                    let plan = ProviderPlan {
                        provider: match issuer {
                            Some(issuer) => provider.at(issuer.clone()),
                            None => provider,
                        },
                        client_id: id.clone(),
                        client_secret: secret.clone(),
                    };
                    if let Some(why) = refusal(&plan, prefix, is_development) {
                        self.add(why);
                    }
                    plans.push(plan);
                }
                _ => self.add(Refusal::ProviderHalf(prefix)),
            }
        }
        plans
    }
}

fn refusal(plan: &ProviderPlan, prefix: &'static str, is_development: bool) -> Option<Refusal> {
    let provider = &plan.provider;
    if !is_development && provider.issuer().starts_with("http:") {
        return Some(Refusal::ProviderIssuerInvalid(prefix));
    }
    let judged = Client::judge(provider, &plan.client_id, &plan.client_secret);
    Some(match judged.err()? {
        InvalidClient::ClientId => Refusal::ProviderIdInvalid(prefix),
        InvalidClient::ClientSecret => Refusal::ProviderSecretInvalid(prefix),
        _ => Refusal::ProviderIssuerInvalid(prefix),
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::plan::plan;

    // OP1
    #[test]
    fn a_provider_is_configured_whole_or_not_at_all() {
        let judged = |flags: &[&str]| {
            let settings = Settings::parse_from([&["example-server"], flags].concat());
            let plan = plan(&settings, "127.0.0.1:8080".parse().unwrap());
            plan.map(|plan| plan.providers.len()).map_err(|refusals| {
                let text = refusals[0].to_string();
                text.split(':').next().unwrap().to_owned()
            })
        };
        let whole = [
            "--google-client-id",
            "id",
            "--google-client-secret",
            "secret",
        ];
        assert_eq!(judged(&[]), Ok(0));
        assert_eq!(judged(&whole), Ok(1));
        let with = |issuer| judged(&[&whole[..], &["--google-issuer", issuer]].concat());
        for good in [
            "https://id.example",
            "https://id.example/",
            "https://id.example/tenant",
            "http://127.0.0.1:9000",
            "http://localhost:9000/x",
        ] {
            assert_eq!(with(good), Ok(1), "{good}");
        }
        for bad in [
            "id.example",
            "http://id.example",
            "https://id.example?x",
            "https://id.example#x",
            "https://u@id.example",
            " https://id.example",
            "https://id.example ",
            "https:id.example",
            "https:///id.example",
            "https://id.ex\tample",
            "https://id.example/a b",
        ] {
            assert_eq!(
                with(bad),
                Err("provider_issuer_invalid".to_owned()),
                "{bad:?}"
            );
        }
        for (flags, code) in [
            (&whole[..2], "provider_half"),
            (&whole[2..], "provider_half"),
            (
                &["--google-issuer", "https://id.example"][..],
                "provider_half",
            ),
            (
                &["--google-client-id", "a b", "--google-client-secret", "s"][..],
                "provider_id_invalid",
            ),
            (
                &[
                    "--linkedin-client-id",
                    "a",
                    "--linkedin-client-secret",
                    "s\n",
                ][..],
                "provider_secret_invalid",
            ),
        ] {
            assert_eq!(judged(flags), Err(code.to_owned()), "{flags:?}");
        }
    }
}
