"""What an answer of Flask's is to say to caches, and an answer with a page put into it.

What is known of a request is kept in its environment: `g` may be of a longer or a shorter life.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Response, has_request_context, request
from werkzeug.datastructures import Headers

from ..diagnostics import WARNINGS
from ..web import auto_include, cache_headers

_NAME = "segment_intercom"
_IDENTITY, RENDERED, _ANSWERED = f"{_NAME}.identity", f"{_NAME}.rendered", f"{_NAME}.answered"
_UNSTORED, _BEGUN = f"{_NAME}.unstored", f"{_NAME}.begun"
# The mapping sends nothing else of a user without an id and an e-mail.
_PERSONAL = {"user_id", "email", "auth_tokens"}


def do_not_store() -> None:
    """Let no cache keep the answer to the current request."""
    request.environ[_UNSTORED] = True


def on_render(intercom_settings: Mapping[str, Any]) -> None:
    """Note that the snippet was rendered, and whether it names a user."""
    if not has_request_context():
        return
    request.environ[RENDERED] = True
    if not _PERSONAL.isdisjoint(intercom_settings):
        if _ANSWERED in request.environ and _UNSTORED not in request.environ:
            WARNINGS.warn("cache: the snippet was rendered after the headers were sent; set Cache-Control yourself")
        request.environ[_IDENTITY] = True


def with_body(response: Response, page: bytes) -> Response:
    """A copy with another body, as several requests may share the response. An ETag is made anew, weak if it was."""
    own = _copy(response)
    own.set_data(page)
    tag, is_weak = own.get_etag()
    if tag is not None:
        own.add_etag(overwrite=True, weak=bool(is_weak))
    return own


def without_body(response: Response) -> Response:
    """A copy of an answer to HEAD whose page was not made, without the headers that only the whole page could tell.

    Source: RFC 9110, 9.3.2: they may be left out, but not differ from those of GET.
    """
    own = _copy(response)
    own.automatically_set_content_length = False
    for name in ("Content-Length", "ETag"):
        own.headers.pop(name, None)
    return own


def _copy(response: Response) -> Response:
    """A copy with headers of its own, without those that were true of the page as it was."""
    own = copy.copy(response)
    own.headers = Headers(response.headers)
    for name in auto_include.OUTDATED:
        own.headers.pop(name, None)
    return own


def keep_private(response: Response) -> Response:
    """Forbid caches to store a response that names a user, or to revalidate it."""
    if _is_rendered_later(response):
        # Which user a streamed page names is not known yet. One that is to be cached is rendered here and now.
        if cache_headers.allows_any(response.headers):
            response.make_sequence()
        else:
            request.environ[_UNSTORED] = True
    request.environ[_ANSWERED] = True
    if _IDENTITY in request.environ:
        if cache_headers.allows_public(response.headers):
            WARNINGS.warn("cache: a response that asks for public caching names a user; it is sent private, no-store")
        cache_headers.forbid_storing(response.headers, "private, no-store")
    elif _UNSTORED in request.environ:
        cache_headers.forbid_storing(response.headers, "private, no-store" if response.is_streamed else "no-store")
    return response


def count_templates(step: int) -> Callable[..., None]:
    """Return a receiver that counts the templates of a request that were begun and have not ended."""

    def count(_: Flask, **__: Any) -> None:
        if has_request_context():
            request.environ[_BEGUN] = request.environ.get(_BEGUN, 0) + step

    return count


def _is_rendered_later(response: Response) -> bool:
    """Whether an answer is a template that is streamed: it was begun, and ends with the answer."""
    return request.environ.get(_BEGUN, 0) > 0 and response.is_streamed and not response.direct_passthrough
