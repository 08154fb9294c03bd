"""The sandbox's REST API under strain: the rate limit, injected faults, and what the inspector is told."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from segment_intercom.cli import main
from segment_intercom.sandbox import Fault, Workspace, create_sandbox
from segment_intercom.sandbox.event_log import EventLog
from segment_intercom.sandbox.people import Event
from tests.sandbox.test_rest import ADA, APP, AT, Api

Serve = Callable[[Any], str]


@pytest.fixture
def api() -> Api:
    return Api()


# --- the rate limit


def test_every_answer_shows_rate_limit(api: Api) -> None:
    for asked in (api("GET", "/me"), api.event(), api("GET", "/me", Authorization=""), api("GET", "/nowhere")):
        assert asked.headers["X-RateLimit-Limit"] == "1666"
        assert asked.headers["X-RateLimit-Reset"] == str(AT + 10)
        assert parsedate_to_datetime(asked.headers["Date"]).timestamp() == AT
    assert asked.headers["X-RateLimit-Remaining"] == "1663"


def test_exceeded_limit_refuses_until_reset() -> None:
    api = Api(Workspace(APP, rate_limit=12, rate_window=10.0))
    api.clock.at = AT + 3.5
    assert [api("GET", "/me").status_code for _ in range(3)] == [200, 200, 429]
    refused = api("GET", "/me")
    assert refused.json["errors"][0]["code"] == "rate_limit_exceeded"
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert "Retry-After" not in refused.headers
    api.clock.at = float(refused.headers["X-RateLimit-Reset"])
    assert api("GET", "/me").status_code == 200


def test_fractional_reset_is_rounded_up() -> None:
    api = Api(Workspace(APP, rate_limit=120, rate_window=0.4))
    api.clock.at = AT + 0.1
    assert [api("GET", "/me").status_code for _ in range(2)] == [200, 429]
    assert api("GET", "/me").headers["X-RateLimit-Reset"] == str(AT + 1)


def test_unauthorized_requests_spend_no_limit() -> None:
    api = Api(Workspace(APP, rate_limit=6))
    for _ in range(3):
        assert api("GET", "/me", Authorization="").status_code == 401
    assert api("GET", "/me").status_code == 200


def test_workspaces_have_separate_limits() -> None:
    api = Api(Workspace(APP, access_token="any", rate_limit=6))
    other_workspace = Workspace("other123", access_token="other", rate_limit=6)
    api.store.workspaces[other_workspace.app_id] = other_workspace
    assert api("GET", "/me").status_code == 200
    assert api("GET", "/me").status_code == 429
    assert api("GET", "/me", Authorization="Bearer other").status_code == 200


# --- faults


def test_fault_status_is_answered_without_effect(api: Api) -> None:
    for status in (401, 429, 500, 503, 504):
        api.workspace.faults = (Fault(status=status),)
        assert api("POST", "/contacts", ADA).status_code == status
    assert api.state()["people"] == []
    assert (api.last()["fault"], api.last()["status"], api.last()["code"]) == ("504", 504, "server_timeout")


def test_fault_ends_after_its_count(api: Api) -> None:
    api.workspace.faults = (Fault(status=500, next=2),)
    assert [api("GET", "/me").status_code for _ in range(3)] == [500, 500, 200]
    assert api.last()["fault"] is None


def test_a_fault_strikes_with_its_probability(api: Api) -> None:
    api.workspace.faults = (Fault(status=500, probability=0),)
    assert api("GET", "/me").status_code == 200
    api.workspace.faults = (Fault(status=500, probability=0.5),)
    assert {api("GET", "/me").status_code for _ in range(100)} == {200, 500}


def test_fault_strikes_only_its_path(api: Api) -> None:
    api.contact()
    api.workspace.faults = (Fault(status=503, only="POST /events"),)
    assert api("GET", "/contacts/find_by_external_id/42").status_code == 200
    assert api.event().status_code == 503


def test_answer_is_lost_after_the_write(api: Api) -> None:
    api.workspace.faults = (Fault(drop=True, next=1, after_write=True),)
    lost = api("POST", "/contacts", ADA)
    assert (lost.status_code, lost.data) == (502, b"")
    assert api.last()["fault"] == "drop after the write"
    assert api.refusal("POST", "/contacts", ADA)[0] == 409


def test_reset_releases_slow_answer(api: Api) -> None:
    waiting, gone = threading.Event(), threading.Event()

    def pause(seconds: float) -> None:
        assert seconds == 600
        waiting.set()
        wait(seconds)
        gone.set()

    wait, api.store.pause = api.store.pause, pause
    api.workspace.faults = (Fault(slow=600),)
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(api, "GET", "/me")
        assert waiting.wait(10)
        assert not gone.is_set()
        api.store.reset()
        assert answer.result(10).status_code == 200
    assert api.last()["fault"] == "slow 600 s"


def test_slow_answer_blocks_nobody_else(api: Api) -> None:
    inside = threading.Event()
    api.store.pause = lambda _: inside.wait(10)
    api.workspace.faults = (Fault(slow=600, only="GET /me"),)
    with ThreadPoolExecutor(1) as thread:
        slow = thread.submit(api, "GET", "/me")
        contact_id = Api.contact(api)
        inside.set()
        assert slow.result(10).status_code == 200
    assert api.ok("GET", "/contacts/find_by_external_id/42")["id"] == contact_id


def test_a_dropped_connection_has_no_answer(api: Api, serve: Serve) -> None:
    host = str(urlsplit(serve(api.app)).netloc)
    api.workspace.faults = (Fault(drop=True, next=1),)
    for dropped in (True, False):
        connection = http.client.HTTPConnection(host, timeout=10)
        connection.request("GET", "/me", headers=api.headers)
        if dropped:
            with pytest.raises(http.client.RemoteDisconnected):
                connection.getresponse()
        else:
            assert connection.getresponse().status == 200
        connection.close()


def test_faults_are_set_over_http(api: Api) -> None:
    sent = [{"status": 500, "probability": 0.25}, {"drop": True, "next": 3, "after_write": True}, {"slow": 0.2}]
    answer = api.client.post("/inspector/faults", json={"app_id": APP, "faults": sent})
    assert answer.status_code == 200
    assert api.workspace.faults[1] == Fault(drop=True, next=3, after_write=True)
    assert [fault["name"] for fault in api.state()["faults"]] == ["500", "drop after the write", "slow 0.2 s"]
    assert api.client.post("/inspector/faults", json={"faults": answer.json}).status_code == 200
    assert api.client.post("/inspector/faults", json={"faults": []}).json == []
    assert api.state()["faults"] == []


@pytest.mark.parametrize(
    "faults",
    [
        None,
        {},
        [7],
        [{}],
        [{"status": 200}],
        [{"status": "500"}],
        [{"status": True}],
        [{"drop": 1}],
        [{"slow": -1}],
        [{"slow": 601}],
        [{"status": 500, "probability": 2}],
        [{"status": 500, "colour": "red"}],
    ],
)
def test_impossible_fault_is_refused(api: Api, faults: Any) -> None:
    assert api.client.post("/inspector/faults", json={"faults": faults}).status_code == 400
    assert api.client.post("/inspector/faults", json={"app_id": "unknown", "faults": []}).status_code == 400
    assert api.workspace.faults == ()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("500=0.1", Fault(status=500, probability=0.1)),
        ("429", Fault(status=429)),
        ("drop=0.01", Fault(drop=True, probability=0.01)),
    ],
)
def test_fault_is_parsed_from_text(text: str, fault: Fault) -> None:
    assert Fault.parse(text) == fault


@pytest.mark.parametrize("text", ["", "fire", "500=", "500=often", "=0.1", "200", "500=2", "500=nan"])
def test_invalid_fault_text_states_remedy(text: str) -> None:
    with pytest.raises(ValueError, match=r"500=0\.1|status must be|probability must be"):
        Fault.parse(text)


def test_command_line_explains_invalid_fault() -> None:
    result = CliRunner().invoke(main, ["sandbox", "--fault", "fire"])
    assert result.exit_code == 2
    assert "must be drop or a status, with a share from 0 to 1 after =: 500=0.1" in result.output


# --- what the inspector is told


def test_log_shows_request_and_answer(api: Api) -> None:
    made = api.contact()
    api("GET", f"/contacts/{made}?include_merge_history=false", Intercom_Version="2.13")
    logged = api.last()
    assert (logged["kind"], logged["method"], logged["version"]) == ("rest", "GET", "2.13")
    assert logged["path"] == f"/contacts/{made}?include_merge_history=false"
    assert (logged["status"], logged["code"], logged["refused"], logged["fault"]) == (200, None, None, None)
    assert (logged["body"], logged["answer"]["id"], logged["person_id"]) == (None, made, made)
    assert (logged["n"], logged["at"], logged["app_id"], logged["region"]) == (2, AT, APP, "us")
    assert isinstance(logged["milliseconds"], float)


def test_log_shows_refusal_and_known_fields(api: Api) -> None:
    api("POST", "/contacts", {**ADA, "plan": "pro"})
    logged = api.last()
    assert logged["body"] == {**ADA, "plan": "pro"}
    assert logged["answer"]["errors"][0]["message"] == "Unknown field 'plan'"
    assert logged["refused"].startswith("Unknown field 'plan' (known here: ")
    assert logged["refused"].endswith("custom_attributes)")


def test_a_large_body_is_not_kept(api: Api) -> None:
    api("POST", "/contacts", {**ADA, "name": "x" * 100_000})
    assert api.last()["body"].endswith("bytes: too many to show)")


def test_sandbox_without_workspaces_refuses_everybody() -> None:
    client = create_sandbox().test_client()
    assert client.get("/me", headers={"Authorization": "Bearer any"}).status_code == 401
    assert client.post("/inspector/faults", json={"faults": []}).status_code == 400


def test_logged_path_omits_mount_prefix(api: Api, serve: Serve) -> None:
    made = api.contact(external_id="a/b")
    mounted = DispatcherMiddleware(api.app, {"/sandbox": api.app})
    connection = http.client.HTTPConnection(str(urlsplit(serve(mounted)).netloc), timeout=10)
    connection.request("GET", "/sandbox/contacts/find_by_external_id/a%2Fb", headers=api.headers)
    answer = connection.getresponse()
    assert (answer.status, api.last()["answer"]["id"]) == (200, made)
    assert api.last()["path"] == "/contacts/find_by_external_id/a%2Fb"
    connection.close()


def test_state_shows_newest_and_counts_all(api: Api) -> None:
    for number in range(501):
        api.contact(external_id=str(number))
        api.event(user_id=str(number))
    api.ok("PUT", f"/contacts/{api.state()['people'][0]['id']}", {"name": "Ada"})
    state = api.state()
    assert state["totals"] == {"people": 501, "companies": 0, "events": 501, "attributes": 0, "requests": 1003}
    assert (len(state["people"]), len(state["events"]), len(state["requests"])) == (500, 500, 500)
    assert (state["people"][-1]["name"], state["events"][-1]["user_id"]) == ("Ada", "500")


def test_event_shows_person_and_source(api: Api) -> None:
    made = api.contact()
    api.event(created_at=AT - 60)
    (event,) = api.state()["events"]
    assert (event["person_id"], event["user_id"], event["email"]) == (made, "42", "ada@example.com")
    assert (event["created_at"], event["at"], event["source"]) == (AT - 60, AT, "api")


def test_the_memory_for_events_is_bounded() -> None:
    timeline = EventLog()
    first, *others = (Event(APP, "ada", "Opened", {}, second, "api") for second in range(10_001))
    assert timeline.add(first)
    assert not timeline.add(first)
    assert all(map(timeline.add, others))
    assert len(list(timeline)) == 10_000
    assert timeline.add(first)  # long forgotten, and so are its traces


def test_state_shows_attributes_limits_and_people(api: Api) -> None:
    api.attribute("plan")
    api.contact()
    state = api.state()
    assert state["attributes"] == [
        {
            "app_id": APP,
            "model": "contact",
            "name": "plan",
            "data_type": "string",
            "created_by": "api",
            "created_at": AT,
            "messenger_writable": False,
            "archived": False,
        }
    ]
    assert state["rate"] == [{"app_id": APP, "limit": 1666, "remaining": 1664, "reset": AT + 10}]
    (person,) = state["people"]
    assert (person["external_id"], person["user_id"], person["source"]) == ("42", "42", "api")
    assert (person["archived"], person["signed_up_at"]) == (False, None)


def test_reset_forgets_contacts_events_and_limit(api: Api) -> None:
    """The requests are forgotten too, but they are numbered on, so their total stays."""
    api.contact()
    api.event()
    assert api.client.post("/inspector/reset").status_code == 204
    state = api.state()
    assert state["totals"] == {"people": 0, "companies": 0, "events": 0, "attributes": 0, "requests": 2}
    assert state["rate"][0]["remaining"] == 1666
    assert api.contact()


def test_many_threads_create_each_contact_once(api: Api) -> None:
    def create(number: int) -> int:
        return int(api("POST", "/contacts", {"external_id": str(number % 50)}).status_code)

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(create, range(200)))
    assert (statuses.count(200), statuses.count(409)) == (50, 150)
