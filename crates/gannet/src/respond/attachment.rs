//! `Attachment`: what is to be saved, and as what.

use std::borrow::Cow;
use std::fmt::Write;

use gannet_core::{Response, ResponsePart};

/// Has the client save the response instead of showing it, under this name (RFC 6266): a part of a response's head.
///
/// ```
/// # use gannet::prelude::*;
/// # use gannet::Attachment;
/// App::new().get("/report", (Attachment::named("caf\u{e9}.csv"), "a,b\n"));
/// ```
///
/// Slashes and control characters of the name are left out: it is no path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attachment {
    name: Cow<'static, str>,
}

impl Attachment {
    /// Under this name.
    pub fn named(name: impl Into<Cow<'static, str>>) -> Attachment {
        Attachment { name: name.into() }
    }
}

/// The field's value: the name in ASCII for old clients, and where that is not all of it in UTF-8, too (RFC 8187).
fn disposition(name: &str) -> String {
    let name: String =
        name.chars().filter(|character| !character.is_control() && !"/\\".contains(*character)).collect();
    let mut text = String::from("attachment; filename=\"");
    let plain = |character: char| if character.is_ascii() && character != '"' { character } else { '_' };
    text.extend(name.chars().map(plain));
    text.push('"');
    if name.chars().any(|character| plain(character) != character) {
        text.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
                text.push(char::from(byte));
            } else {
                let _ = write!(text, "%{byte:02X}"); // a `String` takes all
            }
        }
    }
    text
}

impl ResponsePart for Attachment {
    fn change(self, response: Response) -> Response {
        [("Content-Disposition", disposition(&self.name))].change(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_to_old_clients_and_to_new_ones() {
        assert_eq!(disposition("a b.txt"), "attachment; filename=\"a b.txt\"");
        let both = "attachment; filename=\"caf_ _1_.txt\"; filename*=UTF-8''caf%C3%A9%20%221%22.txt";
        assert_eq!(disposition("caf\u{e9} \"1\".txt"), both);
        assert_eq!(disposition("../etc/\r\npasswd"), "attachment; filename=\"..etcpasswd\"");
    }
}
