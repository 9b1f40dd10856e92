"""A browser that is told what to do: it speaks WebDriver (W3C) with chromedriver, which is all that is needed beside Python."""

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


class Browser:
    def __init__(self, root, trusts_everybody=False):
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True)
        port = next(m[1] for m in map(re.compile(r"successfully on port (\d+)").search, self.driver.stdout) if m)
        self.base = f"http://127.0.0.1:{port}"
        arguments = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
        options = {"args": arguments + (["--no-sandbox"] if root else [])}
        wanted = {"browserName": "chrome", "acceptInsecureCerts": trusts_everybody, "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.base += f"/session/{session['sessionId']}"

    def call(self, method, path, body=None, fails=()):
        """What is answered; of the errors in `fails` which one it was."""
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
        self.call("POST", self.find(css) + "/click", {})

    def leave_by(self, css):
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

    def until(self, script, what):
        """Waits, for twenty seconds at most, until a script gives something that counts as true, which is given back."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if seen := self.run(script):
                return seen
            time.sleep(0.05)
        sys.exit(f"{what}: did not come")

    def complaints(self):
        """What the browser complains about, but for answers that are errors, and advice."""
        said = self.call("POST", "/se/log", {"type": "browser"})
        noise = ("the server responded with a status of", "[DOM]", "Warning: Missing `Description`")
        return [line["message"] for line in said if not any(word in line["message"] for word in noise)]

    def close(self):
        self.call("DELETE", "")
        self.driver.terminate()
        self.driver.wait(10)


def expect(seen, wanted, what):
    if seen != wanted:
        sys.exit(f"{what}: {seen!r}, not {wanted!r}")
