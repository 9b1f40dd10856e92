//! Files that visitors send: they go to disk as they come, however large they are, and what is in memory is bounded.
//!
//! ```text
//! cargo run -p example-upload           # then http://127.0.0.1:8080 in a browser, or:
//! curl -F file=@README.md -F file=@LICENSE-MIT 127.0.0.1:8080/files
//! ```
//! They are put into the folder `gannet-uploads` among the system's temporary ones, or into what `UPLOAD_FOLDER` names.
//!
//! Watch for three things. While a gibibyte is on its way, `ps` shows that the program needs no more memory than before. A visitor who leaves in the middle leaves no
//! half file behind. And what strangers send is given out as something to be saved, in a sandbox: a page of theirs is never one of ours.

use std::path::{Path, PathBuf};

use gannet::files::Files;
use gannet::filters::{BodyLimit, ContentSecurityPolicy, Nonce, SecurityHeaders};
use gannet::prelude::*;
use gannet::{Html, Multipart, MultipartLimits, Place, Redirect};

/// All files of a request together.
const MOST_BYTES: u64 = 1024 * 1024 * 1024;

/// Where the files are.
struct Folder(PathBuf);

#[gannet::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let folder = std::env::var_os("UPLOAD_FOLDER").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| std::env::temp_dir().join("gannet-uploads"));
    std::fs::create_dir_all(&folder)?;
    app(&folder)?.listen("127.0.0.1:8080").environment().run().await?;
    Ok(())
}

/// The service, on a folder that is there.
fn app(folder: &Path) -> Result<App, Box<dyn std::error::Error>> {
    let policy = ContentSecurityPolicy::new().script_nonces().style_nonces();
    let files = Files::open(folder)?.listing(true);
    Ok(App::new()
        .with(SecurityHeaders::new().content_security_policy(policy))
        .get("/", page)
        .group("/files", |group| {
            group.files("/", files).post("/", receive).with(BodyLimit::bytes(MOST_BYTES)).with(harmless)
        })
        .state(Folder(folder.to_owned()))
        .state(MultipartLimits { parts: 100, ..MultipartLimits::default() }))
}

fn page(nonce: Nonce) -> Html<String> {
    Html(include_str!("page.html").replace("{nonce}", &nonce.to_string()))
}

/// Puts each file where it belongs, and leads to all of them.
async fn receive(folder: State<Folder>, mut form: Multipart) -> Result<Redirect, Rejection> {
    let mut count = 0;
    while let Some(mut part) = form.next().await? {
        if !part.is_file() {
            continue;
        }
        let Some(name) = part.safe_file_name() else {
            return Err(Rejection::new(Status::UNPROCESSABLE_CONTENT, "a file has no name")
                .with_error(Place::field(part.name().to_owned()), "has a file without a name"));
        };
        part.save_to(folder.0.join(name)).await?;
        count += 1;
    }
    if count == 0 {
        return Err(Rejection::new(Status::UNPROCESSABLE_CONTENT, "there is no file in the form"));
    }
    Ok(Redirect::see_other("/files/"))
}

/// A filter: what strangers have sent is saved by a browser, and never shown as a page of this site. The listing is ours.
async fn harmless(request: Request, next: Next) -> Response {
    let is_listing = request.path().ends_with('/');
    let response = next.run(request).await;
    if is_listing {
        return response;
    }
    response
        .with("Content-Disposition", "attachment")
        .with("Content-Security-Policy", "sandbox; default-src 'none'")
}

#[cfg(test)]
mod tests {
    use gannet::test::{Client, Multipart};
    use tempfile::TempDir;

    use super::app;

    /// A client, and the folder of its files.
    fn client() -> (Client, TempDir) {
        let folder = TempDir::new().expect("a folder");
        (app(folder.path()).expect("it is there").test(), folder)
    }

    fn names(folder: &TempDir) -> Vec<String> {
        let entries = std::fs::read_dir(folder).expect("it is there");
        let names =
            entries.map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    #[gannet::test(real_time)]
    async fn files_are_put_into_the_folder_whatever_they_are_called() {
        let (client, folder) = client();
        let form = Multipart::new()
            .text("comment", "two of them")
            .file("file", "a.txt", "text/plain", "a text")
            .file("file", "../../b.html", "text/html", "<script>alert(1)</script>");
        client
            .post("/files")
            .multipart(form)
            .send()
            .await
            .assert_status(303)
            .assert_header("Location", "/files/");
        assert_eq!(names(&folder), ["a.txt", "b.html"]);
        client.get("/files/").send().await.assert_status(200).assert_text_contains("b.html");
        let file = client.get("/files/b.html").send().await;
        file.assert_text("<script>alert(1)</script>").assert_header("Content-Disposition", "attachment");
        file.assert_header("Content-Security-Policy", "sandbox; default-src 'none'");
    }

    #[gannet::test(real_time)]
    async fn what_cannot_be_kept_is_refused_and_leaves_nothing_behind() {
        let (client, folder) = client();
        let form = |name: &str| Multipart::new().file("file", name, "text/plain", "a text");
        client.post("/files").multipart(form("..")).send().await.assert_status(422);
        client.post("/files").multipart(Multipart::new().text("a", "b")).send().await.assert_status(422);
        client.post("/files").text("no form").send().await.assert_status(415);
        let cut =
            "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"cut.txt\"\r\n\r\nhalf a te";
        let cut = client.post("/files").header("Content-Type", "multipart/form-data; boundary=x").body(cut);
        cut.send().await.assert_status(400);
        assert_eq!(names(&folder), Vec::<String>::new());
        client.post("/files").multipart(form("a.txt")).send().await.assert_status(303);
        client.post("/files").multipart(form("a.txt")).send().await.assert_status(409);
        client.get("/files/a.txt").send().await.assert_text("a text");
    }

    #[gannet::test(real_time)]
    async fn the_page_runs_nothing_but_its_own_script() {
        let (client, _folder) = client();
        let page = client.get("/").send().await;
        let policy = page.header("Content-Security-Policy").expect("a policy");
        let (_, nonce) = policy.split_once("'nonce-").expect("a nonce");
        let nonce = nonce.split('\'').next().unwrap_or_default();
        page.assert_text_contains(&format!("<script nonce=\"{nonce}\">"));
    }
}
