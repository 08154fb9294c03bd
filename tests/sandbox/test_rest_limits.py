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


def test_every_answer_carries_where_the_rate_limit_stands(api: Api) -> None:
    for asked in (api("GET", "/me"), api.event(), api("GET", "/me", Authorization=""), api("GET", "/nowhere")):
        assert asked.headers["X-RateLimit-Limit"] == "1666"
        assert asked.headers["X-RateLimit-Reset"] == str(AT + 10)
        assert parsedate_to_datetime(asked.headers["Date"]).timestamp() == AT
    assert asked.headers["X-RateLimit-Remaining"] == "1663"


def test_above_the_limit_every_request_is_refused_until_the_window_ends() -> None:
    api = Api(Workspace(APP, rate_limit=12, rate_window=10.0))
    api.clock.at = AT + 3.5
    assert [api("GET", "/me").status_code for _ in range(3)] == [200, 200, 429]
    refused = api("GET", "/me")
    assert refused.json["errors"][0]["code"] == "rate_limit_exceeded"
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert "Retry-After" not in refused.headers
    api.clock.at = float(refused.headers["X-RateLimit-Reset"])
    assert api("GET", "/me").status_code == 200


def test_a_reset_between_two_seconds_is_rounded_up() -> None:
    api = Api(Workspace(APP, rate_limit=120, rate_window=0.4))
    api.clock.at = AT + 0.1
    assert [api("GET", "/me").status_code for _ in range(2)] == [200, 429]
    assert api("GET", "/me").headers["X-RateLimit-Reset"] == str(AT + 1)


def test_who_is_not_let_in_uses_up_nothing() -> None:
    api = Api(Workspace(APP, rate_limit=6))
    for _ in range(3):
        assert api("GET", "/me", Authorization="").status_code == 401
    assert api("GET", "/me").status_code == 200


def test_each_workspace_has_a_limit_of_its_own() -> None:
    api = Api(Workspace(APP, access_token="any", rate_limit=6))
    other = Workspace("other123", access_token="other", rate_limit=6)
    api.store.workspaces[other.app_id] = other
    assert api("GET", "/me").status_code == 200
    assert api("GET", "/me").status_code == 429
    assert api("GET", "/me", Authorization="Bearer other").status_code == 200


# --- faults


def test_a_fault_answers_with_its_status_and_nothing_happens(api: Api) -> None:
    for status in (401, 429, 500, 503, 504):
        api.workspace.faults = (Fault(status=status),)
        assert api("POST", "/contacts", ADA).status_code == status
    assert api.state()["people"] == []
    assert (api.last()["fault"], api.last()["status"], api.last()["code"]) == ("504", 504, "server_timeout")


def test_a_fault_of_the_next_requests_ends(api: Api) -> None:
    api.workspace.faults = (Fault(status=500, next=2),)
    assert [api("GET", "/me").status_code for _ in range(3)] == [500, 500, 200]
    assert api.last()["fault"] is None


def test_a_fault_strikes_with_its_probability(api: Api) -> None:
    api.workspace.faults = (Fault(status=500, probability=0),)
    assert api("GET", "/me").status_code == 200
    api.workspace.faults = (Fault(status=500, probability=0.5),)
    assert {api("GET", "/me").status_code for _ in range(100)} == {200, 500}


def test_a_fault_strikes_only_where_it_is_aimed(api: Api) -> None:
    api.contact()
    api.workspace.faults = (Fault(status=503, only="POST /events"),)
    assert api("GET", "/contacts/find_by_external_id/42").status_code == 200
    assert api.event().status_code == 503


def test_an_answer_may_be_lost_after_the_write(api: Api) -> None:
    api.workspace.faults = (Fault(drop=True, next=1, after_write=True),)
    lost = api("POST", "/contacts", ADA)
    assert (lost.status_code, lost.data) == (502, b"")
    assert api.last()["fault"] == "drop after the write"
    assert api.refusal("POST", "/contacts", ADA)[0] == 409


def test_a_slow_answer_waits_and_a_reset_lets_it_go(api: Api) -> None:
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


def test_a_slow_answer_keeps_nobody_else_waiting(api: Api) -> None:
    inside = threading.Event()
    api.store.pause = lambda _: inside.wait(10)
    api.workspace.faults = (Fault(slow=600, only="GET /me"),)
    with ThreadPoolExecutor(1) as thread:
        slow = thread.submit(api, "GET", "/me")
        other = Api.contact(api)
        inside.set()
        assert slow.result(10).status_code == 200
    assert api.ok("GET", "/contacts/find_by_external_id/42")["id"] == other


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
def test_a_fault_that_cannot_be_is_refused(api: Api, faults: Any) -> None:
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
def test_a_fault_is_read_from_the_command_line(text: str, fault: Fault) -> None:
    assert Fault.parse(text) == fault


@pytest.mark.parametrize("text", ["", "fire", "500=", "500=often", "=0.1", "200", "500=2", "500=nan"])
def test_a_fault_that_is_none_is_named_with_the_remedy(text: str) -> None:
    with pytest.raises(ValueError, match=r"500=0\.1|status must be|probability must be"):
        Fault.parse(text)


def test_the_command_line_names_a_fault_that_is_none() -> None:
    result = CliRunner().invoke(main, ["sandbox", "--fault", "fire"])
    assert result.exit_code == 2
    assert "must be drop or a status, with a share from 0 to 1 after =: 500=0.1" in result.output


# --- what the inspector is told


def test_the_log_shows_a_request_as_it_was_sent_and_answered(api: Api) -> None:
    made = api.contact()
    api("GET", f"/contacts/{made}?include_merge_history=true", Intercom_Version="2.13")
    logged = api.last()
    assert (logged["kind"], logged["method"], logged["version"]) == ("rest", "GET", "2.13")
    assert logged["path"] == f"/contacts/{made}?include_merge_history=true"
    assert (logged["status"], logged["code"], logged["refused"], logged["fault"]) == (200, None, None, None)
    assert (logged["body"], logged["answer"]["id"], logged["person_id"]) == (None, made, made)
    assert (logged["n"], logged["at"], logged["app_id"], logged["region"]) == (2, AT, APP, "us")
    assert isinstance(logged["milliseconds"], float)


def test_the_log_shows_what_was_refused_and_the_remedy(api: Api) -> None:
    api("POST", "/contacts", {**ADA, "plan": "pro"})
    logged = api.last()
    assert logged["body"] == {**ADA, "plan": "pro"}
    assert logged["answer"]["errors"][0]["message"] == "Unknown field 'plan'"
    assert logged["refused"].startswith("Unknown field 'plan' (known here: ")
    assert logged["refused"].endswith("custom_attributes)")


def test_a_large_body_is_not_kept(api: Api) -> None:
    api("POST", "/contacts", {**ADA, "name": "x" * 100_000})
    assert api.last()["body"].endswith("bytes: too many to show)")


def test_a_sandbox_without_workspaces_lets_nobody_in() -> None:
    client = create_sandbox().test_client()
    assert client.get("/me", headers={"Authorization": "Bearer any"}).status_code == 401
    assert client.post("/inspector/faults", json={"faults": []}).status_code == 400


def test_under_a_prefix_paths_are_shown_without_it(api: Api, serve: Serve) -> None:
    made = api.contact(external_id="a/b")
    mounted = DispatcherMiddleware(api.app, {"/sandbox": api.app})
    connection = http.client.HTTPConnection(str(urlsplit(serve(mounted)).netloc), timeout=10)
    connection.request("GET", "/sandbox/contacts/find_by_external_id/a%2Fb", headers=api.headers)
    answer = connection.getresponse()
    assert (answer.status, api.last()["answer"]["id"]) == (200, made)
    assert api.last()["path"] == "/contacts/find_by_external_id/a%2Fb"
    connection.close()


def test_the_state_holds_the_newest_and_counts_all(api: Api) -> None:
    for number in range(501):
        api.contact(external_id=str(number))
        api.event(user_id=str(number))
    api.ok("PUT", f"/contacts/{api.state()['people'][0]['id']}", {"name": "Ada"})
    state = api.state()
    assert state["totals"] == {"people": 501, "companies": 0, "events": 501, "attributes": 0, "requests": 1003}
    assert (len(state["people"]), len(state["events"]), len(state["requests"])) == (500, 500, 500)
    assert (state["people"][-1]["name"], state["events"][-1]["user_id"]) == ("Ada", "500")


def test_events_say_whose_they_are_and_where_they_came_from(api: Api) -> None:
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


def test_the_state_names_attributes_limits_and_people_of_the_api(api: Api) -> None:
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
        }
    ]
    assert state["rate"] == [{"app_id": APP, "limit": 1666, "remaining": 1664, "reset": AT + 10}]
    (person,) = state["people"]
    assert (person["external_id"], person["user_id"], person["source"]) == ("42", "42", "api")
    assert (person["archived"], person["signed_up_at"]) == (False, None)


def test_a_reset_forgets_the_rest_as_well(api: Api) -> None:
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
