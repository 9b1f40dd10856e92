//! The macros of Gannet. Use them by the crate `gannet`, whose paths what they write names.
//!
//! They need no parser of Rust: a function is its attributes, its head and its body, and those are told apart by their tokens. So nothing
//! is compiled before `gannet` itself but this crate.

#![forbid(unsafe_code)]

mod embed;
mod function;
mod mistake;

use proc_macro::TokenStream;

use function::Function;
use mistake::Mistake;

/// Runs an async `main` on a Tokio runtime of this thread.
///
/// ```ignore
/// #[gannet::main]
/// async fn main() -> gannet::Result<()> {
///     App::new().get("/", "hello").listen("127.0.0.1:8080").run().await
/// }
/// ```
///
/// The function may return nothing, an `ExitCode`, or a `Result` of these whose error is, or can be made into, a `Box<dyn Error>`. An error is printed
/// to standard error with what caused it, and the exit status is 1.
#[proc_macro_attribute]
pub fn main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(item, |item| {
        if let Some(token) = arguments.into_iter().next() {
            let message = "#[gannet::main] takes no arguments: the workers are App::workers(n)";
            return Err(Mistake::at(token.span(), message));
        }
        let function = Function::parse(item)?.checked("#[gannet::main]")?;
        if function.name() != "main" {
            let message = "#[gannet::main] belongs on `async fn main`";
            return Err(Mistake::at(function.name_span(), message));
        }
        Ok(function.wrapped("", "::std::process::ExitCode", "::gannet::__private::main"))
    })
}

/// Runs an async test on a Tokio runtime of this thread, whose clock is virtual: it stands still while anything is done, and where all that is left is to
/// wait it goes on to the next timer at once. So a test of an hour takes no time.
///
/// ```ignore
/// #[gannet::test]
/// async fn greets() {
///     let client = App::new().get("/", "hello").test();
///     client.get("/").send().await.assert_status(200).assert_text("hello");
/// }
/// ```
///
/// What waits for something outside of Tokio (a database's own threads, another process) is not seen to be waiting for it: timeouts around it
/// pass at once. Such tests are `#[gannet::test(real_time)]`.
///
/// `#[should_panic]`, `#[ignore]` and a `Result` mean what they do for `#[test]`.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(item, |item| {
        let mut arguments = arguments.into_iter();
        let run = match (arguments.next(), arguments.next()) {
            (None, _) => "::gannet::__private::test",
            (Some(word), None) if word.to_string() == "real_time" => "::gannet::__private::test_in_real_time",
            (Some(word), _) => {
                let message = "#[gannet::test] takes `real_time`, or nothing: `#[gannet::test(real_time)]`";
                return Err(Mistake::at(word.span(), message));
            }
        };
        let function = Function::parse(item)?.checked("#[gannet::test]")?;
        Ok(function.wrapped("#[::core::prelude::v1::test]", "", run))
    })
}

/// The files of a folder of the package, as a `gannet::Embedded`: inside the program where it is built without `debug_assertions`, as for release;
/// else read from the folder when they are asked for. `embed!("public", always)` has them inside the program in any case.
///
/// ```ignore
/// static PUBLIC: gannet::Embedded = gannet::embed!("public");
/// App::new().files("/", PUBLIC);
/// ```
///
/// What is hidden (`.name`) is left out, but for `.well-known`. A file that changes builds the program anew; that one was added Cargo does not see, unless a
/// build script tells it (`cargo::rerun-if-changed=public`).
#[proc_macro]
pub fn embed(input: TokenStream) -> TokenStream {
    embed::expand(input).unwrap_or_else(|mistake| mistake.compile_error())
}

/// What `write` makes of an item; where that is a mistake, the item as it was beside it, so that nothing else is reported for want of it. A `main` of which
/// the compiler would say that it is async is put into one that is not.
fn expand(item: TokenStream, write: impl FnOnce(TokenStream) -> Result<TokenStream, Mistake>) -> TokenStream {
    write(item.clone()).unwrap_or_else(|mistake| {
        let mut tokens = mistake.compile_error();
        let function = Function::parse(item.clone());
        let is_async_main = function.is_ok_and(|function| function.is_async() && function.name() == "main");
        tokens.extend(if is_async_main { function::unused(item) } else { item });
        tokens
    })
}
