"""The snippet in a real browser, against the sandbox: when it loads, under which policies, for whom."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition
from typing import Any

import pytest
from flask import Flask, Response, g, render_template_string
from playwright.sync_api import Page
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from segment_intercom import SegmentIntercom, Settings, csp_hash, merge_csp
from segment_intercom.sandbox import Workspace, create_sandbox
from tests.conftest import APP_ID, SECRET

from .expectations import expect

LAUNCHER = "Intercom Messenger"
SHELL = """<!doctype html><html lang="en"><title>Shop</title><body style="height: 3000px"><h1>Shop</h1>
<button id="help" type="button">Help</button>
<script nonce="{{ csp_nonce }}">
  window.heard = [];
  window.thrown = [];
  addEventListener("error", function (event) { thrown.push(event.message); });
  addEventListener("unhandledrejection", function (event) { thrown.push(String(event.reason)); });
  ["ready", "load-failed"].forEach(function (name) {
    document.addEventListener("intercom:" + name, function () { heard.push(name); });
  });
</script>
%s</body></html>"""
USER = {"id": "user1234", "email": "teemo@segment.com", "name": "Teemo", "plan": "pro", "createdAt": 1458841605}


class Shop:
    """A site with the extension and the sandbox, on one address."""

    def __init__(self, template: str, *, workspace: dict[str, Any], policy: str | None, **config: Any) -> None:
        self.app = Flask("shop")
        self.app.config.update(
            TESTING=True, INTERCOM_APP_ID=APP_ID, INTERCOM_IDENTITY_SECRET=SECRET, INTERCOM_WIDGET_URL="/sandbox/widget"
        )
        self.app.config.update(config)
        self.intercom = SegmentIntercom(self.app)
        self.sandbox = create_sandbox(Workspace(APP_ID, **{"identity_secret": SECRET, **workspace}))
        self._received = Condition()
        self.sandbox.after_request(self._announce)
        self.app.add_url_rule(
            "/", "home", lambda: render_template_string(SHELL % template, user=USER, csp_nonce="r4nd0m")
        )
        if policy is not None:
            self.app.before_request(lambda: setattr(g, "csp_nonce", "r4nd0m"))
            self.app.after_request(lambda response: self._restrict(response, policy))
        self.app.wsgi_app = DispatcherMiddleware(self.app.wsgi_app, {"/sandbox": self.sandbox})  # type: ignore[method-assign]

    def _restrict(self, response: Response, policy: str) -> Response:
        response.headers["Content-Security-Policy"] = policy
        return response

    def _announce(self, response: Response) -> Response:
        with self._received:
            self._received.notify_all()
        return response

    def wait_for(self, holds: Callable[[dict[str, Any]], Any]) -> None:
        """Wait until this holds for what the sandbox has received."""
        with self._received:
            assert self._received.wait_for(lambda: holds(self.state()), timeout=10), self.state()

    def state(self) -> dict[str, Any]:
        """What the sandbox has received."""
        found: dict[str, Any] = self.sandbox.test_client().get("/inspector/state.json").get_json()
        return found


@pytest.fixture
def shop(serve: Callable[[Any], str], page: Page) -> Callable[..., Shop]:
    """Open a shop's page: ``shop("{{ intercom_snippet(user) }}", INTERCOM_REGION="eu")``."""

    def open_shop(
        template: str = "{{ intercom_snippet(user) }}",
        workspace: dict[str, Any] | None = None,
        policy: str | None = None,
        go: bool = True,
        **config: Any,
    ) -> Shop:
        made = Shop(template, workspace=workspace or {}, policy=policy, **config)
        address = serve(made.app)
        made.address = address  # type: ignore[attr-defined]
        if go:
            page.goto(address)
        return made

    return open_shop


def launcher(page: Page) -> Any:
    return page.get_by_role("button", name=LAUNCHER)


def people(shop: Shop) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shop.state()["people"]
    return found


def refusals(state: dict[str, Any]) -> list[str]:
    return [request["refused"] for request in state["requests"] if request["refused"]]


def test_one_line_of_template_gives_a_verified_messenger(shop: Any, page: Page) -> None:
    made = shop()
    expect(launcher(page)).to_be_visible()
    (person,) = people(made)
    assert (person["role"], person["user_id"], person["email"]) == ("user", "user1234", "teemo@segment.com")
    assert person["custom_attributes"] == {"plan": "pro"}
    assert person["created_at"] == 1458841605


def test_the_first_boot_carries_the_identity_and_all_of_it_is_saved(shop: Any, page: Page) -> None:
    made = shop()
    expect(launcher(page)).to_be_visible()
    first, *more = made.state()["requests"]
    assert (first["status"], first["settings"]["user_id"], first["not_saved"]) == (200, "user1234", [])
    assert more == []


def test_ready_is_announced(shop: Any, page: Page) -> None:
    shop()
    page.wait_for_function("heard.length > 0")
    assert page.evaluate("heard") == ["ready"]


@pytest.mark.parametrize("load", ["load", "now", "idle"])
def test_the_messenger_loads_by_itself(load: str, shop: Any, page: Page) -> None:
    shop(f"{{{{ intercom_snippet(user, load='{load}') }}}}")
    expect(launcher(page)).to_be_visible()


@pytest.mark.parametrize(
    "interact",
    [
        lambda page: page.mouse.move(10, 10),
        lambda page: page.keyboard.press("Tab"),
        lambda page: page.evaluate("window.scrollTo(0, 500)"),
    ],
    ids=["pointer", "key", "scroll"],
)
def test_on_interaction_it_loads_with_the_first_sign_of_a_person(interact: Any, shop: Any, page: Page) -> None:
    shop("{{ intercom_snippet(user, load='interaction') }}")
    assert page.evaluate("typeof Intercom") == "function"
    expect(page.locator("script[src*=widget]")).to_have_count(0)
    interact(page)
    expect(launcher(page)).to_be_visible()
    expect(page.locator("script[src*=widget]")).to_have_count(1)


def test_manually_it_loads_when_the_page_says_so_and_keeps_what_was_asked_before(shop: Any, page: Page) -> None:
    made = shop("{{ intercom_snippet(user, load='manual') }}")
    page.evaluate("Intercom('trackEvent', 'waited')")
    expect(page.locator("script[src*=widget]")).to_have_count(0)
    page.evaluate("intercomLoad(); intercomLoad()")
    expect(launcher(page)).to_be_visible()
    expect(page.locator("script[src*=widget]")).to_have_count(1)
    page.wait_for_function("heard.length > 0")
    page.evaluate("Intercom('trackEvent', 'after')")
    made.wait_for(lambda state: len(state["events"]) > 1)
    assert [event["event_name"] for event in made.state()["events"]] == ["waited", "after"]


NONCE_ONLY = (
    "default-src 'none'; script-src 'nonce-r4nd0m'; style-src 'unsafe-inline'; connect-src 'self'; img-src 'self' data:"
)
STRICT_DYNAMIC = NONCE_ONLY.replace("'nonce-r4nd0m'", "'nonce-r4nd0m' 'strict-dynamic'")


@pytest.mark.parametrize("policy", [NONCE_ONLY, STRICT_DYNAMIC], ids=["nonce only", "strict-dynamic"])
@pytest.mark.parametrize("load", ["load", "idle", "interaction"])
def test_it_works_under_a_policy_with_nonces(policy: str, load: str, shop: Any, page: Page) -> None:
    shop(f"{{{{ intercom_snippet(user, load='{load}') }}}}", policy=policy)
    page.mouse.move(10, 10)
    expect(launcher(page)).to_be_visible()


def test_it_works_under_a_policy_with_the_host_list_and_its_hash(shop: Any, page: Page, serve: Any) -> None:
    widget = serve(create_sandbox(Workspace(APP_ID, identity_secret=SECRET)))
    config = {"INTERCOM_WIDGET_URL": f"{widget}/widget", "INTERCOM_MESSENGER_URL": f"{widget}/messenger/us"}
    made = shop(go=False, **config)
    with made.app.test_request_context():
        html = render_template_string("{{ intercom_snippet(user) }}", user=USER)
    settings = Settings.from_mapping(made.app.config)
    policy = merge_csp(f"default-src 'none'; script-src 'nonce-r4nd0m' {csp_hash(html)}", settings)
    made.app.after_request(lambda response: made._restrict(response, policy))
    page.goto(made.address)
    expect(launcher(page)).to_be_visible()


def test_a_policy_that_forbids_the_widget_is_announced_and_harms_nothing(shop: Any, page: Page) -> None:
    shop(policy="script-src 'nonce-r4nd0m'; script-src-elem 'unsafe-inline'")
    page.wait_for_function("heard.length > 0")
    assert page.evaluate("heard") == ["load-failed"]
    page.evaluate("Intercom('show')")
    assert page.evaluate("thrown") == []


def test_a_widget_script_that_does_not_come_is_announced_and_harms_nothing(shop: Any, page: Page) -> None:
    shop(INTERCOM_WIDGET_URL="/blocked/widget")
    page.wait_for_function("heard.length > 0")
    assert page.evaluate("heard") == ["load-failed"]
    page.evaluate("Intercom('show')")
    expect(launcher(page)).to_have_count(0)
    assert page.evaluate("thrown") == []


def test_a_custom_button_opens_the_messenger(shop: Any, page: Page) -> None:
    shop("{{ intercom_snippet(user, launcher_selector='#help', hide_default_launcher=True) }}")
    page.wait_for_function("heard.length > 0")
    page.locator("#intercom-container[data-booted=true]").wait_for(state="attached")
    expect(launcher(page)).to_have_count(0)
    page.get_by_role("button", name="Help").click()
    expect(page.get_by_role("dialog")).to_be_visible()


@pytest.mark.parametrize("hide", [True, False])
def test_the_launcher_is_shown_conditionally(hide: bool, shop: Any, page: Page) -> None:
    shop(f"{{{{ intercom_snippet(user, hide_default_launcher={hide}) }}}}")
    page.locator("#intercom-container[data-booted=true]").wait_for(state="attached")
    expect(launcher(page)).to_have_count(0 if hide else 1)


@pytest.mark.parametrize("identity", ["hash", "jwt"])
def test_a_right_proof_is_accepted(identity: str, shop: Any, page: Page) -> None:
    secret = "a secret of at least thirty-two bytes"
    made = shop(workspace={"identity_secret": secret}, INTERCOM_IDENTITY=identity, INTERCOM_IDENTITY_SECRET=secret)
    expect(launcher(page)).to_be_visible()
    assert refusals(made.state()) == []


@pytest.mark.parametrize("identity", ["hash", "jwt"])
def test_a_proof_by_another_secret_is_refused(identity: str, shop: Any, page: Page) -> None:
    other = "another secret of at least thirty-two bytes"
    made = shop(INTERCOM_IDENTITY=identity, INTERCOM_IDENTITY_SECRET=other)
    made.wait_for(refusals)
    assert len(refusals(made.state())) == 1
    expect(launcher(page)).to_have_count(0)


def test_a_missing_proof_is_refused(shop: Any, page: Page) -> None:
    made = shop(INTERCOM_IDENTITY_SECRET=None)
    made.wait_for(refusals)
    assert len(refusals(made.state())) == 1
    assert people(made) == []


def test_signed_fields_arrive_without_standing_in_the_page(shop: Any, page: Page) -> None:
    secret = "a secret of at least thirty-two bytes"
    config = {
        "INTERCOM_IDENTITY_SECRET": secret,
        "INTERCOM_SIGNED_FIELDS": ["email", "plan"],
        "INTERCOM_IDENTITY": "jwt",
    }
    made = shop(workspace={"identity_secret": secret}, **config)
    expect(launcher(page)).to_be_visible()
    (person,) = people(made)
    assert (person["email"], person["custom_attributes"]) == ("teemo@segment.com", {"plan": "pro"})
    assert "teemo@segment.com" not in page.content()


@pytest.mark.parametrize("region", ["eu", "au"])
def test_the_region_is_reached_and_a_wrong_one_refused(region: str, shop: Any, page: Page) -> None:
    shop(workspace={"region": region}, INTERCOM_REGION=region)
    expect(launcher(page)).to_be_visible()
    made = shop(workspace={"region": region}, INTERCOM_REGION="us")
    made.wait_for(refusals)


def test_a_visitor_is_shown_the_messenger_unless_the_workspace_says_no(shop: Any, page: Page) -> None:
    made = shop("{{ intercom_snippet(None) }}")
    expect(launcher(page)).to_be_visible()
    assert [person["role"] for person in people(made)] == ["visitor"]
    made = shop("{{ intercom_snippet(None) }}", workspace={"visitors": False})
    made.wait_for(lambda state: state["requests"])
    expect(launcher(page)).to_have_count(0)


def test_the_messenger_stands_beside_vue_with_other_delimiters(shop: Any, page: Page) -> None:
    made = shop("{{ message }}<< intercom_snippet(user) >>", go=False)
    made.app.jinja_options = {"variable_start_string": "<<", "variable_end_string": ">>"}
    page.goto(made.address)
    expect(launcher(page)).to_be_visible()
    assert "{{ message }}" in page.content()


HOSTILE = {
    "id": "u</script><script>window.pwned=1</script>",
    "name": "<img src=x onerror='window.pwned=1'>",
    "</script><script>pwned=1</script>": "</script><script>window.pwned=1</script>",
    "<!--<script>": "\u2028window.pwned=1\u2029",
    "__proto__": "polluted",
    "constructor": "kept",
    "app_id user_id": "kept, too",
    "quote\"'`${pwned=1}": "\\",
    "half": "\ud800",
}


def test_no_hostile_string_runs_or_is_lost(shop: Any, page: Page) -> None:
    made = shop("{{ intercom_snippet(hostile) }}", go=False)
    made.app.context_processor(lambda: {"hostile": HOSTILE})
    page.goto(made.address)
    expect(launcher(page)).to_be_visible()
    expected = {name: value for name, value in HOSTILE.items() if name not in ("id", "name")}
    laid = page.evaluate(
        "names => names.map(n => Object.getOwnPropertyDescriptor(intercomSettings, n).value)", list(expected)
    )
    assert laid[:-1] == list(expected.values())[:-1]
    assert page.evaluate("[window.pwned, ({}).polluted, intercomSettings.half.charCodeAt(0)]") == [None, None, 0xD800]
    assert page.evaluate("thrown") == []
    (person,) = people(made)
    assert person["user_id"] == HOSTILE["id"]
    assert expected.keys() - {"half"} <= person["custom_attributes"].keys()


@pytest.mark.parametrize("load", ["load", "now", "idle"])
def test_an_element_of_segments_default_id_opens_the_messenger(shop: Any, page: Page, load: str) -> None:
    button = '<button id="IntercomDefaultWidget" type="button">Chat</button>'
    shop(f"{{{{ intercom_snippet(user, load='{load}') }}}}{button}")
    expect(launcher(page)).to_be_visible()
    page.wait_for_function("intercomSettings.custom_launcher_selector === '#IntercomDefaultWidget'")
    page.get_by_role("button", name="Chat").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_another_selector_goes_before_segments_default_id(shop: Any, page: Page) -> None:
    button = '<button id="IntercomDefaultWidget" type="button">Chat</button>'
    shop(button + "{{ intercom_snippet(user) }}", INTERCOM_LAUNCHER_SELECTOR="#help")
    expect(launcher(page)).to_be_visible()
    assert page.evaluate("intercomSettings.custom_launcher_selector") == "#help"


def test_a_trait_never_steers_the_messenger(shop: Any, page: Page) -> None:
    traits = {
        "hide_default_launcher": True,
        "app_id": "evil1234",
        "custom_launcher_selector": "*",
        "user_hash": "forged",
    }
    made = shop(f"{{{{ intercom_snippet(user, traits={traits!r}) }}}}")
    expect(launcher(page)).to_be_visible()
    assert refusals(made.state()) == []
    assert page.evaluate("intercomSettings.custom_attributes.app_id") == "evil1234"
    page.get_by_role("heading").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_second_copy_updates_and_loads_nothing_twice(shop: Any, page: Page) -> None:
    made = shop("{{ intercom_snippet(user) }}{{ intercom_snippet(user, traits={'plan': 'gold'}) }}")
    expect(launcher(page)).to_be_visible()
    expect(page.locator("script[src*=widget]")).to_have_count(1)
    page.wait_for_function("heard.length > 0")
    assert {person["user_id"] for person in people(made)} == {"user1234"}


@pytest.mark.parametrize("hurry", ["now", "load", "idle"])
@pytest.mark.parametrize("patience", ["manual", "interaction"])
def test_a_copy_in_more_of_a_hurry_loads_what_the_first_waited_with(
    patience: str, hurry: str, shop: Any, page: Page
) -> None:
    made = shop(f"{{{{ intercom_snippet(user, load='{patience}') }}}}")
    with made.app.test_request_context():
        later = render_template_string(f"{{{{ intercom_snippet(user, load='{hurry}') }}}}", user=USER)
    page.evaluate(RERUN, later)
    expect(launcher(page)).to_be_visible()
    expect(page.locator("script[src*=widget]")).to_have_count(1)


def test_a_later_copy_that_waits_gives_the_page_a_function_that_does_nothing_more(shop: Any, page: Page) -> None:
    made = shop()
    expect(launcher(page)).to_be_visible()
    with made.app.test_request_context():
        later = render_template_string("{{ intercom_snippet(user, load='manual') }}", user=USER)
    page.evaluate(RERUN, later)
    page.evaluate("intercomLoad()")
    expect(page.locator("script[src*=widget]")).to_have_count(1)


RERUN = """html => {
  const made = document.createRange().createContextualFragment(html);
  document.body.append(made);
}"""


def test_the_same_person_rendered_again_is_an_update_and_another_one_starts_anew(shop: Any, page: Page) -> None:
    made = shop()
    expect(launcher(page)).to_be_visible()
    with made.app.test_request_context():
        same = render_template_string("{{ intercom_snippet({'id': 'user1234', 'plan': 'gold'}) }}")
        other = render_template_string("{{ intercom_snippet({'id': 'other'}) }}")
    for html, action in ((same, "update"), (other, "boot")):
        page.evaluate(RERUN, html)
        made.wait_for(lambda state, action=action: state["requests"][-1]["kind"] == action)
    pings = [request for request in made.state()["requests"] if request["kind"] in ("boot", "update")]
    assert [(ping["kind"], ping["settings"]["user_id"]) for ping in pings] == [
        ("boot", "user1234"),
        ("update", "user1234"),
        ("boot", "other"),
    ]


def test_a_company_by_name_arrives_with_the_hash_as_its_id(shop: Any, page: Page) -> None:
    made = shop("{{ intercom_snippet(user, company='Segment') }}")
    expect(launcher(page)).to_be_visible()
    (company,) = made.state()["companies"]
    assert (company["company_id"], company["name"]) == ("2017828326", "Segment")
