//! An async function without arguments, by its tokens: attributes, then what is before `fn`, a name, `()`, a return type, a body.

use proc_macro::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

use crate::mistake::Mistake;

/// A function's parts.
pub(crate) struct Function {
    attributes: TokenStream,
    /// What is before `async`: its visibility, if there is one.
    visibility: TokenStream,
    is_async: bool,
    /// Where `fn` is.
    fn_span: Span,
    name: Ident,
    arguments: Group,
    /// `-> T`, or nothing.
    output: TokenStream,
    body: Group,
}

impl Function {
    /// Takes an item apart.
    pub(crate) fn parse(item: TokenStream) -> Result<Function, Mistake> {
        let mut tokens = item.into_iter().peekable();
        let mut attributes = Vec::new();
        while tokens.peek().is_some_and(|token| is_punct(token, '#')) {
            attributes.extend(tokens.next());
            attributes.extend(tokens.next());
        }
        let (mut visibility, mut is_async) = (Vec::new(), false);
        let fn_span = loop {
            let Some(token) = tokens.next() else { return Err(no_function(Span::call_site())) };
            match word(&token).as_deref() {
                Some("fn") => break token.span(),
                Some("async") => is_async = true,
                Some("pub") => visibility.push(token),
                _ if matches!(&token, TokenTree::Group(_)) && !visibility.is_empty() => {
                    visibility.push(token);
                }
                _ => return Err(no_function(token.span())),
            }
        };
        let Some(TokenTree::Ident(name)) = tokens.next() else { return Err(no_function(fn_span)) };
        let arguments = match tokens.next() {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => group,
            Some(token) => return Err(Mistake::at(token.span(), "this function cannot be generic")),
            None => return Err(no_function(fn_span)),
        };
        let mut rest: Vec<TokenTree> = tokens.collect();
        let Some(TokenTree::Group(body)) = rest.pop() else { return Err(no_function(fn_span)) };
        let (attributes, visibility) = (attributes.into_iter().collect(), visibility.into_iter().collect());
        let output = rest.into_iter().collect();
        Ok(Function { attributes, visibility, is_async, fn_span, name, arguments, output, body })
    }

    /// The function, if it is async and takes nothing.
    pub(crate) fn checked(self, attribute: &str) -> Result<Function, Mistake> {
        let name = &self.name;
        if !self.is_async {
            let message = format!("{attribute} needs an async function: write `async fn {name}`");
            return Err(Mistake::at(self.fn_span, message));
        }
        if let Some(argument) = self.arguments.stream().into_iter().next() {
            let message =
                format!("a function under {attribute} takes no arguments: write `async fn {name}()`");
            return Err(Mistake::at(argument.span(), message));
        }
        Ok(self)
    }

    pub(crate) fn is_async(&self) -> bool {
        self.is_async
    }

    pub(crate) fn name(&self) -> String {
        self.name.to_string()
    }

    pub(crate) fn name_span(&self) -> Span {
        self.name.span()
    }

    /// A plain function around it, of the same name, which has the attributes and hands the future to `run`. It returns `output`, or what the
    /// function does where that is empty.
    ///
    /// ```text
    /// #[attribute] pub fn name() -> Output {
    ///     async fn name() -> T { body }
    ///     run(name())
    /// }
    /// ```
    pub(crate) fn wrapped(self, attribute: &str, output: &str, run: &str) -> TokenStream {
        let Function { attributes, visibility, fn_span, name, arguments, output: returned, body, .. } = self;
        let word = |word, span| TokenTree::Ident(Ident::new(word, span));
        let call = [TokenTree::Ident(name.clone()), TokenTree::Group(arguments.clone())];
        let call = Group::new(Delimiter::Parenthesis, call.into_iter().collect());
        let mut inner = TokenStream::new();
        inner.extend([word("async", fn_span), word("fn", fn_span), TokenTree::Ident(name.clone())]);
        inner.extend([TokenTree::Group(arguments.clone())]);
        inner.extend(returned.clone());
        inner.extend([TokenTree::Group(body)]);
        inner.extend(tokens(run));
        inner.extend([TokenTree::Group(call)]);
        let mut outer = tokens(attribute);
        outer.extend(attributes);
        outer.extend(visibility);
        outer.extend([word("fn", fn_span), TokenTree::Ident(name), TokenTree::Group(arguments)]);
        outer.extend(if output.is_empty() { returned } else { tokens(&format!("-> {output}")) });
        outer.extend([TokenTree::Group(Group::new(Delimiter::Brace, inner))]);
        outer
    }
}

/// `fn main() { item }`, which does nothing.
pub(crate) fn unused(item: TokenStream) -> TokenStream {
    let mut body = tokens("#[allow(dead_code)]");
    body.extend(item);
    let mut main = tokens("fn main()");
    main.extend([TokenTree::Group(Group::new(Delimiter::Brace, body))]);
    main
}

/// Tokens that we write ourselves.
fn tokens(text: &str) -> TokenStream {
    text.parse().expect("what is written here is made of tokens")
}

fn no_function(span: Span) -> Mistake {
    Mistake::at(span, "this attribute belongs on an async function")
}

fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

fn word(token: &TokenTree) -> Option<String> {
    match token {
        TokenTree::Ident(word) => Some(word.to_string()),
        _ => None,
    }
}
