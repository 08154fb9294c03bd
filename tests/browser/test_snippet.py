"""The snippet in a real browser, against the sandbox: when it loads, under which policies, for whom."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from segment_intercom import Settings, csp_hash, merge_csp

from .expectations import expect
from .shop import RERUN


def test_snippet_boots_verified_user(shop: Any, messenger: Any) -> None:
    made = shop()
    messenger.expect_visible()
    (person,) = made.sandbox.people
    assert (person["role"], person["user_id"], person["email"]) == ("user", "user1234", "teemo@segment.com")
    assert person["custom_attributes"] == {"plan": "pro"}
    assert person["created_at"] == 1458841605


def test_first_boot_saves_whole_identity(shop: Any, messenger: Any) -> None:
    """The identity goes with the first boot, and no second request follows."""
    made = shop()
    messenger.expect_visible()
    first, *more = made.sandbox.requests
    assert (first["status"], first["settings"]["user_id"], first["not_saved"]) == (200, "user1234", [])
    assert more == []


def test_ready_is_announced(shop: Any, page: Page) -> None:
    shop()
    page.wait_for_function("heard.length > 0")
    assert page.evaluate("heard") == ["ready"]


@pytest.mark.parametrize("load", ["load", "now", "idle"])
def test_the_messenger_loads_by_itself(load: str, shop: Any, messenger: Any) -> None:
    shop(f"{{{{ intercom_snippet(user, load='{load}') }}}}")
    messenger.expect_visible()


@pytest.mark.parametrize(
    "interact",
    [
        lambda page: page.mouse.move(10, 10),
        lambda page: page.keyboard.press("Tab"),
        lambda page: page.evaluate("window.scrollTo(0, 500)"),
    ],
    ids=["pointer", "key", "scroll"],
)
def test_first_interaction_loads_messenger(interact: Any, shop: Any, messenger: Any, page: Page) -> None:
    shop("{{ intercom_snippet(user, load='interaction') }}")
    assert page.evaluate("typeof Intercom") == "function"
    expect(page.locator("script[src*=widget]")).to_have_count(0)
    interact(page)
    messenger.expect_visible()
    expect(page.locator("script[src*=widget]")).to_have_count(1)


def test_manual_load_keeps_earlier_calls(shop: Any, messenger: Any, page: Page) -> None:
    made = shop("{{ intercom_snippet(user, load='manual') }}")
    page.evaluate("Intercom('trackEvent', 'waited')")
    expect(page.locator("script[src*=widget]")).to_have_count(0)
    page.evaluate("intercomLoad(); intercomLoad()")
    messenger.expect_visible()
    expect(page.locator("script[src*=widget]")).to_have_count(1)
    page.wait_for_function("heard.length > 0")
    page.evaluate("Intercom('trackEvent', 'after')")
    made.sandbox.wait_for(lambda sandbox: len(sandbox.events) > 1)
    assert [event["event_name"] for event in made.sandbox.events] == ["waited", "after"]


NONCE_ONLY = (
    "default-src 'none'; script-src 'nonce-r4nd0m'; style-src 'unsafe-inline'; connect-src {sandbox}; "
    "img-src 'self' data:"
)
STRICT_DYNAMIC = NONCE_ONLY.replace("'nonce-r4nd0m'", "'nonce-r4nd0m' 'strict-dynamic'")


@pytest.mark.parametrize("policy", [NONCE_ONLY, STRICT_DYNAMIC], ids=["nonce only", "strict-dynamic"])
@pytest.mark.parametrize("load", ["load", "idle", "interaction"])
def test_nonce_policy_allows_messenger(policy: str, load: str, shop: Any, messenger: Any, page: Page) -> None:
    shop(f"{{{{ intercom_snippet(user, load='{load}') }}}}", policy=policy)
    page.mouse.move(10, 10)
    messenger.expect_visible()


def test_host_and_hash_policy_allows_messenger(shop: Any, messenger: Any, page: Page) -> None:
    made = shop(go=False)
    html = made.rendered("{{ intercom_snippet(user) }}")
    settings = Settings.from_mapping(made.app.config)
    made.restrict(merge_csp(f"default-src 'none'; script-src 'nonce-r4nd0m' {csp_hash(html)}", settings))
    page.goto(made.address)
    messenger.expect_visible()


def test_policy_block_announces_load_failure(shop: Any, page: Page) -> None:
    """The page's own calls of Intercom throw no error then."""
    shop(policy="script-src 'nonce-r4nd0m'; script-src-elem 'unsafe-inline'")
    page.wait_for_function("heard.length > 0")
    assert page.evaluate("heard") == ["load-failed"]
    page.evaluate("Intercom('show')")
    assert page.evaluate("thrown") == []


def test_missing_widget_announces_load_failure(shop: Any, messenger: Any, page: Page) -> None:
    """The page's own calls of Intercom throw no error then, and no launcher is shown."""
    shop(INTERCOM_WIDGET_URL="/blocked/widget")
    page.wait_for_function("heard.length > 0")
    assert page.evaluate("heard") == ["load-failed"]
    page.evaluate("Intercom('show')")
    messenger.expect_hidden(booted=False)
    assert page.evaluate("thrown") == []


def test_a_custom_button_opens_the_messenger(shop: Any, messenger: Any, page: Page) -> None:
    shop("{{ intercom_snippet(user, launcher_selector='#help', hide_default_launcher=True) }}")
    page.wait_for_function("heard.length > 0")
    page.locator("#intercom-container[data-booted=true]").wait_for(state="attached")
    messenger.expect_hidden()
    page.get_by_role("button", name="Help").click()
    expect(page.get_by_role("dialog")).to_be_visible()


@pytest.mark.parametrize("hide", [True, False])
def test_the_launcher_is_shown_conditionally(hide: bool, shop: Any, messenger: Any, page: Page) -> None:
    shop(f"{{{{ intercom_snippet(user, hide_default_launcher={hide}) }}}}")
    page.locator("#intercom-container[data-booted=true]").wait_for(state="attached")
    (messenger.expect_hidden if hide else messenger.expect_visible)()


@pytest.mark.parametrize("identity", ["hash", "jwt"])
def test_a_right_proof_is_accepted(identity: str, shop: Any, intercom_sandbox: Any, messenger: Any) -> None:
    secret = "a secret of at least thirty-two bytes"
    intercom_sandbox.workspace.identity_secret = secret
    made = shop(INTERCOM_IDENTITY=identity, INTERCOM_IDENTITY_SECRET=secret)
    messenger.expect_visible()
    assert made.sandbox.refused == []


@pytest.mark.parametrize("identity", ["hash", "jwt"])
def test_proof_by_wrong_secret_is_refused(identity: str, shop: Any, messenger: Any) -> None:
    wrong_secret = "another secret of at least thirty-two bytes"
    made = shop(INTERCOM_IDENTITY=identity, INTERCOM_IDENTITY_SECRET=wrong_secret)
    made.sandbox.wait_for(lambda sandbox: sandbox.refused)
    assert len(made.sandbox.refused) == 1
    messenger.expect_hidden(booted=False)


def test_a_missing_proof_is_refused(shop: Any) -> None:
    made = shop(INTERCOM_IDENTITY_SECRET=None)
    made.sandbox.wait_for(lambda sandbox: sandbox.refused)
    assert len(made.sandbox.refused) == 1
    assert made.sandbox.people == []


def test_signed_fields_arrive_only_in_token(shop: Any, intercom_sandbox: Any, messenger: Any, page: Page) -> None:
    secret = "a secret of at least thirty-two bytes"
    config = {
        "INTERCOM_IDENTITY_SECRET": secret,
        "INTERCOM_SIGNED_FIELDS": ["email", "plan"],
        "INTERCOM_IDENTITY": "jwt",
    }
    intercom_sandbox.workspace.identity_secret = secret
    made = shop(**config)
    messenger.expect_visible()
    (person,) = made.sandbox.people
    assert (person["email"], person["custom_attributes"]) == ("teemo@segment.com", {"plan": "pro"})
    assert "teemo@segment.com" not in page.content()


@pytest.mark.parametrize("region", ["eu", "au"])
def test_only_matching_region_is_accepted(region: str, shop: Any, intercom_sandbox: Any, messenger: Any) -> None:
    intercom_sandbox.workspace.region = region
    shop(INTERCOM_REGION=region)
    messenger.expect_visible()
    made = shop(INTERCOM_REGION="us")
    made.sandbox.wait_for(lambda sandbox: sandbox.refused)


def test_visitor_sees_messenger_unless_forbidden(shop: Any, messenger: Any, page: Page) -> None:
    made = shop("{{ intercom_snippet(None) }}")
    messenger.expect_visible()
    assert [person["role"] for person in made.sandbox.people] == ["visitor"]
    made.sandbox.workspace.visitors = False
    page.reload()
    made.sandbox.wait_for(lambda sandbox: len(sandbox.requests) == 2)
    messenger.expect_hidden()


def test_snippet_works_with_custom_delimiters(shop: Any, messenger: Any, page: Page) -> None:
    """A site that leaves the double braces to Vue gives Jinja delimiters of its own."""
    made = shop("{{ message }}<< intercom_snippet(user) >>", go=False)
    made.app.jinja_options = {"variable_start_string": "<<", "variable_end_string": ">>"}
    page.goto(made.address)
    messenger.expect_visible()
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


def test_hostile_strings_neither_run_nor_vanish(shop: Any, messenger: Any, page: Page) -> None:
    made = shop("{{ intercom_snippet(hostile) }}", go=False)
    made.app.context_processor(lambda: {"hostile": HOSTILE})
    page.goto(made.address)
    messenger.expect_visible()
    expected = {name: value for name, value in HOSTILE.items() if name not in ("id", "name")}
    laid = page.evaluate(
        "names => names.map(n => Object.getOwnPropertyDescriptor(intercomSettings, n).value)", list(expected)
    )
    assert laid[:-1] == list(expected.values())[:-1]
    assert page.evaluate("[window.pwned, ({}).polluted, intercomSettings.half.charCodeAt(0)]") == [None, None, 0xD800]
    assert page.evaluate("thrown") == []
    (person,) = made.sandbox.people
    assert person["user_id"] == HOSTILE["id"]
    assert expected.keys() - {"half"} <= person["custom_attributes"].keys()


@pytest.mark.parametrize("load", ["load", "now", "idle"])
def test_segment_default_id_opens_messenger(shop: Any, messenger: Any, page: Page, load: str) -> None:
    button = '<button id="IntercomDefaultWidget" type="button">Chat</button>'
    shop(f"{{{{ intercom_snippet(user, load='{load}') }}}}{button}")
    messenger.expect_visible()
    page.wait_for_function("intercomSettings.custom_launcher_selector === '#IntercomDefaultWidget'")
    page.get_by_role("button", name="Chat").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_own_selector_precedes_default_id(shop: Any, messenger: Any, page: Page) -> None:
    button = '<button id="IntercomDefaultWidget" type="button">Chat</button>'
    shop(button + "{{ intercom_snippet(user) }}", INTERCOM_LAUNCHER_SELECTOR="#help")
    messenger.expect_visible()
    assert page.evaluate("intercomSettings.custom_launcher_selector") == "#help"


def test_a_trait_never_steers_the_messenger(shop: Any, messenger: Any, page: Page) -> None:
    traits = {
        "hide_default_launcher": True,
        "app_id": "evil1234",
        "custom_launcher_selector": "*",
        "user_hash": "forged",
    }
    made = shop(f"{{{{ intercom_snippet(user, traits={traits!r}) }}}}")
    messenger.expect_visible()
    assert made.sandbox.refused == []
    assert page.evaluate("intercomSettings.custom_attributes.app_id") == "evil1234"
    page.get_by_role("heading").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_second_copy_loads_widget_once(shop: Any, messenger: Any, page: Page) -> None:
    made = shop("{{ intercom_snippet(user) }}{{ intercom_snippet(user, traits={'plan': 'gold'}) }}")
    messenger.expect_visible()
    expect(page.locator("script[src*=widget]")).to_have_count(1)
    page.wait_for_function("heard.length > 0")
    assert {person["user_id"] for person in made.sandbox.people} == {"user1234"}


@pytest.mark.parametrize("hurry", ["now", "load", "idle"])
@pytest.mark.parametrize("patience", ["manual", "interaction"])
def test_eager_second_copy_loads_widget(patience: str, hurry: str, shop: Any, messenger: Any, page: Page) -> None:
    """A later copy that loads by itself loads the widget that the first copy put off."""
    made = shop(f"{{{{ intercom_snippet(user, load='{patience}') }}}}")
    later = made.rendered(f"{{{{ intercom_snippet(user, load='{hurry}') }}}}")
    page.evaluate(RERUN, later)
    messenger.expect_visible()
    expect(page.locator("script[src*=widget]")).to_have_count(1)


def test_manual_second_copy_loads_nothing(shop: Any, messenger: Any, page: Page) -> None:
    """The page may call intercomLoad all the same: it has nothing to do any more."""
    made = shop()
    messenger.expect_visible()
    later = made.rendered("{{ intercom_snippet(user, load='manual') }}")
    page.evaluate(RERUN, later)
    page.evaluate("intercomLoad()")
    expect(page.locator("script[src*=widget]")).to_have_count(1)


def test_same_user_updates_new_user_boots(shop: Any, messenger: Any, page: Page) -> None:
    made = shop()
    messenger.expect_visible()
    same = made.rendered("{{ intercom_snippet({'id': 'user1234', 'plan': 'gold'}) }}")
    other_user = made.rendered("{{ intercom_snippet({'id': 'other'}) }}")
    for html, action in ((same, "update"), (other_user, "boot")):
        page.evaluate(RERUN, html)
        made.sandbox.wait_for(lambda sandbox, action=action: sandbox.requests[-1]["kind"] == action)
    assert [ping for ping in made.pings if ping[0] != "shutdown"] == [
        ("boot", "user1234"),
        ("update", "user1234"),
        ("boot", "other"),
    ]


def test_company_name_hash_becomes_id(shop: Any, messenger: Any) -> None:
    made = shop("{{ intercom_snippet(user, company='Segment') }}")
    messenger.expect_visible()
    (company,) = made.sandbox.companies
    assert (company["company_id"], company["name"]) == ("2017828326", "Segment")
