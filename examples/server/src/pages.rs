//! The few pages of the example: what to try, and how they look.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, header};
use ps_http::Route;
use ps_oauth::Provider;

const SIGN_IN: &str = "/sign-in";

const POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; style-src 'self'; frame-ancestors 'none'");

/// What every mode has: the page that people sign in on, and how pages look.
pub(crate) fn routes(providers: &[Provider]) -> [Route; 2] {
    let buttons: String = providers
        .iter()
        .map(|provider| {
            let (name, title) = (escape(provider.name()), escape(provider.title()));
            format!("<p><a class=\"button\" href=\"/api/auth/social/{name}\">Sign in with {title}</a></p>")
        })
        .collect();
    let buttons: Arc<str> = buttons.into();
    [
        Route::public(Method::GET, SIGN_IN, move |call| {
            let buttons = Arc::clone(&buttons);
            async move {
                let error = call.query("error")?;
                let elsewhere = call.see_public_url();
                Ok(elsewhere.unwrap_or_else(|| sign_in(error.as_deref(), &buttons)))
            }
        }),
        Route::public(Method::GET, "/style.css", |_| async {
            Ok(typed(
                "text/css; charset=utf-8",
                include_str!("style.css").to_owned(),
            ))
        }),
    ]
}

/// The front page: in development what to try, elsewhere the way in.
pub(crate) fn front(is_development: bool) -> Route {
    let body = if is_development {
        include_str!("index.html")
    } else {
        "<h1>ps-auth example server</h1><p><a href=\"/sign-in\">Sign in</a></p>"
    };
    Route::public(Method::GET, "/", move |call| async move {
        let elsewhere = call.see_public_url();
        Ok(elsewhere.unwrap_or_else(|| page("ps-auth example", body)))
    })
}

fn sign_in(error: Option<&str>, buttons: &str) -> Response<Bytes> {
    let told = error.map_or(String::new(), |code| {
        format!("<p role=\"alert\" class=\"alert\">{}</p>", sentence(code))
    });
    page(
        "Sign in",
        &format!(
            "<h1>Sign in</h1>{told}{buttons}<p class=\"quiet\">A code by email: \
             <code>POST /api/auth/magic-code</code>.</p>"
        ),
    )
}

/// What a person can do about a code of `?error=`. What the code says is never shown as it came.
fn sentence(code: &str) -> &'static str {
    match code {
        "access_denied" => "You called it off. Nothing has happened.",
        "account_disabled" => "This account is disabled. Ask the people who run this site.",
        "attempt_invalid" => {
            "That sign-in was begun in another browser, or more than ten minutes ago. Begin again."
        }
        "attempt_used" => "That sign-in was used already. Begin again.",
        "code_needed" => {
            "There is an account with that address. Sign in by a code sent to it first; after that \
             this way works too."
        }
        "email_unverified" => {
            "The other site has not verified your address. Sign in by a code, then link the other \
             site in the settings."
        }
        "id_token_invalid" => "What the other site said of you does not hold. Begin again.",
        "identity_in_use" => "That account of the other site belongs to another account here.",
        "identity_removed" => {
            "You removed that account of the other site. Sign in another way and link it again in \
             the settings."
        }
        "provider_error" => "The other site refused. Begin again.",
        "provider_unavailable" => "The other site cannot be reached now. Try again shortly.",
        "session_invalid" => "Your session has ended meanwhile. Sign in and begin again.",
        _ => "That did not work. Begin again.",
    }
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
