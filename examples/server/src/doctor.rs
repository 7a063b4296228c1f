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
         network limits  {}\n\
         operations on   {}",
        plan.edge.public_url(),
        settings.listen,
        yes(plan.tls.is_some()),
        plan.proxies,
        plan.database,
        yes(plan.mail.is_some()),
        yes(plan.network_limits),
        plan.ops_listen
            .map_or("nothing".to_owned(), |address| address.to_string()),
    );
    text
}
