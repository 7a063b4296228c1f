//! The few pages that only development has: their look, and text made safe for them.

use bytes::Bytes;
use http::Response;

use crate::site;

/// A whole page around `body`, which is HTML already.
pub(crate) fn page(title: &str, body: &str) -> Response<Bytes> {
    site::plain(title, body)
}

/// Text that HTML shows as it is.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}
