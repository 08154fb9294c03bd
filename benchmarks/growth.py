"""Does the time to render grow with the number of traits, and no faster?"""

from __future__ import annotations

from itertools import pairwise

from jinja2 import Environment

from segment_intercom import Settings, install

from . import people
from .measure import Ratio, Result, Variant, interleave, microseconds

_SIZES = (5, 50, 500)
_LINEAR = 10.0


def results() -> list[Result]:
    """Compare ten times the traits with the traits; linear growth is 10, less is the part that is always there."""
    environment = Environment(autoescape=True)
    install(environment, Settings(app_id=people.APP_ID, identity_secret=people.SECRET))
    seconds = interleave({str(size): _render(environment, size) for size in _SIZES})
    return [
        Result(
            f"growth, {large} traits / {small} traits",
            Ratio.of(seconds[str(large)], seconds[str(small)]),
            _LINEAR,
            f"a trait: {_each(seconds, large)} / {_each(seconds, small)}",
        )
        for small, large in pairwise(_SIZES)
    ]


def _render(environment: Environment, traits: int) -> Variant:
    template, user = environment.from_string("{{ intercom_snippet(user) }}"), people.dict_user(traits)
    return lambda: template.render(user=user)


def _each(seconds: dict[str, list[float]], size: int) -> str:
    return microseconds([taken / size for taken in seconds[str(size)]])
