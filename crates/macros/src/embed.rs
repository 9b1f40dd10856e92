//! The files of a folder, as they are when the program is built.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro::{Span, TokenStream, TokenTree};

use crate::mistake::Mistake;

/// What `embed!` becomes: the folder while developing, or its files; those always if that was said.
pub(crate) fn expand(input: TokenStream) -> Result<TokenStream, Mistake> {
    let (literal, always) = arguments(input)?;
    let span = literal.span();
    let text = literal.to_string();
    let name = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let Some(name) = name.filter(|name| !name.contains('\\')) else {
        return Err(Mistake::at(span, format!("{text} is no folder's name: write embed!(\"public\")")));
    };
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let folder = root.join(name);
    let folder = folder.canonicalize().ok().filter(|folder| folder.is_dir()).ok_or_else(|| {
        let message =
            format!("there is no folder {}: the name counts from the package's own", folder.display());
        Mistake::at(span, message)
    })?;
    let mut files = Vec::new();
    list(&folder, "", span, &mut files)?;
    files.sort_unstable();
    Ok(written(&unicode(&folder, span)?, &files, always))
}

/// The folder's name, and whether `always` follows it.
fn arguments(input: TokenStream) -> Result<(TokenTree, bool), Mistake> {
    let mut tokens = input.into_iter();
    let usage = "embed! takes a folder's name, and perhaps `always`: embed!(\"public\")";
    let Some(literal) = tokens.next() else { return Err(Mistake::at(Span::call_site(), usage)) };
    let rest: Vec<TokenTree> = tokens.collect();
    match &rest[..] {
        [] => Ok((literal, false)),
        [comma] if comma.to_string() == "," => Ok((literal, false)),
        [comma, word] if comma.to_string() == "," && word.to_string() == "always" => Ok((literal, true)),
        [other, ..] => Err(Mistake::at(other.span(), usage)),
    }
}

/// All files below a folder, by their paths below the first one, and on this machine. What is hidden is left out.
fn list(folder: &Path, prefix: &str, span: Span, files: &mut Vec<(String, String)>) -> Result<(), Mistake> {
    let failed = |error| Mistake::at(span, format!("{} cannot be read: {error}", folder.display()));
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = unicode(Path::new(path.file_name().unwrap_or_default()), span)?;
        if name.starts_with('.') && name != ".well-known" {
            continue;
        }
        let below = format!("{prefix}{name}");
        match path.is_dir() {
            true => list(&path, &format!("{below}/"), span, files)?,
            false => files.push((below, unicode(&path, span)?)),
        }
    }
    Ok(())
}

fn unicode(path: &Path, span: Span) -> Result<String, Mistake> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| Mistake::at(span, format!("the name {} is no UTF-8", path.display())))
}

/// A block that gives a `gannet::Embedded`. The compiler reads the files, so that a change of one builds the program anew.
fn written(folder: &str, files: &[(String, String)], always: bool) -> TokenStream {
    let file = |(path, place): &(String, String)| {
        format!("({path:?}, ::core::include_bytes!({place:?}) as &'static [u8]),")
    };
    let files: String = files.iter().map(file).collect();
    let program = format!("::gannet::Embedded::program(&[{files}])");
    let text = match always {
        true => format!("{{ {program} }}"),
        false => format!(
            "{{ #[cfg(debug_assertions)] let embedded = ::gannet::Embedded::folder({folder:?}); \
             #[cfg(not(debug_assertions))] let embedded = {program}; \
             embedded }}"
        ),
    };
    text.parse().expect("what is written here is made of tokens")
}
