//! From texts to templates, or to all the mistakes in them.

use tera::{ErrorKind, Tera};

use super::TemplateError;
use super::source::Texts;

/// Templates, and what they were made from.
pub struct Loaded {
    read: Result<Texts, String>,
    tera: Result<Tera, TemplateError>,
}

impl Loaded {
    /// Loads what was read.
    pub fn new(mut tera: Tera, read: Result<Texts, String>) -> Loaded {
        let mistakes = match &read {
            Ok(texts) => match mistakes_alone(&tera, texts) {
                // Whether they fit together can be said of those only that can be read.
                mistakes if mistakes.is_empty() => mistakes_together(&mut tera, texts),
                mistakes => mistakes,
            },
            Err(error) => vec![error.clone()],
        };
        let tera = if mistakes.is_empty() { Ok(tera) } else { Err(TemplateError::mistakes(&mistakes)) };
        Loaded { read, tera }
    }

    /// Whether it was made from this.
    pub fn is_of(&self, read: &Result<Texts, String>) -> bool {
        self.read == *read
    }

    /// The templates, if there is no mistake in them.
    pub fn tera(&self) -> Result<&Tera, TemplateError> {
        self.tera.as_ref().map_err(Clone::clone)
    }
}

/// The mistakes that a template has by itself, and layouts that are not there: of these Tera tells the first only.
fn mistakes_alone(tera: &Tera, texts: &Texts) -> Vec<String> {
    let mistake = |(name, text): &(String, String)| {
        let error = tera.clone().add_raw_template(name, text).err()?;
        let is_there = |parent: &str| texts.iter().any(|(other, _)| other == parent);
        match error.kind() {
            ErrorKind::SyntaxError(_) => Some(error.to_string()),
            ErrorKind::MissingParent { parent, .. } if !is_there(parent) => {
                Some(format!("error: {name} extends {parent:?}, which is no template"))
            }
            _ => None,
        }
    };
    texts.iter().filter_map(mistake).collect()
}

/// The mistakes that they have together. Tera tells all that are alike.
fn mistakes_together(tera: &mut Tera, texts: &Texts) -> Vec<String> {
    let pairs = texts.iter().map(|(name, text)| (name, text));
    tera.add_raw_templates(pairs).err().map(|error| error.to_string()).into_iter().collect()
}
