//! What the compiler said, without what changes though nobody changed a message.

/// What begins a list of all types that would do.
const LISTS: &[&str] = &["the following other types implement trait", " is implemented for `"];
/// Other lines that are left out, by what they contain: they are about the library, or how the compiler ends.
const LEFT_OUT: &[&str] = &[
    "in this macro invocation",
    "this error originates in the macro",
    "the full name for the type has been written to",
    "consider using `--verbose` to print the full type name",
    "aborting due to",
    "For more information about",
    "Some errors have detailed explanations",
];

/// The lines about the program.
pub fn told(said: &str) -> String {
    let mut told: Vec<&str> = Vec::new();
    let mut in_list = false;
    for line in said.lines() {
        in_list = begins_list(line) || in_list && is_listed(line);
        let is_gutter = line.trim() == "|";
        // A gutter that nothing follows, or that another one precedes, frames what was left out.
        let follows_gutter = told.last().is_some_and(|last| last.trim() == "|");
        if in_list || is_left_out(line) || is_gutter && follows_gutter {
            continue;
        }
        if follows_gutter && !line.contains('|') && !line.trim_start().starts_with('=') {
            told.pop();
        }
        told.push(line);
    }
    while told.last().is_some_and(|line| line.trim().is_empty() || line.trim() == "|") {
        told.pop();
    }
    let lines =
        told.into_iter().map(|line| if is_source(line) { line.to_owned() } else { without_paths(line) });
    lines.map(|line| line.replace(env!("CARGO_MANIFEST_DIR"), "$CARGO_MANIFEST_DIR") + "\n").collect()
}

/// A line of the program, with its number.
fn is_source(line: &str) -> bool {
    line.split_once(" | ").is_some_and(|(number, _)| number.trim().parse::<u32>().is_ok())
}

/// Types by their own names: the compiler says the modules, too, as soon as any library that it knows has another type of the name.
fn without_paths(line: &str) -> String {
    let mut short = String::new();
    let mut rest = line;
    while let Some(end) = rest.find("::") {
        let (before, after) = (&rest[..end], &rest[end + 2..]);
        let is_part = |character: char| {
            character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_'
        };
        let begin = before.trim_end_matches(is_part).len();
        short.push_str(&before[..begin]);
        let leads_to_type = after.trim_start_matches(|character| is_part(character) || character == ':');
        let is_path_of_type =
            begin < end && leads_to_type.starts_with(|character: char| character.is_ascii_uppercase());
        if !is_path_of_type {
            short.push_str(&rest[begin..end + 2]);
        }
        rest = after;
    }
    short + rest
}

fn begins_list(line: &str) -> bool {
    line.contains("help: ") && LISTS.iter().any(|words| line.contains(words))
}

/// A type on a line of its own, or as a note at its place.
fn is_listed(line: &str) -> bool {
    let trimmed = line.trim_start();
    let is_noted = trimmed.starts_with("= note: `") && trimmed.ends_with('`');
    is_noted || trimmed == "|" || is_library_s_place(line) || line.starts_with("           ")
}

fn is_left_out(line: &str) -> bool {
    is_library_s_place(line) || LEFT_OUT.iter().any(|words| line.contains(words))
}

/// Programs are called by their names, and what is elsewhere by its path.
fn is_library_s_place(line: &str) -> bool {
    let trimmed = line.trim_start();
    (trimmed.starts_with("--> ") || trimmed.starts_with("::: ")) && trimmed.contains('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_the_library_is_left_out_and_what_is_said_of_the_program_stays() {
        let said = "\
error[E0277]: `u64` cannot be made into a response
  --> count.rs:10:38
   |
10 |     let _ = App::new().get(\"/count\", count);
   |                        ---           ^^^^^ not a response
   |
   = note: text can
   = help: the following other types implement trait `IntoResponse`:
             &'static str
             ()
           and 4 others
note: required by a bound in `gannet::App::get`
  --> crates/gannet/src/routes.rs:21:8
   |
  ::: crates/gannet/src/app.rs:109:4
   |
   = note: in this macro invocation

error: aborting due to 1 previous error
";
        let kept = "\
error[E0277]: `u64` cannot be made into a response
  --> count.rs:10:38
   |
10 |     let _ = App::new().get(\"/count\", count);
   |                        ---           ^^^^^ not a response
   |
   = note: text can
note: required by a bound in `App::get`
";
        assert_eq!(told(said), kept);
    }

    #[test]
    fn types_are_called_by_their_own_names_and_all_else_as_it_is() {
        assert_eq!(without_paths("`std::string::String` in gannet::App::get"), "`String` in App::get");
        assert_eq!(without_paths("<_ as serde_core::de::Deserialize<'de>>"), "<_ as Deserialize<'de>>");
        assert_eq!(without_paths("a bound in `gannet::cpu`, a::b"), "a bound in `gannet::cpu`, a::b");
        assert_eq!(told(" 3 | use std::rc::Rc;\n"), " 3 | use std::rc::Rc;\n");
    }
}
