//! What each template is given.

use askama::Template;
use bytes::Bytes;
use http::{HeaderValue, Response, header};
use ps_http::{Answer, Code, Problem};
use ps_oauth::{Provider, ReturnTo};

use super::{POLICY, frame::Frame, leading_to};

/// A provider's button or row.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) href: String,
    /// Its picture, of those that we have one of.
    pub(super) mark: Option<&'static str>,
}

impl Way {
    pub(super) fn of(provider: &Provider) -> Self {
        Self {
            name: provider.name().to_owned(),
            title: provider.title().to_owned(),
            href: format!("/api/auth/social/{}", provider.name()),
            mark: match provider.name() {
                "google" => Some("/assets/google.svg"),
                "linkedin" => Some("/assets/linkedin.svg"),
                _ => None,
            },
        }
    }

    /// The same way, ending at another page.
    pub(super) fn leading_to(&self, back: &ReturnTo) -> Self {
        let mut way = self.clone();
        way.href += &leading_to(back);
        way
    }
}

#[derive(Template)]
#[template(path = "front.html")]
pub(super) struct Front {
    pub(super) frame: Frame,
    pub(super) is_development: bool,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
pub(super) struct SignIn {
    pub(super) frame: Frame,
    pub(super) is_development: bool,
    /// Whether an account is made where there is none.
    pub(super) is_new: bool,
    pub(super) told: Option<&'static str>,
    pub(super) ways: Vec<Way>,
    pub(super) return_to: String,
    pub(super) return_query: String,
}

#[derive(Template)]
#[template(path = "api_keys.html")]
pub(super) struct ApiKeys {
    pub(super) frame: Frame,
}

#[derive(Template)]
#[template(path = "security.html")]
pub(super) struct Security {
    pub(super) frame: Frame,
    pub(super) told: Option<&'static str>,
    pub(super) ways: Vec<Way>,
}

#[derive(Template)]
#[template(path = "activity.html")]
pub(super) struct Activity {
    pub(super) frame: Frame,
}

#[derive(Template)]
#[template(path = "try.html")]
pub(super) struct Try {
    pub(super) frame: Frame,
}

#[derive(Template)]
#[template(path = "plain.html")]
pub(super) struct Plain<'a> {
    pub(super) frame: Frame,
    pub(super) title: &'a str,
    /// HTML already.
    pub(super) body: &'a str,
}

/// The page of a template.
pub(super) fn page(template: &impl Template) -> Answer {
    let html = template.render().map_err(|error| {
        tracing::error!(%error, "a page could not be rendered");
        Problem::new(Code::InternalError)
    })?;
    let mut response = Response::new(Bytes::from(html));
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    Ok(response)
}
