//! Which paths are ours, as they were sent.

use std::collections::HashSet;

use actix_web::dev::ResourceDef;

/// actix-web's own router decodes a path before it compares: it would find ours under other
/// spellings, which are the host's.
pub(crate) struct Paths {
    exact: HashSet<&'static str>,
    with_parameter: Vec<ResourceDef>,
}

impl Paths {
    pub(crate) fn new(paths: impl Iterator<Item = &'static str>) -> Self {
        let (with_parameter, exact): (Vec<_>, _) = paths.partition(|path| path.contains('{'));
        Self {
            exact: exact.into_iter().collect(),
            with_parameter: with_parameter.into_iter().map(ResourceDef::new).collect(),
        }
    }

    pub(crate) fn contain(&self, raw: &str) -> bool {
        self.exact.contains(raw) || self.with_parameter.iter().any(|path| path.is_match(raw))
    }
}
