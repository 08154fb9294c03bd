"""The extension's calls from server code: captured while an application is tested, kept for delivery otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from segment_intercom import CallError, Group, Identify, Page, SegmentIntercom, SettingsError, Track, TraitError
from segment_intercom.integrations.flask import State
from segment_intercom.outbox import SqliteOutbox
from segment_intercom.serialize import read

APP_ID = "abc12345"
AGENT = "Mozilla/5.0 (X11; Linux x86_64)"
Make = Callable[..., Flask]


@dataclass
class User:
    """A user as an application has one."""

    id: int = 7
    email: str = "ann@example.com"
    name: str = "Ann"
    password: str = "private"


@pytest.fixture
def intercom() -> SegmentIntercom:
    return SegmentIntercom()


@pytest.fixture
def make(tmp_path: Path, intercom: SegmentIntercom) -> Iterator[Make]:
    """Applications of one extension, each with an outbox of its own that another process is to deliver from."""
    made: list[Flask] = []

    def make(**config: Any) -> Flask:
        app = Flask(f"app{len(made)}")
        outbox = f"sqlite:///{tmp_path}/{app.name}.db"
        app.config.update({"INTERCOM_OUTBOX": outbox, "INTERCOM_DELIVER": "worker", **config})
        intercom.init_app(app)
        made.append(app)
        return app

    yield make
    for app in made:
        state(app).ingest.close()


def state(app: Flask) -> State:
    stored: State = app.extensions["segment_intercom"]
    return stored


def kept(app: Flask) -> list[dict[str, Any]]:
    """The messages that wait in an application's outbox."""
    messages = []
    with closing(SqliteOutbox(app.config["INTERCOM_OUTBOX"].removeprefix("sqlite:///"))) as box:
        while (lease := box.lease()) is not None:
            messages += [read(message.body) for message in lease.messages]
    return messages


def test_testing_captures_calls_and_stores_nothing(make: Make, intercom: SegmentIntercom, tmp_path: Path) -> None:
    app = make(TESTING=True)
    with app.app_context():
        intercom.identify("u", {"name": "Ann"})
        intercom.track("u", "Paid", {"revenue": 5}, message_id="m")
        intercom.group("u", "c", {"name": "C"}, anonymous_id="a")
        intercom.page("u", "Docs", "Home", properties={"a": 1})
        assert intercom.flush() == 0
    assert state(app).captured == [
        Identify("u", {"name": "Ann"}),
        Track("Paid", {"revenue": 5}, "u", message_id="m"),
        Group("c", {"name": "C"}, "u", anonymous_id="a"),
        Page("Home", {"a": 1}, "u", "Docs"),
    ]
    assert list(tmp_path.iterdir()) == []


def test_testing_may_be_set_late(make: Make, intercom: SegmentIntercom) -> None:
    app = make()
    with app.app_context():
        intercom.identify("u")
        app.testing = True
        intercom.track("u", "Paid")
    assert [message["type"] for message in kept(app)] == ["identify"]
    assert state(app).captured == [Track("Paid", user_id="u")]


def test_mistakes_raise_while_testing(make: Make, intercom: SegmentIntercom) -> None:
    app = make(TESTING=True)
    with app.app_context():
        with pytest.raises(CallError, match="event"):
            intercom.track("u")
        with pytest.raises(TraitError, match="bad"):
            intercom.identify("u", {"bad": object()})
        with pytest.raises(CallError, match="user_id"):
            intercom.track(None, "Paid")
    assert state(app).captured == []


def test_calls_outside_tests_wait_in_outbox(make: Make, intercom: SegmentIntercom) -> None:
    app = make()
    with app.app_context():
        intercom.identify("u", {"name": "Ann"}, context={"active": False}, timestamp=5)
        intercom.page("u")
        assert intercom.flush() == 1
    expected = {"type": "identify", "userId": "u", "traits": {"name": "Ann"}, "context": {"active": False}}
    assert kept(app) == [{**expected, "timestamp": 5}]


def test_the_user_loader_names_the_user(make: Make, intercom: SegmentIntercom) -> None:
    intercom.user_loader(User)
    app = make(TESTING=True)
    with app.app_context():
        intercom.identify(traits={"plan": "pro"})
        intercom.track(event="Paid")
        intercom.group(group_id="c")
        intercom.track("other", "Paid")
    captured = state(app).captured
    assert [getattr(call, "user_id", None) for call in captured] == ["7", "7", "7", "other"]
    assert captured[0] == Identify("7", {"plan": "pro", "email": "ann@example.com", "name": "Ann"})


def test_call_without_loaded_user_is_refused(make: Make, intercom: SegmentIntercom) -> None:
    intercom.user_loader(lambda: None)
    app = make(TESTING=True)
    with app.app_context(), pytest.raises(CallError, match="user_id"):
        intercom.identify()


@pytest.mark.parametrize(
    ("user", "user_id"),
    [
        ("u", "u"),
        (7, "7"),
        (UUID(int=7), str(UUID(int=7))),
        (User(), "7"),
        ({"userId": 7, "email": "ann@example.com"}, "7"),
        (Identify("7", {"email": "ann@example.com"}), "7"),
    ],
)
def test_a_user_may_have_any_form(make: Make, intercom: SegmentIntercom, user: Any, user_id: str) -> None:
    app = make(TESTING=True)
    with app.app_context():
        intercom.identify(user, {"plan": "pro"})
        intercom.track(user, "Paid")
    identified, tracked = state(app).captured
    assert isinstance(identified, Identify)
    assert isinstance(tracked, Track)
    assert (identified.user_id, tracked.user_id) == (user_id, user_id)
    assert identified.traits.items() <= {"plan": "pro", "email": "ann@example.com", "name": "Ann"}.items()


def test_email_identifies_user_without_id(make: Make, intercom: SegmentIntercom) -> None:
    """Without an id the email goes along in the context of events and groups."""
    app = make()
    somebody = {"email": "Ann@example.com"}
    with app.app_context():
        intercom.identify(somebody)
        intercom.track(somebody, "Paid", context={"ip": "1.2.3.4"})
        intercom.group(somebody, "c", {"name": "C"})
    _, tracked, grouped = kept(app)
    assert tracked["context"] == {"ip": "1.2.3.4", "traits": somebody}
    assert grouped["context"] == {"traits": somebody}


def test_call_traits_override_user_traits(make: Make, intercom: SegmentIntercom) -> None:
    app = make(TESTING=True)
    with app.app_context():
        intercom.identify(User(), {"name": "Bea"})
    (call,) = state(app).captured
    assert isinstance(call, Identify)
    assert call.traits == {"name": "Bea", "email": "ann@example.com"}


@pytest.mark.parametrize("asked", [True, False])
def test_request_details_need_from_request(make: Make, intercom: SegmentIntercom, asked: bool) -> None:
    """Address and user agent of the request are taken only with from_request=True."""
    app = make(TESTING=True)
    place = {"REMOTE_ADDR": "203.0.113.7"}
    with app.test_request_context(headers={"User-Agent": AGENT}, environ_overrides=place):
        intercom.identify("u", from_request=asked, context={"active": False})
        intercom.track("u", "Paid", from_request=asked)
        intercom.group("u", "c", from_request=asked, context={"ip": "own"})
    details = {"ip": "203.0.113.7", "userAgent": AGENT} if asked else {}
    expected = [{**details, "active": False}, details, {**details, "ip": "own"}]
    assert [call.context for call in state(app).captured] == expected


@pytest.mark.parametrize("user", ["u", {"email": "ann@example.com"}])
@pytest.mark.parametrize("context", ["ip", [1]])
def test_wrong_type_names_the_argument(make: Make, intercom: SegmentIntercom, user: Any, context: Any) -> None:
    app = make(TESTING=True)
    with app.app_context():
        with pytest.raises(CallError, match="context: must be a dict"):
            intercom.track(user, "Paid", context=context)
        with pytest.raises(CallError, match="traits: must be a dict"):
            intercom.identify(user, context)
        with pytest.raises(CallError, match="properties: must be a dict"):
            intercom.track("u", "Paid", context)


def test_none_as_context_traits_changes_nothing(make: Make, intercom: SegmentIntercom) -> None:
    app = make(TESTING=True)
    with app.app_context():
        intercom.track({"email": "ann@example.com"}, "Paid", context={"traits": None})
    assert state(app).captured[0].context == {"traits": {"email": "ann@example.com"}}


def test_from_request_needs_a_request(make: Make, intercom: SegmentIntercom) -> None:
    app = make(TESTING=True)
    with app.app_context(), pytest.raises(CallError, match="from_request: needs a request"):
        intercom.identify("u", from_request=True)


def view_that_says_too_much(app: Flask, intercom: SegmentIntercom) -> None:
    @app.get("/")
    def index() -> str:
        intercom.identify("u", {"name": "Ann", "bad": object()})
        intercom.track(None, "Paid")
        return "done"


def test_bad_trait_is_dropped_in_production(
    make: Make, intercom: SegmentIntercom, caplog: pytest.LogCaptureFixture
) -> None:
    """In production mistakes in a call are only logged, and the view still answers."""
    app = make()
    view_that_says_too_much(app, intercom)
    assert app.test_client().get("/").text == "done"
    (message,) = kept(app)
    assert message["traits"] == {"name": "Ann"}
    assert "'bad'" in caplog.text
    assert "user_id is needed" in caplog.text


def test_bad_trait_raises_in_debug_mode(make: Make, intercom: SegmentIntercom) -> None:
    app = make()
    app.debug = True
    view_that_says_too_much(app, intercom)
    with pytest.raises(TraitError, match="bad"):
        app.test_client().get("/")
    assert kept(app) == []


def test_two_applications_keep_calls_apart(make: Make, intercom: SegmentIntercom) -> None:
    """Applications that share an extension have an outbox or a list of captured calls of their own."""
    first, second, tested = make(), make(), make(TESTING=True)
    for app in (first, second, tested):
        with app.app_context():
            intercom.track("u", app.name)
    assert [message["event"] for message in kept(first)] == ["app0"]
    assert [message["event"] for message in kept(second)] == ["app1"]
    assert state(tested).captured == [Track("app2", user_id="u")]


def test_application_without_token_renders_pages(make: Make, intercom: SegmentIntercom, tmp_path: Path) -> None:
    """Without a token pages work and no file is opened; only a call from the server raises."""
    app = make(INTERCOM_APP_ID=APP_ID, INTERCOM_DELIVER="thread", INTERCOM_STRICT=True)

    @app.get("/")
    def index() -> str:
        return str(state(app).helpers.intercom_snippet({"id": "u"}))

    assert APP_ID in app.test_client().get("/").text
    assert list(tmp_path.iterdir()) == [], "no file was opened"
    with app.app_context(), pytest.raises(SettingsError, match="access_token"):
        intercom.identify("u")


def test_switched_off_nothing_is_kept(make: Make, intercom: SegmentIntercom, tmp_path: Path) -> None:
    app = make(INTERCOM_ENABLED=False)
    with app.app_context():
        intercom.identify("u")
    assert list(tmp_path.iterdir()) == []


def test_call_without_extension_is_explained(intercom: SegmentIntercom) -> None:
    with Flask("bare").app_context(), pytest.raises(SettingsError, match=r"app: has no SegmentIntercom"):
        intercom.identify("u")


def test_call_without_token_waits_undelivered(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """In production calls without a token wait in the outbox, and the missing token is logged once."""
    app = Flask("shop")
    app.config.update(INTERCOM_APP_ID="abc12345", INTERCOM_OUTBOX=f"sqlite:///{tmp_path}/outbox.db")
    intercom = SegmentIntercom(app)
    with app.app_context():
        for _ in range(2):
            intercom.track("u", "Paid")
        ingest = app.extensions["segment_intercom"].ingest
        assert ingest.flush(1) == 2
    ingest.close()
    assert caplog.text.count("INTERCOM_ACCESS_TOKEN") == 1


WHOLE = {"userId": "u", "context": {"active": False}}


def test_single_object_is_the_whole_message(make: Make, intercom: SegmentIntercom) -> None:
    """A sole argument with the fields of a message is the message itself, not its traits."""
    app = make(TESTING=True)
    with app.app_context():
        intercom.identify({**WHOLE, "traits": {"plan": "pro"}, "email": "ann@example.com"})
        intercom.track({**WHOLE, "event": "Paid", "properties": {"n": 1}})
        intercom.group({**WHOLE, "groupId": "g", "traits": {"name": "One"}})
        intercom.track({"userId": "u", "name": "Ann"}, "Seen")
    identify, track, group, seen = state(app).captured
    assert (identify.user_id, identify.traits) == ("u", {"plan": "pro", "email": "ann@example.com"})
    assert (track.user_id, track.event, track.properties, track.context) == ("u", "Paid", {"n": 1}, {"active": False})
    assert (group.user_id, group.group_id, group.traits) == ("u", "g", {"name": "One"})
    assert (seen.user_id, seen.event) == ("u", "Seen")


def test_template_takes_whole_message_as_user(make: Make, intercom: SegmentIntercom) -> None:
    app = make(INTERCOM_APP_ID=APP_ID)
    with app.test_request_context():
        settings = app.jinja_env.globals["intercom_settings"]({**WHOLE, "traits": {"name": "Ann", "plan": "pro"}})
    assert settings == {"app_id": APP_ID, "user_id": "u", "name": "Ann", "custom_attributes": {"plan": "pro"}}


def test_loaded_user_may_be_omitted(make: Make, intercom: SegmentIntercom) -> None:
    """With a user loader the first argument may be the event, the traits or the group id."""
    app = make(TESTING=True)
    intercom.user_loader(User)
    with app.app_context():
        intercom.track("Order Completed", {"revenue": 19.99})
        intercom.track("Seen")
        intercom.identify({"plan": "pro"})
        intercom.group("org_17", {"name": "Tea"})
        intercom.group("org_18")
    track, seen, identify, group, bare = state(app).captured
    assert (track.user_id, track.event, track.properties) == ("7", "Order Completed", {"revenue": 19.99})
    assert (seen.user_id, seen.event) == ("7", "Seen")
    assert (identify.user_id, identify.traits["plan"], identify.traits["name"]) == ("7", "pro", "Ann")
    assert (group.user_id, group.group_id, group.traits) == ("7", "org_17", {"name": "Tea"})
    assert (bare.user_id, bare.group_id) == ("7", "org_18")


def test_the_explicit_forms_stay(make: Make, intercom: SegmentIntercom) -> None:
    app = make(TESTING=True)
    intercom.user_loader(User)
    with app.app_context():
        intercom.track("u", "Paid", {"n": 1})
        intercom.identify({"id": "v", "plan": "pro"})
        intercom.group("u", "g", {"name": "One"})
        intercom.track(event="Paid", properties={"n": 1})
    track, identify, group, loaded = state(app).captured
    assert (track.user_id, track.event, identify.user_id, group.user_id, group.group_id) == ("u", "Paid", "v", "u", "g")
    assert (loaded.user_id, loaded.event) == ("7", "Paid")


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda intercom: intercom.track("ann", evnt="Paid"), "track.* 'evnt'; did you mean event"),
        (lambda intercom: intercom.identify("ann", trait={}), "identify.* 'trait'; did you mean traits"),
        (lambda intercom: intercom.group("ann", "g", timestmp=1), "group.* 'timestmp'; did you mean timestamp"),
        (lambda intercom: intercom.page("ann", zzz=1), "page.* 'zzz'; it takes context, timestamp"),
    ],
)
def test_wrong_keyword_suggests_accepted_keywords(call: Callable[..., None], hint: str) -> None:
    app = Flask("shop")
    app.config.update(INTERCOM_APP_ID="abc12345", TESTING=True)
    intercom = SegmentIntercom(app)
    with app.app_context(), pytest.raises(TypeError, match=hint):
        call(intercom)


def test_a_group_needs_its_company(caplog: pytest.LogCaptureFixture) -> None:
    app = Flask("shop")
    app.config.update(INTERCOM_APP_ID="abc12345", TESTING=True)
    intercom = SegmentIntercom(app)
    with app.app_context():
        for call in (lambda: intercom.group("ann"), lambda: intercom.group("ann", traits={"plan": "pro"})):
            with pytest.raises(CallError, match="group_id: is needed, or a name"):
                call()
        intercom.group("ann", traits={"name": "Tea"})
        assert [type(call).__name__ for call in intercom.captured] == ["Group"]
    app.config["TESTING"] = False
    ingest = app.extensions["segment_intercom"].ingest
    assert ingest.validate(Group(None, {"plan": "pro"}, "ann"), strict=False) is None
    assert "a group call is left out" in caplog.text
