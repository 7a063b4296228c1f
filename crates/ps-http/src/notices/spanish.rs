//! The notices in Spanish.

use ps_core::Network;
use time::OffsetDateTime;

use super::{Occurrence, plain::Words};

pub(super) struct Spanish;

impl Words for Spanish {
    fn language(&self) -> &'static str {
        "es"
    }

    fn news(&self, site: &str, occurrence: &Occurrence) -> (String, String) {
        match occurrence {
            Occurrence::Linked(provider) => (
                format!("Ahora puedes entrar con {provider} en {site}"),
                format!(
                    "Se ha vinculado una cuenta de {provider} a tu cuenta de {site}, y desde ahora \
                     puedes entrar con ella."
                ),
            ),
            Occurrence::PasswordChanged => (
                format!("Ha cambiado tu contraseña de {site}"),
                format!(
                    "Se ha puesto o cambiado la contraseña de tu cuenta de {site}, y se han cerrado \
                     todas las demás sesiones."
                ),
            ),
            Occurrence::Registered(provider) => (
                format!("Te damos la bienvenida a {site}"),
                format!(
                    "Se ha creado una cuenta en {site} para esta dirección, por alguien a quien \
                     {provider} reconoce como su titular."
                ),
            ),
            Occurrence::SignedIn {
                new_browser,
                after_failures,
            } => (
                format!("Nuevo inicio de sesión en {site}"),
                match (new_browser, after_failures) {
                    (true, false) => format!(
                        "Alguien ha entrado en tu cuenta de {site} con un navegador que no lo había \
                         hecho antes."
                    ),
                    (true, true) => format!(
                        "Alguien ha entrado en tu cuenta de {site} con un navegador que no lo había \
                         hecho antes y después de varios intentos fallidos."
                    ),
                    (false, _) => format!(
                        "Alguien ha entrado en tu cuenta de {site} después de varios intentos \
                         fallidos."
                    ),
                },
            ),
            Occurrence::Unlinked(provider) => (
                format!("Ya no puedes entrar con {provider} en {site}"),
                format!(
                    "Se ha desvinculado una cuenta de {provider} de tu cuenta de {site}, y ya no \
                     puedes entrar con ella."
                ),
            ),
        }
    }

    fn origin(&self, at: Option<OffsetDateTime>, from: Network, occurrence: &Occurrence) -> String {
        let moment = at.map(moment).unwrap_or_default();
        let undo = undo(occurrence);
        format!(
            "Se hizo{moment} desde la red {from}. Si no fuiste tú, {undo} y cierra las sesiones que \
             no conozcas."
        )
    }
}

fn undo(occurrence: &Occurrence) -> &'static str {
    match occurrence {
        Occurrence::Linked(_) => "desvincúlala en los ajustes de tu cuenta",
        Occurrence::PasswordChanged => {
            "entra con un código enviado a esta dirección, pon otra contraseña"
        }
        Occurrence::Registered(_) => {
            "entra con un código enviado a esta dirección, quita lo que no conozcas"
        }
        Occurrence::SignedIn { .. } => {
            "entra con un código enviado a esta dirección, cambia tu contraseña si tienes una"
        }
        Occurrence::Unlinked(_) => "vuelve a vincularla en los ajustes de tu cuenta",
    }
}

/// ` el 22/11/2026 a las 10:00 UTC`.
fn moment(at: OffsetDateTime) -> String {
    let article = if at.hour() == 1 { "la" } else { "las" };
    format!(
        " el {}/{:02}/{} a {article} {:02}:{:02} UTC",
        at.day(),
        u8::from(at.month()),
        at.year(),
        at.hour(),
        at.minute()
    )
}
