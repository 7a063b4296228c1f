//! The dashboard: pages rendered here, brought to life by modules that speak the HTTP API.
//!
//! A page holds nothing of anybody: what is an account's own comes by the API, with a token that
//! only lives in the page's memory.

mod activity;
mod assets;
mod frame;
mod language;
mod templates;
mod words;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, header};
use ps_http::{Answer, Call, Route};
use ps_oauth::{Provider, ReturnTo};

use self::{
    frame::Frame,
    language::{Language, chosen, remembering},
    templates::{Activity, ApiKeys, Front, Plain, Security, SignIn, Try, Way, page},
};
pub(crate) use activity::route as activity;

/// What the pages are made for.
#[derive(Debug)]
pub(crate) struct Site {
    ways: Vec<Way>,
    is_development: bool,
}

type Show = fn(&Site, &Call, Frame) -> Answer;

impl Site {
    pub(crate) fn new<'a>(
        providers: impl Iterator<Item = &'a Provider>,
        is_development: bool,
    ) -> Self {
        Self {
            ways: providers.map(Way::of).collect(),
            is_development,
        }
    }

    pub(crate) fn routes(self) -> Vec<Route> {
        let is_development = self.is_development;
        let site = Arc::new(self);
        let on = |path, show: Show| {
            let site = Arc::clone(&site);
            Route::public(Method::GET, path, move |call| {
                let site = Arc::clone(&site);
                async move { site.answer(&call, show) }
            })
        };
        let mut routes = vec![
            on("/", Self::front),
            on("/sign-in", Self::sign_in),
            on("/sign-up", Self::sign_up),
            on("/settings/api", |_, _, frame| page(&ApiKeys { frame })),
            on("/settings/security", Self::security),
            on("/activity", |_, _, frame| page(&Activity { frame })),
        ];
        routes.extend(assets::routes());
        if is_development {
            routes.push(on("/dev/try", |_, _, frame| page(&Try { frame })));
        }
        routes
    }

    fn answer(&self, call: &Call, show: Show) -> Answer {
        if let Some(elsewhere) = call.see_public_url() {
            return Ok(elsewhere);
        }
        let asked = call.query("lang")?;
        let asked = asked.and_then(|code| Language::of(&code));
        let language = asked.unwrap_or_else(|| chosen(&call.head().headers, call.requester()));
        let mut response = show(self, call, Frame::new(call, language))?;
        if let Some(language) = asked {
            let cookie = remembering(language);
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Ok(response)
    }

    fn front(&self, _: &Call, frame: Frame) -> Answer {
        let is_development = self.is_development;
        page(&Front {
            frame,
            is_development,
        })
    }

    fn sign_in(&self, call: &Call, frame: Frame) -> Answer {
        self.way_in(call, frame, false)
    }

    fn sign_up(&self, call: &Call, frame: Frame) -> Answer {
        self.way_in(call, frame, true)
    }

    fn way_in(&self, call: &Call, frame: Frame, is_new: bool) -> Answer {
        let told = told(call, &frame)?;
        let back = call.query("return_to")?;
        let back = back.and_then(|path| ReturnTo::parse(&path).ok());
        let back = back.unwrap_or_default();
        let ways = self.ways.iter().map(|way| way.leading_to(&back)).collect();
        page(&SignIn {
            frame,
            is_development: self.is_development,
            is_new,
            told,
            ways,
            return_to: back.as_str().to_owned(),
            return_query: leading_to(&back),
        })
    }

    fn security(&self, call: &Call, frame: Frame) -> Answer {
        let told = told(call, &frame)?;
        let ways = self.ways.clone();
        page(&Security { frame, told, ways })
    }
}

/// A page of development's own around `body`, which is HTML already.
pub(crate) fn plain(title: &str, body: &str) -> Response<Bytes> {
    let shown = page(&Plain {
        frame: Frame::bare(),
        title,
        body,
    });
    shown.unwrap_or_else(ps_http::Problem::into_response)
}

/// What a person can do about a code of `?error=`. What the code says is never shown as it came.
fn told(call: &Call, frame: &Frame) -> Result<Option<&'static str>, ps_http::Problem> {
    let code = call.query("error")?;
    Ok(code.map(|code| {
        let sentence = frame.t.find(&format!("failure.{code}"));
        sentence.unwrap_or_else(|| frame.t.say("failure.other"))
    }))
}

/// The query that carries a page to return to; none for the front page.
fn leading_to(back: &ReturnTo) -> String {
    if *back == ReturnTo::default() {
        return String::new();
    }
    let mut query = form_urlencoded::Serializer::for_suffix("?".to_owned(), 1);
    query.append_pair("return_to", back.as_str()).finish()
}

/// The strictest policy that lets a page of ours do its work.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);
