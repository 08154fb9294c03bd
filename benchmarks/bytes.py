"""How many bytes does the snippet add to a page, before and after compression?"""

from __future__ import annotations

import gzip

from jinja2 import Environment

from segment_intercom import Settings, assets, install

from . import people
from .measure import Ratio, Result
from .peers import plain_settings, plain_snippet


def results() -> list[Result]:
    """Sizes, and the snippet against Intercom's plain one with the same settings."""
    ours = _snippet().encode()
    plain = plain_snippet(plain_settings(people.dict_user())).encode()
    loader = assets.read("segment_intercom/loader.min.js").encode()
    return [
        Result("bytes, snippet / plain snippet", _ratio(len(ours), len(plain)), None, f"{len(ours)} / {len(plain)}"),
        Result(
            "bytes gzipped, snippet / plain snippet",
            _ratio(_gzipped(ours), _gzipped(plain)),
            None,
            f"{_gzipped(ours)} / {_gzipped(plain)}",
        ),
        Result("bytes, loader alone", context=f"{len(loader)}, gzipped {_gzipped(loader)}"),
    ]


def _snippet() -> str:
    environment = Environment(autoescape=True)
    install(environment, Settings(app_id=people.APP_ID, identity_secret=people.SECRET))
    return environment.from_string("{{ intercom_snippet(user) }}").render(user=people.dict_user())


def _gzipped(content: bytes) -> int:
    return len(gzip.compress(content, 9, mtime=0))


def _ratio(ours: int, theirs: int) -> Ratio:
    return Ratio.of([ours], [theirs])
