//! Autobahn's group 4: opcodes that do not exist.

use super::echo::{closed, expect, text};
use super::raw::{PING, TEXT, frame};

#[test]
fn cases_4_1_and_4_2_no_other_opcode_is_known() {
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        for payload in ["", "reserved opcode payload"] {
            let unknown = frame(0x80 | opcode, payload);
            expect(std::slice::from_ref(&unknown), &[closed(1002)]);
            let frames = [frame(TEXT, "Hello, world!"), unknown, frame(PING, "")];
            expect(&frames, &[text("Hello, world!"), closed(1002)]);
        }
    }
}
