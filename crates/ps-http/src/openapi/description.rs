//! What a row says of itself.

use http::StatusCode;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::Code;
#[cfg(feature = "session")]
use crate::edge::Cookie;

/// What a route is, for whoever reads the document: all that does not follow from its method, its
/// path and what it takes as a credential.
#[derive(Clone, Debug)]
pub struct Description {
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) tag: Option<&'static str>,
    pub(super) details: Option<&'static str>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<Content>,
    pub(super) successes: Vec<Success>,
    pub(super) codes: Vec<Code>,
    #[cfg(feature = "session")]
    pub(super) cookies: Vec<Presented>,
    #[cfg(feature = "session")]
    pub(super) reads_session: bool,
}

impl Description {
    /// A route by its `operationId`, which is unique and never changes, and by one short phrase.
    #[must_use]
    pub fn new(id: &'static str, summary: &'static str) -> Self {
        Self {
            id,
            summary,
            tag: None,
            details: None,
            parameters: Vec::new(),
            body: None,
            successes: Vec::new(),
            codes: Vec::new(),
            #[cfg(feature = "session")]
            cookies: Vec::new(),
            #[cfg(feature = "session")]
            reads_session: false,
        }
    }

    /// Puts it under a heading.
    #[must_use]
    pub fn under(mut self, tag: &'static str) -> Self {
        self.tag = Some(tag);
        self
    }

    /// Explains it in sentences (CommonMark).
    #[must_use]
    pub fn explained(mut self, details: &'static str) -> Self {
        self.details = Some(details);
        self
    }

    /// Names a parameter. One of the path that is not named is taken for a text.
    #[must_use]
    pub fn with_parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// The body that it takes, with an example.
    #[must_use]
    pub fn with_body<T: ToSchema>(mut self, example: Value) -> Self {
        self.body = Some(Content::of::<T>(example));
        self
    }

    /// One way in which it goes well.
    #[must_use]
    pub fn answers(mut self, success: Success) -> Self {
        self.successes.push(success);
        self
    }

    /// The codes that its own handler refuses with; those of the edge, of the credential and of the
    /// body's form are known.
    #[must_use]
    pub fn refuses(mut self, codes: impl IntoIterator<Item = Code>) -> Self {
        self.codes.extend(codes);
        self
    }

    /// A cookie of ours that it reads.
    #[cfg(feature = "session")]
    pub(crate) fn reads(mut self, cookie: Cookie<'static>, required: bool) -> Self {
        self.cookies.push(Presented { cookie, required });
        self
    }

    /// It reads an access token, though it answers without one too.
    #[cfg(feature = "session")]
    pub(crate) fn reads_session(mut self) -> Self {
        self.reads_session = true;
        self
    }
}

/// A parameter of a route.
#[derive(Clone, Debug)]
pub struct Parameter {
    pub(super) place: &'static str,
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
    pub(super) schema: Value,
    pub(super) example: Value,
}

impl Parameter {
    /// A header, which may be left out.
    #[must_use]
    pub fn header(name: &'static str, meaning: &'static str, schema: Value) -> Self {
        Self::new("header", name, meaning, schema)
    }

    /// What stands in the place of the path's `{name}`.
    #[must_use]
    pub fn path(name: &'static str, meaning: &'static str, schema: Value) -> Self {
        Self::new("path", name, meaning, schema)
    }

    /// A parameter of the query, which may be left out.
    #[must_use]
    pub fn query(name: &'static str, meaning: &'static str, schema: Value) -> Self {
        Self::new("query", name, meaning, schema)
    }

    /// What it may look like.
    #[must_use]
    pub fn such_as(mut self, example: impl Into<Value>) -> Self {
        self.example = example.into();
        self
    }

    fn new(place: &'static str, name: &'static str, meaning: &'static str, schema: Value) -> Self {
        Self {
            place,
            name,
            meaning,
            schema,
            example: Value::Null,
        }
    }
}

/// One way in which a route's handling goes well.
#[derive(Clone, Debug)]
pub struct Success {
    pub(super) status: StatusCode,
    pub(super) meaning: &'static str,
    pub(super) content: Option<(&'static str, Content)>,
    pub(super) headers: Vec<(&'static str, &'static str, Value)>,
    #[cfg(feature = "session")]
    pub(super) cookies: Vec<(Cookie<'static>, Option<u64>)>,
}

impl Success {
    /// An answer with this status and no body.
    #[must_use]
    pub fn new(status: StatusCode, meaning: &'static str) -> Self {
        Self {
            status,
            meaning,
            content: None,
            headers: Vec::new(),
            #[cfg(feature = "session")]
            cookies: Vec::new(),
        }
    }

    /// The same answer with a JSON body, and an example of it.
    #[must_use]
    pub fn with_json<T: ToSchema>(mut self, example: Value) -> Self {
        self.content = Some(("application/json", Content::of::<T>(example)));
        self
    }

    /// The same answer with a body of another kind, such as `text/html`, of which no more is said.
    #[must_use]
    pub fn with_content(mut self, kind: &'static str) -> Self {
        self.content = Some((kind, Content::any()));
        self
    }

    /// The same answer with a header, and an example of its value.
    #[must_use]
    pub fn with_header(
        mut self,
        name: &'static str,
        meaning: &'static str,
        example: impl Into<Value>,
    ) -> Self {
        self.headers.push((name, meaning, example.into()));
        self
    }

    /// The same answer, which gives a cookie of ours for so many seconds.
    #[cfg(feature = "session")]
    pub(crate) fn sets(mut self, cookie: Cookie<'static>, seconds: u64) -> Self {
        self.cookies.push((cookie, Some(seconds)));
        self
    }

    /// The same answer, which takes a cookie of ours away.
    #[cfg(feature = "session")]
    pub(crate) fn clears(mut self, cookie: Cookie<'static>) -> Self {
        self.cookies.push((cookie, None));
        self
    }
}

/// A body: its schema, what that refers to, and an example.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub(super) schema: Value,
    pub(super) parts: Vec<(String, Value)>,
    pub(super) example: Value,
}

impl Content {
    pub(super) fn of<T: ToSchema>(example: Value) -> Self {
        let name = T::name().into_owned();
        let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
        let mut parts = vec![(name, T::schema())];
        T::schemas(&mut parts);
        let plain = |schema| serde_json::to_value(schema).expect("a schema is JSON");
        let parts = parts
            .into_iter()
            .map(|(name, schema)| (name, plain(schema)));
        Self {
            schema,
            parts: parts.collect(),
            example,
        }
    }

    fn any() -> Self {
        Self {
            schema: json!({}),
            parts: Vec::new(),
            example: Value::Null,
        }
    }
}

/// A cookie that a route reads.
#[cfg(feature = "session")]
#[derive(Clone, Copy, Debug)]
pub(super) struct Presented {
    pub(super) cookie: Cookie<'static>,
    pub(super) required: bool,
}
