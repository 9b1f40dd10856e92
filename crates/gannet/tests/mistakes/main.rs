//! What the compiler says of the mistakes that newcomers make.
//!
//! Each file in `programs` is a program with one mistake, said in its first lines with the way out. It must not compile, and what the compiler says is beside it (`.stderr`), so that
//! who changes the library sees whether that can still be read. A program without a mistake (`right.rs`) must compile: so the others fail for their mistakes.
//!
//! The compiler is called on the libraries that are built for this test, which takes a third of a second a program. `GANNET_MISTAKES=write` writes what it says.

mod compiler;
mod page;
mod said;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use compiler::Compiler;

/// The compiler whose words are kept. Another one has its own, and then it is only asked whether the programs compile.
const KEPT_WORDS_ARE_OF: &str = "rustc 1.95.";

#[test]
fn the_commonest_mistakes_are_told_in_words_that_can_be_read() {
    let folder = folder();
    let compiler = Compiler::find(&folder);
    let programs = programs(&folder);
    assert!(programs.len() >= 30, "there are {} programs", programs.len());
    let write = is_to_be_written();
    let is_known = compiler.version().starts_with(KEPT_WORDS_ARE_OF);
    if !is_known {
        eprintln!("left out: what {} says; kept is what {KEPT_WORDS_ARE_OF}x says", compiler.version());
    }
    let wrong = each(&programs, |program| {
        let Err(said) = compiler.compile(program) else { return Some("it compiles".to_owned()) };
        let said = said::told(&said);
        let kept = program.with_extension("stderr");
        if write {
            fs::write(&kept, said).expect("the repository can be written to");
            return None;
        }
        let expected = fs::read_to_string(&kept).unwrap_or_default();
        (is_known && said != expected).then(|| format!("kept is:\n{expected}\nthe compiler says:\n{said}"))
    });
    if write {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
        fs::write(page, page::page(&programs)).expect("the repository can be written to");
    }
    let wrong: Vec<String> =
        wrong.into_iter().map(|(program, what)| format!("{}: {what}", program.display())).collect();
    assert!(wrong.is_empty(), "{}\nIf that is better: GANNET_MISTAKES=write", wrong.join("\n"));
}

#[test]
fn the_guide_has_a_page_of_them() {
    if is_to_be_written() {
        return; // by the other test
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let is = fs::read_to_string(&page).unwrap_or_default();
    assert!(
        is == page::page(&programs(&folder())),
        "{PAGE} is not what GANNET_MISTAKES=write makes of the programs"
    );
}

/// From this package's folder.
const PAGE: &str = "../../docs/guide/11-mistakes.md";

fn is_to_be_written() -> bool {
    std::env::var("GANNET_MISTAKES").is_ok_and(|value| value == "write")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes/programs")
}

/// The programs with mistakes.
fn programs(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    let is_program = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    let mut programs: Vec<PathBuf> =
        paths.filter(|path| is_program(path) && !path.ends_with(compiler::RIGHT)).collect();
    programs.sort();
    programs
}

/// What `check` finds of each, on as many threads as there are cores.
fn each<T: Send>(programs: &[PathBuf], check: impl Fn(&Path) -> Option<T> + Sync) -> Vec<(&PathBuf, T)> {
    let (left, found) = (Mutex::new(programs.iter()), Mutex::new(Vec::new()));
    let next = || left.lock().expect("nobody panicked").next();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(program) = next() {
                    if let Some(what) = check(program) {
                        found.lock().expect("nobody panicked").push((program, what));
                    }
                }
            });
        }
    });
    found.into_inner().expect("nobody panicked")
}
