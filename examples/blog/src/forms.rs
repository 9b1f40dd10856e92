//! Forms: what was filled in, and what is wrong with it.
//!
//! A form that is wrong is shown again, with all that was filled in and each mistake beside its field: nobody writes a text twice. So its fields are
//! texts that may be anything, and are checked here; what is no form at all the extractor refuses.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What is wrong, by the names of the fields: said behind the field's label, "Title is missing".
#[derive(Default, Debug, Serialize)]
#[serde(transparent)]
pub struct Errors(BTreeMap<&'static str, String>);

/// A post that is written or changed.
#[derive(Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct PostForm {
    pub title: String,
    pub text: String,
}

/// A comment.
#[derive(Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct CommentForm {
    pub name: String,
    pub text: String,
}

/// Who wants to come in.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
pub struct UserForm {
    pub name: String,
    /// It is not shown again.
    #[serde(skip_serializing)]
    pub password: String,
}

/// The shortest password that is taken.
const PASSWORD_CHARACTERS: usize = 10;

impl PostForm {
    /// Brings it into shape, and says what is wrong.
    pub fn check(&mut self) -> Errors {
        let mut errors = Errors::default();
        errors.check_line("title", &mut self.title, 100);
        errors.check_text("text", &mut self.text, 20_000);
        errors
    }
}

impl CommentForm {
    /// Brings it into shape, and says what is wrong.
    pub fn check(&mut self) -> Errors {
        let mut errors = Errors::default();
        errors.check_line("name", &mut self.name, 40);
        errors.check_text("text", &mut self.text, 2_000);
        errors
    }
}

impl UserForm {
    /// Brings it into shape, and says what is wrong.
    pub fn check(&mut self) -> Errors {
        let mut errors = Errors::default();
        errors.check_line("name", &mut self.name, 40);
        match self.password.chars().count() {
            0..PASSWORD_CHARACTERS => {
                errors.add("password", format!("has fewer than {PASSWORD_CHARACTERS} characters"));
            }
            PASSWORD_CHARACTERS..=200 => {}
            201.. => errors.add("password", "has more than 200 characters"),
        }
        errors
    }
}

impl Errors {
    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Says that something is.
    pub fn add(&mut self, name: &'static str, mistake: impl Into<String>) {
        self.0.entry(name).or_insert_with(|| mistake.into());
    }

    /// A text in one line.
    fn check_line(&mut self, name: &'static str, text: &mut String, most: usize) {
        self.check_text(name, text, most);
        if text.contains(char::is_control) {
            self.add(name, "has characters that cannot be seen");
        }
    }

    /// A text. Browsers end lines with CR LF (HTML, 4.10.21.4).
    fn check_text(&mut self, name: &'static str, text: &mut String, most: usize) {
        *text = text.replace("\r\n", "\n").trim().to_owned();
        match text.chars().count() {
            0 => self.add(name, "is missing"),
            count if count > most => self.add(name, format!("has more than {most} characters")),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_brought_into_shape_before_it_is_judged() {
        let mut form =
            PostForm { title: "  A title\t".to_owned(), text: "\r\nOne\r\n\r\nTwo \r\n".to_owned() };
        assert!(form.check().is_empty());
        assert_eq!((form.title.as_str(), form.text.as_str()), ("A title", "One\n\nTwo"));
    }

    #[test]
    fn each_field_that_is_wrong_is_named() {
        let mut form = CommentForm { name: "A\nB".to_owned(), text: "x".repeat(2_001) };
        let errors = form.check().0;
        assert_eq!(errors["name"], "has characters that cannot be seen");
        assert_eq!(errors["text"], "has more than 2000 characters");
        let errors = UserForm::default().check().0;
        assert_eq!(
            (errors["name"].as_str(), errors["password"].as_str()),
            ("is missing", "has fewer than 10 characters")
        );
    }
}
