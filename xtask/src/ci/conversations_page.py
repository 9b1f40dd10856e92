"""The example `conversations` by pages in a browser: `conversations_page.py CLEAR SECURE PROCESS USER`, where it is in clear text, over TLS, and the process of the first.

What is not as it should be ends it with a word about it. At the end the first server is told to stop.
"""

import os
import signal
import sys
import urllib.request

from webdriver import Browser, expect

# What each script begins with.
HELPERS = """
    const open = (path, protocols = []) => new Promise((resolve, reject) => {
        const socket = new WebSocket(new URL(path, location.href.replace(/^http/, 'ws')), protocols);
        const messages = [], readers = [];
        socket.binaryType = 'arraybuffer';
        socket.closed = new Promise((closed) => socket.onclose = (event) => closed([event.code, event.reason, event.wasClean]));
        socket.onmessage = ({ data }) => readers.length ? readers.shift()(data) : messages.push(data);
        socket.message = () => new Promise((read) => messages.length ? read(messages.shift()) : readers.push(read));
        socket.onopen = () => resolve(socket);
        socket.onerror = () => reject(new Error(`no WebSocket at ${path}`));
    });
    const same = (one, other) => typeof one === 'string' ? one === other
        : other instanceof ArrayBuffer && one.byteLength === other.byteLength && new Uint8Array(one).every((byte, index) => byte === new Uint8Array(other)[index]);
"""

# Tells the index of the first message that does not come back as it was.
ECHO = """
    const socket = await open(PATH);
    const messages = ['', 'a', 'h\u00e9llo, w\u00f6rld', '\U0001f426'.repeat(1000), 'line\\n'.repeat(30000), new ArrayBuffer(0),
        new Uint8Array(65536).map((_, index) => index * 7).buffer, new Uint8Array(5000000).map((_, index) => index >> 5).buffer];
    for (const [index, message] of messages.entries()) {
        socket.send(message);
        if (!same(message, await socket.message())) return index;
    }
    messages.forEach((message) => socket.send(message));
    for (const [index, message] of messages.entries()) {
        if (!same(message, await socket.message())) return index;
    }
    socket.close(4001, 'bye');
    return [socket.extensions, ...await socket.closed];
"""

# Seven events: the stream ends after three, and the browser comes again.
EVENTS = """
    return await new Promise((resolve) => {
        const source = new EventSource('/events'), seen = [];
        let opened = 0, before = performance.now(), longest = 0;
        source.onopen = () => { opened += 1; };
        const take = (event) => {
            const now = performance.now();
            [longest, before] = [Math.max(longest, now - before), now];
            seen.push(`${event.type} ${event.lastEventId}: ${event.data}`);
            if (seen.length === 7) {
                source.close();
                resolve({ seen, opened, longest });
            }
        };
        source.onmessage = take;
        source.addEventListener('even', take);
    });
"""
# Chromium's own wait, where it is told no other, in milliseconds.
USUAL_WAIT = 3000


def ask(browser, script):
    return browser.run(f"return (async () => {{ {HELPERS} {script} }})()")


def echoes(browser, what):
    for path, compressed in [("/echo", False), ("/alone", True), ("/takeover", True)]:
        seen = ask(browser, ECHO.replace("PATH", repr(path)))
        expect(isinstance(seen, list), True, f"{what}, message {seen} of {path}")
        expect("permessage-deflate" in seen[0], compressed, f"{what}, that {path} is compressed")
        expect(seen[1:], [4001, "", True], f"{what}, the end of {path}")


def agreements(browser, what, version):
    seen = ask(browser, "const socket = await open('/echo', ['none', 'v1.echo']); return socket.protocol;")
    expect(seen, "v1.echo", f"{what}, the sub-protocol")
    expect(ask(browser, "return await (await open('/version')).message();"), version, f"{what}, the HTTP of a WebSocket")
    for code in [1000, 1011, 3999]:
        seen = ask(browser, f"return await (await open('/close/{code}')).closed;")
        expect(seen, [code, "as was asked", True], f"{what}, the server's Close")
    seen = ask(browser, "const sockets = await Promise.all(Array.from({ length: 50 }, () => open('/takeover'))); sockets.forEach((socket, index) => socket.send(`of ${index}`)); return (await Promise.all(sockets.map((socket) => socket.message()))).join();")
    expect(seen, ",".join(f"of {number}" for number in range(50)), f"{what}, fifty at once")


def strangers(browser, other):
    """A page of one origin, a server of another."""
    address = other.replace("http", "ws", 1) + "/echo"
    seen = ask(browser, f"return await open('{address}').then(() => 'agreed', (error) => error.message);")
    expect(seen, f"no WebSocket at {address}", "a page of another origin")
    said = [line for line in browser.complaints() if "Unexpected response code: 403" in line]
    expect(len(said), 1, "refusals that the browser tells of")


def events(browser, what):
    seen = ask(browser, EVENTS)
    wanted = [f"{'message' if number % 2 else 'even'} {number}: {number}\nafter {(number - 1) // 3 * 3}" for number in range(1, 8)]
    expect(seen["seen"], wanted, f"{what}, the events")
    expect(seen["opened"], 3, f"{what}, how often it came")
    expect(seen["longest"] < USUAL_WAIT, True, f"{what}, that it comes again when it was told to: after {seen['longest']} ms")


def heartbeats(site):
    """That there were comments for the browser to pass over."""
    with urllib.request.urlopen(site + "/events", timeout=30) as response:
        lines = response.read().decode().split("\n")
    expect(":" in lines and "id: 3" in lines, True, "comments between events")


def goodbye(browser, process):
    browser.run(f"(async () => {{ {HELPERS} const socket = await open('/echo'); document.title = 'open'; document.title = (await socket.closed).join(); }})()")
    browser.until("return document.title === 'open'", "a WebSocket")
    os.kill(process, signal.SIGTERM)
    browser.until("return document.title.startsWith('1001,')", "the end of a server")


def main(clear, secure, process, root):
    heartbeats(clear)
    browser = Browser(root == "root", trusts_everybody=True)
    try:
        for site, other, version in [(secure, clear, "Http2"), (clear, secure, "Http11")]:
            browser.open(site + "/")
            expect(browser.run("return document.title"), "conversations", site)
            echoes(browser, site)
            agreements(browser, site, version)
            events(browser, site)
            expect(browser.complaints(), [], "what the browser complains about")
            strangers(browser, other)
        goodbye(browser, int(process))
    finally:
        browser.close()


main(*sys.argv[1:])
