//! One request, as a handler gets it.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header, request::Parts};
use ps_core::Requester;
use serde::de::DeserializeOwned;

#[cfg(feature = "session")]
use crate::edge::{Cookie, read_cookie};
use crate::{Code, Problem, edge::Arrival};

/// The largest body that is read: 16 KiB.
pub const BODY_LIMIT: usize = 16 * 1024;

/// One request that has passed every judgement but the handler's own.
#[derive(Debug)]
pub struct Call {
    head: Parts,
    body: Bytes,
    arrival: Arrival,
    parameter: Option<String>,
    /// The same page under the public URL's own name, where it was asked for under another.
    elsewhere: Option<String>,
}

impl Call {
    pub(crate) fn new(
        head: Parts,
        body: Bytes,
        arrival: Arrival,
        parameter: Option<String>,
        elsewhere: Option<String>,
    ) -> Self {
        Self {
            head,
            body,
            arrival,
            parameter,
            elsewhere,
        }
    }

    /// Method, target and headers.
    #[must_use]
    pub fn head(&self) -> &Parts {
        &self.head
    }

    /// The body as it came.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Who asks.
    #[must_use]
    pub fn requester(&self) -> &Requester {
        &self.arrival.requester
    }

    /// What stands in the place of the path's `{…}`, undecoded; empty where the path has none.
    #[must_use]
    pub fn parameter(&self) -> &str {
        self.parameter.as_deref().unwrap_or_default()
    }

    /// A parameter of the query, decoded; `None` where it is not there.
    ///
    /// # Errors
    /// `validation_failed` where it stands there twice.
    pub fn query(&self, name: &str) -> Result<Option<String>, Problem> {
        let query = self.head.uri.query().unwrap_or_default();
        let mut values = form_urlencoded::parse(query.as_bytes())
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned());
        let value = values.next();
        match values.next() {
            None => Ok(value),
            Some(_) => Err(Problem::invalid_field(name, "must be given once")),
        }
    }

    /// The body as JSON: one object, no field unknown or twice.
    ///
    /// # Errors
    /// `malformed_json` where it is not JSON, `validation_failed` where it is not a `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let mut json = serde_json::Deserializer::from_slice(&self.body);
        // serde's derive would take an array in the place of an object, field by field.
        let is_array = self.body.trim_ascii_start().first() == Some(&b'[');
        let read = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let path = error.path().to_string();
            let error = error.into_inner();
            match error.classify() {
                serde_json::error::Category::Data => invalid(path, &error),
                _ => Problem::new(Code::MalformedJson),
            }
        })?;
        json.end().map_err(|_| Problem::new(Code::MalformedJson))?;
        if is_array {
            return Err(Problem::invalid_field(".", "must be an object"));
        }
        Ok(read)
    }

    /// For pages: the answer that sends the browser to the same page under the public URL's own
    /// name, where it was asked for under another one. Cookies and callbacks then meet.
    #[must_use]
    pub fn see_public_url(&self) -> Option<Response<Bytes>> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::SEE_OTHER;
        let location = HeaderValue::try_from(self.elsewhere.as_deref()?).ok()?;
        response.headers_mut().insert(header::LOCATION, location);
        Some(response)
    }

    /// The value of a cookie of ours.
    #[cfg(feature = "session")]
    pub(crate) fn cookie(&self, cookie: Cookie<'_>) -> Option<&str> {
        read_cookie(&self.head.headers, cookie, self.arrival.secure)
    }

    /// Whether an API key was presented, good or not.
    #[cfg(feature = "session")]
    pub(crate) fn presents_key(&self) -> bool {
        self.arrival.presents_key
    }

    #[cfg(feature = "session")]
    /// Whether the connection was TLS, which decides the names of cookies.
    pub(crate) fn is_secure(&self) -> bool {
        self.arrival.secure
    }
}

/// Our own sentence for what serde found: its own would repeat what was sent, a code perhaps, and
/// names our types. A field that is missing or twice has no path, and is named only there.
fn invalid(path: String, error: &serde_json::Error) -> Problem {
    let found = error.to_string();
    let named = found.split('`').nth(1).unwrap_or_default().to_owned();
    let (field, message) = if found.starts_with("missing field") {
        (named, "is required")
    } else if found.starts_with("duplicate field") {
        (named, "is given twice")
    } else if found.starts_with("unknown field") {
        (path, "is not known here")
    } else {
        (path, "is not of the right type")
    };
    Problem::invalid_field(field.chars().take(64).collect::<String>(), message)
}
