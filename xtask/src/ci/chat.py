"""The chat as two visitors use it, each in a browser of their own. Told where it is, and where pictures go.

What is not as it should be ends it with a word about it.
"""

import sys

from webdriver import Browser, expect

XSS = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
LAST = "return [...document.querySelectorAll('.message p')].at(-1)?.firstChild.data"
NAMES = "return [...document.querySelectorAll('#people li')].map((one) => one.textContent).join()"


def state(browser, wanted):
    browser.until(f"return document.querySelector('#state').textContent === {wanted!r}", f"the state {wanted!r}")


def join(browser, chat, name, room="rock"):
    browser.open(f"{chat}/#{room}")
    expect(browser.run("return document.querySelector('[name=room]').value"), room, "the room is in the address")
    browser.fill(name=name)
    browser.press("#join button")


def say(browser, text, others):
    browser.run(f"document.querySelector('[name=text]').value = {text!r}")
    browser.press("#say button")
    for one in [browser, *others]:
        one.until(f"return (() => {{ {LAST} }})() === {text!r}", f"{text!r} is heard")


def talk(ann, bob):
    say(ann, "Hello Bob! The gannets are back on the rock.", [bob])
    say(bob, "How many?", [ann])
    say(ann, "I counted two hundred before the rain came, most of them on the western side. The first pair is building already: he brings seaweed, she arranges it, he brings more.", [bob])
    say(ann, "Bring your telescope", [bob])
    for text in [XSS, "so\nmany\nlines", "https://example.com/" + "a" * 200, "é🐦" * 20]:
        say(bob, text, [ann])
    expect(ann.run("return document.querySelectorAll('.message img, .message script').length"), 0, "markup of others is text")
    for one in (ann, bob):
        expect(one.run("return document.title"), "#rock | Chat", "no script of a text ran")
    expect(ann.run("return document.querySelectorAll('.message.own').length"), 3, "what is one's own is shown so")


def names(ann, bob, chat):
    """Who is there, and a name that is taken."""
    for one in (ann, bob):
        one.until(f"return (() => {{ {NAMES} }})() === 'Ann,Bob'", "both are there")
    bob.press("#leave") if bob.run("return document.querySelector('#around').open") else bob.run("document.querySelector('#leave').click()")
    ann.until(f"return (() => {{ {NAMES} }})() === 'Ann'", "who leaves is not there any more")
    join(bob, chat, XSS[:24])
    ann.until(f"return document.querySelectorAll('#people li').length === 2 && [...document.querySelectorAll('#people li')].at(-1).textContent === {XSS[:24].strip()!r}", "a name is text, too")
    bob.run("document.querySelector('#leave').click()")
    join(bob, chat, "Ann")
    bob.until("return document.querySelector('#refused').textContent === 'Somebody called Ann is here already.'", "a name that is taken")
    join(bob, chat, "Bob")
    state(bob, "connected")


def lose(ann, bob):
    """The connection is lost, tried again in vain, and there again: then what is said comes."""
    bob.devtools("Network.enable")
    network = dict(latency=0, downloadThroughput=-1, uploadThroughput=-1)
    bob.devtools("Network.emulateNetworkConditions", offline=True, **network)
    bob.run("sockets.at(-1).close()")
    state(bob, "offline")
    expect(bob.run("return document.querySelector('#say button').disabled"), True, "nothing can be said meanwhile")
    ann.until(f"return (() => {{ {NAMES} }})() === 'Ann'", "who is lost is not there")
    bob.devtools("Network.emulateNetworkConditions", offline=False, **network)
    state(bob, "connected")
    ann.until(f"return (() => {{ {NAMES} }})() === 'Ann,Bob'", "who is back is there")
    say(ann, "Are you back?", [bob])
    say(bob, "I am.", [ann])


def main(chat, pictures, root):
    ann, bob = Browser(root == "root"), None
    try:
        bob = Browser(root == "root")
        ann.open(chat + "/")
        ann.picture(f"{pictures}/chat-lobby.png", 360, 740, "light")
        # Those that the page opens are kept, so that they can be lost.
        bob.devtools("Page.addScriptToEvaluateOnNewDocument", source="window.sockets = []; window.WebSocket = class extends WebSocket { constructor(...all) { super(...all); sockets.push(this); } };")
        bob.open(chat + "/")
        bob.picture(f"{pictures}/chat-lobby-wide.png", 1280, 800, "dark")
        join(ann, chat, "Ann")
        state(ann, "connected")
        join(bob, chat, "Bob")
        state(bob, "connected")
        talk(ann, bob)
        for name, browser, width, height, scheme in [("light", bob, 1280, 800, "light"), ("dark", bob, 1280, 800, "dark"), ("phone", ann, 360, 740, "light"), ("phone-dark", ann, 360, 740, "dark")]:
            browser.picture(f"{pictures}/chat-{name}.png", width, height, scheme)
        names(ann, bob, chat)
        lose(ann, bob)
        for browser in (ann, bob):
            expect(browser.complaints(), [], "what the browser complains about")
    finally:
        for browser in (ann, bob):
            if browser:
                browser.close()


main(*sys.argv[1:])
