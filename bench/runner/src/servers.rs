//! The servers that can be measured, one row each: how each is started and what it can answer.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    process::{Process, free_port},
    site::{HELLO, Site},
};

/// The folder of Gannet's own workspace, in which this one lies.
pub fn repository() -> &'static Path {
    let runner = Path::new(env!("CARGO_MANIFEST_DIR"));
    runner.ancestors().nth(2).expect("the runner lies in bench, and bench in the repository")
}

/// What a server is to answer in a scenario.
#[derive(Clone, Debug)]
pub struct Work {
    /// The file asked for; `None` stands for the 13 bytes that every server knows.
    pub file: Option<&'static str>,
    /// The length of the body.
    pub body_bytes: u64,
    /// Requests sent at once: the null servers answer as many with one constant.
    pub depth: u32,
}

impl Work {
    /// The 13 bytes, asked for `depth` at once.
    pub fn hello(depth: u32) -> Work {
        Work { file: None, body_bytes: HELLO.len() as u64, depth }
    }
}

/// One server that can be measured.
pub struct Server {
    /// Its name in tables and in `--servers`.
    pub name: String,
    /// The target that answers the 13 bytes.
    hello_path: &'static str,
    /// Whether it serves the files of a folder, or bodies as long.
    serves_files: bool,
    command: Box<Start>,
}

/// Makes the command that starts a server; the error names what is missing.
type Start = dyn Fn(&Place<'_>) -> io::Result<Command>;

/// What a server needs to be told when it is started.
struct Place<'a> {
    port: u16,
    site: &'a Site,
    work: &'a Work,
}

impl Server {
    fn new(
        name: &str,
        hello_path: &'static str,
        serves_files: bool,
        command: impl Fn(&Place<'_>) -> io::Result<Command> + 'static,
    ) -> Server {
        Server { name: name.to_owned(), hello_path, serves_files, command: Box::new(command) }
    }

    /// Whether it can do this work at all.
    pub fn can(&self, work: &Work) -> bool {
        work.file.is_none() || self.serves_files
    }

    /// Whether it looks at nothing: its cost is the floor.
    pub fn is_null(&self) -> bool {
        self.name.starts_with("null-")
    }

    /// The target that asks it for this work.
    pub fn path(&self, work: &Work) -> String {
        work.file.map_or_else(|| self.hello_path.to_owned(), |file| format!("/{file}"))
    }

    /// Starts it on a free port. The error says what is missing, or why it did not serve.
    pub fn start(&self, site: &Site, work: &Work, processor: usize) -> io::Result<Process> {
        let port = free_port()?;
        let command = (self.command)(&Place { port, site, work })?;
        let log = site.scratch().join(format!("{}.log", self.name));
        Process::start(command, port, self.hello_path, processor, &log)
    }
}

/// Every server that the bench knows, the null servers first.
pub fn all() -> Vec<Server> {
    vec![
        Server::new("null-epoll", "/", true, |place| null("null-epoll", place)),
        Server::new("null-uring", "/", true, |place| null("null-uring", place)),
        Server::new("gannet-epoll", "/hello.txt", true, |place| gannet("epoll", place)),
        Server::new("gannet-uring", "/hello.txt", true, |place| gannet("uring", place)),
        Server::new("gannet-hello-epoll", "/", false, |place| gannet_hello("epoll", place)),
        Server::new("gannet-hello-uring", "/", false, |place| gannet_hello("uring", place)),
        Server::new("axum", "/hello.txt", true, |place| {
            let mut command = own("peer-axum", place)?;
            command.arg(place.site.root());
            Ok(command)
        }),
        Server::new("actix", "/hello.txt", false, |place| own("peer-actix", place)),
        Server::new("hyper", "/", false, |place| own("peer-hyper", place)),
        Server::new("may", "/", false, |place| own("peer-may", place)),
        Server::new("nginx", "/hello.txt", true, nginx),
        Server::new("nginx-constant", "/constant", false, nginx),
    ]
}

/// A server given on the command line as `NAME=COMMAND`, in which `{port}` and `{root}` are replaced.
pub fn extra(text: &str) -> Result<Server, String> {
    let (name, line) = text.split_once('=').ok_or_else(|| format!("{text}: expected NAME=COMMAND"))?;
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let program = words.first().ok_or_else(|| format!("{text}: there is no command"))?.clone();
    Ok(Server::new(name, "/hello.txt", true, move |place| {
        let mut command = Command::new(existing(&program)?);
        for word in &words[1..] {
            let word = word.replace("{port}", &place.port.to_string());
            command.arg(word.replace("{root}", &place.site.root().to_string_lossy()));
        }
        Ok(command)
    }))
}

/// The servers that `names` name: by their whole name, or by what stands before a `-`. No names, all servers.
pub fn choose(servers: Vec<Server>, names: &[String]) -> Result<Vec<Server>, String> {
    let matches = |server: &Server, name: &String| {
        server.name == *name
            || server.name.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('-'))
    };
    if let Some(name) = names.iter().find(|name| !servers.iter().any(|server| matches(server, name))) {
        let known: Vec<_> = servers.iter().map(|server| server.name.as_str()).collect();
        return Err(format!("no server is called {name}; there are {}", known.join(", ")));
    }
    let wanted = |server: &Server| names.is_empty() || names.iter().any(|name| matches(server, name));
    Ok(servers.into_iter().filter(wanted).collect())
}

/// A program of this workspace, which was built beside the bench itself.
fn own(program: &str, place: &Place<'_>) -> io::Result<Command> {
    let path = env::current_exe()?.with_file_name(program);
    let mut command = Command::new(existing(path)?);
    command.arg(place.port.to_string());
    Ok(command)
}

fn null(program: &str, place: &Place<'_>) -> io::Result<Command> {
    let mut command = own(program, place)?;
    command.args(["1", &place.work.body_bytes.to_string(), &place.work.depth.to_string()]);
    Ok(command)
}

fn gannet(backend: &str, place: &Place<'_>) -> io::Result<Command> {
    let mut command = Command::new(gannet_program("GANNET_BIN", &["gannet"], "cargo build --release")?);
    command.arg(place.site.root()).args(["--listen", &format!("127.0.0.1:{}", place.port)]);
    command.args(["--workers", "1", "--backend", backend, "-q"]);
    Ok(command)
}

/// The library's own hello: told by environment, as every flag of Gannet can be.
fn gannet_hello(backend: &str, place: &Place<'_>) -> io::Result<Command> {
    let build = "cargo build --release --workspace --examples --bins";
    let mut command = Command::new(gannet_program("GANNET_HELLO_BIN", &["hello", "examples/hello"], build)?);
    command.env("GANNET_LISTEN", format!("127.0.0.1:{}", place.port));
    command.env("GANNET_WORKERS", "1").env("GANNET_BACKEND", backend);
    Ok(command)
}

/// A program of Gannet's own workspace: the variable names it, or it lies in that workspace's target folder.
fn gannet_program(variable: &str, places: &[&str], build: &str) -> io::Result<PathBuf> {
    if let Some(path) = env::var_os(variable) {
        return existing(path);
    }
    let folder = repository().join("target/release");
    places.iter().map(|place| folder.join(place)).find(|path| path.is_file()).ok_or_else(|| {
        io::Error::other(format!(
            "target/release/{} is not there: run `{build}`, or set {variable}",
            places[0]
        ))
    })
}

fn nginx(place: &Place<'_>) -> io::Result<Command> {
    let path = env::var_os("PATH").unwrap_or_default();
    let program = env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join("nginx"))
        .find(|program| program.is_file())
        .ok_or_else(|| io::Error::other("nginx is not installed"))?;
    let scratch = place.site.scratch();
    let configuration = include_str!("../../peers/nginx.conf")
        .replace("SCRATCH", &scratch.to_string_lossy())
        .replace("ROOT", &place.site.root().to_string_lossy())
        .replace("PORT", &place.port.to_string())
        .replace("HELLO", HELLO);
    let file = scratch.join(format!("nginx-{}.conf", place.port));
    fs::write(&file, configuration)?;
    let mut command = Command::new(program);
    command.arg("-p").arg(scratch).arg("-c").arg(file).args(["-e", "stderr"]);
    Ok(command)
}

fn existing(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let path = path.as_ref();
    if path.is_file() {
        Ok(path.to_owned())
    } else {
        Err(io::Error::other(format!("{} does not exist", path.display())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str]) -> Vec<String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        choose(all(), &names).unwrap().into_iter().map(|server| server.name).collect()
    }

    #[test]
    fn a_family_is_chosen_by_its_first_word() {
        assert_eq!(chosen(&["null"]), ["null-epoll", "null-uring"]);
        assert_eq!(chosen(&["actix", "nginx-constant"]), ["actix", "nginx-constant"]);
    }

    #[test]
    fn no_names_choose_every_server() {
        assert_eq!(chosen(&[]).len(), all().len());
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_known_ones() {
        let error = choose(all(), &["apache".to_owned()]).map(|_| ()).unwrap_err();
        assert!(error.contains("apache") && error.contains("nginx"), "{error}");
    }

    #[test]
    fn an_extra_server_needs_a_name_and_a_command() {
        assert!(extra("true").is_err());
        assert!(extra("name=").is_err());
        assert_eq!(extra("other=/bin/other {port} 1").unwrap().name, "other");
    }
}
