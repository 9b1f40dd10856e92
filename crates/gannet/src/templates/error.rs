//! What went wrong with a template: told to the log, and while developing to the browser.

use std::fmt;
use std::path::Path;

use gannet_core::{Body, Fields, IntoResponse, PAGE_STYLE, Response, Status};
use tera::ErrorKind;

/// Why a page could not be made.
///
/// As a response it is `500 Internal Server Error`. What is wrong is told to the log, and in builds with debug assertions the response says it too.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TemplateError {
    message: String,
    place: Option<Place>,
}

/// Where it is.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Place {
    template: String,
    /// The file that the template was read from.
    file: Option<String>,
    line: usize,
}

/// Suggested are names that differ in at most this many places.
const ALIKE: usize = 3;

impl TemplateError {
    pub(super) fn mistakes(mistakes: &[String]) -> TemplateError {
        TemplateError { message: mistakes.join("\n\n"), place: None }
    }

    pub(super) fn context(template: &str, error: &tera::Error) -> TemplateError {
        TemplateError {
            message: format!("what {template:?} is to show cannot be its context: {error}"),
            place: None,
        }
    }

    pub(super) fn unknown<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> TemplateError {
        let nearest = names.map(|other| (distance(name, other), other)).min();
        let hint = match nearest {
            Some((distance, other)) if distance <= ALIKE => format!("; did you mean {other:?}?"),
            Some(_) => String::new(),
            None => "; there is no template at all".to_owned(),
        };
        TemplateError { message: format!("there is no template {name:?}{hint}"), place: None }
    }

    pub(super) fn rendering(error: &tera::Error, folder: Option<&Path>) -> TemplateError {
        let place = match error.kind() {
            ErrorKind::RenderingError(report) => Some(Place {
                template: report.filename().to_owned(),
                file: folder.map(|folder| folder.join(report.filename()).display().to_string()),
                line: report.span().start_line,
            }),
            _ => None,
        };
        TemplateError { message: error.to_string(), place }
    }

    /// The template that it went wrong in, and the line, if it is known.
    pub fn place(&self) -> Option<(&str, usize)> {
        self.place.as_ref().map(|place| (place.template.as_str(), place.line))
    }

    /// As a page for whoever writes the template.
    fn page(&self) -> Response {
        let place = match &self.place {
            Some(Place { template, file, line }) => {
                format!("<p class=place>{}:{line}</p>\n", Text(file.as_ref().unwrap_or(template)))
            }
            None => String::new(),
        };
        let page = format!(
            "<!DOCTYPE html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n\
             <meta name=viewport content=\"width=device-width, initial-scale=1\">\n<meta name=color-scheme content=\"light dark\">\n\
             <title>Template error</title>\n<style>{PAGE_STYLE}</style>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
             <h1>This page could not be made</h1>\n{place}<pre>{}</pre>\n\
             <p class=advice>This is shown in builds with debug assertions only; others say <i>500 Internal Server Error</i>, and tell the log why.</p>\n\
             </main>\n</body>\n</html>\n",
            Text(&self.message)
        );
        Response::new(Status::INTERNAL_SERVER_ERROR)
            .with_fields(Fields::with_prepared(gannet_core::Bytes::from_static(PAGE_FIELDS.as_bytes())))
            .with_body(Body::Bytes(page.into()))
    }
}

const STYLE: &str = include_str!("error.css");

/// The policy's hashes are those of the page's two style elements; a test holds them to it.
const PAGE_FIELDS: &str = "Content-Type: text/html; charset=utf-8\r\n\
    Cache-Control: no-store\r\n\
    Content-Security-Policy: default-src 'none'; \
    style-src 'sha256-o4/Fvj0V7HKhlB0urIzmCG3bfFSdTBs0H2uSap86jxY=' 'sha256-2VirujvbNQEgYdV1oniqkqJf9EA5g7U1dcQ/1KW2+rY='; \
    base-uri 'none'; form-action 'none'\r\n";

impl IntoResponse for TemplateError {
    fn into_response(self) -> Response {
        tracing::error!("a page could not be made: {self}");
        if cfg!(debug_assertions) {
            self.page()
        } else {
            Response::text("500 Internal Server Error\n").with_status(Status::INTERNAL_SERVER_ERROR)
        }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TemplateError {}

/// Text within an element (HTML, 13.1.2).
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                other => write!(f, "{other}")?,
            }
        }
        Ok(())
    }
}

/// In how many places two names differ (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, character) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (column, wanted) in other.iter().enumerate() {
            let changed = diagonal + usize::from(character != *wanted);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}
