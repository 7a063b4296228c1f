//! A mail made of paragraphs.

use crate::{EmailAddress, Mail};

/// A part of a mail. It does not print, because a code may be one.
pub enum Paragraph<'a> {
    /// A code to be typed elsewhere: a line of its own, in large letters where there are any.
    Code(&'a str),
    /// Sentences.
    Text(String),
}

impl Mail {
    /// A mail of these paragraphs, as text and as HTML of this language (a BCP 47 tag), without
    /// links or pictures.
    #[must_use]
    pub fn of_paragraphs(
        to: EmailAddress,
        subject: String,
        language: &str,
        paragraphs: &[Paragraph<'_>],
    ) -> Self {
        Self {
            to,
            subject,
            text: text(paragraphs),
            html: Some(html(language, paragraphs)),
        }
    }
}

fn text(paragraphs: &[Paragraph<'_>]) -> String {
    let texts: Vec<&str> = paragraphs
        .iter()
        .map(|paragraph| match paragraph {
            Paragraph::Code(code) => *code,
            Paragraph::Text(text) => text.as_str(),
        })
        .collect();
    texts.join("\n\n") + "\n"
}

fn html(language: &str, paragraphs: &[Paragraph<'_>]) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<meta charset=\"utf-8\">\n",
        escaped(language)
    );
    for paragraph in paragraphs {
        page += &match paragraph {
            Paragraph::Code(code) => format!(
                "<p style=\"font: bold 2em monospace; letter-spacing: .1em\">{}</p>\n",
                escaped(code)
            ),
            Paragraph::Text(text) => format!("<p>{}</p>\n", escaped(text)),
        };
    }
    page + "</html>\n"
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            _ => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_html_say_the_same_and_nothing_is_markup() {
        let to = EmailAddress::parse("alice@example.com").unwrap();
        let paragraphs = [
            Paragraph::Text("Código de \"A & <B>\"'s:".to_owned()),
            Paragraph::Code("012345"),
        ];
        let mail = Mail::of_paragraphs(to, "Hola".to_owned(), "es\"><b>", &paragraphs);
        assert_eq!(mail.text, "Código de \"A & <B>\"'s:\n\n012345\n");
        let html = mail.html.unwrap();
        let lines: Vec<&str> = html.lines().collect();
        assert_eq!(
            lines,
            [
                "<!doctype html>",
                "<html lang=\"es&quot;&gt;&lt;b&gt;\">",
                "<meta charset=\"utf-8\">",
                "<p>Código de &quot;A &amp; &lt;B&gt;&quot;&#39;s:</p>",
                "<p style=\"font: bold 2em monospace; letter-spacing: .1em\">012345</p>",
                "</html>",
            ]
        );
    }
}
