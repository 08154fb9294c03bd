"""What the extension does to answers: the snippet put in by itself, and the headers that keep an identity private."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, after_this_request, current_app, g, has_request_context, request, template_rendered

from .. import auto_include
from ..jinja import find_nonce
from ..traits.report import logger
from .state import NAME, state

# Of one request, wherever in it the snippet is rendered: `g` may be of a longer or a shorter life.
_IDENTITY, _RENDERED, _ANSWERED = f"{NAME}.identity", f"{NAME}.rendered", f"{NAME}.answered"
_UNSTORED, _PAGE_NONCE = f"{NAME}.unstored", f"{NAME}.nonce"
# The mapping sends nothing else of somebody who has neither an id nor an e-mail.
_PERSONAL = {"user_id", "email", "auth_tokens"}
# Caches of some vendors obey these before Cache-Control.
_FOR_SOME_CACHES = ("surrogate-control", "x-accel-expires")


def watch(app: Flask, *, include: bool) -> None:
    """Look at every answer of an application; ``include`` also puts the snippet into its pages."""
    if include:
        # Before all hooks of the application: one that compresses or tags the answer then sees the whole page.
        app.before_request_funcs.setdefault(None, []).insert(0, _include_after_the_view)
        template_rendered.connect(_remember_nonce, app)
    # First in the list is last to run: nothing that an application does to the header comes after.
    app.after_request_funcs.setdefault(None, []).insert(0, _keep_private)


def do_not_store() -> None:
    """Let no cache keep the answer to the current request."""
    request.environ[_UNSTORED] = True


def nonce() -> str | None:
    """The nonce of the current page's policy, where the application or flask-talisman made one."""
    return find_nonce({"csp_nonce": getattr(g, "csp_nonce", None)}) or find_nonce(current_app.jinja_env.globals)


def _include_after_the_view() -> None:
    after_this_request(_include)


def _include(response: Response) -> Response:
    current = state()
    if (
        _RENDERED not in request.environ
        and auto_include.asks_for_a_page(request)
        and not auto_include.is_excluded(request.endpoint, request.path, current.settings.exclude)
        and auto_include.is_a_page(response)
    ):
        given = request.environ.get(_PAGE_NONCE)
        auto_include.include(response, lambda: current.helpers.intercom_snippet(nonce=given))
    return response


def _remember_nonce(_: Flask, context: Mapping[str, Any], **__: Any) -> None:
    """A context processor may be the only one to know the nonce, and only templates hear it."""
    if has_request_context() and "csp_nonce" in context:
        request.environ[_PAGE_NONCE] = context["csp_nonce"]


def remember(intercom_settings: Mapping[str, Any]) -> None:
    """Note that the snippet was rendered, and whether it names somebody."""
    if not has_request_context():
        return
    request.environ[_RENDERED] = True
    if not _PERSONAL.isdisjoint(intercom_settings):
        if _ANSWERED in request.environ:
            logger.warning("cache: the snippet was rendered after the headers were sent; set Cache-Control yourself")
        request.environ[_IDENTITY] = True


def _keep_private(response: Response) -> Response:
    """An answer that names somebody must reach nobody else: no cache may keep it, none may ask whether it changed."""
    request.environ[_ANSWERED] = True
    if _IDENTITY in request.environ:
        if auto_include.asks_for_public(response):
            logger.warning(
                "cache: this answer asks to be cached in public but names a user; it is sent private, no-store"
            )
        _store_nowhere(response, "private, no-store")
    elif _UNSTORED in request.environ:
        _store_nowhere(response, "no-store")
    return response


def _store_nowhere(response: Response, cache_control: str) -> None:
    response.headers["Cache-Control"] = cache_control
    for name in {name.lower() for name, _ in response.headers}:
        if name.endswith("cdn-cache-control") or name in (*_FOR_SOME_CACHES, "etag", "last-modified"):
            del response.headers[name]
