//! `cargo xtask peers`: the servers that the benchmarks compare with. None is needed: `cargo xtask bench` leaves out, by name,
//! what is not there.
//!
//! The crates come with the build of the `bench` workspace. As root on Debian, the packages are installed. Two peers of WebSockets
//! are put below `target`: uWebSockets, which socketify brings from PyPI, behind a small program in C; and nchan, a module for
//! Debian's nginx. `--sid` also makes a folder of Debian sid with current versions, and a script for each program that starts it with that folder's own loader and
//! libraries: nothing of it is installed. The bench looks for these scripts first.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use crate::command;

/// The programs, and the Debian packages that hold them. What is only in a newer Debian is not installed from this one.
const PACKAGES: [(&str, &str); 6] = [
    ("nginx", "nginx-light"),
    ("haproxy", "haproxy"),
    ("h2o", "h2o"),
    ("nghttpd", "nghttp2-server"),
    ("strace", "strace"),
    ("debootstrap", "debootstrap"),
];
/// What is taken from sid, and where it lies there. (Its h2o is gone.)
const SID: [(&str, &str); 3] =
    [("nginx", "usr/sbin/nginx"), ("haproxy", "usr/sbin/haproxy"), ("caddy", "usr/bin/caddy")];
const MIRROR: &str = "http://deb.debian.org/debian";
/// Where sid's folder and the scripts lie: the bench knows it too.
const FOLDER: &str = "target/peers";

/// Its library is uWebSockets with an interface in C.
const SOCKETIFY: &str = "0.0.31";
const SOCKETIFY_SOURCE: &str = "bench/peers/uwebsockets.c";
/// A module of nginx: it fits only the nginx of the same Debian.
const NCHAN_PACKAGE: &str = "libnginx-mod-nchan";
const NCHAN_MODULE: &str = "usr/lib/nginx/modules/ngx_nchan_module.so";
const NCHAN_NGINX: &str = "/usr/sbin/nginx";

/// Fetches what is missing, and says what is there.
pub fn run(root: &Path, arguments: &[String]) -> ExitCode {
    if let Some(unknown) = arguments.iter().find(|argument| *argument != "--sid") {
        eprintln!("error: peers knows --sid, not `{unknown}`");
        return ExitCode::from(2);
    }
    let mut steps = vec![
        ("crates", crates(root)),
        ("packages", packages()),
        ("socketify", socketify(root)),
        ("nchan", nchan(root)),
    ];
    if !arguments.is_empty() {
        steps.push(("sid", sid(root)));
    }
    for (name, outcome) in &steps {
        match outcome {
            Ok(said) => println!("{name}: {said}"),
            Err(why) => eprintln!("error: {name}: {why}"),
        }
    }
    if steps.iter().all(|(_, outcome)| outcome.is_ok()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn crates(root: &Path) -> Result<String, String> {
    let manifest = root.join("bench/Cargo.toml");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--workspace", "--keep-going", "--manifest-path"]).arg(manifest);
    shown(cargo.current_dir(root)).map(|()| "built".to_owned())
}

fn packages() -> Result<String, String> {
    let is_missing = |(program, _): &&(&str, &str)| !command::is_there(program);
    let missing: Vec<&str> = PACKAGES.iter().filter(is_missing).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok("all are there".to_owned());
    }
    let install = format!("apt-get install {}", missing.join(" "));
    if !rustix::process::geteuid().is_root() || !command::is_there("apt-get") {
        return Ok(format!("left to you, as root on Debian: {install}"));
    }
    shown(Command::new("apt-get").args(["update", "-qq"]))?;
    let mut apt = Command::new("apt-get");
    apt.args(["install", "-y", "-qq", "--no-install-recommends"]).args(&missing);
    shown(apt.env("DEBIAN_FRONTEND", "noninteractive")).map(|()| format!("installed {}", missing.join(", ")))
}

fn sid(root: &Path) -> Result<String, String> {
    let folder = root.join(FOLDER);
    let debian = folder.join("sid");
    let is_there = |(_, path): &(&str, &str)| debian.join(path).is_file();
    if !SID.iter().all(is_there) {
        if !rustix::process::geteuid().is_root() || !command::is_there("debootstrap") {
            return Err("a folder of sid is made by root, with debootstrap".to_owned());
        }
        // What was broken off cannot be gone on with.
        let _ = fs::remove_dir_all(&debian);
        let include = format!("--include={}", SID.map(|(name, _)| name).join(","));
        let mut debootstrap = Command::new("debootstrap");
        shown(debootstrap.args(["--variant=minbase", &include, "sid"]).arg(&debian).arg(MIRROR))?;
    }
    let scripts = folder.join("bin");
    fs::create_dir_all(&scripts).map_err(|error| format!("{}: {error}", scripts.display()))?;
    for (name, path) in SID {
        let script = scripts.join(name);
        fs::write(&script, starter(&debian, path))
            .and_then(|()| fs::set_permissions(&script, fs::Permissions::from_mode(0o755)))
            .map_err(|error| format!("{}: {error}", script.display()))?;
    }
    Ok(format!("{} start {}", scripts.display(), SID.map(|(name, _)| name).join(", ")))
}

/// A program in C before the library that socketify's package holds.
fn socketify(root: &Path) -> Result<String, String> {
    let folder = root.join(FOLDER).join(format!("socketify-{SOCKETIFY}"));
    let program = root.join(FOLDER).join("bin/socketify");
    let library =
        format!("libsocketify_linux_{}.so", if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" });
    let missing = ["python3", "cc"].into_iter().find(|program| !command::is_there(program));
    if let Some(missing) = missing {
        return Ok(format!("left out: {missing} is not installed"));
    }
    if !folder.join(&library).is_file() {
        let package = format!("socketify=={SOCKETIFY}");
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--upgrade", "--target"])
            .arg(folder.join("packages"));
        shown(pip.arg(package))?;
        let brought = folder.join("packages/socketify").join(&library);
        fs::rename(&brought, folder.join(&library))
            .map_err(|error| format!("{}: {error}", brought.display()))?;
    }
    fs::create_dir_all(root.join(FOLDER).join("bin")).map_err(|error| format!("{FOLDER}/bin: {error}"))?;
    let mut compiler = Command::new("cc");
    compiler.arg("-O2").arg(format!("-DVERSION=\"{SOCKETIFY}\"")).arg(root.join(SOCKETIFY_SOURCE));
    compiler
        .arg(folder.join(&library))
        .arg(format!("-Wl,-rpath,{}", folder.display()))
        .arg("-o")
        .arg(&program);
    shown(&mut compiler).map(|()| format!("built {}", program.display()))
}

/// The module below `target`, and a script that becomes an nginx that has it.
fn nchan(root: &Path) -> Result<String, String> {
    let folder = root.join(FOLDER).join("nchan");
    if !Path::new(NCHAN_NGINX).is_file() || !command::is_there("apt-get") {
        return Ok(format!("left out: there is no nginx of Debian's at {NCHAN_NGINX}"));
    }
    if !folder.join(NCHAN_MODULE).is_file() {
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        shown(Command::new("apt-get").args(["download", "-qq", NCHAN_PACKAGE]).current_dir(&folder))?;
        let archive = files(&folder, "deb")?.pop().ok_or("no package was fetched")?;
        shown(Command::new("dpkg").arg("-x").arg(archive).arg(&folder))?;
    }
    let archive = files(&folder, "deb")?.pop().unwrap_or_default();
    let name = archive.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let version: String =
        name.rsplit("%3a").next().unwrap_or_default().chars().take_while(|c| *c != '+').collect();
    let script = root.join(FOLDER).join("bin/nchan");
    let text = format!(
        "#!/bin/sh\n[ \"$1\" = -v ] && exec echo 'nchan {version}'\nexec {NCHAN_NGINX} -g 'load_module {}/{NCHAN_MODULE};' \"$@\"\n",
        folder.display()
    );
    fs::create_dir_all(root.join(FOLDER).join("bin"))
        .and_then(|()| fs::write(&script, text))
        .and_then(|()| fs::set_permissions(&script, fs::Permissions::from_mode(0o755)))
        .map_err(|error| format!("{}: {error}", script.display()))?;
    Ok(format!("{} starts {NCHAN_NGINX} with nchan {version}", script.display()))
}

/// The files in a folder whose names end so.
fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect())
}

/// A script that becomes the program: the loader and the libraries are those that it was built for.
fn starter(debian: &Path, program: &str) -> String {
    let debian = debian.display();
    let architecture = std::env::consts::ARCH;
    let loader =
        if architecture == "x86_64" { "lib64/ld-linux-x86-64.so.2" } else { "lib/ld-linux-aarch64.so.1" };
    format!(
        "#!/bin/sh\nexec '{debian}/{loader}' --library-path '{debian}/usr/lib/{architecture}-linux-gnu' \\\n    \
         '{debian}/{program}' \"$@\"\n"
    )
}

/// Runs a program that shows what it does.
fn shown(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{name}` ended with {status}")),
        Err(error) => Err(format!("`{name}` did not start: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_starts_a_program_with_the_loader_of_its_own_folder() {
        let script = starter(Path::new("/srv/sid"), "usr/sbin/nginx");
        assert!(script.starts_with("#!/bin/sh\nexec '/srv/sid/lib"), "{script}");
        assert!(script.contains("--library-path '/srv/sid/usr/lib/") && script.ends_with("nginx' \"$@\"\n"));
    }

    #[test]
    fn an_argument_that_is_unknown_is_refused_before_anything_is_done() {
        let refused = run(Path::new("/nonexistent"), &["--everything".to_owned()]);
        assert_eq!(format!("{refused:?}"), format!("{:?}", ExitCode::from(2)));
    }
}
