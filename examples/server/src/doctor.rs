//! `example-server doctor`: a configuration looked at without serving or changing anything.

use std::{error::Error, fmt::Write, fs};

use crate::{
    plan::{Plan, plan},
    root_secret::given,
    settings::Settings,
};

/// What would be served, or every reason why not.
pub(crate) fn examine(settings: &Settings) -> Result<String, String> {
    let mut reasons: Vec<String> = Vec::new();
    let mut note = |error: &dyn Error| reasons.push(error.to_string());
    if let Err(error) = given(settings) {
        note(&error);
    }
    let plan = match plan(settings, settings.listen) {
        Ok(plan) => Some(plan),
        Err(refusals) => {
            refusals.iter().for_each(|refusal| note(refusal));
            None
        }
    };
    for tls in plan.iter().filter_map(|plan| plan.tls.as_ref()) {
        for path in [&tls.cert, &tls.key] {
            if let Err(error) = fs::File::open(path) {
                reasons.push(format!("tls_unreadable: {}: {error}", path.display()));
            }
        }
    }
    if let Some(folder) = plan.as_ref().and_then(|plan| plan.database.folder())
        && !folder.is_dir()
    {
        reasons.push(format!(
            "database_unreachable: there is no folder {}",
            folder.display()
        ));
    }
    match plan.filter(|_| reasons.is_empty()) {
        Some(plan) => Ok(describe(settings, &plan)),
        None => Err(reasons.iter().map(|why| format!("\n  {why}")).collect()),
    }
}

fn describe(settings: &Settings, plan: &Plan) -> String {
    let mode = if plan.edge.is_development() {
        "development"
    } else {
        "production"
    };
    let yes = |is| if is { "yes" } else { "no" };
    let mut text = String::new();
    let _ = write!(
        text,
        "mode            {mode}\n\
         public URL      {}\n\
         listening on    {}\n\
         TLS ended here  {}\n\
         trusted proxies {}\n\
         database        {}\n\
         mail server     {}\n\
         providers       {}\n\
         network limits  {}\n\
         operations on   {}",
        plan.edge.public_url(),
        settings.listen,
        yes(plan.tls.is_some()),
        plan.proxies,
        plan.database,
        yes(plan.mail.is_some()),
        providers(plan),
        yes(plan.network_limits),
        plan.ops_listen
            .map_or("nothing".to_owned(), |address| address.to_string()),
    );
    text
}

fn providers(plan: &Plan) -> String {
    let stand_ins = plan.edge.is_development();
    let named = ["google", "linkedin"].map(|name| {
        let mut plans = plan.providers.iter().map(|plan| &plan.provider);
        match plans.find(|provider| provider.name() == name) {
            Some(provider) => format!("{name} at {}", provider.issuer()),
            None if stand_ins => format!("{name} (a stand-in)"),
            None => format!("no {name}"),
        }
    });
    named.join(", ")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn examined(flags: &[&str]) -> Result<String, String> {
        examine(&Settings::parse_from([&["example-server"], flags].concat()))
    }

    // OP1
    #[test]
    fn every_reason_is_told_and_nothing_is_made() {
        assert!(
            examined(&[])
                .unwrap()
                .starts_with("mode            development")
        );
        for (flags, code) in [
            (
                ["--database-url", "sqlite:///no/such/folder/x.db"],
                "database_unreachable",
            ),
            (["--secret-file", "/no/such/secret"], "secret_unreadable"),
            (["--secret", "c2hvcnQ="], "secret_unsafe"),
            (["--redis-url", "redis://h"], "redis_unsupported"),
            (
                ["--database-url", "postgres://u:hunter2@h/d?sslmod=off"],
                "database_invalid",
            ),
        ] {
            let reasons = examined(&flags).unwrap_err();
            assert!(reasons.contains(code), "{flags:?}: {reasons}");
            assert!(!reasons.contains("hunter2"), "{reasons}");
        }
        let server = examined(&["--database-url", "postgres://u:hunter2@db/d"]).unwrap();
        let kept = "database        postgres://db:5432/d?sslmode=verify-full\n";
        assert!(server.contains(kept), "{server}");
        assert!(!server.contains("hunter2"), "{server}");
        let both = examined(&["--secret", "c2hvcnQ=", "--redis-url", "redis://h"]).unwrap_err();
        assert_eq!(
            both.lines().filter(|line| !line.is_empty()).count(),
            2,
            "{both}"
        );
    }
}
