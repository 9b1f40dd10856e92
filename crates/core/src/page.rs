//! What the pages that the server makes of its own accord look like: listings, errors.

/// Colours, light and dark, and the plainest elements: the text of a `<style>`. Nothing in it leads elsewhere. A page that uses it
/// names its hash in its Content-Security-Policy; its tests hold the two together.
pub const PAGE_STYLE: &str = include_str!("page.css");
