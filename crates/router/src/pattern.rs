//! What a pattern says, segment by segment, and what may be wrong with it.
//!
//! A pattern is read once, when it is added. What is kept of it is its *shape*: its text with a mark in the place of each
//! parameter and of the wildcard. Two patterns of one shape match the same paths.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::mistake::Problem;
use crate::word::{nth_slash, slash};

/// Parameters of one pattern, a named wildcard among them. Beyond it the pattern is a mistake: a parameter is found by comparing names one
/// after the other, and no handler takes so many.
pub const PARAMETERS: usize = 16;

/// In the place of a parameter. No path has it: what a static segment is made of is checked.
pub(crate) const PARAMETER: char = '\u{1}';
/// In the place of a wildcard.
pub(crate) const WILDCARD: char = '\u{2}';

/// A parameter of a pattern: which part of a path it stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parameter {
    name: String,
    /// Which segment of the path, counted from 0.
    segment: usize,
    /// This segment and all behind it.
    is_wildcard: bool,
}

impl Parameter {
    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its part of a path that its pattern matches, as offsets; for other paths offsets that mean nothing, but lie within.
    pub fn span(&self, path: &str) -> core::ops::Range<usize> {
        let path = path.as_bytes();
        let start = (nth_slash(path, 0, self.segment) + 1).min(path.len());
        start..if self.is_wildcard { path.len() } else { slash(path, start) }
    }
}

/// A pattern that was read.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) shape: String,
    pub(crate) parameters: Vec<Parameter>,
}

impl Pattern {
    /// Reads a pattern.
    pub(crate) fn read(text: &str) -> Result<Pattern, Problem> {
        let Some(segments) = text.strip_prefix('/') else { return Err(Problem::NoSlash) };
        let mut pattern = Pattern { shape: String::with_capacity(text.len()), parameters: Vec::new() };
        let mut at = 1;
        for (index, segment) in segments.split('/').enumerate() {
            pattern.shape.push('/');
            let is_last = at + segment.len() == text.len();
            pattern.read_segment(segment, index, is_last).map_err(|problem| problem.moved(at))?;
            at += segment.len() + 1;
        }
        if pattern.parameters.len() > PARAMETERS {
            return Err(Problem::TooManyParameters { count: pattern.parameters.len() });
        }
        Ok(pattern)
    }

    /// Whether it matches one path only.
    pub(crate) fn is_exact(&self) -> bool {
        !self.shape.contains([PARAMETER, WILDCARD])
    }

    fn read_segment(&mut self, segment: &str, index: usize, is_last: bool) -> Result<(), Problem> {
        match dynamic(segment)? {
            Dynamic::No => self.read_static(segment),
            Dynamic::Parameter(name) => {
                self.shape.push(PARAMETER);
                self.name(name, index, false)
            }
            Dynamic::Wildcard(_) if !is_last => Err(Problem::Star { at: 0 }),
            Dynamic::Wildcard(name) => {
                self.shape.push(WILDCARD);
                if name.is_empty() { Ok(()) } else { self.name(name, index, true) }
            }
        }
    }

    fn name(&mut self, name: &str, segment: usize, is_wildcard: bool) -> Result<(), Problem> {
        let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if name.is_empty() {
            return Err(Problem::NoName { at: 0 });
        }
        if !name.bytes().all(is_name_byte) {
            return Err(Problem::Name { at: 0, name: name.to_string() });
        }
        if self.parameters.iter().any(|other| other.name == name) {
            return Err(Problem::NameTwice { at: 0, name: name.to_string() });
        }
        self.parameters.push(Parameter { name: name.to_string(), segment, is_wildcard });
        Ok(())
    }

    /// Text as it is, but for marks written twice, which stand for themselves.
    fn read_static(&mut self, segment: &str) -> Result<(), Problem> {
        let mut characters = segment.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            match character {
                ':' | '{' | '}' if characters.next_if(|(_, next)| *next == character).is_some() => {}
                ':' | '{' => return Err(Problem::PartOfSegment { at }),
                '}' => return Err(Problem::Brace { at }),
                '*' => return Err(Problem::Star { at }),
                '?' | '#' => return Err(Problem::Unmatchable { at, character }),
                _ if !character.is_ascii_graphic() => return Err(Problem::Unmatchable { at, character }),
                _ => {}
            }
            self.shape.push(character);
        }
        Ok(())
    }
}

/// A pattern as a URI template (RFC 6570) with the names of its parameters, from left to right: `/users/{id}` of `/users/:id`. `None` of what is no pattern,
/// and of one that ends in a wildcard without a name.
pub fn uri_template(pattern: &str) -> Option<(String, Vec<String>)> {
    let Pattern { shape, parameters } = Pattern::read(pattern).ok()?;
    let mut names = parameters.iter().map(Parameter::name);
    let mut template = String::with_capacity(pattern.len() + 1);
    for character in shape.chars() {
        match character {
            PARAMETER | WILDCARD => {
                template.push('{');
                template.push_str(names.next()?);
                template.push('}');
            }
            character => template.push(character),
        }
    }
    Some((template, parameters.into_iter().map(|parameter| parameter.name).collect()))
}

/// What a segment stands for.
enum Dynamic<'a> {
    /// Itself.
    No,
    /// Any one segment.
    Parameter(&'a str),
    /// All that is left.
    Wildcard(&'a str),
}

fn dynamic(segment: &str) -> Result<Dynamic<'_>, Problem> {
    let is_literal = segment.starts_with("::") || segment.starts_with("{{");
    if is_literal {
        return Ok(Dynamic::No);
    }
    if let Some(name) = segment.strip_prefix(':') {
        return Ok(Dynamic::Parameter(name));
    }
    if let Some(name) = segment.strip_prefix('*') {
        return if name.starts_with('*') {
            Err(Problem::Star { at: 1 })
        } else {
            Ok(Dynamic::Wildcard(name))
        };
    }
    let Some(braced) = segment.strip_prefix('{') else { return Ok(Dynamic::No) };
    let Some(name) = braced.strip_suffix('}') else {
        let at = 0;
        let closes = braced.contains('}');
        return Err(if closes { Problem::PartOfSegment { at } } else { Problem::Brace { at } });
    };
    Ok(name.strip_prefix('*').map_or(Dynamic::Parameter(name), Dynamic::Wildcard))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> String {
        Pattern::read(text).expect("a sound pattern").shape
    }

    fn problem(text: &str) -> Problem {
        Pattern::read(text).expect_err("a mistake")
    }

    #[test]
    fn colons_and_braces_mean_the_same() {
        assert_eq!(shape("/users/:id/x"), "/users/\u{1}/x");
        assert_eq!(shape("/users/{id}/x"), "/users/\u{1}/x");
        assert_eq!(shape("/a/*"), "/a/\u{2}");
        assert_eq!(shape("/a/*rest"), "/a/\u{2}");
        assert_eq!(shape("/a/{*rest}"), "/a/\u{2}");
        assert_eq!(shape("/"), "/");
        assert_eq!(shape("/*"), "/\u{2}");
    }

    #[test]
    fn marks_written_twice_stand_for_themselves() {
        assert_eq!(shape("/items::search"), "/items:search");
        assert_eq!(shape("/::id/{{a}}"), "/:id/{a}");
        assert!(Pattern::read("/::id").expect("sound").is_exact());
    }

    #[test]
    fn a_parameter_s_span_is_its_segment_and_a_named_wildcard_s_all_that_is_left() {
        let pattern = Pattern::read("/:a/b/{c}/*d").expect("sound");
        let path = "/1/b/22/3/4/";
        let values: Vec<_> =
            pattern.parameters.iter().map(|one| (one.name(), &path[one.span(path)])).collect();
        assert_eq!(values, [("a", "1"), ("c", "22"), ("d", "3/4/")]);
        assert_eq!(pattern.parameters[2].span("/x"), 2..2, "of another path: something within it");
    }

    #[test]
    fn a_uri_template_has_the_names_in_braces_and_marks_that_stand_for_themselves_once() {
        let template = |pattern| uri_template(pattern).map(|(template, names)| (template, names.join(" ")));
        let some = |template: &str, names: &str| Some((template.to_string(), names.to_string()));
        assert_eq!(template("/users/:id/x/{name}"), some("/users/{id}/x/{name}", "id name"));
        assert_eq!(template("/files/*path"), some("/files/{path}", "path"));
        assert_eq!(template("/items::search"), some("/items:search", ""));
        assert_eq!(template("/"), some("/", ""));
        assert_eq!((template("/assets/*"), template("no slash")), (None, None));
    }

    #[test]
    fn each_mistake_says_where_it_is() {
        assert_eq!(problem(""), Problem::NoSlash);
        assert_eq!(problem("users"), Problem::NoSlash);
        for (text, at) in [("/a*", 2), ("/*/b", 1), ("/a/*a/", 3), ("/{*a}/b", 1), ("/a/b*c", 4), ("/**", 2)]
        {
            assert_eq!(problem(text), Problem::Star { at }, "{text}");
        }
        for (text, at) in [("/v:version", 2), ("/a/v{version}", 4), ("/{name}.json", 1), ("/{a}{b}c", 1)] {
            assert_eq!(problem(text), Problem::PartOfSegment { at }, "{text}");
        }
        for (text, at) in [("/{id", 1), ("/a/id}", 5), ("/}", 1)] {
            assert_eq!(problem(text), Problem::Brace { at }, "{text}");
        }
        for text in ["/a/:", "/a/{}", "/:/b"] {
            assert!(matches!(problem(text), Problem::NoName { .. }), "{text}");
        }
        assert_eq!(problem("/:name.json"), Problem::Name { at: 1, name: "name.json".into() });
        assert_eq!(problem("/{a}{b}"), Problem::Name { at: 1, name: "a}{b".into() });
        assert_eq!(problem("/:a/{a}"), Problem::NameTwice { at: 4, name: "a".into() });
        assert_eq!(problem("/:a/*a"), Problem::NameTwice { at: 4, name: "a".into() });
    }

    #[test]
    fn what_no_path_has_is_a_mistake() {
        for (text, at, character) in [
            ("/a?b", 2, '?'),
            ("/a#b", 2, '#'),
            ("/a b", 2, ' '),
            ("/caf\u{e9}", 4, '\u{e9}'),
            ("/\u{1}", 1, '\u{1}'),
        ] {
            assert_eq!(problem(text), Problem::Unmatchable { at, character }, "{text}");
        }
    }

    #[test]
    fn parameters_are_bounded() {
        let pattern = |count: usize| (0..count).map(|n| alloc::format!("/:p{n}")).collect::<String>();
        assert_eq!(
            Pattern::read(&pattern(PARAMETERS)).expect("as many as may be").parameters.len(),
            PARAMETERS
        );
        assert_eq!(problem(&pattern(PARAMETERS + 1)), Problem::TooManyParameters { count: PARAMETERS + 1 });
        assert_eq!(
            problem(&(pattern(PARAMETERS) + "/*rest")),
            Problem::TooManyParameters { count: PARAMETERS + 1 }
        );
        assert!(Pattern::read(&(pattern(PARAMETERS) + "/*")).is_ok());
    }
}
