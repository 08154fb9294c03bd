"""The snippet by itself: into which answers, at which place, and what becomes of their headers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, Response, render_template_string, request, send_file
from flask_login import LoginManager, UserMixin, current_user
from flask_talisman import Talisman
from werkzeug.http import generate_etag

from segment_intercom import SegmentIntercom
from segment_intercom.web.auto_include import is_excluded
from tests.conftest import APP_ID, SECRET
from tests.web.test_snippet import parsed, settings_in

PAGE = "<html><body><h1>Hello</h1></body></html>"
SCRIPT = "window.intercomSettings={"
ANN = {"id": "ann"}


def site(view: Callable[[], Any] = lambda: PAGE, user: Any = None, **config: Any) -> Flask:
    app = Flask("shop")
    app.config.update(INTERCOM_APP_ID=APP_ID, INTERCOM_AUTO_INCLUDE=True, TESTING=True)
    app.config.update(config)
    SegmentIntercom(app).user_loader(lambda: user)
    app.add_url_rule("/", "home", view, methods=["GET", "POST", "PUT"])
    app.add_url_rule("/admin/users", "admin.users", view)
    return app


def get(app: Flask, path: str = "/", **headers: str) -> Any:
    return app.test_client().get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})


def answering(html: str | bytes = PAGE, status: int = 200, **headers: str) -> Callable[[], Response]:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: Response(html, status, {"Content-Type": "text/html; charset=utf-8", **fields})


def test_page_ends_with_users_snippet() -> None:
    html = get(site(user=ANN, INTERCOM_IDENTITY_SECRET=SECRET)).text
    assert html.startswith("<html><body><h1>Hello</h1><script>")
    assert html.endswith("</script></body></html>")
    assert set(settings_in(html)) == {"app_id", "user_id", "user_hash"}


def test_it_is_off_unless_asked_for() -> None:
    assert get(site(INTERCOM_AUTO_INCLUDE=False)).text == PAGE


@pytest.mark.parametrize("end", ["</body>", "</BODY>", "</body >", "</body\n>"])
def test_snippet_stands_before_last_body_end(end: str) -> None:
    page = "<body><textarea></body></textarea><p>shown</p>"
    html = get(site(lambda: f"{page}{end}</html>")).text
    assert html.startswith(f"{page}<script>")
    assert html.endswith(f"</script>{end}</html>")
    assert html.count(SCRIPT) == 1


def test_page_without_body_end_is_untouched() -> None:
    """The user loader is not called, and the answer gets no header."""
    app = Flask("shop")
    app.config.update(INTERCOM_APP_ID=APP_ID, INTERCOM_AUTO_INCLUDE=True, TESTING=True)
    SegmentIntercom(app).user_loader(lambda: pytest.fail("asked"))
    app.add_url_rule("/", "home", lambda: "<p>a fragment</p>")
    answer = get(app)
    assert (answer.text, answer.headers.get("Cache-Control")) == ("<p>a fragment</p>", None)


UNTOUCHED = {
    "an error": answering(status=404),
    "a failure": answering(status=500),
    "a redirect": answering(status=302, Location="/"),
    "no content": answering(status=204),
    "a part": answering(status=206),
    "a range": answering(Content_Range="bytes 0-9/99"),
    "compressed": answering(Content_Encoding="gzip"),
    "json": answering(Content_Type="application/json"),
    "text": answering(Content_Type="text/plain"),
    "xml": answering(Content_Type="application/xhtml+xml"),
    "an attachment": answering(Content_Disposition='Attachment; filename="page.html"'),
    "public": answering(Cache_Control="public, max-age=60"),
    "of shared caches": answering(Cache_Control="s-maxage=60"),
    "of a charset unknown": answering(Content_Type="text/html; charset=klingon"),
    "handed through": lambda: Response([PAGE], mimetype="text/html", direct_passthrough=True),
    "not the same when encoded again": answering(
        b"\xfe\xff" + PAGE.encode("utf-16-be"), Content_Type="text/html; charset=utf-16"
    ),
    "not of its charset": answering("<body>ä</body>".encode("latin-1")),
}


@pytest.mark.parametrize("view", UNTOUCHED.values(), ids=UNTOUCHED)
def test_no_other_answer_is_touched(view: Callable[[], Response]) -> None:
    with site(user=ANN).test_request_context():
        expected = view()
    answer = get(site(view, user=ANN))
    assert answer.data == (b"" if answer.status_code == 204 else expected.data)
    assert answer.headers.get("Cache-Control") == expected.headers.get("Cache-Control")


def test_a_stream_is_not_touched() -> None:
    answer = get(site(lambda: Response(iter(["<body>", "</body>"])), user=ANN))
    assert (answer.text, answer.headers.get("Cache-Control")) == ("<body></body>", None)


def test_a_file_is_not_touched(tmp_path: Any) -> None:
    (tmp_path / "page.html").write_text(PAGE)
    with get(site(lambda: send_file(tmp_path / "page.html"))) as answer:
        assert answer.text == PAGE


def test_post_includes_snippet_put_does_not() -> None:
    client = site().test_client()
    assert SCRIPT in client.post("/").text
    assert client.put("/").text == PAGE


@pytest.mark.parametrize(("dest", "included"), [("document", 1), ("iframe", 0), ("empty", 0), ("image", 0), ("", 0)])
def test_only_document_destination_gets_snippet(dest: str, included: int) -> None:
    assert get(site(), Sec_Fetch_Dest=dest).text.count(SCRIPT) == included


@pytest.mark.parametrize("entry", ["home", "/"])
def test_an_excluded_place_stays_without(entry: str) -> None:
    assert get(site(INTERCOM_EXCLUDE=[entry])).text == PAGE


@pytest.mark.parametrize(
    ("entry", "excluded"),
    [
        ("/admin", True),
        ("/admin/", True),
        ("/admin/users", True),
        ("/adm", False),
        ("admin.users", True),
        ("admin", False),
    ],
)
def test_exclusion_matches_whole_path_segments(entry: str, excluded: bool) -> None:
    """A path is excluded with all that is below it; the name of an endpoint must be exact."""
    assert is_excluded("admin.users", "/admin/users", (entry,)) is excluded


def test_exclusion_ignores_mount_prefix() -> None:
    app = site(INTERCOM_EXCLUDE=["/admin/users"])
    assert app.test_client().get("/admin/users", base_url="http://localhost/shop").text == PAGE


@pytest.mark.parametrize("user", ["{'id': 'u'}", "None"])
def test_manual_snippet_prevents_automatic_snippet(user: str) -> None:
    page = "<body>{{ intercom_snippet(" + user + ", alignment='left') }}</body>"
    html = get(site(lambda: render_template_string(page), user=ANN)).text
    assert html.count(SCRIPT) == 1
    assert settings_in(html)["alignment"] == "left"


@pytest.mark.parametrize("config", [{"INTERCOM_ENABLED": False}, {"INTERCOM_APP_ID": None}])
def test_disabled_messenger_leaves_answer_unchanged(config: dict[str, Any]) -> None:
    answer = get(site(user=ANN, **config))
    assert (answer.text, answer.headers.get("Cache-Control")) == (PAGE, None)


def test_an_exception_in_the_loader_surfaces() -> None:
    app = site()
    app.extensions["segment_intercom"].helpers.user_loader = lambda: {}["the host's own"]
    with pytest.raises(KeyError, match="the host's own"):
        get(app)


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "iso-8859-1", "windows-1252", "utf-16", "shift_jis"])
def test_charset_of_answer_is_preserved(charset: str) -> None:
    """A name with characters outside the charset is read back from the page unchanged."""
    page = "<body>plain</body>".encode(charset)
    app = site(answering(page, Content_Type=f"text/html; charset={charset}"), {"id": "ł😀", "name": "é"})
    html = get(app).data.decode(charset)
    assert (settings_in(html)["user_id"], settings_in(html)["name"]) == ("ł😀", "é")


def test_content_length_includes_the_snippet() -> None:
    answer = get(site(answering(Content_Length=str(len(PAGE))), user={"id": "é"}))
    assert answer.headers.getlist("Content-Length") == [str(len(answer.data))]
    assert len(answer.data) > len(PAGE)


@pytest.mark.parametrize("tag", ['"v1"', 'W/"v1"'])
def test_etag_is_computed_from_whole_page(tag: str) -> None:
    """Last-Modified and Digest, which describe the page before, are removed."""
    answer = get(site(answering(ETag=tag, Last_Modified="Thu, 01 Jan 2026 00:00:00 GMT", Digest="sha-256=x")))
    assert answer.headers["ETag"] == tag.replace("v1", generate_etag(answer.data))
    assert not {"Last-Modified", "Digest"} & set(answer.headers.keys())


def test_page_of_user_forbids_caching() -> None:
    answer = get(site(answering(ETag='"v1"', Last_Modified="Thu, 01 Jan 2026 00:00:00 GMT"), ANN))
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert not {"ETag", "Last-Modified"} & set(answer.headers.keys())


def conditional() -> Response:
    response = Response(PAGE, mimetype="text/html")
    response.add_etag()
    return response.make_conditional(request)  # type: ignore[return-value]


def test_visitor_tag_never_matches_user_page() -> None:
    visitors = get(site(conditional))
    again = get(site(conditional, ANN), If_None_Match=visitors.headers["ETag"])
    assert (again.status_code, settings_in(again.text)["user_id"]) == (200, "ann")


def test_conditional_hook_compares_final_tag() -> None:
    app = site(answering(ETag='"v1"'))
    app.after_request(lambda response: response.make_conditional(request))
    assert get(app, If_None_Match=get(app).headers["ETag"]).status_code == 304
    assert get(app, If_None_Match='"v1"').status_code == 200


@pytest.mark.parametrize("first", [True, False])
def test_compressing_hook_sees_whole_page(first: bool) -> None:
    """It does not matter whether the hook or the extension was registered first."""
    app = Flask("shop")
    app.config.update(INTERCOM_APP_ID=APP_ID, INTERCOM_AUTO_INCLUDE=True, TESTING=True)

    def compress(response: Response) -> Response:
        response.set_data(response.get_data().upper())
        response.headers["Content-Encoding"] = "upper"
        return response

    steps = [lambda: app.after_request(compress), lambda: SegmentIntercom(app)]
    for step in steps if first else reversed(steps):
        step()
    app.add_url_rule("/", "home", lambda: PAGE)
    assert SCRIPT.upper() in get(app).text


def test_before_request_answer_gets_snippet() -> None:
    app = Flask("shop")
    app.config.update(INTERCOM_APP_ID=APP_ID, INTERCOM_AUTO_INCLUDE=True, TESTING=True)
    app.before_request(lambda: PAGE)
    SegmentIntercom(app)
    app.add_url_rule("/", "home", lambda: "behind a wall")
    assert SCRIPT in get(app).text


def test_talismans_nonce_is_found() -> None:
    app = site()
    policy = {"content_security_policy": {"script-src": []}, "content_security_policy_nonce_in": ["script-src"]}
    Talisman(app, force_https=False, **policy)
    answer = get(app)
    nonce = parsed(answer.text[answer.text.index("<script") :]).tags[0][1]["nonce"]
    assert f"'nonce-{nonce}'" in answer.headers["Content-Security-Policy"]


def test_nonce_of_template_context_is_used() -> None:
    app = site(lambda: render_template_string(PAGE))
    app.context_processor(lambda: {"csp_nonce": lambda: "r4nd0m"})
    assert '<script nonce="r4nd0m">' in get(app).text


def test_flask_login_user_outlives_the_view() -> None:
    app = site(SECRET_KEY="x")
    app.extensions["segment_intercom"].helpers.user_loader = lambda: current_user

    class Member(UserMixin):
        id = 7

    LoginManager(app).user_loader(lambda user_id: Member())
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = "7"
    answer = client.get("/")
    assert (settings_in(answer.text)["user_id"], answer.headers["Vary"]) == ("7", "Cookie")


def test_shared_response_object_stays_unchanged() -> None:
    shared = Response(PAGE, mimetype="text/html")
    app = Flask("shared")
    app.config.update(INTERCOM_APP_ID="abc12345", INTERCOM_AUTO_INCLUDE=True, TESTING=True)
    SegmentIntercom(app).user_loader(lambda: {"id": request.args["user"]})
    app.add_url_rule("/", "page", lambda: shared)
    for user in ("ann", "ben"):
        answer = app.test_client().get(f"/?user={user}")
        assert (f'"user_id":"{user}"' in answer.text, answer.text.count("intercomSettings={")) == (True, 1)
        assert answer.headers["Cache-Control"] == "private, no-store"
    assert shared.get_data(as_text=True) == PAGE
    assert "Cache-Control" not in shared.headers


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-LiteSpeed-Cache-Control", "public,max-age=60"),
        ("Edge-Control", "max-age=60"),
        ("CDN-Cache-Control", "max-age=60"),
        ("Surrogate-Control", "max-age=60"),
        ("Expires", "Thu, 01 Jan 2099 00:00:00 GMT"),
    ],
)
def test_publicly_cached_answer_gets_no_snippet(name: str, value: str) -> None:
    """Expires and the headers for caches of a vendor make an answer public, as Cache-Control does."""
    app = Flask("cached")
    app.config.update(INTERCOM_APP_ID="abc12345", INTERCOM_AUTO_INCLUDE=True, TESTING=True)
    SegmentIntercom(app).user_loader(lambda: {"id": "ann"})
    app.add_url_rule("/", "page", lambda: Response(PAGE, mimetype="text/html", headers={name: value}))
    assert app.test_client().get("/").text == PAGE


def test_head_answer_is_private_too() -> None:
    app = Flask("asked")
    app.config.update(INTERCOM_APP_ID="abc12345", INTERCOM_AUTO_INCLUDE=True, TESTING=True)
    SegmentIntercom(app).user_loader(lambda: {"id": "ann"})
    app.add_url_rule("/", "page", lambda: Response(PAGE, mimetype="text/html"))
    assert app.test_client().head("/").headers["Cache-Control"] == "private, no-store"


HEADED = {
    "plain": answering(),
    "tagged": answering(ETag='"v1"', Last_Modified="Thu, 01 Jan 2026 00:00:00 GMT"),
    "without a place": answering("<p>a fragment</p>", ETag='"v1"'),
    "not to be touched": answering(Cache_Control="public, max-age=60"),
    "a stream": lambda: Response(iter(["<body>", "</body>"]), mimetype="text/html"),
}


@pytest.mark.parametrize("user", [None, ANN])
@pytest.mark.parametrize("view", HEADED.values(), ids=HEADED)
def test_head_has_the_headers_of_get(view: Callable[[], Response], user: Any) -> None:
    """RFC 9110, 9.3.2: its length and its tag among them."""
    client = site(view, user=user).test_client()
    whole, head = client.get("/"), client.head("/")
    assert (sorted(head.headers), head.data) == (sorted(whole.headers), b"")


def test_head_of_its_own_claims_nothing() -> None:
    """A view that makes no page for HEAD cannot tell the length and the tag of the one with the snippet."""

    def view() -> Response:
        return answering("" if request.method == "HEAD" else PAGE, ETag='"v1"')()

    client = site(view).test_client()
    whole, head = client.get("/").headers, client.head("/").headers
    assert set(whole.keys()) - set(head.keys()) == {"Content-Length", "ETag"}
    assert site(view, user=ANN).test_client().head("/").headers["Cache-Control"] == "private, no-store"
