"""The extension's own routes: the static files, and the settings of whoever is logged in."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for

from .. import assets, remote
from ..jsontext import dumps
from .pages import do_not_store
from .state import NAME, state

_RUNTIME = "analytics.min.js"
_YEAR = 31_536_000


def runtime_url() -> str:
    """Where pages get the browser runtime; its address names its version."""
    return url_for(f"{NAME}.static", filename=_RUNTIME, v=assets.fingerprint(f"{NAME}/{_RUNTIME}"))


class _Routes(Blueprint):
    """A blueprint whose files may be kept for a year where their address names their version."""

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        return _YEAR if "v" in request.args else super().get_send_file_max_age(filename)


def routes() -> Blueprint:
    """The static files, and the settings of whoever is logged in for pages that are cached in public."""
    blueprint = _Routes(
        NAME,
        __name__,
        static_folder=str(assets.static(NAME)),
        static_url_path="/segment-intercom",
    )
    blueprint.add_url_rule(remote.PATH, remote.ENDPOINT, _settings_json)
    return blueprint


def _settings_json() -> Response:
    current = state()
    do_not_store()
    status = remote.status_of(current.settings, dict(request.headers), f"{request.scheme}://{request.host}")
    body = dumps(current.helpers.intercom_settings() if status == 200 else {})
    return Response(body, status, remote.HEADERS, mimetype="application/json")
