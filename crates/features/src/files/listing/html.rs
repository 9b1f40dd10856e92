//! A listing as a page: it reads and leads everywhere without its script, which adds keys and a filter.

use std::fmt::{self, Display, Formatter};

use gannet_core::PAGE_STYLE;

use super::escape::{Href, Plain, Text};
use super::query::{Order, Query, Sort};
use super::selection::Selection;
use super::units::{Grouped, Moment, Size};
use super::{Directory, ENTRIES_PER_PAGE};
use gannet_core::{Entry, Kind};

pub(super) const STYLE: &str = include_str!("style.css");
pub(super) const SCRIPT: &str = include_str!("script.js");

/// Drawn once, used by every row.
const ICONS: &str = "<svg width=0 height=0 class=icons aria-hidden=true>\
    <symbol id=d viewBox='0 0 20 20'><path d='M2 5.5a1.5 1.5 0 0 1 1.5-1.5h4l2 2h7a1.5 1.5 0 0 1 1.5 1.5v7a1.5 1.5 0 0 1-1.5 1.5h-13a1.5 1.5 0 0 1-1.5-1.5z'/></symbol>\
    <symbol id=f viewBox='0 0 20 20'><path d='M5 2.5h6.5l4 4v10a1 1 0 0 1-1 1h-9.5a1 1 0 0 1-1-1v-13a1 1 0 0 1 1-1zM11.5 2.5v4h4'/></symbol>\
    <symbol id=u viewBox='0 0 20 20'><path d='M10 16v-11.5M5 9.5l5-5 5 5'/></symbol></svg>\n";

/// The whole page.
pub(super) struct Page<'a> {
    pub(super) directory: Directory<'a>,
    pub(super) query: Query,
    pub(super) selection: &'a Selection,
}

impl Display for Page<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let path = decoded(self.directory.path);
        write!(
            f,
            "<!DOCTYPE html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n\
             <meta name=viewport content=\"width=device-width, initial-scale=1\">\n\
             <meta name=color-scheme content=\"light dark\">\n<title>Index of {}</title>\n\
             <style>{PAGE_STYLE}</style>\n<style>{STYLE}</style>\n</head>\n<body>\n{ICONS}<main>\n",
            Plain(&path)
        )?;
        self.head(f)?;
        self.pages(f)?;
        self.table(f)?;
        self.pages(f)?;
        write!(f, "</main>\n{KEYS}<script>{SCRIPT}</script>\n</body>\n</html>\n")
    }
}

/// Shown by the script, which alone makes them true.
const KEYS: &str = "<footer id=keys hidden><p><kbd>↓</kbd> <kbd>↑</kbd> or <kbd>j</kbd> <kbd>k</kbd> move · \
    <kbd>Enter</kbd> open · <kbd>Backspace</kbd> or <kbd>u</kbd> up · <kbd>/</kbd> filter</p></footer>\n";

impl Page<'_> {
    /// Where we are, what there is, and room for the filter.
    fn head(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("<header>\n<div>\n")?;
        let names = self.names();
        self.breadcrumb(&names, f)?;
        match names.last() {
            Some(name) => writeln!(f, "<h1 id=h>{}</h1>", Text(name))?,
            None => writeln!(f, "<h1 id=h>Index of {}</h1>", Text(&decoded(self.directory.path)))?,
        }
        self.sums(f)?;
        let of_page = if self.selection.pages > 1 { " this page" } else { "" };
        write!(
            f,
            "</div>\n<p class=filter hidden><output for=filter></output><label for=filter>Filter{of_page}</label>\
             <input id=filter type=search autocomplete=off spellcheck=false></p>\n</header>\n"
        )?;
        if self.directory.truncated {
            let total = Grouped(self.selection.total() as u64);
            writeln!(
                f,
                "<p class=note>There is more in this folder than can be listed: these are the {total} entries that were read first.</p>"
            )?;
        }
        Ok(())
    }

    /// How many folders and files, and how much; what there is none of is not spoken of.
    fn sums(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Selection { files, directories, bytes, .. } = *self.selection;
        let folders = Count(directories, "folder", "folders");
        let files = Count(files, "file", "files");
        match (folders.0, files.0) {
            (0, 0) => Ok(()),
            (_, 0) => writeln!(f, "<p class=sum>{folders}</p>"),
            (0, _) => writeln!(f, "<p class=sum>{files}, {}</p>", Bytes(bytes)),
            _ => writeln!(f, "<p class=sum>{folders}, {files}, {}</p>", Bytes(bytes)),
        }
    }

    /// The folders on the way here, below the root.
    fn names(&self) -> Vec<Vec<u8>> {
        self.directory.tail.split('/').filter(|segment| !segment.is_empty()).map(decoded).collect()
    }

    /// Links are relative, so that they hold wherever a proxy puts this folder.
    fn breadcrumb(&self, names: &[Vec<u8>], f: &mut Formatter<'_>) -> fmt::Result {
        let Some((_, above)) = names.split_last() else { return Ok(()) };
        write!(f, "<nav aria-label=Breadcrumb><ol><li><a href=\"{}\">Home</a>", "../".repeat(names.len()))?;
        for (index, name) in above.iter().enumerate() {
            write!(f, "<li><a href=\"{}\">{}</a>", "../".repeat(above.len() - index), Text(name))?;
        }
        f.write_str("</ol></nav>\n")
    }

    fn table(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("<table role=table aria-labelledby=h>\n<thead role=rowgroup><tr role=row>")?;
        for (sort, label) in [(Sort::Name, "Name"), (Sort::Size, "Size"), (Sort::Modified, "Modified (UTC)")]
        {
            self.column(sort, label, f)?;
        }
        f.write_str("</tr></thead>\n<tbody role=rowgroup>\n")?;
        if !self.directory.tail.is_empty() {
            f.write_str("<tr role=row class=up><th role=rowheader scope=row colspan=3><a rel=up href=\"../\"><svg aria-hidden=true><use href=#u /></svg>Parent folder</a></tr>\n")?;
        }
        self.selection.entries.iter().try_for_each(|entry| row(entry, f))?;
        f.write_str("</tbody>\n</table>\n")?;
        if self.selection.total() == 0 {
            f.write_str("<p class=empty>This folder is empty.</p>\n")
        } else {
            Ok(())
        }
    }

    fn column(&self, sort: Sort, label: &str, f: &mut Formatter<'_>) -> fmt::Result {
        let Query { order, .. } = self.query;
        let (next, sorted) = match (self.query.sort == sort, order) {
            (false, _) => (sort.first_order(), ""),
            (true, Order::Ascending) => (order.reversed(), " aria-sort=ascending"),
            (true, Order::Descending) => (order.reversed(), " aria-sort=descending"),
        };
        let link = Link(Query { sort, order: next, page: 1 });
        write!(f, "<th role=columnheader scope=col{sorted}><a href=\"{link}\">{label}</a></th>")
    }

    /// Where the other pages are, if there are others.
    fn pages(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Selection { page, pages, .. } = *self.selection;
        if pages == 1 {
            return Ok(());
        }
        let first = (page - 1) * ENTRIES_PER_PAGE;
        let last = first + self.selection.entries.len();
        f.write_str("<nav class=pages aria-label=Pages>")?;
        self.page_link("First", "", (page > 1).then_some(1), f)?;
        self.page_link("Previous", " rel=prev", (page > 1).then(|| page - 1), f)?;
        write!(
            f,
            "<span>{}–{} of {}</span>",
            Grouped(first as u64 + 1),
            Grouped(last as u64),
            Grouped(self.selection.total() as u64)
        )?;
        self.page_link("Next", " rel=next", (page < pages).then(|| page + 1), f)?;
        self.page_link("Last", "", (page < pages).then_some(pages), f)?;
        f.write_str("</nav>\n")
    }

    fn page_link(&self, label: &str, rel: &str, page: Option<usize>, f: &mut Formatter<'_>) -> fmt::Result {
        match page {
            Some(page) => write!(f, "<a{rel} href=\"{}\">{label}</a>", Link(Query { page, ..self.query })),
            None => write!(f, "<a aria-disabled=true>{label}</a>"),
        }
    }
}

fn row(entry: &Entry, f: &mut Formatter<'_>) -> fmt::Result {
    let (href, text, modified) = (Href(&entry.name), Text(&entry.name), Moment::from(entry.modified));
    let (icon, slash) = match entry.kind {
        Kind::Directory => ("d", "/"),
        Kind::File => ("f", ""),
    };
    write!(
        f,
        "<tr role=row><th role=rowheader scope=row><a href=\"{href}{slash}\"><svg aria-hidden=true><use href=#{icon} /></svg>\
         <span>{text}{slash}</span></a></th><td role=cell>"
    )?;
    if entry.kind == Kind::File {
        write!(f, "{}", Bytes(entry.length))?;
    }
    writeln!(f, "</td><td role=cell><time datetime=\"{modified}\">{modified:#}</time></td></tr>")
}

/// A link to this folder in another order, or to another of its pages.
struct Link(Query);

impl Display for Link {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Query { sort, order, page } = self.0;
        write!(f, "?sort={}&amp;order={}", sort.name(), order.name())?;
        if page > 1 { write!(f, "&amp;page={page}") } else { Ok(()) }
    }
}

/// A length, with its exact bytes where one points at it.
struct Bytes(u64);

impl Display for Bytes {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plural = if self.0 == 1 { "" } else { "s" };
        write!(f, "<data value={} title=\"{} byte{plural}\">{}</data>", self.0, Grouped(self.0), Size(self.0))
    }
}

/// How many there are of something.
struct Count(usize, &'static str, &'static str);

impl Display for Count {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let noun = if self.0 == 1 { self.1 } else { self.2 };
        write!(f, "{} {noun}", Grouped(self.0 as u64))
    }
}

/// What a percent-encoded path says, as bytes; what is no escape stands for itself.
fn decoded(path: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = if *first == b'%' { tail.split_at_checked(2) } else { None };
        let digits = |(digits, _): &(&[u8], &[u8])| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok();
        let byte =
            escape.as_ref().filter(|(digits, _)| digits.iter().all(u8::is_ascii_hexdigit)).and_then(digits);
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded_once_and_as_far_as_it_can_be() {
        assert_eq!(decoded("/a%20b/%C3%a4%ff/"), b"/a b/\xc3\xa4\xff/");
        assert_eq!(decoded("%2525%%4%zz%+1%"), b"%25%%4%zz%+1%");
    }
}
