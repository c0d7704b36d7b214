# SPDX-License-Identifier: MIT
"""quoit-web's pages in a real browser: what they show, whom they serve, and what they do while the backend is away."""

import os
import pathlib

import pytest

import browser
from certificates import Certificate
from servers import free_port

pytestmark = pytest.mark.skipif(not browser.program(), reason="chromium is missing")

MANY = 100_000  # items: more than all buffers on the way hold
ENDLESS = 2**31 - 1

NASTY = [
    "<script>window.bad = 1</script>",
    '"><img src=x onerror="window.bad = 1">',
    "</li></ol><svg onload=window.bad=1>",
    "'-alert(1)-'",
    "{{name}} ${name} &lt;b&gt; &amp;",
    "javascript:window.bad=1",
    "</title><style>*{display:none}</style>",
    "Zoë 漢字 😀 \u202e reversed",
]


@pytest.fixture(scope="module")
def chromium():
    opened = browser.Browser()
    yield opened
    opened.close()


@pytest.fixture
def page(chromium):
    opened = chromium.page()
    yield opened
    opened.send("Page.navigate", url="about:blank")


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    """Options for TLS: with it a browser speaks HTTP/2, and HTTP/1.1 without."""
    certificate = Certificate(tmp_path_factory.mktemp("pki"), "web", names=["IP:127.0.0.1"])
    return ["--tls-cert", certificate.file, "--tls-key", certificate.key_file]


@pytest.fixture
def backend(start):
    return start("quoit-api", "--listen", "127.0.0.1:0")


@pytest.fixture
def front(start, backend):
    return start("quoit-web", "--listen", "127.0.0.1:0", "--backend", backend.target)


def url(server, path="/", scheme="http"):
    return f"{scheme}://127.0.0.1:{server.port}{path}"


def restarted(start, server, program, *arguments):
    """One more in its place; the fixtures of the first look it over."""
    server.process = start(program, "--listen", server.target, *arguments).process


def connected(page, state="READY"):
    return page.wait(f"document.getElementById('connection').dataset.state === '{state}'")


def says(page, id, text):
    return page.wait(f"document.getElementById('{id}').textContent.includes({text!r})")


def call(page, name, length):
    """As somebody at the keyboard does."""
    page.type("name", name)
    page.type("length", str(length))
    page.key("Enter")


def names(page, id):
    return page.value(f"[...document.querySelectorAll('#{id} li')].map((li) => [li.value, li.textContent])")


def expected(length, first=1):
    return [[i, f"name {i}"] for i in range(first, length + 1)]


# ---- what it shows


def test_a_visit(page, front):
    page.open(url(front))
    connected(page)
    assert page.text("hello") == "Hello Gonzalo!"
    assert names(page, "all") == names(page, "stream") == expected(10)
    call(page, "Zoë", 250)
    says(page, "hello", "Hello Zoë!")
    says(page, "all-note", "250 items in one answer")
    says(page, "stream-note", "250 items, one by one")
    assert names(page, "all") == expected(250)
    assert names(page, "stream") == expected(250, 51)  # the newest
    assert page.value("location.search") == "?name=Zo%C3%AB&length=250"
    page.open(page.value("location.href"))  # loaded anew it is the same
    assert page.text("hello") == "Hello Zoë!" and names(page, "stream") == expected(250)
    connected(page)
    assert page.errors == [] and page.value("window.shifts") == []


def test_the_panel_is_alive(page, backend, front):
    page.open(url(front))
    connected(page)
    assert page.text("backend") == backend.target
    page.value("document.getElementById('repeat').click()")
    page.wait("Number(document.getElementById('rate').textContent) > 0")
    page.wait("/^[0-9.]+ ms$/.test(document.getElementById('p99').textContent)")
    page.wait("document.getElementById('history').getAttribute('points').split(' ').length > 2")
    page.value("document.getElementById('repeat').click()")
    page.wait("document.getElementById('rate').textContent === '0'")
    assert page.text("failures") == "0"
    assert page.errors == [] and page.value("window.shifts") == []


@pytest.mark.parametrize("scheme, protocol", [("http", "http/1.1"), ("https", "h2")])
def test_both_protocols_of_a_browser(page, start, backend, secure, scheme, protocol):
    options = secure if scheme == "https" else []
    front = start("quoit-web", "--listen", "127.0.0.1:0", "--backend", backend.target, *options)
    page.open(url(front, scheme=scheme))
    connected(page)
    call(page, "Zoë", 10_000)
    says(page, "stream-note", "10,000 items, one by one")
    used = page.value("performance.getEntries().filter((one) => one.nextHopProtocol).map((one) => [one.name, one.nextHopProtocol])")
    assert {what for _, what in used} == {protocol}, used
    files = ["/style.css", "/page.js", "/connect.js", "/api.Api/sayHello", "/api.Api/getStream"]
    assert {url(front, path, scheme) for path in files} <= {name for name, _ in used}
    assert page.errors == [] and page.value("window.shifts") == []


def test_a_slow_network(page, front):
    """The page comes in pieces, and each stays where it was put."""
    page.send("Network.enable")
    page.send("Network.emulateNetworkConditions", offline=False, latency=30, downloadThroughput=40_000, uploadThroughput=40_000)
    page.open(url(front, "/?length=1000"))
    connected(page)
    assert page.errors == [] and page.value("window.shifts") == []


def test_without_a_script(page, front):
    page.scripts(False)
    page.open(url(front, "/?name=x&length=3"))
    # the devtools still see it
    assert page.text("hello") == "Hello x!" and names(page, "stream") == expected(3)
    assert not page.value("document.getElementById('panel').checkVisibility({ visibilityProperty: true })")
    page.scripts(True)


def test_a_stream_of_many_items(page, front):
    page.open(url(front))
    connected(page)
    call(page, "x", MANY)
    says(page, "stream-note", f"{MANY:,} items, one by one")
    assert names(page, "stream") == expected(MANY, MANY - 199)
    says(page, "all-note", "1,000 items in one answer")
    assert page.errors == [] and page.value("window.shifts") == []


def test_an_endless_stream_can_be_stopped(page, front):
    page.open(url(front))
    connected(page)
    call(page, "x", ENDLESS)
    says(page, "stream-note", "so far")
    page.wait("document.getElementById('running').textContent === '1'")
    page.value("document.getElementById('stop').click()")
    says(page, "stream-note", "stopped")
    page.wait("document.getElementById('running').textContent === '0'")  # at the backend too
    assert page.value("document.getElementById('stop').disabled")
    call(page, "again", 2)
    says(page, "stream-note", "2 items, one by one")


# ---- whom it serves


@pytest.mark.parametrize("path", ["/", "/direct"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_can_be_read(page, front, path, scheme):
    page.look(scheme=scheme)
    page.open(url(front, path))
    assert page.value(browser.CONTRAST) == []
    # and those that come later
    for kind in ("busy", "error"):
        page.value(f"for (const one of document.querySelectorAll('.note')) {{ one.dataset.kind = '{kind}'; one.textContent = 'x'; }}")
        assert page.value(browser.CONTRAST) == []
    for state in ("READY", "CONNECTING", "TRANSIENT_FAILURE"):
        page.value(f"for (const one of document.querySelectorAll('#connection')) one.dataset.state = '{state}'")
        assert page.value(browser.CONTRAST) == []


@pytest.mark.parametrize("path", ["/", "/direct"])
@pytest.mark.parametrize("width", [320, 360, 800])
def test_narrow_screens(page, front, path, width):
    page.look(width=width, height=640)
    page.open(url(front, path + "?name=" + "w" * 100))
    assert page.value("document.documentElement.scrollWidth") <= width
    small = "[...document.querySelectorAll('button, input:not([type=checkbox])')].filter((one) => one.offsetHeight < 44).length"
    assert page.value(small) == 0  # for a thumb


def test_the_keyboard_alone(page, front):
    page.open(url(front))
    connected(page)
    order = []
    for _ in range(8):
        page.key("Tab")
        order.append(page.value("document.activeElement.id || document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"))
        assert page.value("getComputedStyle(document.activeElement).outlineStyle") != "none", order
    assert order == [
        "Skip to the answers",
        "Ask the backend directly instead",
        "name",
        "length",
        "Call",
        "repeat",
        "Items of getAll",
        "Items of getStream",
    ]
    page.value("document.getElementById('repeat').focus()")
    page.key(" ")
    assert page.value("document.getElementById('repeat').checked")
    page.key(" ")


@pytest.mark.parametrize("path", ["/", "/direct"])
def test_what_a_screen_reader_says(page, front, path):
    page.open(url(front, path))
    nodes = [node for node in page.send("Accessibility.getFullAXTree")["nodes"] if not node.get("ignored")]
    told = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if "role" in node]
    for role in ("textbox", "spinbutton", "button", "link", "region", "checkbox", "image"):
        assert all(name for kind, name in told if kind == role), told
    assert {("textbox", "Name"), ("spinbutton", "Length"), ("button", "Call"), ("heading", "getStream")} <= set(told)
    assert {"banner", "main", "contentinfo"} <= {role for role, _ in told}
    assert page.value("document.documentElement.lang") == "en"
    levels = page.value("[...document.querySelectorAll('h1, h2, h3')].map((one) => one.tagName)")
    assert levels[0] == "H1" and set(levels[1:]) == {"H2"}
    # what changes is told, but not each item of a stream
    assert page.value("[...document.querySelectorAll('.note, #connection')].every((one) => one.role === 'status')")
    assert page.value("document.getElementById('stream').closest('[aria-live]') === null")


@pytest.mark.parametrize("name", NASTY)
def test_markup_is_text_everywhere(page, front, name):
    # asked by the address, without a script's help
    page.open(url(front))
    page.open(page.value(f"location.origin + '/?' + new URLSearchParams({{ name: {name!r}, length: 1 }})"))
    assert page.text("hello") == f"Hello {name}!"
    assert page.value("document.getElementById('name').value") == name
    # and by the form
    page.open(url(front))
    connected(page)
    call(page, name, 1)
    says(page, "hello", name)
    assert page.text("hello") == f"Hello {name}!"
    assert page.value("document.querySelectorAll('#hello *, li *').length") == 0
    assert page.value("window.bad") is None
    assert page.errors == []


# ---- while the backend is away


def test_the_backend_is_killed_in_the_middle_of_a_stream(page, start, backend, front):
    page.open(url(front))
    connected(page)
    call(page, "x", ENDLESS)
    says(page, "stream-note", "so far")
    backend.process.kill()
    backend.process.wait()
    says(page, "stream-note", "cut after")
    says(page, "stream-note", "trying again")
    connected(page, "TRANSIENT_FAILURE")
    assert "away" in page.text("connection-text")
    items = names(page, "stream")
    assert items == expected(items[-1][0], items[0][0])
    restarted(start, backend, "quoit-api")
    connected(page)
    says(page, "stream-note", "so far")
    # it goes on where it was: nothing is there twice, nothing is missing
    page.wait(f"document.querySelector('#stream li:last-child').value > {items[-1][0]}")
    items = names(page, "stream")
    assert items == expected(items[-1][0], items[0][0])
    page.value("document.getElementById('stop').click()")


def test_the_backend_drains_in_the_middle_of_a_stream(page, start, backend, front):
    page.open(url(front))
    connected(page)
    call(page, "x", MANY)
    page.wait("document.getElementById('stream').children.length > 0")
    backend.signal()
    says(page, "stream-note", f"{MANY:,} items, one by one")  # it ends what it has begun
    assert backend.wait() == 0
    restarted(start, backend, "quoit-api")
    connected(page)
    call(page, "again", 2)
    says(page, "hello", "Hello again!")
    says(page, "stream-note", "2 items, one by one")


def test_a_page_that_is_loaded_while_the_backend_is_away(page, start):
    port = free_port()
    front = start("quoit-web", "--listen", "127.0.0.1:0", "--backend", f"127.0.0.1:{port}")
    page.open(url(front))
    says(page, "hello-note", "trying again")
    connected(page, "TRANSIENT_FAILURE")
    assert page.value("window.shifts") == []
    start("quoit-api", "--listen", f"127.0.0.1:{port}")
    connected(page)
    says(page, "hello", "Hello Gonzalo!")
    says(page, "all-note", "10 items in one answer")
    says(page, "stream-note", "10 items, one by one")


def test_the_front_end_is_restarted(page, start, backend, front):
    page.open(url(front))
    connected(page)
    front.stop()
    connected(page, "AWAY")
    call(page, "x", 3)
    says(page, "hello-note", "trying again")
    restarted(start, front, "quoit-web", "--backend", backend.target)
    connected(page)
    says(page, "hello", "Hello x!")
    says(page, "stream-note", "3 items, one by one")


# ---- with nothing in between


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_browser_calls_the_backend_itself(page, start, secure, scheme):
    port, options = free_port(), secure if scheme == "https" else []
    origin = f"{scheme}://127.0.0.1:{port}"
    backend = start("quoit-api", "--listen", "127.0.0.1:0", "--cors-origin", origin, *options)
    start("quoit-web", "--listen", f"127.0.0.1:{port}", "--backend-url", url(backend, "", scheme), *options)
    page.open(f"{origin}/direct")
    says(page, "hello", "Hello Gonzalo!")
    says(page, "stream-note", "10 items, one by one")
    call(page, NASTY[0], 20_000)
    says(page, "stream-note", "20,000 items, one by one")
    assert page.text("hello") == f"Hello {NASTY[0]}!"
    assert page.value("window.bad") is None
    assert page.errors == [] and page.value("window.shifts") == []
    # it waits for the backend too
    backend.process.kill()
    backend.process.wait()
    call(page, "again", 3)
    says(page, "hello-note", "trying again")
    restarted(start, backend, "quoit-api", "--cors-origin", origin, *options)
    says(page, "hello", "Hello again!")
    says(page, "stream-note", "3 items, one by one")


def test_a_backend_that_does_not_let_the_page_call_it(page, start, backend):
    front = start("quoit-web", "--listen", "127.0.0.1:0", "--backend-url", url(backend, ""))
    page.open(url(front, "/direct"))
    says(page, "hello-note", "lets no page of this address call it")


# ---- for docs/


@pytest.mark.skipif("QUOIT_SCREENSHOTS" not in os.environ, reason="no folder for screenshots")
def test_screenshots(page, start, backend, front):
    folder = pathlib.Path(os.environ["QUOIT_SCREENSHOTS"])
    page.look(width=1000, height=760)
    page.open(url(front, "/?name=Zo%C3%AB&length=10"))
    connected(page)
    page.value("document.getElementById('repeat').click()")
    call(page, "Zoë", ENDLESS)
    page.wait("document.getElementById('history').getAttribute('points').split(' ').length > 20")
    page.screenshot(folder / "page.png")
    page.value("document.getElementById('stop').click()")
    page.look(width=1000, height=760, scheme="dark")
    backend.process.kill()
    backend.process.wait()
    call(page, "Zoë", 10)
    says(page, "stream-note", "refused")
    page.screenshot(folder / "away.png")
    restarted(start, backend, "quoit-api")
    connected(page)
    page.look(width=360, height=760)
    page.value("scrollTo(0, 0)")
    says(page, "stream-note", "one by one")
    page.screenshot(folder / "phone.png", 760)
