//! Routes: what each takes as a credential is part of its type.

use std::{collections::HashMap, fmt, future::Future, pin::Pin};

use bytes::Bytes;
use http::{Method, Response};

#[cfg(feature = "openapi")]
use crate::openapi::Description;
use crate::{Call, Problem};

/// What a handler answers.
pub type Answer = Result<Response<Bytes>, Problem>;

type Handling = Pin<Box<dyn Future<Output = Answer> + Send>>;
type Public = Box<dyn Fn(Call) -> Handling + Send + Sync>;
#[cfg(feature = "apikey")]
type ForKey = Box<dyn Fn(Call, ps_apikey::KeyCaller) -> Handling + Send + Sync>;
#[cfg(feature = "session")]
type ForSession = Box<dyn Fn(Call, ps_session::SessionCaller) -> Handling + Send + Sync>;

/// Who may call a route. The variant fixes what the handler is given, so that a handler for one
/// kind of caller cannot be mounted for another.
pub(crate) enum Handler {
    #[cfg(feature = "apikey")]
    ApiKey(ForKey, Option<&'static str>),
    /// Anybody; the answer is the document of the whole table, which no row knows by itself.
    #[cfg(feature = "openapi")]
    Document,
    /// Anybody; a route that reads a cookie of ours does so itself.
    Public(Public),
    #[cfg(feature = "session")]
    Session(ForSession),
}

/// What a route takes as a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Takes {
    /// None; a cookie of ours, where it reads one.
    Anybody,
    /// An API key.
    ApiKey {
        /// What the key must be allowed to do.
        scope: Option<&'static str>,
    },
    /// An access token.
    Session,
}

/// One row of the route table: a method, a path, who may call, and what answers.
///
/// A path is matched on its raw bytes: nothing is decoded, folded or trimmed. It may end in one
/// parameter, `/api/keys/{id}`, or have it between two segments.
pub struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) handler: Handler,
    pub(crate) body: Body,
    /// Whether the handler takes a place among those that are answered at once, for itself.
    pub(crate) places_itself: bool,
    #[cfg(feature = "openapi")]
    description: Option<Box<Description>>,
}

/// What a route expects of the request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Ignored,
    Json,
    #[cfg_attr(
        not(any(feature = "oauth", all(feature = "apikey", feature = "session"))),
        expect(dead_code)
    )]
    OptionalJson,
}

impl Route {
    /// A route for anybody.
    pub fn public<F, A>(method: Method, path: &'static str, handler: F) -> Self
    where
        F: Fn(Call) -> A + Send + Sync + 'static,
        A: Future<Output = Answer> + Send + 'static,
    {
        let handler = Handler::Public(Box::new(move |call| Box::pin(handler(call))));
        Self::new(method, path, handler)
    }

    /// A route for callers with an API key that holds `scope`, if one is named.
    #[cfg(feature = "apikey")]
    pub fn api_key<F, A>(
        method: Method,
        path: &'static str,
        scope: Option<&'static str>,
        handler: F,
    ) -> Self
    where
        F: Fn(Call, ps_apikey::KeyCaller) -> A + Send + Sync + 'static,
        A: Future<Output = Answer> + Send + 'static,
    {
        let handler: ForKey = Box::new(move |call, caller| Box::pin(handler(call, caller)));
        Self::new(method, path, Handler::ApiKey(handler, scope))
    }

    /// A route for callers with an access token of a live session.
    #[cfg(feature = "session")]
    pub fn session<F, A>(method: Method, path: &'static str, handler: F) -> Self
    where
        F: Fn(Call, ps_session::SessionCaller) -> A + Send + Sync + 'static,
        A: Future<Output = Answer> + Send + 'static,
    {
        let handler: ForSession = Box::new(move |call, caller| Box::pin(handler(call, caller)));
        Self::new(method, path, Handler::Session(handler))
    }

    /// The same route with a JSON body: anything but `application/json` is refused before the
    /// handler is asked. Without this a body is ignored.
    #[must_use]
    pub fn with_json(mut self) -> Self {
        self.body = Body::Json;
        self
    }

    /// The same route with a JSON body or none at all.
    #[cfg(any(feature = "oauth", all(feature = "apikey", feature = "session")))]
    pub(crate) fn with_optional_json(mut self) -> Self {
        self.body = Body::OptionalJson;
        self
    }

    /// The same route, whose handler takes a place of its own before it waits for anything.
    #[cfg(feature = "oauth")]
    pub(crate) fn placing_itself(mut self) -> Self {
        self.places_itself = true;
        self
    }

    /// The same route with what the OpenAPI document says of it. Without this it says what follows
    /// from the row alone.
    #[cfg(feature = "openapi")]
    #[must_use]
    pub fn described(mut self, description: Description) -> Self {
        self.description = Some(Box::new(description));
        self
    }

    /// The route of the OpenAPI document.
    #[cfg(feature = "openapi")]
    pub(crate) fn document(path: &'static str) -> Self {
        Self::new(Method::GET, path, Handler::Document)
    }

    /// The method; a route for GET answers HEAD too.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path, its parameter written `{…}`.
    #[must_use]
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// Who may call it.
    #[must_use]
    pub fn takes(&self) -> Takes {
        match self.handler {
            #[cfg(feature = "apikey")]
            Handler::ApiKey(_, scope) => Takes::ApiKey { scope },
            #[cfg(feature = "openapi")]
            Handler::Document => Takes::Anybody,
            Handler::Public(_) => Takes::Anybody,
            #[cfg(feature = "session")]
            Handler::Session(_) => Takes::Session,
        }
    }

    #[cfg(feature = "openapi")]
    pub(crate) fn description(&self) -> Option<&Description> {
        self.description.as_deref()
    }

    fn new(method: Method, path: &'static str, handler: Handler) -> Self {
        Self {
            method,
            path,
            handler,
            body: Body::Ignored,
            places_itself: false,
            #[cfg(feature = "openapi")]
            description: None,
        }
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// Every route, by path.
#[derive(Debug, Default)]
pub(crate) struct Table {
    exact: HashMap<&'static str, Vec<Route>>,
    with_parameter: Vec<(Pattern, Vec<Route>)>,
}

/// The text before and behind a path's one parameter.
#[derive(Debug, PartialEq)]
struct Pattern {
    before: &'static str,
    behind: &'static str,
}

impl Pattern {
    fn read(path: &'static str) -> Option<Self> {
        let (before, rest) = path.split_once('{')?;
        let (_, behind) = rest.split_once('}')?;
        Some(Self { before, behind })
    }

    fn parameter<'a>(&self, path: &'a str) -> Option<&'a str> {
        let rest = path.strip_prefix(self.before)?;
        let value = rest.strip_suffix(self.behind)?;
        (!value.is_empty() && !value.contains('/')).then_some(value)
    }
}

impl Table {
    pub(crate) fn add(&mut self, route: Route) {
        let Some(pattern) = Pattern::read(route.path) else {
            self.exact.entry(route.path).or_default().push(route);
            return;
        };
        match self
            .with_parameter
            .iter_mut()
            .find(|(known, _)| *known == pattern)
        {
            Some((_, routes)) => routes.push(route),
            None => self.with_parameter.push((pattern, vec![route])),
        }
    }

    /// The routes of a path, and what stands in its parameter's place.
    fn at<'a>(&self, path: &'a str) -> Option<(&[Route], Option<&'a str>)> {
        if let Some(routes) = self.exact.get(path) {
            return Some((routes, None));
        }
        self.with_parameter.iter().find_map(|(pattern, routes)| {
            let value = pattern.parameter(path)?;
            Some((routes.as_slice(), Some(value)))
        })
    }

    /// The route for a request. `HEAD` is answered as `GET`.
    ///
    /// # Errors
    /// `not_found`, or `method_not_allowed` with the methods that there are.
    pub(crate) fn find<'a>(
        &self,
        method: &Method,
        path: &'a str,
    ) -> Result<(&Route, Option<&'a str>), Problem> {
        let found = self.at(path);
        let (routes, parameter) = found.ok_or_else(|| Problem::new(crate::Code::NotFound))?;
        let wanted = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        match routes.iter().find(|route| route.method == *wanted) {
            Some(route) => Ok((route, parameter)),
            None => Err(Problem::method_not_allowed(&allowed(routes))),
        }
    }

    /// Every route.
    pub(crate) fn routes(&self) -> impl Iterator<Item = &Route> {
        let others = self.with_parameter.iter().map(|(_, routes)| routes);
        self.exact.values().chain(others).flatten()
    }

    /// Every path, for adapters that mount them one by one. Parameters are written `{id}`.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &'static str> {
        let exact = self.exact.keys().copied();
        let others = self
            .with_parameter
            .iter()
            .filter_map(|(_, routes)| Some(routes.first()?.path));
        exact.chain(others)
    }

    /// Whether a path of ours is asked for, whatever the method.
    pub(crate) fn knows(&self, path: &str) -> bool {
        self.at(path).is_some()
    }
}

fn allowed(routes: &[Route]) -> String {
    let mut methods: Vec<&str> = routes.iter().map(|route| route.method.as_str()).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.sort_unstable();
    methods.join(", ")
}

#[cfg(test)]
mod tests {
    use http::header;

    use super::*;

    fn table() -> Table {
        let mut table = Table::default();
        for (method, path) in [
            (Method::GET, "/api/keys"),
            (Method::POST, "/api/keys"),
            (Method::GET, "/api/keys/{id}"),
            (Method::DELETE, "/api/keys/{id}"),
            (Method::POST, "/api/keys/{id}/rotate"),
        ] {
            table.add(Route::public(method, path, |_| async {
                Ok(crate::no_content())
            }));
        }
        table
    }

    #[test]
    fn paths_are_matched_to_the_byte() {
        let table = table();
        let table_of = [
            (Method::GET, "/api/keys", Some(("/api/keys", None))),
            (Method::HEAD, "/api/keys", Some(("/api/keys", None))),
            (
                Method::GET,
                "/api/keys/a",
                Some(("/api/keys/{id}", Some("a"))),
            ),
            (
                Method::GET,
                "/api/keys/%61",
                Some(("/api/keys/{id}", Some("%61"))),
            ),
            (
                Method::POST,
                "/api/keys/a/rotate",
                Some(("/api/keys/{id}/rotate", Some("a"))),
            ),
            (Method::GET, "/api/keys/", None),
            (Method::GET, "/api//keys", None),
            (Method::GET, "//api/keys", None),
            (Method::GET, "/API/keys", None),
            (Method::GET, "/api/%6Beys", None),
            (Method::GET, "/api/keys/a/", None),
            (Method::GET, "/api/keys/a/b", None),
            (Method::POST, "/api/keys//rotate", None),
            (Method::GET, "", None),
        ];
        for (method, path, expected) in table_of {
            let found = table
                .find(&method, path)
                .map(|(route, value)| (route.path, value));
            assert_eq!(found.ok(), expected, "{method} {path}");
        }
    }

    #[test]
    fn another_method_is_told_which_there_are() {
        let table = table();
        for (path, allow) in [
            ("/api/keys", "GET, HEAD, POST"),
            ("/api/keys/a/rotate", "POST"),
        ] {
            for method in [Method::PUT, Method::OPTIONS, Method::TRACE] {
                let problem = table.find(&method, path).unwrap_err();
                let response = problem.into_response();
                assert_eq!(response.status(), 405);
                assert_eq!(response.headers()[header::ALLOW], allow);
            }
        }
    }
}
