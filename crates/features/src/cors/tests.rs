//! What cannot be said together.

use super::*;

fn said(build: impl FnOnce() -> Cors + std::panic::UnwindSafe) -> String {
    let panic = std::panic::catch_unwind(build).expect_err("it cannot be said");
    panic
        .downcast_ref::<String>()
        .cloned()
        .unwrap_or_else(|| panic.downcast_ref::<&str>().unwrap_or(&"").to_string())
}

#[test]
fn credentials_are_never_for_any_origin_nor_for_any_field_in_whatever_order_that_is_said() {
    assert!(said(|| Cors::new().any_origin().credentials(true)).contains("never for any_origin"));
    assert!(said(|| Cors::new().credentials(true).any_origin()).contains("never for any_origin"));
    let one = || Cors::new().origins(["https://a.example"]);
    assert!(said(move || one().expose(["*"]).credentials(true)).contains("name the fields"));
    assert!(said(move || one().credentials(true).expose(["*"])).contains("name the fields"));
    let _ = Cors::new().any_origin().credentials(false).expose(["*"]);
}

#[test]
fn what_could_not_be_sent_is_found_where_it_is_said() {
    assert!(said(|| Cors::new().methods(["GET", "NO WAY"])).contains("NO WAY"));
    assert!(said(|| Cors::new().headers(["x:y"])).contains("x:y"));
    assert!(said(|| Cors::new().expose([""])).contains("no name"));
    assert!(said(|| Cors::new().origins(["a.example"])).contains("no scheme"));
}

#[test]
fn what_others_say_is_taken_out_whatever_its_case() {
    let mut fields = Fields::new();
    for name in
        ["access-control-allow-origin", "X-A", "Access-Control-Expose-Headers", "Access-Control-Allow-Origin"]
    {
        fields.append(name, "*").expect("a field");
    }
    remove_others(&mut fields);
    assert_eq!(fields.rendered(), b"X-A: *\r\n");
}
