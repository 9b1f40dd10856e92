"""The blog as a visitor uses it: pages are opened, fields filled in, buttons pressed. Told where it is, and where pictures go.

What is not as it should be ends it with a word about it.
"""

import re
import sys

from webdriver import Browser, expect

XSS = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


def join(browser, blog):
    browser.open(blog + "/join")
    browser.fill(name="Gannet", password="short")
    browser.leave_by("main button")
    expect(browser.text(".error"), "Password has fewer than 10 characters.", "the mistake beside its field")
    expect(browser.run("return document.querySelector('#name').value"), "Gannet", "what was filled in is kept")
    browser.fill(password="plunge and surface")
    browser.leave_by("main button")
    expect(browser.text(".flash"), "Welcome.", "who joins is welcome")
    expect(browser.text(".who"), "Gannet", "and logged in")
    browser.open(blog + "/")
    expect(browser.run("return document.querySelector('.flash')"), None, "a flash is shown once")


def write(browser, blog, pictures):
    browser.open(blog + "/posts/new")
    text = "Gannets fold their wings and fall on fish from thirty metres.\n\nBelow, they swim on.\n\n" + XSS
    browser.fill(title="How to dive", text=text)
    browser.leave_by("main button")
    expect(browser.text("h1"), "How to dive", "the post's page")
    expect(browser.text(".text p:last-of-type"), XSS, "markup is text")
    browser.fill(name=XSS[:39], text=XSS)
    browser.leave_by("section button")
    expect(browser.text(".comment p:last-of-type"), XSS, "markup of others is text, too")
    expect(browser.run("return document.title"), "How to dive | Gannet Rock", "no script of a text ran")
    date = browser.text("article time")
    expect(bool(re.fullmatch(r"\d+ \w+ \d{4}", date)), True, f"the page's own script ran ({date})")
    for name, width, height, scheme in [("light", 1280, 1000, "light"), ("dark", 1280, 1000, "dark"), ("phone", 390, 844, "light")]:
        browser.picture(f"{pictures}/blog-{name}.png", width, height, scheme)
    browser.open(blog + "/join")
    browser.fill(name="Gannet", password="short")
    browser.leave_by("main button")
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
    browser.leave_by("header button")
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
        expect(browser.complaints(), [], "what the browser complains about")
    finally:
        browser.close()


main(*sys.argv[1:])
