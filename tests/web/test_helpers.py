"""The helpers in any Jinja environment: users in every form, options checked, other delimiters."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

import pytest
from jinja2 import Environment, StrictUndefined, UndefinedError

from segment_intercom import CallError, Identify, OptionError, Settings, install
from segment_intercom.web.helpers import Helpers
from tests.conftest import APP_ID
from tests.web.test_snippet import parsed, settings_in


class User:
    """As an ORM's row: what is not asked for is not sent."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


class SessionUser(User):
    is_authenticated = True

    def get_id(self) -> str:
        return "session-token"


def environment(settings: Settings, **options: Any) -> Environment:
    env = Environment(autoescape=True, **options)
    install(env, settings)
    return env


def rendered(settings: Settings, template: str = "{{ intercom_snippet(user) }}", **names: Any) -> dict[str, Any]:
    return settings_in(environment(settings).from_string(template).render(**names))


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (None, {}),
        (Identify("u", {"email": "a@b.co"}), {"user_id": "u", "email": "a@b.co"}),
        ({"user_id": 7, "plan": "pro"}, {"user_id": "7", "custom_attributes": {"plan": "pro"}}),
        ({"userId": "u"}, {"user_id": "u"}),
        ({"id": "u", "email": "a@b.co"}, {"user_id": "u", "email": "a@b.co"}),
        (User(id=7, email="a@b.co", name="Ann", password="x"), {"user_id": "7", "email": "a@b.co", "name": "Ann"}),
        (User(id=None, email="a@b.co"), {"email": "a@b.co"}),
        (User(id=None), {}),
        (SessionUser(), {"user_id": "session-token"}),
        (SessionUser(id=7), {"user_id": "7"}),
        (User(id=7, is_authenticated=False), {}),
        (User(id=7, intercom_traits=lambda: {"plan": "pro"}), {"user_id": "7", "custom_attributes": {"plan": "pro"}}),
        (User(intercom_traits=lambda: {"id": 8}), {"user_id": "8"}),
        (User(id=7, name=lambda: "a method"), {"user_id": "7"}),
    ],
)
def test_a_user_in_any_form(user: Any, expected: dict[str, Any], unverified: Settings) -> None:
    assert rendered(unverified, user=user) == {"app_id": APP_ID, **expected}


class Oid:
    """As a database's own kind of id."""

    def __str__(self) -> str:
        return "507f"


class Row(NamedTuple):
    id: int
    email: str


class Level(str, Enum):  # noqa: UP042 - the older way, whose str() is not its value
    GOLD = "gold"


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (SessionUser(user_id=7), {"user_id": "7"}),
        (User(id=Oid(), get_id=lambda: "507f"), {"user_id": "507f"}),
        (User(id=Decimal(7)), {"user_id": "7"}),
        (Row(7, "a@b.co"), {"user_id": "7", "email": "a@b.co"}),
        ({"id": Level.GOLD, "name": Level.GOLD}, {"user_id": "gold", "name": "gold"}),
    ],
)
def test_database_types_are_accepted_as_ids(user: Any, expected: dict[str, Any], unverified: Settings) -> None:
    assert rendered(unverified, user=user) == {"app_id": APP_ID, **expected}


def test_intercom_traits_without_return_is_refused(unverified: Settings) -> None:
    with pytest.raises(OptionError, match=r"intercom_traits\(\) of User must return a dict, not NoneType"):
        rendered(unverified, user=User(id=1, intercom_traits=lambda: None))


@pytest.mark.parametrize(
    "options", ["traits={'plan': user.plan}", "company=user.team", "nonce=nothing", "hide_default_launcher=nothing"]
)
def test_undefined_option_counts_as_absent(options: str, unverified: Settings) -> None:
    page_settings = rendered(unverified, f"{{{{ intercom_snippet(user, {options}) }}}}", user={"id": "u"})
    assert page_settings.get("custom_attributes", {"plan": None}) == {"plan": None}
    assert page_settings["user_id"] == "u"


def test_template_traits_override_user_traits(unverified: Settings) -> None:
    template = "{{ intercom_snippet(user, traits={'Email': 'new@b.co', 'firstName': 'Z'}) }}"
    page_settings = rendered(
        unverified, template, user={"id": "u", "email": "old@b.co", "first_name": "A", "lastName": "L"}
    )
    assert (page_settings["email"], page_settings["name"]) == ("new@b.co", "Z L")


def test_helpers_are_callable_from_python(unverified: Settings) -> None:
    env = environment(unverified)
    assert settings_in(env.globals["intercom_snippet"]({"id": "u"}))["user_id"] == "u"


@pytest.mark.parametrize("nonce", ["r4nd0m", lambda: "r4nd0m"])
def test_nonce_comes_from_template_context(nonce: Any, unverified: Settings) -> None:
    html = environment(unverified).from_string("{{ intercom_snippet() }}").render(csp_nonce=nonce)
    assert parsed(html).tags[0] == ("script", {"nonce": "r4nd0m"})


@pytest.mark.parametrize("user", ["7", 7, ["u"], User(nothing=1), b"u"])
def test_what_is_no_user_is_refused(user: Any, unverified: Settings) -> None:
    with pytest.raises(OptionError, match="user: "):
        rendered(unverified, user=user)


def test_wrong_id_type_is_refused(unverified: Settings) -> None:
    with pytest.raises(CallError, match="user_id: must be a string"):
        rendered(unverified, user={"id": True})


def test_undefined_user_becomes_visitor(unverified: Settings, caplog: pytest.LogCaptureFixture) -> None:
    """An undefined user is rendered as a visitor, and the log says so once."""
    env = environment(unverified)
    for _ in range(2):
        assert settings_in(env.from_string("{{ intercom_snippet(usr) }}").render()) == {"app_id": APP_ID}
    assert len(caplog.records) == 1


def test_strict_environment_refuses_undefined_user(unverified: Settings) -> None:
    env = environment(unverified, undefined=StrictUndefined)
    with pytest.raises(UndefinedError):
        env.from_string("{{ intercom_snippet(usr) }}").render()


def test_options_reach_the_settings(unverified: Settings) -> None:
    template = """{{ intercom_snippet(user, traits={"plan": "pro"}, company={"id": 1, "name": "One"}, app_id="tenant12",
        hide_default_launcher=True, launcher_selector="#help", alignment="left", z_index=5) }}"""
    assert rendered(unverified, template, user={"id": "u", "plan": "free"}) == {
        "app_id": "tenant12",
        "user_id": "u",
        "company": {"company_id": "1", "name": "One"},
        "hide_default_launcher": True,
        "custom_launcher_selector": "#help",
        "alignment": "left",
        "z_index": 5,
        "custom_attributes": {"plan": "pro"},
    }


def test_default_launcher_selector_undoes_setting() -> None:
    settings = Settings(app_id=APP_ID, launcher_selector="#help")
    template = '{{ intercom_snippet(None, launcher_selector="#IntercomDefaultWidget") }}'
    assert rendered(settings, template) == {"app_id": APP_ID}


def test_none_option_counts_as_absent() -> None:
    settings = Settings(app_id=APP_ID, hide_default_launcher=True)
    template = "{{ intercom_snippet(None, hide_default_launcher=None, company=None, app_id=None, nonce=None) }}"
    assert rendered(settings, template) == {"app_id": APP_ID, "hide_default_launcher": True}


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("colour='red'", "colour: is an unknown option .*; accepted are traits, company, nonce, load, "),
        ("hide_default_launcher=1", "hide_default_launcher: must be True or False"),
        ("launcher_selector=''", "launcher_selector: must be a string"),
        ("alignment='up'", 'alignment: must be one of "left", "right"'),
        ("app_id='x'", "app_id: must be 8 or 40"),
        ("traits=5", "traits: must be a dict"),
        ("company=5", "company: must be a dict"),
        ("load='soon'", "load: must be one of"),
        ("nonce='a b'", "nonce: must be base64"),
    ],
)
def test_wrong_option_explains_accepted_values(option: str, message: str, unverified: Settings) -> None:
    with pytest.raises(OptionError, match=f"^{message}"):
        rendered(unverified, f"{{{{ intercom_snippet({{'id': 'u'}}, {option}) }}}}")


def test_a_company_by_name(unverified: Settings) -> None:
    page_settings = rendered(unverified, "{{ intercom_snippet({'id': 'u'}, company='Segment') }}")
    assert page_settings["company"] == {"company_id": "2017828326", "name": "Segment"}


def test_other_delimiters_work_beside_vue(unverified: Settings) -> None:
    env = environment(unverified, variable_start_string="<<", variable_end_string=">>")
    html = env.from_string("<p>{{ message }}</p><< intercom_snippet(user) >>").render(user={"id": "u"})
    assert html.startswith("<p>{{ message }}</p><script>")
    assert settings_in(html)["user_id"] == "u"


def test_the_settings_alone_go_through_tojson(unverified: Settings) -> None:
    template = "{{ intercom_settings(user) | tojson }}"
    html = environment(unverified).from_string(template).render(user={"id": "</script>"})
    assert html == f'{{"app_id": "{APP_ID}", "user_id": "\\u003c/script\\u003e"}}'


def test_missing_loader_and_argument_mean_visitor(unverified: Settings) -> None:
    assert rendered(unverified, "{{ intercom_snippet() }}") == {"app_id": APP_ID}


def test_explicit_user_skips_the_loader(unverified: Settings) -> None:
    """An explicit None is a visitor too; the loader is asked only where no user is passed."""
    env = Environment(autoescape=True)
    install(env, unverified, user_loader=lambda: {"id": "loaded"})
    assert settings_in(env.from_string("{{ intercom_snippet() }}").render())["user_id"] == "loaded"
    assert "user_id" not in settings_in(env.from_string("{{ intercom_snippet(None) }}").render())


def test_nonce_comes_from_environment_globals(unverified: Settings) -> None:
    env = environment(unverified)
    env.globals["csp_nonce"] = lambda: "r4nd0m"
    assert parsed(env.from_string("{{ intercom_snippet() }}").render()).tags[0] == ("script", {"nonce": "r4nd0m"})


def test_missing_app_id_renders_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """A missing app id is logged once, and a template may still pass an app id of its own."""
    env = environment(Settings())
    assert [env.from_string("{{ intercom_snippet() }}").render() for _ in range(3)] == ["", "", ""]
    assert len(caplog.records) == 1
    assert settings_in(env.from_string("{{ intercom_snippet(app_id='tenant12') }}").render()) == {"app_id": "tenant12"}


def test_switched_off_helpers_name_nobody() -> None:
    settings = Settings(app_id=APP_ID, identity_secret="s", enabled=False)
    template = "{{ intercom_settings({'id': 'ann'}) | tojson }}{{ intercom_snippet({'id': 'ann'}) }}"
    assert environment(settings).from_string(template).render().startswith("{}<!-- Intercom is switched off")


def token_helpers() -> Helpers:
    workspaces = {"tenant12": {"identity_secret": "of the tenant"}}
    settings = Settings(app_id=APP_ID, identity_secret="s", identity="jwt", workspaces=workspaces)
    return Helpers(lambda: settings, settings_url=lambda: "/settings.json", runtime_url=lambda: "/runtime.js")


@pytest.mark.parametrize("helper", ["intercom_snippet", "analytics_snippet"])
@pytest.mark.parametrize("remote", [True, False])
def test_another_workspace_has_no_route(helper: str, remote: bool, caplog: pytest.LogCaptureFixture) -> None:
    """The route answers for the request's own workspace: a page of another shows a visitor, or renews no token."""
    render = getattr(token_helpers(), helper)
    assert '"/settings.json"' in render({"id": "ann"}, remote=remote, app_id=APP_ID)
    assert caplog.text == ""
    html = render({"id": "ann"}, remote=remote, app_id="tenant12")
    assert '"/settings.json"' not in html
    assert ("user_id" in settings_in(html)) is not remote
    assert "app_id: the route" in caplog.text


@pytest.mark.parametrize("app_id", ["tenant12", "other123", APP_ID])
def test_runtime_wants_proof_of_either_workspace(app_id: str) -> None:
    """Of the page's or of the request's own: whom the browser remembers may be either's user."""
    assert '"verified":true' in token_helpers().analytics_snippet(None, app_id=app_id)


def test_another_workspace_gets_no_proof(caplog: pytest.LogCaptureFixture) -> None:
    """The hash is rendered for the configured app id alone, and the log tells of the missing proof."""
    env = Environment(autoescape=True)
    install(env, Settings(app_id=APP_ID, identity_secret="s"))
    for app_id, proven in (("tenant12", False), (APP_ID, True)):
        html = env.from_string("{{ intercom_snippet({'id': 42}, app_id=app_id) }}").render(app_id=app_id)
        assert ("user_hash" in settings_in(html)) is proven
    assert [record.getMessage().split(":")[:2] for record in caplog.records] == [["Intercom", " app_id"]]
