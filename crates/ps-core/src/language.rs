//! Which of the languages that there are a client likes best (RFC 9110 §12.5.4).

/// The first of `known` (BCP 47 tags) that `accepted`, the value of an `Accept-Language`, names with
/// the highest weight, by the lookup of RFC 4647 §3.4: `es-MX` finds `es`. What is no range or
/// weight is passed over, and so is `*`, which names none.
pub(crate) fn best<'a>(accepted: &str, known: &[&'a str]) -> Option<&'a str> {
    let mut best: Option<(&str, u16)> = None;
    for range in accepted.split(',') {
        let Some((tag, weight)) = weighted(range) else {
            continue;
        };
        let Some(found) = lookup(tag, known) else {
            continue;
        };
        // Of two that are liked as well, the one named first.
        if weight > best.map_or(0, |(_, weight)| weight) {
            best = Some((found, weight));
        }
    }
    best.map(|(tag, _)| tag)
}

fn lookup<'a>(mut range: &str, known: &[&'a str]) -> Option<&'a str> {
    loop {
        let is_it = |tag: &&&str| tag.eq_ignore_ascii_case(range);
        if let Some(found) = known.iter().find(is_it) {
            return Some(found);
        }
        (range, _) = range.rsplit_once('-')?;
    }
}

/// A language range and its weight in thousandths.
fn weighted(range: &str) -> Option<(&str, u16)> {
    let (tag, weight) = match range.split_once(';') {
        Some((tag, parameter)) => (tag, thousandths(parameter.trim())?),
        None => (range, 1_000),
    };
    Some((tag.trim(), weight))
}

/// `q=0.8`, with three decimals at most (RFC 9110 §12.4.2).
fn thousandths(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    if !name.eq_ignore_ascii_case("q") {
        return None;
    }
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let rest: u16 = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(rest),
        "1" if rest == 0 => Some(1_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_liked_of_those_that_there_are() {
        let (en, es) = (Some("en"), Some("es"));
        let table = [
            ("", None),
            ("es", es),
            ("ES-419", es),
            ("es-MX,es;q=0.9,en;q=0.8", es),
            ("de,en;q=0.5,es;q=0.9", es),
            ("en;q=0.9, es;q=0.901", es),
            ("de, en;q=0.5 , es;q=0.5", en),
            ("es;q=0.5,en", en),
            ("EN ; Q=0.1", en),
            ("zh-Hant-TW, es-Latn-ES;q=0.2", es),
            ("fr, de", None),
            ("*", None),
            ("*, es;q=0.1", es),
            ("es;q=0", None),
            ("es;q=0.000, en;q=0.001", en),
            ("es;q=1.000", es),
        ];
        for (accepted, liked) in table {
            assert_eq!(best(accepted, &["en", "es"]), liked, "{accepted:?}");
        }
    }

    #[test]
    fn what_is_no_weight_or_range_counts_for_nothing() {
        let broken = [
            "es;q=x",
            "es;q=",
            "es;q",
            "es;",
            "es;q=1.1",
            "es;q=2",
            "es;q=-1",
            "es;q=+1",
            "es;q=.5",
            "es;q=0.1234",
            "es;q=1e3",
            "es;q=inf",
            "es;q=NaN",
            "es;v=1",
            "es;q=0.5;q=1",
            "e s",
            "estonian",
            "-es",
            "--",
            ";",
            "=",
            "\u{130}",
            "ｅｓ",
        ];
        for text in broken {
            assert_eq!(best(text, &["en", "es"]), None, "{text:?}");
            let and = format!("{text},en;q=0.1");
            assert_eq!(best(&and, &["en", "es"]), Some("en"), "{and:?}");
        }
    }

    #[test]
    fn a_region_that_is_known_is_found_before_its_language() {
        let known = ["pt", "pt-BR"];
        assert_eq!(best("pt-br", &known), Some("pt-BR"));
        assert_eq!(best("pt-PT", &known), Some("pt"));
        assert_eq!(best("pt", &["pt-BR"]), None);
        assert_eq!(best("pt", &[]), None);
    }
}
