"""Proxies, such as Flask applications hold for the current user or tenant, count as what they stand for."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest
from jinja2 import Environment
from markupsafe import Markup
from werkzeug.local import LocalProxy

from segment_intercom import Settings, install, render_snippet
from segment_intercom.web.call_arguments import read_user, without_user
from segment_intercom.web.helpers import Helpers, find_nonce
from segment_intercom.web.proxies import called, plain
from segment_intercom.web.users import user_state_of
from tests.conftest import APP_ID
from tests.web.test_snippet import parsed, settings_in


def proxy(value: Any) -> Any:
    return LocalProxy(lambda: value)


class Level(str, Enum):  # noqa: UP042 - the older way, whose str() is not its value
    GOLD = "gold"


class User:
    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


@pytest.mark.parametrize("value", [None, "text", "", True, False, 7, 1.5])
def test_plain_value_is_read(value: Any) -> None:
    for read in (plain(value), plain(proxy(value))):
        assert (read, type(read)) == (value, type(value))


def test_subclass_of_text_is_read() -> None:
    assert type(plain(proxy(Markup("text")))) is str


@pytest.mark.parametrize("value", [{"id": 1}, [1], Level.GOLD, User(id=1), len])
def test_everything_else_stays(value: Any) -> None:
    stands_for_it = proxy(value)
    assert plain(value) is value
    assert plain(stands_for_it) is stands_for_it


def test_proxy_of_nothing_bound_stays() -> None:
    unbound: Any = LocalProxy(Exception)  # which gives no class but its own
    assert plain(unbound) is unbound


@pytest.mark.parametrize(
    "wrap", [lambda value: value, proxy, lambda value: lambda: proxy(value), lambda value: proxy(lambda: value)]
)
@pytest.mark.parametrize("value", [None, "", "r4nd0m"])
def test_nonce_is_value_or_function(value: str | None, wrap: Callable[[Any], Any], unverified: Settings) -> None:
    nonce = wrap(value)
    assert (called(nonce), find_nonce({"csp_nonce": nonce})) == (value, value)
    attributes = {"nonce": value} if value else {}
    assert parsed(render_snippet({}, settings=unverified, nonce=nonce)).tags[0][1] == attributes
    env = Environment(autoescape=True)
    install(env, unverified)
    html = env.from_string("{{ intercom_snippet() }}").render(csp_nonce=nonce)
    assert parsed(html).tags[0][1] == attributes


COMPANIES = [(None, None), ("Segment", 2017828326), ({"id": "c"}, "c"), (User(id="c"), "c")]


@pytest.mark.parametrize("by", ["option", "loader"])
@pytest.mark.parametrize(("value", "company_id"), COMPANIES)
def test_company_proxy_counts_as_value(value: Any, company_id: Any, by: str, unverified: Settings) -> None:
    helpers = Helpers(lambda: unverified, company_loader=(lambda: proxy(value)) if by == "loader" else None)
    options = {"company": proxy(value)} if by == "option" else {}
    page_settings = helpers.intercom_settings({"id": "u"}, **options)
    assert str(page_settings.get("company", {}).get("company_id")) == str(company_id)


def test_proxy_of_none_asks_loaders(unverified: Settings) -> None:
    helpers = Helpers(lambda: unverified, company_loader=lambda: {"id": "c"})
    assert helpers.intercom_settings({"id": "u"}, company=proxy(None))["company"] == {"company_id": "c"}
    for user in (None, proxy(None)):
        assert read_user(user, lambda: {"id": "u"}, proxy(None)).user_id == "u"
    assert without_user({"id": proxy(None), "plan": "pro"}, None)[0] is None


@pytest.mark.parametrize(
    ("option", "value"),
    [("app_id", "tenant12"), ("hide_default_launcher", True), ("z_index", 5), ("alignment", "left"), ("traits", {})],
)
def test_option_proxy_counts_as_value(option: str, value: Any, unverified: Settings) -> None:
    html = Helpers(lambda: unverified).intercom_snippet(None, **{option: proxy(value)})
    assert settings_in(html) == {"app_id": APP_ID} | ({} if option == "traits" else {option: value})
    html = Helpers(lambda: unverified).intercom_snippet(
        None, load=proxy(None), remote=proxy(None), **{option: proxy(None)}
    )
    assert settings_in(html) == {"app_id": APP_ID}


@pytest.mark.parametrize(
    "user",
    [
        proxy({"id": "7"}),
        {"id": proxy("7")},
        {"user_id": proxy(None), "id": 7},
        proxy(User(id=7)),
        User(id=proxy(7)),
        User(id=proxy(None), get_id=lambda: proxy("7")),
        User(id=7, is_authenticated=proxy(True)),
    ],
)
def test_user_id_is_read_through_proxy(user: Any) -> None:
    assert user_state_of(user).user_id == "7"


@pytest.mark.parametrize("user", [proxy(None), User(id=7, is_authenticated=proxy(False)), User(id=proxy(None))])
def test_proxy_of_nobody_is_visitor(user: Any) -> None:
    assert user_state_of(user).user_id is None
