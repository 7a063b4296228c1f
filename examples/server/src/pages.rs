//! The few pages of the example: what to try, and how they look.

use bytes::Bytes;
use http::{HeaderValue, Method, Response, header};
use ps_http::Route;

const POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; style-src 'self'; frame-ancestors 'none'");

pub(crate) fn routes() -> [Route; 2] {
    [
        Route::public(Method::GET, "/", |call| async move {
            let elsewhere = call.see_public_url();
            Ok(elsewhere.unwrap_or_else(|| page("ps-auth example", include_str!("index.html"))))
        }),
        Route::public(Method::GET, "/style.css", |_| async {
            Ok(typed(
                "text/css; charset=utf-8",
                include_str!("style.css").to_owned(),
            ))
        }),
    ]
}

/// A whole page around `body`, which is HTML already.
pub(crate) fn page(title: &str, body: &str) -> Response<Bytes> {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>{}</title><link rel=\"stylesheet\" href=\"/style.css\"><main>{body}</main></html>",
        escape(title)
    );
    let mut response = typed("text/html; charset=utf-8", html);
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, POLICY);
    response
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

fn typed(kind: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
