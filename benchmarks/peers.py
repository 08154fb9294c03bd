"""What are we measured against? The least that could work, and what else people use."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from segment_intercom import assets

from .people import APP_ID, SECRET

WIDGET = f"https://widget.intercom.io/widget/{APP_ID}"
SettingsOf = Callable[[Any], dict[str, Any]]

# Intercom's plain snippet, as its documentation describes it: a queue, and the script once the page has loaded.
_PLAIN = """<script>
window.intercomSettings = %(settings)s;
(function () {
  if (typeof window.Intercom === "function") { window.Intercom("update", window.intercomSettings); return; }
  var shim = function () { shim.c(arguments); };
  shim.q = [];
  shim.c = function (call) { shim.q.push(call); };
  window.Intercom = shim;
  function insert() {
    var script = document.createElement("script");
    script.async = true;
    script.src = "%(widget)s";
    document.head.appendChild(script);
  }
  if (document.readyState === "complete") insert();
  else window.addEventListener("load", insert, false);
})();
</script>"""


def proof(user_id: str) -> str:
    """Intercom's user_hash, with the standard library."""
    return hmac.new(SECRET.encode(), user_id.encode(), hashlib.sha256).hexdigest()


def floor_snippet() -> Callable[[Any], Markup]:
    """The floor as a template's function: proof, JSON, escaping and concatenation, nothing looked at."""
    dumps = json.JSONEncoder(default=_seconds).encode
    head, tail = loader_around_settings()

    def snippet(user: Any) -> Markup:
        traits = user if isinstance(user, dict) else user.intercom_traits()
        return Markup(head + escape(dumps({**traits, "app_id": APP_ID, "user_hash": proof(traits["id"])})) + tail)

    return snippet


def tojson_template(environment: Environment) -> str:
    """The source of a template that writes a dict, ``settings``, with ``tojson`` into the same loader."""
    head, tail = loader_around_settings()
    environment.globals.update(loader_head=Markup(head), loader_tail=Markup(tail))
    return "{{ loader_head }}{{ settings | tojson }}{{ loader_tail }}"


def plain_snippet(settings: dict[str, Any], widget: str = WIDGET) -> Markup:
    """Intercom's own snippet, written by hand, with these settings in line."""
    return Markup(_PLAIN % {"settings": escape(json.dumps(settings)), "widget": widget})


def plain_settings(traits: dict[str, Any]) -> dict[str, Any]:
    """What somebody writes by hand for that snippet: everything in line, the proof included."""
    rest = {name: value for name, value in traits.items() if name != "id"}
    return {"app_id": APP_ID, "user_id": traits["id"], "user_hash": proof(traits["id"]), **rest}


def loader_around_settings() -> tuple[str, str]:
    """The script element with our built loader, cut where the settings go."""
    script = assets.read("segment_intercom/loader.min.js")
    script = script.replace("INTERCOM_LOAD", '"load"').replace("INTERCOM_WIDGET", json.dumps(WIDGET))
    head, tail = script.split("INTERCOM_SETTINGS")
    return f"<script>{head}", f"{tail}</script>"


def escape(text: str) -> str:
    """Escape JSON for a script element."""
    return (
        text.replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )


def _seconds(value: Any) -> int:
    if isinstance(value, datetime):
        return int(value.timestamp())
    raise TypeError(type(value).__name__)
