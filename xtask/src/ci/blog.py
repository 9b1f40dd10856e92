"""The blog as a visitor uses it: pages are opened, fields filled in, buttons pressed. Told where it is, and where pictures go.

It speaks WebDriver (W3C) with chromedriver, which is all that is needed beside Python. What is not as it should be ends it with a word about it.
"""

import base64
import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver, 12
GONE = ("stale element reference", "no such element", "no such window")
XSS = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


class Browser:
    def __init__(self, root):
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True)
        port = next(m[1] for m in map(re.compile(r"successfully on port (\d+)").search, self.driver.stdout) if m)
        self.base = f"http://127.0.0.1:{port}"
        arguments = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
        options = {"args": arguments + (["--no-sandbox"] if root else [])}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.base += f"/session/{session['sessionId']}"

    def call(self, method, path, body=None, fails=()):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            said = json.load(error)["value"]
            if said["error"] in fails:
                return said["error"]
            sys.exit(f"{path}: {said['message']}")

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def find(self, css):
        found = self.call("POST", "/element", {"using": "css selector", "value": css})
        return f"/element/{found[ELEMENT]}"

    def text(self, css):
        return self.call("GET", self.find(css) + "/text")

    def fill(self, **fields):
        for name, value in fields.items():
            field = self.find(f"[name={name}]")
            self.call("POST", field + "/clear", {})
            self.call("POST", field + "/value", {"text": value})

    def press(self, css):
        """Presses a button that leads to another page, and waits for that: then there is no such button any more."""
        button = self.find(css)
        self.call("POST", button + "/click", {})
        for _ in range(200):
            if self.call("GET", button + "/name", fails=GONE) in GONE:
                return
            time.sleep(0.05)
        sys.exit(f"{css} leads nowhere")

    def run(self, script):
        return self.call("POST", "/execute/sync", {"script": script, "args": []})

    def devtools(self, command, **parameters):
        self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def picture(self, path, width, height, scheme):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.run("scrollTo(0, 0)")
        expect(self.run("return document.documentElement.scrollWidth <= innerWidth"), True, f"{path} fits {width} pixels")
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("GET", "/screenshot")))

    def close(self):
        self.call("DELETE", "")
        self.driver.terminate()
        self.driver.wait(10)


def expect(seen, wanted, what):
    if seen != wanted:
        sys.exit(f"{what}: {seen!r}, not {wanted!r}")


def join(browser, blog):
    browser.open(blog + "/join")
    browser.fill(name="Gannet", password="short")
    browser.press("main button")
    expect(browser.text(".error"), "Password has fewer than 10 characters.", "the mistake beside its field")
    expect(browser.run("return document.querySelector('#name').value"), "Gannet", "what was filled in is kept")
    browser.fill(password="plunge and surface")
    browser.press("main button")
    expect(browser.text(".flash"), "Welcome.", "who joins is welcome")
    expect(browser.text(".who"), "Gannet", "and logged in")
    browser.open(blog + "/")
    expect(browser.run("return document.querySelector('.flash')"), None, "a flash is shown once")


def write(browser, blog, pictures):
    browser.open(blog + "/posts/new")
    text = "Gannets fold their wings and fall on fish from thirty metres.\n\nBelow, they swim on.\n\n" + XSS
    browser.fill(title="How to dive", text=text)
    browser.press("main button")
    expect(browser.text("h1"), "How to dive", "the post's page")
    expect(browser.text(".text p:last-of-type"), XSS, "markup is text")
    browser.fill(name=XSS[:39], text=XSS)
    browser.press("section button")
    expect(browser.text(".comment p:last-of-type"), XSS, "markup of others is text, too")
    expect(browser.run("return document.title"), "How to dive | Gannet Rock", "no script of a text ran")
    date = browser.text("article time")
    expect(bool(re.fullmatch(r"\d+ \w+ \d{4}", date)), True, f"the page's own script ran ({date})")
    for name, width, height, scheme in [("light", 1280, 1000, "light"), ("dark", 1280, 1000, "dark"), ("phone", 390, 844, "light")]:
        browser.picture(f"{pictures}/blog-{name}.png", width, height, scheme)
    browser.open(blog + "/join")
    browser.fill(name="Gannet", password="short")
    browser.press("main button")
    browser.picture(f"{pictures}/blog-form.png", 390, 844, "dark")
    browser.open(blog + "/")
    browser.picture(f"{pictures}/blog-index.png", 1280, 800, "light")


def attack(browser, blog):
    """A page of somebody else's has the browser send a form here, with all that it has of our cookies."""
    form = f"<form action='{blog}/posts/1/delete' method=post></form><script>document.forms[0].submit()</script>"
    browser.open("data:text/html," + form)
    expect(browser.text("h1"), "403 Forbidden", "a form of another site's")
    browser.open(blog + "/posts/1")
    expect(browser.text("h1"), "How to dive", "the post is still there")


def leave(browser, blog):
    browser.press("header button")
    expect(browser.text("header nav a"), "Log in", "who logs out is nobody")
    browser.open(blog + "/posts/new")
    expect(browser.text(".flash"), "Log in first.", "who is nobody cannot write")


def main(blog, pictures, root):
    browser = Browser(root == "root")
    try:
        browser.open(blog + "/")
        expect(browser.run("return document.title"), "Gannet Rock", "the first page")
        join(browser, blog)
        write(browser, blog, pictures)
        attack(browser, blog)
        leave(browser, blog)
        said = browser.call("POST", "/se/log", {"type": "browser"})
        # The browser says of each answer of 4xx that it was one.
        mistakes = [line["message"] for line in said if "the server responded with a status of" not in line["message"]]
        expect(mistakes, [], "what the browser complains about")
    finally:
        browser.close()


main(*sys.argv[1:])
