"""What does the snippet of a verified user of 25 traits cost in a Jinja template, against the floor and the peers?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment

from segment_intercom import Settings, install

from . import people
from .django_page import django_page
from .measure import Ratio, Result, Variant, interleave, microseconds
from .peers import floor_snippet, plain_settings, proof, tojson_template

FLOOR_BAR = 1.4
DJANGO_BAR = 1.2
# Long rounds, as a busy process would have them: in short ones the processor remembers more than it would there.
_ROUNDS, _CALLS = 15, 300
_PEERS: dict[str, float | None] = {
    "floor": FLOOR_BAR,
    "tojson of a dict made before": None,
    "django-analytical": DJANGO_BAR,
}


def results() -> list[Result]:
    """Compare with every peer for the plain user, and with the floor for users of other kinds."""
    environment = _environment()
    plain = people.dict_user()
    peers = {
        "tojson of a dict made before": _tojson(environment, plain),
        "django-analytical": django_page(),
    }
    compared = _compare("25 traits", _ours_and_floor(environment, plain) | peers)
    for kind, user in _further_users().items():
        compared += _compare(kind, _ours_and_floor(environment, user))
    return compared


def _environment() -> Environment:
    environment = Environment(autoescape=True)
    install(environment, Settings(app_id=people.APP_ID, identity_secret=people.SECRET))
    environment.globals["floor_snippet"] = floor_snippet()
    return environment


def _ours_and_floor(environment: Environment, user: Any) -> dict[str, Variant]:
    ours = environment.from_string("{{ intercom_snippet(user) }}")
    floor = environment.from_string("{{ floor_snippet(user) }}")
    return {"ours": lambda: ours.render(user=user), "floor": lambda: floor.render(user=user)}


def _tojson(environment: Environment, user: dict[str, Any]) -> Variant:
    template, settings = environment.from_string(tojson_template(environment)), plain_settings(user)
    return lambda: template.render(settings=settings)


def _further_users() -> dict[str, Any]:
    return {
        "two ISO dates": people.with_iso_dates(),
        "three datetimes": people.with_datetimes(),
        "a nested dict": people.with_nested(),
        "an object": people.ObjectUser(people.dict_user()),
    }


def _compare(kind: str, variants: Mapping[str, Variant]) -> list[Result]:
    _check(variants)
    seconds = interleave(variants, _ROUNDS, calls=_CALLS)
    ours = seconds.pop("ours")
    return [
        Result(
            f"render, {kind} / {peer}",
            Ratio.of(ours, theirs),
            _PEERS[peer] if kind == "25 traits" else None,
            f"{microseconds(ours)} / {microseconds(theirs)}",
        )
        for peer, theirs in seconds.items()
    ]


def _check(variants: Mapping[str, Variant]) -> None:
    """A ratio of two things that do different work would mean nothing: each page holds proof and traits."""
    for name, variant in variants.items():
        page = str(variant())
        assert proof(people.USER_ID) in page, name
        assert "account_manager" in page, name
