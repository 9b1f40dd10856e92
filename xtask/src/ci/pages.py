"""The pages that an application makes of what it offers, as somebody uses them: `pages.py openapi` and `pages.py graphiql`; and the pages of `ticker` and `live`. Told where, and where pictures go.

What is not as it should be ends it with a word about it.
"""

import sys

from webdriver import Browser, expect

ROOT = sys.argv[-1] == "root"


def open_operation(browser, name):
    browser.run(f"location.hash = {name!r}")
    browser.until(f"return document.querySelector('[id={name}][open] form')", f"the form of {name}")


def send(browser, name, values=None, body=None):
    """Fills in the form of an operation, sends it, and gives back the status that is shown."""
    open_operation(browser, name)
    for field, value in (values or {}).items():
        browser.run(f"document.querySelector('[id={name}] [name={field}]').value = {value!r}")
    if body is not None:
        browser.run(f"document.querySelector('[id={name}] textarea[aria-label=Body]').value = {body!r}")
    browser.run(f"document.querySelector('[id={name}] .answer').replaceChildren(); document.querySelector('[id={name}] form button[type=submit]').click()")
    return browser.until(f"return document.querySelector('[id={name}] .answer .status b')?.textContent", f"an answer to {name}")


def openapi(browser, site, pictures):
    """The page of the example `tasks`: a task is made, found and missed."""
    browser.open(site + "/docs")
    browser.until("return document.querySelectorAll('.operation').length >= 6", "the operations")
    expect(browser.run("return document.title"), "Tasks", "the page's title")
    expect(browser.run("return document.querySelector('noscript') !== null && performance.getEntriesByType('resource').every((one) => one.name.startsWith(location.origin))"), True, "nothing comes from elsewhere")
    made = send(browser, "postTasks", body='{"title": "Look at the page"}')
    expect(made, "201 Created", "a task that is sent as it stands")
    expect("Look at the page" in browser.run("return document.querySelector('#postTasks .content').textContent"), True, "it is shown")
    wrong = send(browser, "postTasks", body='{"title": 7}')
    expect(wrong, "422 Unprocessable Content", "a task that is none")
    expect("/title" in browser.run("return document.querySelector('#postTasks .content').textContent"), True, "where it is wrong is shown")
    expect(send(browser, "getTasksById", {"id": "1"}), "200 OK", "the task that was made")
    expect(send(browser, "getTasksById", {"id": "999"}), "404 Not Found", "a task that is not there")
    browser.run("document.querySelectorAll('#getTasksById .answers details').forEach((one) => { one.open = true; })")
    for name, width, height, scheme in [("light", 1280, 1000, "light"), ("dark", 1280, 1000, "dark"), ("phone", 390, 844, "light")]:
        browser.picture(f"{pictures}/openapi-{name}.png", width, height, scheme)
    browser.run("document.querySelector('#filter').value = 'delete'; document.querySelector('#filter').dispatchEvent(new Event('input'))")
    expect(browser.run("return [...document.querySelectorAll('.operation:not([hidden])')].every((one) => one.matches('.delete'))"), True, "what is filtered")
    expect(browser.complaints(), [], "what the browser complains about")


def subscribe(browser):
    """A subscription is begun, and what is reported meanwhile is shown. It may not have begun when the first report comes: there are more."""
    browser.run("document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror.setValue('subscription { seen { place } }')")
    browser.run("document.querySelector('.graphiql-execute-button').click()")
    report = {"query": "mutation { report(report: {bird: \"gannet\", place: \"Bass Rock\"}) { place } }"}
    send = f"fetch(location.pathname, {{ method: 'POST', headers: {{ 'Content-Type': 'application/json' }}, body: JSON.stringify({report!r}) }})"
    seen = "document.querySelector('.result-window .CodeMirror').CodeMirror.getValue().includes('Bass Rock')"
    browser.until(f"{send}; return {seen}", "what was reported")
    browser.run("document.querySelector('.graphiql-execute-button').click()")


def graphiql(browser, site, pictures):
    """GraphiQL on the example `graphql`: its schema is read, a query is sent, a subscription shows what is reported."""
    query = "{ bird(id: \"gannet\") { name wingspanCm } }"
    browser.open(site + "/graphql")
    browser.until("return document.querySelector('.graphiql-query-editor .CodeMirror')", "GraphiQL")
    browser.until("return document.querySelector('.graphiql-container .graphiql-un-styled[aria-label=\"Re-fetch GraphQL schema\"]:not([disabled])')", "the schema")
    browser.run(f"document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror.setValue({query!r})")
    browser.run("document.querySelector('.graphiql-execute-button').click()")
    browser.until("return document.querySelector('.result-window .CodeMirror')?.CodeMirror.getValue().includes('Northern gannet')", "the answer")
    browser.run("document.querySelector('button[aria-label=\"Show Documentation Explorer\"]').click()")
    browser.until("return document.querySelector('.graphiql-doc-explorer')?.textContent.includes('Mutation')", "the schema's documentation")
    browser.run("document.querySelector('button[aria-label=\"Open settings dialog\"]').click()")
    browser.until("return document.querySelector('.graphiql-dialog')", "the settings")
    browser.run("document.querySelector('.graphiql-dialog button').click()")
    subscribe(browser)
    expect(browser.run("return performance.getEntriesByType('resource').every((one) => one.name.replace('ws:', 'http:').startsWith(location.origin) || one.name.startsWith('data:'))"), True, "nothing comes from elsewhere")
    browser.picture(f"{pictures}/graphiql.png", 1280, 800, "light")
    expect(browser.complaints(), [], "what the browser complains about")


def ticker(browser, site, pictures):
    """The example `ticker`: prices come, and go on after the connection was lost."""
    browser.open(site + "/")
    points = "return document.querySelector('#line').getAttribute('points')?.split(' ').length"
    seen = browser.until(points, "a price")
    browser.until(f"return (() => {{ {points} }})() > {seen}", "another")
    expect(browser.text("#state"), "live", "the state")
    for name, width, height, scheme in [("light", 1280, 800, "light"), ("phone", 360, 740, "dark")]:
        browser.picture(f"{pictures}/ticker-{name}.png", width, height, scheme)
    expect(browser.complaints(), [], "what the browser complains about")


def live(browser, site, pictures):
    """The example `live`: what is typed in one browser is seen in another."""
    other = Browser(ROOT)
    try:
        for one in (browser, other):
            one.open(site + "/")
            one.until("return live.readyState === WebSocket.OPEN", "the connection")
        markup = "<b onclick=x>Gannets</b> dive"
        browser.call("POST", browser.find("input") + "/value", {"text": markup})
        other.until(f"return document.querySelector('#typed').textContent === {markup!r}", "what was typed")
        expect(other.run("return document.querySelectorAll('#typed *').length"), 0, "markup of others is text")
        browser.picture(f"{pictures}/live.png", 360, 740, "light")
        for one in (browser, other):
            expect([line for line in one.complaints() if "favicon" not in line], [], "what the browser complains about")
    finally:
        other.close()


def main(what, site, pictures, _):
    browser = Browser(ROOT)
    try:
        {"openapi": openapi, "graphiql": graphiql, "ticker": ticker, "live": live}[what](browser, site, pictures)
    finally:
        browser.close()


main(*sys.argv[1:])
