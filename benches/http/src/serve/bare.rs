//! The yardsticks: one route without any guard.

use actix_web::{rt::System, web};
use axum::{Router, body::Bytes, routing::any};

use super::{OWN, answer, by_actix, by_axum, listen, ready, runtime};
use crate::Outcome;

pub(super) fn serve(framework: &str, body: &str) -> Outcome<()> {
    let listener = listen()?;
    ready(&listener, &[])?;
    let body = Bytes::copy_from_slice(body.as_bytes());
    match framework {
        "axum" => {
            let route = any(move || async move { answer::axum(&body) });
            runtime()?.block_on(by_axum(listener, Router::new().route(OWN, route)))
        }
        "actix" => System::new().block_on(by_actix(listener, move || {
            let body = body.clone();
            move |app: &mut web::ServiceConfig| {
                let route = move || {
                    let body = body.clone();
                    async move { answer::actix(&body) }
                };
                app.route(OWN, web::route().to(route));
            }
        })),
        _ => Err("axum or actix".into()),
    }
}
