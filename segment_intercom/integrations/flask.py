"""Flask: hooks, routes, the template helpers and the server-side calls of an application.

The extension's routes answer on all hosts and subdomains of an application that matches them: a page asks its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar, cast

from flask import (
    Blueprint,
    Flask,
    Response,
    after_this_request,
    before_render_template,
    current_app,
    g,
    has_request_context,
    request,
    send_from_directory,
    template_rendered,
    url_for,
)
from jinja2 import Template
from werkzeug.wrappers import Response as AnyResponse

from .. import assets
from .._json import dumps
from .._validators import InvalidValue
from ..calls import Call
from ..diagnostics import WARNINGS
from ..errors import CallError, OptionError, SettingsError
from ..ingest import Ingest
from ..partition import to_workspace
from ..settings import Settings, check_app_id, unknown_keys
from ..web import auto_include, session_route
from ..web.cookies import log_out_headers
from ..web.helpers import HELPER_NAMES, Helpers, find_nonce
from ..web.proxies import plain
from ..web.server_calls import ServerCalls
from .answers import RENDERED, count_templates, do_not_store, keep_private, on_render, with_body, without_body
from .request_settings import is_excluded, is_strict, settings_now, workspace_app_id
from .signals import call_accepted

F = TypeVar("F", bound=Callable[[], Any])
R = TypeVar("R", bound=AnyResponse)
Traits = Mapping[str, Any] | None

NAME = "segment_intercom"
# Pages get the runtime under a name that no general rule of public block lists matches; "/analytics.min." is one.
RUNTIME_NAME = "runtime.min.js"
_RUNTIME = "analytics.min.js"
_PREFIX = "/segment-intercom"
_HOST = f"{NAME}_host"
_YEAR = 31_536_000
_PAGE_NONCE = f"{NAME}.nonce"
_NO_EXTENSION = "has no SegmentIntercom; call init_app(app) where the application is made"


@dataclass(frozen=True, slots=True)
class State:
    """What the extension keeps for one application, in ``app.extensions["segment_intercom"]``.

    ``captured`` holds the calls of server code while ``app.testing`` is true, when nothing is delivered.
    """

    settings: Settings
    helpers: Helpers
    ingest: Ingest = field(repr=False)
    captured: list[Call] = field(default_factory=list, repr=False)


def state() -> State:
    """The state of the current application; SettingsError where it has none."""
    if NAME not in current_app.extensions:
        raise SettingsError("app", "has no SegmentIntercom; call init_app()")
    return cast("State", current_app.extensions[NAME])


def _configuration(app: Flask) -> Mapping[str, Any]:
    """The application's configuration over the environment's."""
    return {**Settings.present(os.environ), **app.config}


class SegmentIntercom(ServerCalls):
    """Puts Intercom's Messenger on the pages of Flask applications, one or several.

    ``SegmentIntercom(app)``, or ``init_app(app)`` from an application factory. The configuration is read then, from
    the ``INTERCOM_*`` keys of ``app.config``, else of the environment; a wrong value raises SettingsError.
    ``before_send(call)`` returns the call, changed or not, or None to drop it; ``exclude_if(request)`` returns True for
    pages without Intercom.
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        before_send: Callable[[Any], Any] | None = None,
        exclude_if: Callable[[Any], Any] | None = None,
    ) -> None:
        functions = {"INTERCOM_BEFORE_SEND": before_send, "INTERCOM_EXCLUDE_IF": exclude_if}
        self._functions = {key: function for key, function in functions.items() if function is not None}
        self._user_loader: Callable[[], Any] | None = None
        self._company_loader: Callable[[], Any] | None = None
        self._workspace_loader: Callable[[], str | None] | None = None
        before_render_template.connect(_explain_what_is_missing)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Prepare an application: its settings, the template helpers, the static files, the caching headers."""
        if NAME in app.extensions:
            raise SettingsError("app", "has a SegmentIntercom already; call init_app() once")
        settings = Settings.from_mapping({**_configuration(app), **self._functions})
        if is_strict(app, settings):  # while one develops; a host may have keys of that form for other things
            for key, said in unknown_keys(_configuration(app)).items():
                WARNINGS.warn("%s: %s", key, said)
        helpers = Helpers(
            settings=settings_now(app, settings, self._workspace),
            user_loader=lambda: self._user_loader() if self._user_loader else None,
            company_loader=lambda: self._company_loader() if self._company_loader else None,
            nonce=_nonce,
            rendered=on_render,
            settings_url=lambda: url_for(f"{NAME}.{session_route.ENDPOINT}") if has_request_context() else None,
            runtime_url=_runtime_url,
        )
        app.extensions[NAME] = State(settings, helpers, Ingest(settings))
        _add_globals(app, helpers)
        app.register_blueprint(_routes(app))
        app.url_default_functions.setdefault(None, []).append(partial(_name_host, app))
        _watch(app, include=settings.auto_include and settings.enabled)

    @property
    def captured(self) -> list[Call]:
        """The calls of server code while ``app.testing`` is true, when nothing is delivered: for tests to look at."""
        return state().captured

    def user_loader(self, loader: F) -> F:
        """Decorate the function that returns the current user, or None for a visitor."""
        self._user_loader = loader
        return loader

    def company_loader(self, loader: F) -> F:
        """Decorate the function that returns the company for which the current user acts, or None."""
        self._company_loader = loader
        return loader

    def workspace_loader(self, loader: F) -> F:
        """Decorate the function that returns the app id of the current request's workspace, one of ``workspaces``.

        None stands for that of INTERCOM_APP_ID.
        """
        self._workspace_loader = loader
        return loader

    def _workspace(self) -> str | None:
        """The app id that the workspace_loader names, None where there is no loader or it names none."""
        return plain(self._workspace_loader()) if self._workspace_loader is not None else None

    def _accept(self, call: Call, *, from_request: bool = False, connection: Any = None) -> None:
        """Accept a call for the current application; while it is tested, capture it instead."""
        current = state()
        if from_request:
            call = replace(call, context={**_of_request(), **call.context})
        strict = is_strict(current_app, current.settings)
        if current.settings.workspaces:
            call = to_workspace(call, self._workspace, strict=strict)
        if current_app.testing:
            prepared = current.ingest.prepare(call, strict=strict)
            if prepared is not None:
                current.ingest.validate(prepared, strict=strict)
                current.captured.append(prepared)
        else:
            accepted = current.ingest.enqueue(call, strict=strict, connection=connection)
            if accepted is not None:
                call_accepted.send(current_app._get_current_object(), call=accepted)  # type: ignore[attr-defined]

    def flush(self, timeout: float | None = None) -> int:
        """Wait until what this process handed in is delivered, for a script; returns how many calls are left."""
        return state().ingest.flush(timeout)

    def logout(self, response: R, app_id: str | None = None, *, clear_storage: bool = False) -> R:
        """End the person's session with Intercom in this browser; call it on the answer to a log-out, page or redirect.

        It expires Intercom's cookies that the request brought, of the app id of its workspace, of the configured one,
        of ``app_id`` and of others up to three, and makes the next pages shut the Messenger down and forget the user.
        ``clear_storage`` asks the browser to drop everything that pages of this origin have stored.
        """
        settings = state().settings
        app_ids = (workspace_app_id(settings, self._workspace), settings.app_id, _checked_app_id(app_id))
        headers = log_out_headers(
            host=request.host,
            secure=request.is_secure,
            app_ids=[known for known in dict.fromkeys(app_ids) if known is not None],
            present=request.cookies,
            clear_storage=clear_storage,
        )
        for name, value in headers:
            response.headers.add(name, value)
        response.headers["Cache-Control"] = "no-store"
        do_not_store()
        return response


def _explain_what_is_missing(app: Flask, template: Template, context: dict[str, Any], **_: Any) -> None:
    """Let a call of a helper say that the application has no extension; it is undefined there, as any other name."""
    if NAME in app.extensions:
        return
    for name in HELPER_NAMES:
        if name not in template.globals:
            undefined = template.environment.undefined
            context.setdefault(name, undefined(_NO_EXTENSION, name=name, exc=partial(SettingsError, "app")))  # type: ignore[arg-type]


def _of_request() -> dict[str, str]:
    """The address and the user agent of who sent the current request."""
    if not has_request_context():
        raise CallError("from_request", "needs a request: leave it out here, or give a context with ip and userAgent")
    context = {"ip": request.remote_addr, "userAgent": request.headers.get("User-Agent")}
    return {name: value for name, value in context.items() if value}


def _add_globals(app: Flask, helpers: Helpers) -> None:
    """Give the helpers to the application's environment without making it now: its options may still change."""
    if "jinja_env" in app.__dict__:
        app.jinja_env.globals.update(helpers.globals())
        return

    class Environment(app.jinja_environment):  # type: ignore[name-defined,misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.globals.update(helpers.globals())

    app.jinja_environment = Environment


def _checked_app_id(app_id: str | None) -> str | None:
    try:
        return None if plain(app_id) is None else cast("str", check_app_id(plain(app_id)))
    except InvalidValue as refused:
        raise OptionError("app_id", str(refused)) from None


def _watch(app: Flask, *, include: bool) -> None:
    """Look at every answer of an application; ``include`` also puts the snippet into its pages."""
    if include:
        # Before all hooks of the application: one that compresses or tags the answer then sees the whole page.
        app.before_request_funcs.setdefault(None, []).insert(0, _include_after_the_view)
        template_rendered.connect(_remember_nonce, app)
    before_render_template.connect(count_templates(1), app, weak=False)
    template_rendered.connect(count_templates(-1), app, weak=False)
    # First in the list is last to run: nothing that an application does to the header comes after.
    app.after_request_funcs.setdefault(None, []).insert(0, keep_private)


def _nonce() -> str | None:
    """The nonce of the current page's policy, where the application or flask-talisman made one."""
    return find_nonce({"csp_nonce": getattr(g, "csp_nonce", None)}) or find_nonce(current_app.jinja_env.globals)


def _include_after_the_view() -> None:
    after_this_request(_include)


def _include(response: Response) -> Response:
    current = state()
    if not _gets_snippet(response, current.settings):
        return response
    snippet = partial(current.helpers.intercom_snippet, nonce=request.environ.get(_PAGE_NONCE))
    if request.method == "HEAD" and not response.get_data():  # the view made no page, as it has an answer of its own
        return without_body(response) if snippet() else response
    page = auto_include.include(response.get_data(), response.mimetype_params.get("charset", "utf-8"), snippet)
    return response if page is None else with_body(response, page)


def _gets_snippet(response: Response, settings: Settings) -> bool:
    return (
        RENDERED not in request.environ
        and auto_include.accepts_a_page(request.method, request.headers.get("Sec-Fetch-Dest"))
        and not is_excluded(settings)
        and not auto_include.is_excluded(request.endpoint, request.path, settings.exclude)
        and response.is_sequence
        and not response.direct_passthrough
        and auto_include.is_a_page(response.status_code, response.mimetype or "", response.headers)
    )


def _remember_nonce(_: Flask, context: Mapping[str, Any], **__: Any) -> None:
    """A context processor may be the only one to know the nonce, and only templates hear it."""
    if has_request_context() and "csp_nonce" in context:
        request.environ[_PAGE_NONCE] = context["csp_nonce"]


def _runtime_url() -> str:
    """Where pages get the browser runtime; its address names its version."""
    return url_for(f"{NAME}.static", filename=RUNTIME_NAME, v=assets.fingerprint(f"{NAME}/{_RUNTIME}"))


def _routes(app: Flask) -> Blueprint:
    """The static files, and the settings of the logged-in user for pages that are cached in public."""
    blueprint = Blueprint(NAME, __name__)
    for place in _places(app):
        blueprint.add_url_rule(f"{_PREFIX}/<path:filename>", "static", _file, **place)
        blueprint.add_url_rule(session_route.PATH, session_route.ENDPOINT, _settings_json, **place)
    return blueprint


def _places(app: Flask) -> list[dict[str, Any]]:
    """Where the routes answer, as arguments of a rule: everywhere that pages of the application are."""
    if app.url_map.host_matching:
        return [{"host": f"<{_HOST}>"}]
    return [{}, {"subdomain": f"<{_HOST}>"}] if app.subdomain_matching else [{}]


def _name_host(app: Flask, endpoint: str, values: dict[str, Any]) -> None:
    """Give addresses of the extension's routes the host, or the subdomain, of the page that is being made."""
    if not endpoint.startswith(f"{NAME}.") or not has_request_context():
        return
    if app.url_map.host_matching:
        values.setdefault(_HOST, request.host)
    elif app.subdomain_matching:
        adapter = app.create_url_adapter(request)
        if adapter is not None and adapter.subdomain:
            values.setdefault(_HOST, adapter.subdomain)


def _file(filename: str, **_: str) -> Response:
    """A static file, which may be kept for a year where its address names its version."""
    name = _RUNTIME if filename == RUNTIME_NAME else filename
    return send_from_directory(assets.static(NAME), name, max_age=_YEAR if "v" in request.args else None)


def _settings_json(**_: str) -> Response:
    current = state()
    do_not_store()
    origin = f"{request.scheme}://{request.host}"
    status, body = session_route.answer(current.helpers.session_settings, dict(request.headers), origin)
    return Response(dumps(body), status, session_route.HEADERS, mimetype="application/json")
