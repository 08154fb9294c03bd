"""How does django-analytical render the same user? The real package and its template tag, in a real Django template."""

from __future__ import annotations

from collections.abc import Callable

import analytical  # noqa: F401 - so that its absence is told here
from django.conf import settings
from django.template import Context, Engine

from .people import APP_ID, FURTHER, SECRET, DjangoUser


def django_page() -> Callable[[], str]:
    """Return the rendering of a template with only ``{% intercom %}`` in it, for the user of 25 traits."""
    if not settings.configured:
        settings.configure(INTERCOM_APP_ID=APP_ID, INTERCOM_HMAC_SECRET_KEY=SECRET)
    engine = Engine(libraries={"intercom": "analytical.templatetags.intercom"})
    template = engine.from_string("{% load intercom %}{% intercom %}")
    names = {"user": DjangoUser(), **{f"intercom_{name}": value for name, value in FURTHER.items()}}
    return lambda: str(template.render(Context(names)))
