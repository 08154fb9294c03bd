"""How many bytes do the snippets add to a page and does the runtime add to a site, before and after compression?"""

from __future__ import annotations

import gzip

from jinja2 import Environment

from segment_intercom import Settings, assets, install

from . import people
from .measure import Ratio, Result
from .peers import plain_settings, plain_snippet

# "Under 5,120 bytes", as the most that there may be.
RUNTIME_LIMIT = 4970
_SCRIPTS = ("loader", "loader-remote", "stub", "analytics")


def results() -> list[Result]:
    """The sizes of the scripts, the runtime against its limit, and the snippets against Intercom's plain one."""
    plain = plain_snippet(plain_settings(people.dict_user())).encode()
    runtime = _gzipped(_script("analytics"))
    return [
        *_compare("intercom_snippet", plain),
        *_compare("analytics_snippet", plain),
        Result(
            f"bytes gzipped, runtime / {RUNTIME_LIMIT}",
            _ratio(runtime, RUNTIME_LIMIT),
            1,
            f"{runtime} / {RUNTIME_LIMIT}",
        ),
        *(Result(f"bytes, {name}.min.js alone", context=_sizes(_script(name))) for name in _SCRIPTS),
    ]


def _compare(name: str, plain: bytes) -> list[Result]:
    ours = _snippet(name)
    sizes = {"bytes": (len(ours), len(plain)), "bytes gzipped": (_gzipped(ours), _gzipped(plain))}
    return [
        Result(f"{unit}, {name} / plain snippet", _ratio(*pair), None, f"{pair[0]} / {pair[1]}")
        for unit, pair in sizes.items()
    ]


def _snippet(name: str) -> bytes:
    environment = Environment(autoescape=True)
    settings = Settings(app_id=people.APP_ID, identity_secret=people.SECRET, runtime_url="/static/analytics.min.js")
    install(environment, settings)
    return environment.from_string(f"{{{{ {name}(user) }}}}").render(user=people.dict_user()).encode()


def _script(name: str) -> bytes:
    return (assets.static("segment_intercom") / f"{name}.min.js").read_bytes()


def _sizes(script: bytes) -> str:
    return f"{len(script)}, gzipped {_gzipped(script)}"


def _gzipped(content: bytes) -> int:
    return len(gzip.compress(content, 9, mtime=0))


def _ratio(ours: int, theirs: int) -> Ratio:
    return Ratio.of([ours], [theirs])
