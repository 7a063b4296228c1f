//! Social sign-in in development mode, offline: the stand-ins, and the page on which one chooses.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod common;
#[path = "common/databases.rs"]
mod databases;

use std::process::ExitCode;

use common::{Client, FRAMEWORKS, Reply};
use databases::{Database, Databases};

fn main() -> ExitCode {
    databases::run(&[
        (
            "the_way_of_an_account_from_google_to_a_password",
            the_way_of_an_account_from_google_to_a_password,
        ),
        ("whoever_is_refused_reads_why", whoever_is_refused_reads_why),
        (
            "somebody_else_can_be_made_up_on_the_page",
            somebody_else_can_be_made_up_on_the_page,
        ),
        (
            "first_sign_ins_at_once_make_one_account_and_no_error",
            first_sign_ins_at_once_make_one_account_and_no_error,
        ),
    ])
}

/// Leaves for a provider, chooses somebody on its page, and answers the callback's URL.
fn choose(browser: &mut Client, authorize_url: &str, choice: &str) -> String {
    let page = browser.follow(authorize_url);
    assert_eq!(page.status, 200, "{page:?}");
    let links = page.body.split("href=\"").skip(1);
    let mut links = links.map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&"));
    let link = links.find(|link| link.ends_with(choice)).unwrap();
    browser.follow(&link).location()
}

fn sign_in(browser: &mut Client, provider: &str, choice: &str) -> Reply {
    let path = format!("/api/auth/social/{provider}?return_to=/");
    let left = browser.send("GET", &path, &[], "");
    assert_eq!(left.status, 303, "{left:?}");
    let callback = choose(browser, &left.location(), choice);
    browser.follow(&callback)
}

fn the_way_of_an_account_from_google_to_a_password(databases: &Databases) {
    for framework in FRAMEWORKS {
        from_google_to_a_password(&databases.fresh(), framework);
    }
}

fn from_google_to_a_password(database: &Database, framework: &str) {
    let server = database.start(&["--framework", framework]);
    let site = format!("http://{}", server.address);
    let mut alice = server.client();

    // Sign up, and in again elsewhere.
    let landed = sign_in(&mut alice, "google", "login_hint=alice");
    assert_eq!(landed.location(), format!("{site}/"));
    assert_eq!(alice.follow(&landed.location()).status, 200);
    let account = alice.send("POST", "/api/auth/refresh", &[], "").json()["account"].clone();
    assert_eq!(account["email"], "alice@example.com");
    let mut elsewhere = server.client();
    sign_in(&mut elsewhere, "google", "login_hint=alice");
    let again = elsewhere.send("POST", "/api/auth/refresh", &[], "");
    assert_eq!(again.json()["account"], account);

    // Link LinkedIn from the session.
    let token = alice.refreshed();
    let begun = alice.post("/api/auth/social/linkedin/link", &token, "{}");
    let callback = choose(&mut alice, &begun.text("authorize_url"), "login_hint=bob");
    assert_eq!(alice.follow(&callback).location(), format!("{site}/"));
    let listed = alice.get("/api/auth/identities", &token).json();
    assert_eq!(listed["identities"].as_array().unwrap().len(), 2);

    // Unlink one, be refused the last one, set a password, unlink the last one.
    let path = |name| format!("/api/auth/social/{name}");
    assert_eq!(alice.delete(&path("google"), &token).status, 204);
    let refused = alice.delete(&path("linkedin"), &token);
    assert_eq!(refused.refusal(), (409, "last_sign_in_method".to_owned()));
    let bearer = format!("Bearer {token}");
    let body = r#"{"new_password":"correct horse battery"}"#;
    let set = alice.send(
        "PUT",
        "/api/auth/password",
        &[("authorization", &bearer)],
        body,
    );
    assert_eq!(set.status, 204);
    assert_eq!(alice.delete(&path("linkedin"), &token).status, 204);
    let login = r#"{"email":"alice@example.com","password":"correct horse battery"}"#;
    let signed_in = server.client().send("POST", "/api/auth/login", &[], login);
    assert_eq!(signed_in.json()["account"], account);
    let removed = sign_in(&mut server.client(), "google", "login_hint=alice");
    assert_eq!(
        removed.location(),
        format!("{site}/sign-in?error=identity_removed")
    );
}

fn whoever_is_refused_reads_why(databases: &Databases) {
    let database = databases.fresh();
    let server = database.start(&[]);
    let mut carol = server.client();
    let refused = sign_in(&mut carol, "google", "login_hint=carol");
    assert!(
        refused
            .location()
            .ends_with("/sign-in?error=email_unverified")
    );
    let page = carol.follow(&refused.location());
    assert!(
        page.body.contains("has not verified your address"),
        "{}",
        page.body
    );
    assert!(
        page.body.contains("/api/auth/social/linkedin"),
        "{}",
        page.body
    );
    let called_off = sign_in(&mut carol, "linkedin", "deny=on");
    assert!(
        called_off
            .location()
            .ends_with("/sign-in?error=access_denied")
    );
    // What stands in the URL is never shown.
    let page = carol.send("GET", "/sign-in?error=%3Cscript%3Ealert(1)", &[], "");
    assert!(
        page.status == 200 && !page.body.contains("alert(1)"),
        "{}",
        page.body
    );
}

fn somebody_else_can_be_made_up_on_the_page(databases: &Databases) {
    let database = databases.fresh();
    let server = database.start(&[]);
    let mut dora = server.client();
    let left = dora
        .send("GET", "/api/auth/social/google", &[], "")
        .location();
    let callback = dora
        .follow(&format!("{left}&email=dora%40gmail.com&verified=on"))
        .location();
    dora.follow(&callback);
    let session = dora.send("POST", "/api/auth/refresh", &[], "");
    assert_eq!(session.json()["account"]["email"], "dora@gmail.com");
}

/// On a real database, where another sign-in claims the account between any two looks at it.
// OA25
fn first_sign_ins_at_once_make_one_account_and_no_error(databases: &Databases) {
    for framework in FRAMEWORKS {
        let database = databases.fresh();
        let server = database.start(&["--framework", framework]);
        let home = format!("http://{}/", server.address);
        for round in 0..30 {
            let address = format!("new{round}%40example.com");
            let landings = ["google", "google", "linkedin"].map(|provider| {
                let mut browser = server.client();
                let path = format!("/api/auth/social/{provider}");
                let left = browser.send("GET", &path, &[], "").location();
                let chosen = browser.follow(&format!("{left}&email={address}&verified=on"));
                std::thread::spawn(move || {
                    let landed = browser.follow(&chosen.location()).location();
                    let session = browser.send("POST", "/api/auth/refresh", &[], "");
                    (landed, session.json()["account"]["id"].clone())
                })
            });
            let mut accounts = Vec::new();
            for landing in landings {
                let (landed, account) = landing.join().unwrap();
                assert_eq!(landed, home, "{framework}, round {round}");
                accounts.push(account);
            }
            accounts.dedup();
            assert_eq!(accounts.len(), 1, "{framework}, round {round}");
        }
    }
}
