"""The Flask extension: configuration, loaders, caching, nonces, several applications."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import flask_login
import pytest
from flask import Flask, Response, g, render_template_string, send_file, stream_template_string, stream_with_context
from flask_talisman import Talisman
from jinja2 import ChainableUndefined, StrictUndefined, Undefined
from werkzeug.local import LocalProxy

from segment_intercom import SegmentIntercom, SettingsError, TraitError
from tests.conftest import APP_ID, SECRET
from tests.web.test_snippet import parsed, settings_in

TEMPLATE = "{{ intercom_snippet(user) }}"


def application(template: str = TEMPLATE, extension: SegmentIntercom | None = None, **config: Any) -> Flask:
    app = Flask("shop")
    app.config.update({"INTERCOM_APP_ID": APP_ID, "INTERCOM_IDENTITY_SECRET": SECRET, "TESTING": True, **config})
    (extension or SegmentIntercom()).init_app(app)
    app.add_url_rule("/", "home", lambda: render_template_string(template, user={"id": "u"}))
    app.add_url_rule("/visitor", "visitor", lambda: render_template_string(template, user=None))
    return app


def page(app: Flask, path: str = "/") -> dict[str, Any]:
    return settings_in(app.test_client().get(path).text)


def test_wrong_configuration_fails_at_startup() -> None:
    with pytest.raises(SettingsError, match="INTERCOM_APP_ID: must be 8 or 40"):
        application(INTERCOM_APP_ID="wrong")


def test_environment_fills_missing_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """The application's configuration goes before the environment, which gives what it leaves out."""
    monkeypatch.setenv("INTERCOM_APP_ID", "fromenv1")
    monkeypatch.setenv("INTERCOM_REGION", "eu")
    settings = page(application())
    assert (settings["app_id"], settings["api_base"]) == (APP_ID, "https://api-iam.eu.intercom.io")


def test_the_configuration_is_read_once() -> None:
    app = application()
    app.config["INTERCOM_APP_ID"] = "changed1"
    assert page(app)["app_id"] == APP_ID


def test_applications_sharing_extension_stay_separate() -> None:
    extension = SegmentIntercom()
    first = application(extension=extension)
    second = application(extension=extension, INTERCOM_APP_ID="other123", INTERCOM_IDENTITY_SECRET=None)
    assert page(first)["app_id"] == APP_ID
    assert page(second) == {"app_id": "other123", "user_id": "u"}
    assert first.extensions["segment_intercom"] is not second.extensions["segment_intercom"]


def test_loaders_supply_user_and_company() -> None:
    """The loaders count where the template passes no user; an explicit None means a visitor."""
    extension = SegmentIntercom()
    extension.user_loader(lambda: {"id": "loaded"})
    extension.company_loader(lambda: {"id": 1, "name": "One"})
    settings = page(application("{{ intercom_snippet() }}", extension))
    assert (settings["user_id"], settings["company"]) == ("loaded", {"company_id": "1", "name": "One"})
    assert page(application(extension=extension), "/visitor") == {"app_id": APP_ID}


def test_loader_exception_reaches_the_host() -> None:
    extension = SegmentIntercom()

    @extension.user_loader
    def user() -> Any:
        raise LookupError("the host's own")

    with pytest.raises(LookupError, match="the host's own"):
        application("{{ intercom_snippet() }}", extension).test_client().get("/")


def test_flask_login_current_user_is_accepted() -> None:
    app = application("{{ intercom_snippet(current_user) }}", SECRET_KEY="x")
    login = flask_login.LoginManager(app)

    class Member(flask_login.UserMixin):
        id, email = 7, "ann@example.com"

    login.user_loader(lambda user_id: Member())
    client = app.test_client()
    assert settings_in(client.get("/").text) == {"app_id": APP_ID}
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = "7", True
    assert settings_in(client.get("/").text)["email"] == "ann@example.com"


def test_talismans_nonce_is_found_by_itself() -> None:
    app = application()
    Talisman(
        app,
        force_https=False,
        content_security_policy={"script-src": []},
        content_security_policy_nonce_in=["script-src"],
    )
    answer = app.test_client().get("/")
    nonce = parsed(answer.text).tags[0][1]["nonce"]
    assert nonce
    assert f"'nonce-{nonce}'" in answer.headers["Content-Security-Policy"]


def test_a_nonce_on_g_is_found() -> None:
    app = application()
    app.before_request(lambda: setattr(g, "csp_nonce", lambda: "r4nd0m"))
    assert parsed(app.test_client().get("/").text).tags[0][1] == {"nonce": "r4nd0m"}


def test_answer_with_identity_is_never_stored() -> None:
    client = application().test_client()
    assert client.get("/").headers["Cache-Control"] == "private, no-store"
    assert "Cache-Control" not in client.get("/visitor").headers


@pytest.mark.parametrize("asked", ["public, max-age=60", "s-maxage=60"])
def test_public_answer_with_identity_becomes_private(asked: str, caplog: pytest.LogCaptureFixture) -> None:
    app = application()
    app.add_url_rule(
        "/public", "public", lambda: (render_template_string(TEMPLATE, user={"id": "u"}), {"Cache-Control": asked})
    )
    answer = app.test_client().get("/public")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "cache" in caplog.text


@pytest.mark.parametrize(
    "header", ["CDN-Cache-Control", "Vendor-CDN-Cache-Control", "Surrogate-Control", "X-Accel-Expires"]
)
def test_private_answer_loses_cdn_cache_headers(header: str) -> None:
    """Some caches obey these headers before Cache-Control, so an answer with an identity has none."""
    app = application()
    app.after_request(lambda response: response.headers.update({header: "600"}) or response)
    client = app.test_client()
    assert (header in client.get("/").headers, header in client.get("/visitor").headers) == (False, True)


def test_answer_with_identity_has_no_etag() -> None:
    app = application()
    app.after_request(lambda response: response.add_etag() or response)
    client = app.test_client()
    assert ("ETag" in client.get("/").headers, "ETag" in client.get("/visitor").headers) == (False, True)


@pytest.mark.parametrize("personal", ["traits={'email': 'ann@example.com'}", "auth_tokens={'shop': 't0ken'}"])
def test_personal_data_alone_makes_answer_private(personal: str) -> None:
    app = application("{{ intercom_snippet(None, " + personal + ") }}")
    assert app.test_client().get("/").headers["Cache-Control"] == "private, no-store"


def test_application_hook_cannot_make_answer_public() -> None:
    """An after_request hook that runs later than the extension's cannot undo its Cache-Control."""
    app = Flask("shop")
    app.config.update(INTERCOM_APP_ID=APP_ID, TESTING=True)

    @app.after_request
    def public(response: Response) -> Response:
        response.headers["Cache-Control"] = "public, max-age=300"
        return response

    SegmentIntercom(app)
    app.add_url_rule("/", "home", lambda: render_template_string(TEMPLATE, user={"id": "u"}))
    assert app.test_client().get("/").headers["Cache-Control"] == "private, no-store"


def test_shared_context_does_not_mix_answers(caplog: pytest.LogCaptureFixture) -> None:
    """Under one application context, an answer with an identity makes only itself private."""
    app = application()
    with app.app_context():
        client = app.test_client()
        answers = [client.get(path).headers.get("Cache-Control") for path in ("/visitor", "/", "/visitor")]
    assert answers == [None, "private, no-store", None]
    assert caplog.text == ""


@pytest.mark.parametrize("config", [{"INTERCOM_ENABLED": False}, {"INTERCOM_APP_ID": None}])
def test_answer_without_identity_may_be_cached(config: dict[str, Any]) -> None:
    assert "Cache-Control" not in application(**config).test_client().get("/").headers


def test_second_extension_on_application_is_refused() -> None:
    with pytest.raises(SettingsError, match="has a SegmentIntercom already"):
        SegmentIntercom(application())


@pytest.mark.parametrize("undefined", [Undefined, StrictUndefined, ChainableUndefined])
def test_helpers_are_undefined_without_extension(undefined: type[Undefined]) -> None:
    """Beside an application that has it, too: a template may ask, and a call that does not says what is missing."""
    application()
    app = Flask("plain")
    app.jinja_options = {"undefined": undefined}
    guarded = "{% if intercom_snippet is defined %}{{ intercom_snippet() }}{% endif %}"
    with app.test_request_context():
        assert render_template_string(f"[{guarded}{{{{ analytics_snippet | default('none') }}}}]") == "[none]"
        with pytest.raises(SettingsError, match="app: has no SegmentIntercom; call init_app"):
            render_template_string("{{ intercom_snippet() }}")


def test_names_of_application_stay_its_own() -> None:
    application()
    app = Flask("plain")
    app.jinja_env.globals["intercom_snippet"] = lambda: "by a global"
    app.context_processor(lambda: {"analytics_snippet": lambda: "by a processor"})
    with app.test_request_context():
        html = render_template_string("{{ intercom_snippet() }}, {{ analytics_snippet() }}")
    assert html == "by a global, by a processor"


@pytest.mark.parametrize("wrap", [lambda nonce: lambda: nonce, lambda nonce: LocalProxy(lambda: nonce)])
def test_nonce_from_context_processor_is_used(wrap: Any) -> None:
    app = application()
    app.context_processor(lambda: {"csp_nonce": wrap("r4nd0m")})
    assert parsed(app.test_client().get("/").text).tags[0][1] == {"nonce": "r4nd0m"}


def streaming(user: Any, caching: str = "") -> Flask:
    app = application()

    def stream() -> Response:
        return Response(stream_template_string(TEMPLATE, user=user), headers={"Cache-Control": caching})

    app.add_url_rule("/stream", "stream", stream)
    return app


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("asked", ["", "max-age=60", "public, max-age=60"])
def test_streamed_page_with_user_is_private(method: str, asked: str) -> None:
    answer = streaming({"id": "u"}, asked).test_client().open("/stream", method=method)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert method == "HEAD" or settings_in(answer.text)["user_id"] == "u"


def test_streamed_visitor_page_may_be_public() -> None:
    """A streamed page of a visitor stays public where it asks for that; else it is private."""
    client = streaming(None, "public, max-age=60").test_client()
    assert client.get("/stream").headers["Cache-Control"] == "public, max-age=60"
    assert streaming(None).test_client().get("/stream").headers["Cache-Control"] == "private, no-store"


def test_sent_file_is_not_made_private(tmp_path: Path) -> None:
    (tmp_path / "plain.html").write_text("<p>Plain")
    app = application()
    app.add_url_rule("/plain", "plain", lambda: send_file(tmp_path / "plain.html"))
    with app.test_client().get("/plain") as answer:
        assert "private" not in answer.headers["Cache-Control"]


def test_identity_after_sent_headers_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """In a plain stream the headers are gone before the identity is rendered, so a warning is all that is left."""
    app = application()
    later = (render_template_string(TEMPLATE, user={"id": "u"}) for _ in range(1))
    app.add_url_rule("/stream", "stream", lambda: Response(stream_with_context(later)))
    assert settings_in(app.test_client().get("/stream").text)["user_id"] == "u"
    assert "after the headers were sent" in caplog.text


@pytest.mark.parametrize(
    ("matching", "server_name", "host"),
    [
        ("host_matching", None, "shop.example:8080"),
        ("subdomain_matching", "shop.example", "tea.shop.example"),
        ("subdomain_matching", "shop.example", "shop.example"),
        ("subdomain_matching", "shop.example", "a.b.shop.example"),
    ],
)
def test_routes_work_on_page_host(matching: str, server_name: str | None, host: str) -> None:
    app = Flask("shop", **{matching: True}, static_folder=None)  # type: ignore[arg-type]
    app.config.update(INTERCOM_APP_ID=APP_ID, SERVER_NAME=server_name, TESTING=True)
    SegmentIntercom(app)

    def home(place: str = "") -> str:
        return render_template_string("{{ analytics_snippet(remote=True) }}")

    if matching == "host_matching":
        app.add_url_rule("/", view_func=home, host="<place>")
    else:
        app.add_url_rule("/", view_func=home)
        app.add_url_rule("/", view_func=home, subdomain="<place>")
    client, origin = app.test_client(), f"http://{host}"
    html = client.get("/", base_url=origin).text
    addresses = re.findall(r'new URL\("([^"]+)"', html)
    ours = [address for address in addresses if "segment-intercom" in address]
    assert [address.partition("?")[0] for address in ours] == [
        "/segment-intercom/runtime.min.js",
        "/segment-intercom/settings.json",
    ]
    headers = {"Sec-Fetch-Site": "same-origin"}
    for address in ours:
        with client.get(address, base_url=origin, headers=headers) as answer:
            assert answer.status_code == 200


# Those of EasyPrivacy's general rules that a path of a file for calls may match; a pipe is the end of an address.
BLOCKED = (
    "/analytics.min. .analytics.min. /analytics.js? /analytics-min.js /analytics_min. /static/analytics.js"
    " /assets/analytics. /js/analytics. /scripts/analytics. /script/analytics. /lib/analytics. /sw/analytics.js"
    " /analytics/ /analyticsjs. /analytics-js. /analytics-sdk. -analytics. -analytics/ /beacon.js /beacon.min.js"
    " /segmentio.js /segment/js/ /segment/api/ /tracker.min.js /tracker.js /tracking.js /track.js? /js/tracker.js"
    " /log? /event? /events? /collect? /pageview.js /stat.js? /stats.js /pixel.js /metrics.js /telemetry. /runtimejs/"
).split()


def test_block_list_rules_match_no_address() -> None:
    html = application("{{ analytics_snippet(remote=True) }}").test_client().get("/").text
    addresses = [address for address in re.findall(r'new URL\("([^"]+)"', html) if "segment-intercom" in address]
    assert len(addresses) == 2
    assert [(rule, address) for address in addresses for rule in BLOCKED if rule.casefold() in address.casefold()] == []


@pytest.mark.parametrize(
    ("debug", "testing", "strict"), [(True, False, True), (False, True, True), (False, False, False)]
)
def test_debug_and_testing_are_strict(debug: bool, testing: bool, strict: bool) -> None:
    app = application("{{ intercom_snippet({'id': 'u', 'bad': bad}) }}", PROPAGATE_EXCEPTIONS=True)
    app.debug, app.testing = debug, testing
    app.context_processor(lambda: {"bad": b"bytes"})
    if strict:
        with pytest.raises(TraitError, match="bad: "):
            app.test_client().get("/")
    else:
        assert page(app)["user_id"] == "u"


@pytest.mark.parametrize("strict", [True, False])
def test_a_chosen_strictness_goes_before(strict: bool) -> None:
    app = application("{{ intercom_snippet({'id': 'u', 'bad': bad}) }}", INTERCOM_STRICT=strict)
    app.context_processor(lambda: {"bad": b"bytes"})
    if strict:
        with pytest.raises(TraitError):
            app.test_client().get("/")
    else:
        assert page(app)["user_id"] == "u"


def test_delimiters_chosen_later_are_used() -> None:
    app = application("<< intercom_snippet(user) >>{{ vue }}")
    app.jinja_options = {"variable_start_string": "<<", "variable_end_string": ">>"}
    html = app.test_client().get("/").text
    assert settings_in(html)["user_id"] == "u"
    assert html.endswith("{{ vue }}")


def test_existing_jinja_environment_gets_helpers() -> None:
    app = Flask("shop")
    app.config["INTERCOM_APP_ID"] = APP_ID
    environment = app.jinja_env
    SegmentIntercom(app)
    with app.test_request_context():
        assert settings_in(environment.from_string("{{ intercom_snippet() }}").render()) == {"app_id": APP_ID}


def test_macro_without_context_has_helpers() -> None:
    app = application("{% import 'macros' as macros %}{{ macros.help(user) }}")
    from jinja2 import DictLoader

    app.jinja_loader = DictLoader({"macros": "{% macro help(user) %}{{ intercom_snippet(user) }}{% endmacro %}"})  # type: ignore[assignment]
    assert page(app)["user_id"] == "u"


def test_template_renders_outside_request() -> None:
    app = application()
    with app.app_context():
        assert settings_in(render_template_string(TEMPLATE, user={"id": "u"}))["user_id"] == "u"


def test_the_static_files_are_served() -> None:
    with application().test_client().get("/segment-intercom/loader.js") as answer:
        assert answer.status_code == 200
        assert "INTERCOM_SETTINGS" in answer.text


def test_only_versioned_runtime_is_cached() -> None:
    client = application("{{ analytics_snippet(user) }}").test_client()
    address = re.search(r"/segment-intercom/runtime\.min\.js\?v=\w+", client.get("/").text)
    assert address is not None
    with client.get(address.group()) as versioned, client.get("/segment-intercom/runtime.min.js") as asked_again:
        assert versioned.cache_control.max_age == 31_536_000
        assert asked_again.cache_control.no_cache


def test_tenants_have_their_own_app_id() -> None:
    app = application("{{ intercom_snippet(user, app_id='tenant12') }}")
    assert page(app)["app_id"] == "tenant12"


def test_secret_reaches_no_page_or_repr() -> None:
    app = application()
    assert SECRET not in app.test_client().get("/").text
    assert SECRET not in repr(app.extensions["segment_intercom"])
