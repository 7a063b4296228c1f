//! Development's own Google and LinkedIn: a provider in this process, and the page on which one
//! chooses who signs in.

use std::{fmt::Write, sync::Arc};

use http::{HeaderValue, Method, Response, StatusCode, header};
use ps_core::Ambient;
use ps_http::{Answer, Call, Problem, Route};
use ps_oauth::{Client, InvalidClient, LINKEDIN, Provider};
use ps_testkit::openid::{EmailVerified, FakeProvider, Person, Quirks};

use crate::pages::{escape, page};

/// What the stand-in knows this server by. Nobody but this process can reach its token endpoint.
const CLIENT: (&str, &str) = ("example-server", "never-leaves-this-process");

/// A provider that stands in for a real one.
#[derive(Clone, Debug)]
pub(crate) struct StandIn {
    provider: FakeProvider,
    title: String,
    authorize_path: &'static str,
}

impl StandIn {
    /// A stand-in for `provider`, and this server as its client.
    ///
    /// # Errors
    /// Where a client cannot be made of it.
    pub(crate) fn new(
        provider: Provider,
        site: &str,
        redirect_uri: &str,
        ambient: &Ambient,
    ) -> Result<(Self, Client), InvalidClient> {
        let (folder, authorize_path, quirks) = if provider == LINKEDIN {
            ("/dev/linkedin", "/dev/linkedin/authorize", Quirks::LINKEDIN)
        } else {
            ("/dev/google", "/dev/google/authorize", Quirks::GOOGLE)
        };
        let issuer = format!("{site}{folder}");
        let (clock, random) = (ambient.clock.clone(), ambient.random.clone());
        let (id, secret) = CLIENT;
        let fake = FakeProvider::new(issuer.clone(), clock, random)
            .with_quirks(quirks)
            .with_client(id, secret, redirect_uri)
            .with_person(named("Alice", "alice@example.com", EmailVerified::True))
            .with_person(named("Bob", "bob@gmail.com", EmailVerified::True))
            .with_person(named("Carol", "carol@example.com", EmailVerified::False));
        let stand_in = Self {
            provider: fake.clone(),
            title: provider.title().to_owned(),
            authorize_path,
        };
        let provider = provider.at(issuer);
        let client = Client::new(provider, id, secret, redirect_uri, Arc::new(fake))?;
        Ok((stand_in, client))
    }

    pub(crate) fn route(self) -> Route {
        Route::public(Method::GET, self.authorize_path, move |call| {
            let stand_in = self.clone();
            async move { stand_in.authorize(&call) }
        })
    }

    /// Where the browser is sent to sign in: without a choice the page to choose on, with one the
    /// way back.
    fn authorize(&self, call: &Call) -> Answer {
        let asked = Asked::read(call)?;
        let url = format!("{}/authorize?{}", self.provider.issuer(), asked.query);
        let back = match &asked.choice {
            None => return Ok(self.chooser(&asked)),
            Some(Choice::Nobody) => self.provider.deny(&url),
            Some(Choice::Known(subject)) => self.provider.approve(&url, subject),
            Some(Choice::New { email, verified }) => {
                let subject = format!("dev-{email}");
                let said = if *verified {
                    EmailVerified::True
                } else {
                    EmailVerified::False
                };
                self.provider.add_person(Person {
                    email_verified: said,
                    ..Person::new(subject.clone(), email.clone())
                });
                self.provider.approve(&url, &subject)
            }
        };
        let back = back.map_err(|error| Problem::invalid_field("query", error.to_string()))?;
        let mut response = Response::new(bytes::Bytes::new());
        *response.status_mut() = StatusCode::SEE_OTHER;
        let location = HeaderValue::try_from(back)
            .map_err(|_| Problem::invalid_field("redirect_uri", "is no URL"))?;
        response.headers_mut().insert(header::LOCATION, location);
        Ok(response)
    }

    fn chooser(&self, asked: &Asked) -> Response<bytes::Bytes> {
        let title = escape(&self.title);
        let mut body = format!(
            "<div class=\"card chooser\"><h1>Sign in with {title}</h1><p class=\"quiet\">This is not \
             {title}: it stands in for it while no client of the real one is configured. Choose who \
             signs in.</p><ul class=\"ways\">"
        );
        let (path, query) = (self.authorize_path, escape(&asked.query));
        for person in self.provider.people() {
            let (name, subject) = (escape(&person.name), encode(&person.subject));
            let email = escape(person.email.as_deref().unwrap_or_default());
            let verified = match person.email_verified {
                EmailVerified::True | EmailVerified::TrueText => "",
                _ => ", not verified",
            };
            let about = if name == email {
                verified.trim_start_matches(", ").to_owned()
            } else {
                format!("{email}{verified}")
            };
            let _ = write!(
                body,
                "<li><a class=\"button wide\" href=\"{path}?{query}&amp;login_hint={subject}\">{name} \
                 <span class=\"quiet\">{about}</span></a></li>"
            );
        }
        body.push_str(
            "</ul><p class=\"or\" aria-hidden=\"true\"><span>or</span></p><form method=\"get\">\
             <label for=\"email\">Somebody else</label>\
             <input id=\"email\" type=\"email\" name=\"email\" required>\
             <label class=\"check\"><input type=\"checkbox\" name=\"verified\" checked> \
             with a verified address</label><button class=\"primary\">Sign in</button>",
        );
        for (name, value) in form_urlencoded::parse(asked.query.as_bytes()) {
            let _ = write!(
                body,
                "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
                escape(&name),
                escape(&value)
            );
        }
        let _ = write!(
            body,
            "</form><p class=\"center\"><a href=\"{path}?{query}&amp;deny=on\">Cancel</a></p></div>"
        );
        page(&format!("Sign in with {}", self.title), &body)
    }
}

/// An authorization request as it came, and what was chosen on the page.
struct Asked {
    query: String,
    choice: Option<Choice>,
}

enum Choice {
    Known(String),
    New { email: String, verified: bool },
    Nobody,
}

impl Asked {
    fn read(call: &Call) -> Result<Self, Problem> {
        let choice = if call.query("deny")?.is_some() {
            Some(Choice::Nobody)
        } else if let Some(subject) = call.query("login_hint")? {
            Some(Choice::Known(subject))
        } else {
            let verified = call.query("verified")?.is_some();
            let email = call.query("email")?;
            email.map(|email| Choice::New { email, verified })
        };
        let query = call.head().uri.query().unwrap_or_default();
        let ours = ["deny", "login_hint", "email", "verified"];
        let theirs = query.split('&').filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            !ours.contains(&name)
        });
        Ok(Self {
            query: theirs.collect::<Vec<_>>().join("&"),
            choice,
        })
    }
}

fn named(name: &str, email: &str, email_verified: EmailVerified) -> Person {
    Person {
        name: name.to_owned(),
        email_verified,
        ..Person::new(name.to_lowercase(), email)
    }
}

fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
