"""The part of Playwright's pages that the tests use, on the system's WebKit.

Playwright drives a WebKit of its own making only. The tests speak Playwright's language all the same: here it is
spoken through WebDriver, name by name, as far as they need it. There are no events and no interception of requests.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from fnmatch import fnmatchcase
from typing import Any

from selenium.common.exceptions import JavascriptException, StaleElementReferenceException, TimeoutException
from selenium.webdriver import Remote
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service
from urllib3.exceptions import ReadTimeoutError

TIMEOUT = 10
KEYS = {"Enter": Keys.ENTER, "Escape": Keys.ESCAPE, "Shift": Keys.SHIFT, "Tab": Keys.TAB}
# What may have a role; which one it has, and by what name, is for WebKit to say.
CANDIDATES = {
    "button": "button, summary",
    "dialog": "dialog",
    "heading": "h1, h2, h3, h4, h5, h6",
    "link": "a[href]",
    "textbox": "input, textarea",
}
FIND = """
const [path, seen, text] = arguments;
const shown = (one) => {
  const box = one.getBoundingClientRect();
  return box.width > 0 && box.height > 0 && getComputedStyle(one).visibility === "visible";
};
const says = (one) => [...one.childNodes].some((each) => each.nodeType === 3 && each.data.includes(text));
const within = (root) => [...root.querySelectorAll("*")].flatMap((one) => [
  one,
  ...(one.shadowRoot ? within(one.shadowRoot) : []),
]);
const matching = path.reduce((roots, css) => roots.flatMap(within).filter((one) => one.matches(css)), [document]);
return [...new Set(matching)].filter((one) => (!seen || shown(one)) && (!text || says(one)));
"""
# What is thrown comes back as a value, so that a refusal of the script itself can only mean that it does not parse.
EVALUATE = """
return (async () => {
  try {
    const value = (() => { %s })();
    return { json: JSON.stringify(await (typeof value === "function" ? value(arguments[0]) : value)) };
  } catch (error) {
    return { thrown: String(error) };
  }
})();
"""
FOCUSED = """
let one = document.activeElement;
while (one.shadowRoot && one.shadowRoot.activeElement) one = one.shadowRoot.activeElement;
return one === arguments[0];
"""


@contextmanager
def screen() -> Iterator[str]:
    """A screen that nobody sees, and its name."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x900x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        with os.fdopen(reading) as chosen:
            number = chosen.readline().strip()
        try:
            yield f":{number}"
        finally:
            server.terminate()


@contextmanager
def driver(path: str, display: str) -> Iterator[RemoteConnection]:
    """A driver on a port that the system chooses."""
    service = Service(path, env={**os.environ, "DISPLAY": display, "GDK_BACKEND": "x11", "NO_AT_BRIDGE": "1"})
    service.start()
    connection = RemoteConnection(client_config=ClientConfig(remote_server_addr=service.service_url, timeout=TIMEOUT))
    try:
        yield connection
    finally:
        connection.close()
        service.stop()


@contextmanager
def browser(path: str, display: str) -> Iterator[Page]:
    """A browser without a past, and its page."""
    with ExitStack() as stack:
        for _ in range(3):
            connection = stack.enter_context(driver(path, display))
            # Once in some hundred times the driver waits for a browser that has not come up.
            with suppress(ReadTimeoutError):
                session = stack.enter_context(Remote(connection, options=Options()))
                break
            stack.close()
        else:
            raise AssertionError("WebKit has not come up, three times over")
        page = Page(session)
        page.set_viewport_size({"width": 1280, "height": 720})
        yield page


class Locator:
    """Elements of the page and of its open shadow roots, looked for anew each time."""

    def __init__(self, page: Page, find: Callable[[bool], Sequence[WebElement]], path: Sequence[str] = ()) -> None:
        self.page = page
        self.find = find
        self._path = path  # the selectors that lead here, where selectors alone do

    def locator(self, css: str) -> Locator:
        """What this selector matches within what a selector found."""
        return self.page.within(*self._path, css)

    @property
    def first(self) -> Locator:
        """The first of them."""
        return Locator(self.page, lambda seen: self.find(seen)[:1])

    def is_visible(self) -> bool:
        """Whether the only one is seen now."""
        return len(self.find(True)) == 1

    def count(self) -> int:
        """How many there are, seen or not."""
        return len(self.find(False))

    def one(self) -> WebElement:
        """The only one that is seen; waits until there is exactly one."""

        def only() -> WebElement | None:
            seen = self.find(True)
            return seen[0] if len(seen) == 1 else None

        element: WebElement = self.page.until(only, "exactly one to be seen")
        return element

    def text(self) -> str:
        """The text of the only one that is seen, in one line."""
        return " ".join(self.page.run("return arguments[0].textContent", self.one()).split())

    def wait_for(self, state: str = "visible") -> None:
        """Wait until there is one: "attached", or "visible"."""
        self.page.until(lambda: self.find(state == "visible"), f"one to be {state}")

    def click(self) -> None:
        """Press it with the pointer."""

        def press() -> bool:
            element = self.one()
            self.page.run("arguments[0].scrollIntoView({ behavior: 'instant', block: 'nearest' })", element)
            element.click()
            return True

        # A page that draws itself anew takes the element away; nothing was pressed then, and the next one is.
        self.page.until(press, "it to be pressed")

    def fill(self, text: str) -> None:
        """Write this in it instead of what stands there."""
        self.one().clear()
        self.one().send_keys(text)

    def press(self, key: str) -> None:
        """Press a key in it."""
        self.one().send_keys(KEYS[key])


class Mouse:
    """The pointer."""

    def __init__(self, driver: Remote) -> None:
        self._driver = driver

    def move(self, x: int, y: int) -> None:
        """Move to this place in the window."""
        actions = ActionBuilder(self._driver, duration=0)
        actions.pointer_action.move_to_location(x, y)
        actions.perform()


class Keyboard:
    """The keys, for whatever has the focus."""

    def __init__(self, driver: Remote) -> None:
        self._driver = driver

    def press(self, key: str) -> None:
        """Press and release: "Tab", "Shift+Enter"."""
        *held, last = (KEYS[name] for name in key.split("+"))
        actions = ActionChains(self._driver, duration=0)
        for name in held:
            actions.key_down(name)
        actions.send_keys(last)
        for name in held:
            actions.key_up(name)
        actions.perform()

    def type(self, text: str) -> None:
        """Write this."""
        ActionChains(self._driver, duration=0).send_keys(text).perform()


class Page:
    """The page of a browser."""

    def __init__(self, driver: Remote) -> None:
        self._driver = driver
        self.mouse = Mouse(driver)
        self.keyboard = Keyboard(driver)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"WebKit's page has no {name}: teach it in {__name__}, or mark the test not_in('webkit')")

    @property
    def url(self) -> str:
        """The address."""
        return self._driver.current_url

    def set_viewport_size(self, viewport_size: dict[str, int]) -> None:
        """Make the window as large as its inside needs."""
        wide, high = self.run("return [outerWidth - innerWidth, outerHeight - innerHeight]")
        self._driver.set_window_size(viewport_size["width"] + wide, viewport_size["height"] + high)

    def goto(self, url: str) -> None:
        """Load this address and wait for all of it."""
        self._driver.get(url)

    def reload(self) -> None:
        """Load the page again."""
        self._driver.refresh()

    def content(self) -> str:
        """The document as it stands."""
        return self._driver.page_source

    def run(self, script: str, *values: Any) -> Any:
        """What a script returns that finds these values as its arguments."""
        return self._driver.execute_script(script, *values)

    def evaluate(self, expression: str, arg: Any = None) -> Any:
        """The value of an expression; what a function makes of the argument; or statements, carried out."""
        try:
            answer = self.run(EVALUATE % f"return ({expression}\n)", arg)
        except JavascriptException:
            answer = self.run(EVALUATE % expression)
        if "thrown" in answer:
            raise JavascriptException(answer["thrown"])
        return json.loads(answer.get("json") or "null")

    def wait_for_function(self, expression: str, arg: Any = None) -> None:
        """Wait until the expression is true."""
        self.until(lambda: self.evaluate(expression, arg), expression)

    def wait_for_url(self, url: str) -> None:
        """Wait until this is the address; ``**`` stands for any start."""
        self.until(lambda: fnmatchcase(self.url, url.replace("?", "[?]")), url)

    def wait_for_load_state(self, state: str) -> None:
        """Wait until the page has loaded: "load"."""
        self.wait_for_function(f"document.readyState === {json.dumps({'load': 'complete'}[state])}")

    def wait_for_timeout(self, timeout: float) -> None:
        """Let so many milliseconds pass."""
        self.run("return new Promise(done => setTimeout(done, arguments[0]))", timeout)

    def locator(self, css: str) -> Locator:
        """What this selector matches."""
        return self.within(css)

    def within(self, *path: str) -> Locator:
        """What the last selector matches within what those before it do."""
        return Locator(self, lambda seen: self.run(FIND, path, seen), path)

    def get_by_text(self, text: str) -> Locator:
        """What has this in a text of its own."""
        return Locator(self, lambda seen: self.run(FIND, [":not(head, head *)"], seen, text))

    def get_by_label(self, text: str, *, exact: bool = False) -> Locator:
        """The field that has this label."""
        return self.get_by_role("textbox", name=text, exact=exact)

    def get_by_role(self, role: str, *, name: str = "", exact: bool = False) -> Locator:
        """What is seen, and has this role and a name with this in it."""
        css = ", ".join(filter(None, [CANDIDATES.get(role), f"[role={role}]"]))

        def is_named(element: WebElement) -> bool:
            said = element.accessible_name
            return said == name if exact else name.lower() in said.lower()

        return Locator(
            self,
            lambda _: [
                element for element in self.run(FIND, [css], True) if element.aria_role == role and is_named(element)
            ],
        )

    def has_focus(self, element: WebElement) -> bool:
        """Whether what is typed goes there."""
        return bool(self.run(FOCUSED, element))

    def until(self, holds: Callable[[], Any], what: str) -> Any:
        """Wait until this holds, and give what held."""
        passing = (StaleElementReferenceException, JavascriptException)
        wait = WebDriverWait(self._driver, TIMEOUT, poll_frequency=0.05, ignored_exceptions=passing)
        try:
            return wait.until(lambda _: holds())
        except TimeoutException:
            raise AssertionError(f"waited {TIMEOUT} s for {what}") from None


class Expectation:
    """What is said of a locator and comes true within the time."""

    def __init__(self, locator: Locator) -> None:
        self._locator = locator

    def to_be_visible(self) -> None:
        """One is seen."""
        self._locator.page.until(lambda: len(self._locator.find(True)) == 1, "one to be seen")

    def to_be_focused(self) -> None:
        """The only one that is seen has the focus."""
        self._locator.page.until(lambda: self._locator.page.has_focus(self._locator.one()), "the focus")

    def to_have_count(self, count: int) -> None:
        """There are as many."""
        self._locator.page.until(lambda: self._locator.count() == count, f"{count} of them")

    def to_contain_text(self, text: str) -> None:
        """The only one that is seen has this text."""
        self._locator.page.until(lambda: text in self._locator.text(), repr(text))

    def not_to_contain_text(self, text: str) -> None:
        """The only one that is seen has not, or has no longer, this text."""
        self._locator.page.until(lambda: text not in self._locator.text(), f"no {text!r}")
