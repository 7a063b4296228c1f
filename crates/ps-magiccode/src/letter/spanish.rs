//! The letters in Spanish.

use std::time::Duration;

use ps_core::Network;
use time::OffsetDateTime;

use super::{Occasion, plain::Words};
use crate::Code;

pub(super) struct Spanish;

impl Words for Spanish {
    fn language(&self) -> &'static str {
        "es"
    }

    fn subject(&self, site: &str, code: Option<&Code>) -> String {
        match code {
            Some(code) => format!("{} es tu código para {site}", code.expose()),
            None => format!("No tienes cuenta en {site}"),
        }
    }

    fn opening(&self, site: &str, occasion: Occasion) -> String {
        match occasion {
            Occasion::AlreadyRegistered => format!(
                "Has pedido registrarte en {site}, donde esta dirección ya tiene una cuenta. Con \
                 este código entras en ella:"
            ),
            Occasion::NoAccount => format!(
                "Has pedido entrar en {site}, donde esta dirección no tiene cuenta, así que en este \
                 correo no hay ningún código. Entra con otra dirección o regístrate primero."
            ),
            Occasion::Register => format!("Tu código para registrarte en {site}:"),
            Occasion::SignIn => format!("Tu código para entrar en {site}:"),
        }
    }

    fn instruction(&self, life: Duration) -> String {
        let life = minutes(life);
        format!(
            "Escríbelo donde lo pediste. Vale una sola vez, durante {life} desde que lo pediste. No \
             se lo des a nadie."
        )
    }

    fn origin(&self, at: Option<OffsetDateTime>, network: Network) -> String {
        let moment = at.map(moment).unwrap_or_default();
        format!(
            "Se pidió{moment} desde la red {network}. Si no fuiste tú, no hagas caso de este correo."
        )
    }
}

/// Whole minutes, rounded down: better to be early than to type a dead code.
fn minutes(span: Duration) -> String {
    match span.as_secs() / 60 {
        0 => "menos de un minuto".to_owned(),
        1 => "1 minuto".to_owned(),
        n => format!("{n} minutos"),
    }
}

/// ` a las 10:00 UTC del 22 de noviembre`.
fn moment(at: OffsetDateTime) -> String {
    let article = if at.hour() == 1 { "la" } else { "las" };
    format!(
        " a {article} {:02}:{:02} UTC del {} de {}",
        at.hour(),
        at.minute(),
        at.day(),
        MONTHS[usize::from(u8::from(at.month())) - 1]
    )
}

const MONTHS: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_whole_and_never_too_many() {
        let table = [
            (0, "menos de un minuto"),
            (59_999, "menos de un minuto"),
            (60_000, "1 minuto"),
            (599_999, "9 minutos"),
            (600_000, "10 minutos"),
        ];
        for (millis, text) in table {
            assert_eq!(minutes(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn a_moment_is_told_by_the_calendar() {
        let table = [
            (1_795_341_600, " a las 10:00 UTC del 22 de noviembre"),
            (1_767_229_199, " a las 00:59 UTC del 1 de enero"),
            (1_767_230_999, " a la 01:29 UTC del 1 de enero"),
            (-1, " a las 23:59 UTC del 31 de diciembre"),
        ];
        for (second, text) in table {
            let at = OffsetDateTime::from_unix_timestamp(second).unwrap();
            assert_eq!(moment(at), text);
        }
    }
}
