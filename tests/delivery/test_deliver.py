"""Delivery to a strict Intercom: order, failures, what is missing and made, what is given up, and few requests."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from segment_intercom import Operation, Settings, rest_operations
from segment_intercom.api.errors import Unauthorized
from segment_intercom.delivery.deliver import LONGEST_BACK_OFF
from segment_intercom.transport import Reply
from tests.delivery.intercom import Intercom, broken, intercom, make_intercom

__all__ = ["intercom", "make_intercom"]  # fixtures

A_DAY = 86_400.0


def error(status: int, code: str, message: str) -> Reply:
    return Reply(status, {"type": "error.list", "errors": [{"code": code, "message": message}]})


def once(reply: Reply, method: str = "POST", path: str = "/") -> Callable[[Operation], Reply | None]:
    """Answer the first request to a path with this reply."""
    left = [reply]
    return lambda operation: (
        left.pop() if left and operation.method == method and operation.path.startswith(path) else None
    )


def test_calls_of_user_keep_order(intercom: Intercom) -> None:
    for number in range(60):
        intercom.put(type="track", userId="u", event=f"event {number}")
    intercom.deliver()
    assert intercom.events == [f"event {number}" for number in range(60)]


def test_event_before_identify_creates_user(intercom: Intercom) -> None:
    context = {"traits": {"email": "ann@example.com", "name": "Ann"}}
    intercom.put(type="track", userId="u", event="Paid", context=context)
    intercom.deliver()
    assert intercom.events == ["Paid"]
    assert (intercom.person("u")["email"], intercom.person("u")["name"]) == ("ann@example.com", "Ann")


def test_failure_delays_only_its_user(intercom: Intercom) -> None:
    intercom.put(type="identify", userId="u")
    intercom.put(type="track", userId="u", event="second")
    intercom.put(type="track", userId="v", event="other")
    intercom.transport.before = once(Reply(503), path="/contacts")
    intercom.deliver()
    assert intercom.events == ["other"]
    intercom.now += LONGEST_BACK_OFF
    intercom.deliver()
    assert intercom.events == ["other", "second"]


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_temporary_failure_is_retried(intercom: Intercom, status: int) -> None:
    intercom.put(type="identify", userId="u")
    intercom.transport.before = once(Reply(status))
    intercom.deliver()
    assert intercom.outbox.counts().waiting == 1
    intercom.now += 1
    intercom.deliver()
    assert intercom.outbox.counts().delivered == 1


def test_back_off_grows_up_to_limit(intercom: Intercom) -> None:
    intercom.put(type="identify", userId="u")
    intercom.transport.before = broken
    waits = []
    for _ in range(14):
        intercom.deliver()
        waits.append(intercom.outbox.next_due() or 0)
        intercom.now += LONGEST_BACK_OFF
    assert all(wait <= min(LONGEST_BACK_OFF, 2**attempt) for attempt, wait in enumerate(waits))
    assert max(waits) > 16


def test_failing_call_expires_after_a_day(intercom: Intercom) -> None:
    """The call becomes a dead letter, and the user's next call is delivered."""
    intercom.put(type="track", userId="u", event="first")
    intercom.transport.before = broken
    for _ in range(7):
        intercom.deliver()
        intercom.now += LONGEST_BACK_OFF
    intercom.put(type="track", userId="u", event="second")
    intercom.now += A_DAY + 1
    intercom.transport.before = lambda operation: (
        broken(operation) if operation.body and operation.body.get("event_name") == "first" else None
    )
    intercom.deliver()
    assert intercom.events == ["second"]
    (dead,) = intercom.outbox.dead_letters()
    assert "within a day" in dead.reason
    assert json.loads(dead.body)["event"] == "first"


def test_leaping_clock_gives_nothing_up(intercom: Intercom) -> None:
    """A day has passed by the clock, but there were fewer attempts than a call must have."""
    intercom.put(type="track", userId="u", event="first")
    intercom.transport.before = broken
    for _ in range(7):
        intercom.deliver()
        intercom.now += 2 * A_DAY
    assert (intercom.outbox.counts().waiting, intercom.outbox.counts().given_up) == (1, 0)


@pytest.mark.parametrize("status", [301, 302, 307, 402, 403])
def test_redirect_or_restriction_stops_delivery(intercom: Intercom, status: int) -> None:
    """The call is not at fault, so it goes on waiting and is not given up."""
    intercom.put(type="identify", userId="u")
    intercom.transport.before = lambda _: error(status, "api_plan_restricted", "Not in this plan")
    with pytest.raises(Unauthorized) as stopped:
        intercom.deliver()
    assert stopped.value.status == status
    assert (intercom.outbox.counts().waiting, intercom.outbox.counts().given_up) == (1, 0)


def test_the_rate_limit_is_no_failure(intercom: Intercom) -> None:
    intercom.put(type="identify", userId="u")
    intercom.transport.before = once(Reply(429, wait=7.0))
    intercom.deliver()
    assert intercom.outbox.next_due() == pytest.approx(7)
    intercom.now += 7
    lease = intercom.outbox.lease()
    assert lease
    assert lease.attempts == 0


def test_refused_token_stops_delivery_without_loss(intercom: Intercom) -> None:
    intercom.put(type="identify", userId="u")
    intercom.transport.before = lambda _: error(401, "unauthorized", "Access Token Invalid")
    with pytest.raises(Unauthorized):
        intercom.deliver()
    assert intercom.outbox.counts().waiting == 1
    assert intercom.outbox.next_due() == 0


def test_refused_call_becomes_dead_letter(intercom: Intercom, caplog: pytest.LogCaptureFixture) -> None:
    """The dead letter has Intercom's words, the log does not, and the user's next call is delivered."""
    intercom.put(type="track", userId="u", event="first")
    intercom.put(type="track", userId="u", event="second")
    intercom.transport.before = once(error(422, "parameter_invalid", "ann@example.com is odd"))
    intercom.deliver()
    (dead,) = intercom.outbox.dead_letters()
    assert intercom.events == ["second"]
    assert dead.reason == "Intercom answered 422 parameter_invalid: ann@example.com is odd"
    assert "ann@example.com" not in caplog.text


def test_dead_letter_can_be_resent(intercom: Intercom) -> None:
    intercom.put(type="track", userId="u", event="Paid")
    intercom.transport.before = once(error(422, "parameter_invalid", "not now"))
    intercom.deliver()
    assert intercom.outbox.resend() == 1
    intercom.deliver()
    assert intercom.events == ["Paid"]


def test_invalid_message_becomes_dead_letter(intercom: Intercom) -> None:
    intercom.outbox.put("u", b"{}")
    intercom.outbox.put("u", b"nonsense")
    intercom.put(type="track", userId="u", event="Paid")
    intercom.deliver()
    assert [dead.reason.partition(":")[0] for dead in intercom.outbox.dead_letters()] == ["message", "type"]
    assert intercom.events == ["Paid"]


def test_mapping_fault_becomes_dead_letter(
    intercom: Intercom, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It costs one call and no more: those before and behind it, and those of other users, arrive."""

    def faulty(call: Any, settings: Settings) -> list[Operation]:
        return rest_operations(call, settings) if call.event != "Odd" else [1 / 0]

    for event in ("Looked", "Odd", "Paid"):
        intercom.put(type="track", userId="u", event=event)
        intercom.put(type="track", userId=f"user of {event}", event=f"Only {event}")
    monkeypatch.setattr("segment_intercom.delivery.batch.rest_operations", faulty)
    intercom.deliver()
    (dead,) = intercom.outbox.dead_letters()
    assert (dead.user, json.loads(dead.body)["event"], "ZeroDivisionError" in dead.reason) == ("u", "Odd", True)
    assert intercom.events == ["Looked", "Paid", "Only Looked", "Only Odd", "Only Paid"]
    assert (intercom.outbox.counts().waiting, caplog.records[0].levelno) == (0, logging.ERROR)


def test_existing_contact_is_updated(intercom: Intercom) -> None:
    intercom.call("POST", "/contacts", {"external_id": "u", "role": "user"})
    intercom.put(type="identify", userId="u", traits={"name": "Ann"})
    intercom.deliver()
    assert intercom.person("u")["name"] == "Ann"
    assert [method for method, _ in intercom.transport.requests] == ["POST", "PUT"]


def test_an_archived_contact_is_brought_back(intercom: Intercom) -> None:
    made = intercom.call("POST", "/contacts", {"external_id": "u", "role": "user"})
    intercom.call("POST", f"/contacts/{made['id']}/archive")
    intercom.put(type="identify", userId="u", traits={"name": "Ann"})
    intercom.deliver()
    assert (intercom.person("u")["name"], intercom.person("u")["archived"]) == ("Ann", False)


def test_conflict_without_id_is_looked_up(intercom: Intercom) -> None:
    intercom.call("POST", "/contacts", {"external_id": "a/b?c", "role": "user"})
    intercom.put(type="identify", userId="a/b?c", traits={"name": "Ann"})
    intercom.transport.before = once(error(409, "conflict", "There is one"), path="/contacts")
    intercom.deliver()
    assert intercom.person("a/b?c")["name"] == "Ann"
    assert ("GET", "/contacts/find_by_external_id/a%2Fb%3Fc") in intercom.transport.requests


def test_contact_with_email_becomes_user(intercom: Intercom) -> None:
    """A contact that has the email but no user id receives the id; there is no second contact."""
    intercom.call("POST", "/contacts", {"email": "ann@example.com", "role": "user"})
    intercom.put(type="identify", userId="u", traits={"email": "ann@example.com"})
    intercom.deliver()
    assert intercom.person("u")["email"] == "ann@example.com"
    assert len(intercom.state["people"]) == 1


def test_deleted_contact_is_created_anew(intercom: Intercom) -> None:
    intercom.put(type="identify", userId="u")
    intercom.deliver()
    intercom.call("DELETE", f"/contacts/{intercom.person('u')['id']}")
    intercom.put(type="identify", userId="u", traits={"name": "Ann"})
    intercom.deliver()
    assert intercom.person("u")["name"] == "Ann"


def test_missing_attributes_get_the_right_type(intercom: Intercom) -> None:
    traits = {"plan": "pro", "seats": 3, "score": 1.5, "trial": True, "since": "2014-01-01", "gone": None}
    intercom.put(type="identify", userId="u", traits=traits)
    intercom.deliver()
    made = {attribute["name"]: attribute["data_type"] for attribute in intercom.state["attributes"]}
    assert made == {"plan": "string", "seats": "float", "score": "float", "trial": "boolean", "since_at": "datetime"}
    assert intercom.person("u")["custom_attributes"]["seats"] == 3


def test_page_may_set_created_attributes(intercom: Intercom) -> None:
    """Without `messenger_writable`, since version 2.11, Intercom ignores what a page says of an attribute."""
    intercom.put(type="identify", userId="u", traits={"plan": "pro"})
    intercom.deliver()
    boot = {"app_id": "abc12345", "action": "boot", "visitor_id": "v", "settings": {"user_id": "u", "plan": "free"}}
    assert intercom.app.test_client().post("/messenger/us/ping", json=boot).status_code == 200
    assert intercom.person("u")["custom_attributes"] == {"plan": "free"}


def test_group_traits_create_company_attributes(intercom: Intercom) -> None:
    intercom.put(type="group", userId="u", groupId="c", traits={"name": "One", "tier": "gold"})
    intercom.deliver()
    assert [(attribute["model"], attribute["name"]) for attribute in intercom.state["attributes"]] == [
        ("company", "tier")
    ]
    assert intercom.state["companies"][0]["custom_attributes"] == {"tier": "gold"}


def test_existing_attribute_counts_as_created(intercom: Intercom) -> None:
    """It may have been created by somebody else between the refusal and our own attempt to create it."""
    intercom.put(type="identify", userId="u", traits={"plan": "pro"})
    intercom.call("POST", "/data_attributes", {"name": "plan", "model": "contact", "data_type": "string"})
    intercom.transport.before = once(error(400, "parameter_invalid", "Custom attribute 'plan' does not exist"))
    intercom.deliver()
    assert intercom.person("u")["custom_attributes"] == {"plan": "pro"}


def test_without_attribute_creation_rest_is_sent(make_intercom: Any) -> None:
    intercom = make_intercom(create_attributes=False)
    intercom.put(type="identify", userId="u", traits={"plan": "pro", "name": "Ann"})
    intercom.deliver()
    assert (intercom.person("u")["name"], intercom.person("u")["custom_attributes"]) == ("Ann", {})
    assert intercom.state["attributes"] == []


def test_waiting_identify_calls_are_merged(intercom: Intercom) -> None:
    """Merged calls leave the same behind as the calls by themselves; none is merged across an event."""
    intercom.put(type="identify", userId="u", traits={"a": 1, "name": "Ann", "b": 1})
    intercom.put(type="identify", userId="u", traits={"b": 2, "firstName": "Bea", "lastName": "Lee"})
    intercom.put(type="track", userId="u", event="Paid")
    intercom.put(type="identify", userId="u", traits={"b": 3})
    intercom.deliver()
    person = intercom.person("u")
    assert person["custom_attributes"] == {"a": 1, "b": 3, "firstName": "Bea", "lastName": "Lee"}
    assert person["name"] == "Bea Lee"
    writes = [path for method, path in intercom.transport.requests if "contacts" in path and "data" not in path]
    assert len(writes) == 3, "refused for its attributes, sent again, and one after the event"


def test_merged_calls_lose_only_bad_value(intercom: Intercom) -> None:
    intercom.call("POST", "/data_attributes", {"name": "n", "model": "contact", "data_type": "integer"})
    for value in (1, 2, "one"):
        intercom.put(type="identify", userId="u", traits={"n": value, f"_{value}": True})
    intercom.deliver()
    assert intercom.person("u")["custom_attributes"] == {"n": 2, "_1": True, "_2": True, "_one": True}
    assert intercom.outbox.counts().given_up == 0


@pytest.mark.parametrize("version", ["2.16", "1.4"])
def test_one_bad_attribute_costs_no_other(make_intercom: Any, version: str, caplog: pytest.LogCaptureFixture) -> None:
    intercom = make_intercom(api_version=version)
    intercom.put(type="identify", userId="u", traits={"seats": 5, "since": "2014-01-01"})
    intercom.deliver()
    intercom.put(
        type="identify", userId="u", traits={"seats": "many", "since_at": "never", "plan": "pro", "name": "Ann"}
    )
    intercom.deliver()
    known = {"seats": 5, "since_at": 1388534400, "plan": "pro"}
    assert (intercom.person("u")["name"], intercom.person("u")["custom_attributes"]) == ("Ann", known)
    assert "attribute 'seats'" in caplog.text
    assert "many" not in caplog.text
    assert (intercom.outbox.counts().given_up, intercom.outbox.counts().left_out) == (0, 2)


def test_whole_number_attribute_accepts_fractions(intercom: Intercom) -> None:
    for score in (5, 4.5, 6):
        intercom.put(type="identify", userId="u", traits={"score": score})
        intercom.deliver()
        assert intercom.person("u")["custom_attributes"]["score"] == score


def test_invalid_email_costs_nothing_else(intercom: Intercom, caplog: pytest.LogCaptureFixture) -> None:
    for email in ("not an email", "@", "a@b@c", "a" * 320 + "@example.com", 5):
        intercom.put(type="identify", userId="u", traits={"email": email, "name": "Ann"})
    intercom.deliver()
    assert (intercom.person("u")["name"], intercom.person("u")["email"]) == ("Ann", None)
    assert "'email': is no e-mail address" in caplog.text
    assert "not an email" not in caplog.text


@pytest.mark.parametrize(
    "answer",
    [
        {"code": "parameter_invalid", "message": "phone is no number", "field": "phone"},
        {"code": "parameter_invalid", "message": "Bad value for 'phone'"},
        {"code": "parameter_invalid", "message": "The phone is too long"},
    ],
)
@pytest.mark.parametrize("status", [400, 422])
def test_refused_field_is_left_out(intercom: Intercom, answer: Any, status: int) -> None:
    def refuse(sent: Operation) -> Reply | None:
        return Reply(status, {"errors": [answer]}) if sent.body and "phone" in sent.body else None

    intercom.transport.before = refuse
    intercom.put(type="identify", userId="u", traits={"phone": "1", "name": "Ann"})
    intercom.deliver()
    assert (intercom.person("u")["name"], intercom.outbox.counts().left_out) == ("Ann", 1)


def test_refused_event_property_is_left_out(intercom: Intercom) -> None:
    def refuse(sent: Operation) -> Reply | None:
        odd = sent.path == "/events" and sent.body is not None and "job title" in sent.body.get("metadata", {})
        return error(400, "parameter_invalid", "metadata.job title must be short") if odd else None

    intercom.transport.before = refuse
    intercom.put(type="track", userId="u", event="Hired", properties={"job title": "x", "level": 3})
    intercom.deliver()
    assert intercom.state["events"][0]["metadata"] == {"level": 3}


def test_identifying_field_is_never_left_out(intercom: Intercom) -> None:
    intercom.put(type="identify", userId="u", traits={"email": "u@example.com"})
    intercom.transport.before = lambda _: error(400, "parameter_invalid", "external_id is not for you")
    intercom.deliver()
    assert "external_id" in intercom.outbox.dead_letters()[0].reason


def test_taken_email_is_left_out(intercom: Intercom, caplog: pytest.LogCaptureFixture) -> None:
    """The rest of the traits is sent, also at a second time, and the user who has the email stays unchanged."""
    intercom.call("POST", "/contacts", {"external_id": "first", "email": "info@example.com", "role": "user"})
    intercom.put(type="identify", userId="second", traits={"email": "info@example.com", "plan": "pro"})
    intercom.deliver()
    intercom.put(type="identify", userId="second", traits={"email": "info@example.com", "name": "Two"})
    intercom.deliver()
    second = intercom.person("second")
    assert (second["email"], second["name"], second["custom_attributes"]) == (None, "Two", {"plan": "pro"})
    assert (intercom.person("first")["name"], intercom.person("first")["email"]) == (None, "info@example.com")
    assert intercom.outbox.counts().given_up == 0
    assert "info@example.com" not in caplog.text


def test_taken_email_still_updates_contact(intercom: Intercom) -> None:
    """The contact is in Intercom before, and its previous email remains."""
    for user, email in (("first", "info@example.com"), ("second", "two@example.com")):
        intercom.call("POST", "/contacts", {"external_id": user, "email": email, "role": "user"})
    intercom.put(type="identify", userId="second", traits={"email": "info@example.com", "name": "Two"})
    intercom.deliver()
    assert (intercom.person("second")["name"], intercom.person("second")["email"]) == ("Two", "two@example.com")


def test_shared_email_event_uses_contact_id(intercom: Intercom) -> None:
    """Intercom refuses an event by an email that several users have, so it is sent by the contact's id."""
    intercom.outbox.put("a@b.co", b'{"type":"identify","traits":{"email":"a@b.co"}}')
    intercom.deliver()
    conflict = error(409, "conflict", "Multiple existing users match this email address")
    intercom.transport.before = lambda sent: conflict if sent.body and sent.body.get("email") == "a@b.co" else None
    intercom.outbox.put("a@b.co", b'{"type":"track","event":"Paid","context":{"traits":{"email":"a@b.co"}}}')
    intercom.deliver()
    assert intercom.events == ["Paid"]


def test_success_without_body_is_retried(intercom: Intercom) -> None:
    intercom.put(type="identify", userId="u", traits={"name": "Ann"})
    intercom.transport.before = once(Reply(200, None), path="/contacts")
    intercom.deliver()
    assert intercom.outbox.counts().waiting == 1
    intercom.now += 2
    intercom.deliver()
    assert intercom.person("u")["name"] == "Ann"


def test_company_is_left_by_name(intercom: Intercom, caplog: pytest.LogCaptureFixture) -> None:
    """A company without an id is looked up by its name; an unknown name is only logged."""
    intercom.put(type="identify", userId="u", traits={"company": {"id": "c", "name": "Acme & Sons"}})
    intercom.put(type="identify", userId="u", traits={"company": {"name": "Acme & Sons", "remove": True}})
    intercom.deliver()
    assert intercom.person("u")["companies"] == []
    assert not caplog.records
    intercom.put(type="identify", userId="u", traits={"company": {"name": "Nobody", "remove": True}})
    intercom.deliver()
    assert "does not know" in caplog.text


def test_unchanged_company_is_sent_once(intercom: Intercom) -> None:
    for _ in range(3):
        intercom.put(type="group", userId="u", groupId="c", traits={"name": "One"})
        intercom.deliver()
    intercom.put(type="group", userId="u", groupId="c", traits={"name": "Two"})
    intercom.deliver()
    paths = [path for _, path in intercom.transport.requests]
    assert paths.count("/companies") == 2
    assert sum(path.endswith("/companies") for path in paths) == 3


def test_deleted_company_is_attached_again(intercom: Intercom) -> None:
    intercom.put(type="group", userId="u", groupId="c", traits={"name": "One"})
    intercom.deliver()
    intercom.app.extensions["sandbox"].reset()
    intercom.put(type="group", userId="v", groupId="c", traits={"name": "One"})
    intercom.deliver()
    intercom.now += 2
    intercom.deliver()
    assert [company["company_id"] for company in intercom.person("v")["companies"]] == ["c"]


def test_leaving_unknown_company_is_delivered(intercom: Intercom) -> None:
    intercom.put(type="identify", userId="u", traits={"company": {"id": "never", "remove": True}})
    intercom.deliver()
    assert intercom.outbox.counts().delivered == 1
    assert intercom.state["companies"] == []


def test_known_user_costs_request_per_call(intercom: Intercom) -> None:
    intercom.put(type="identify", userId="u", traits={"company": {"id": "c", "name": "One"}})
    intercom.deliver()
    intercom.transport.sent.clear()
    for number in range(10):
        intercom.put(type="identify", userId="u", traits={"name": f"n{number}", "company": {"id": "c", "name": "One"}})
        intercom.put(type="track", userId="u", event=f"e{number}")
    intercom.deliver()
    assert len(intercom.transport.sent) == 20


def test_expired_lease_goes_to_another_worker(intercom: Intercom) -> None:
    intercom.put(type="track", userId="u", event="first")
    intercom.put(type="track", userId="u", event="second")
    lost = intercom.outbox.lease()
    assert lost is not None
    intercom.now += 31
    intercom.deliver()
    intercom.sender.deliver(lost)
    assert intercom.events == ["first", "second"]


def test_expired_lease_sends_nothing(intercom: Intercom) -> None:
    intercom.put(type="track", userId="u", event="first")
    lost = intercom.outbox.lease()
    intercom.now += 31
    assert lost is not None
    assert intercom.outbox.lease() is not None
    intercom.sender.deliver(lost)
    assert intercom.transport.sent == []


def test_the_classic_dialect_delivers_too(make_intercom: Any) -> None:
    intercom = make_intercom(api_version="1.4")
    intercom.put(type="track", userId="u", event="early")
    intercom.put(type="identify", userId="u", traits={"a": {"b": 1}, "company": "Segment"})
    intercom.put(type="group", userId="u", groupId="c", traits={"name": "One"})
    intercom.deliver()
    assert intercom.events == ["early"]
    assert intercom.person("u")["custom_attributes"] == {"a.b": 1}
    assert {company["company_id"] for company in intercom.person("u")["companies"]} == {"2017828326", "c"}
    assert intercom.outbox.counts().given_up == 0


def test_clashing_company_attribute_is_left_out(intercom: Intercom, caplog: pytest.LogCaptureFixture) -> None:
    """Contacts have an attribute of that name; the company's further attributes and its member are sent."""
    intercom.put(type="identify", userId="u", traits={"seats": 3})
    intercom.put(type="group", userId="u", groupId="c", traits={"name": "One", "seats": 9, "tier": "gold"})
    intercom.deliver()
    assert intercom.state["companies"][0]["custom_attributes"] == {"tier": "gold"}
    assert [company["company_id"] for company in intercom.person("u")["companies"]] == ["c"]
    assert "attribute 'seats'" in caplog.text


def test_sender_fault_delays_only_its_user(intercom: Intercom, caplog: pytest.LogCaptureFixture) -> None:
    intercom.put(type="track", userId="u", event="odd")
    intercom.put(type="track", userId="v", event="even")
    faults = [KeyError("x")]

    def fault(operation: Operation) -> None:
        if faults and operation.body and operation.body.get("event_name") == "odd":
            raise faults.pop()

    intercom.transport.before = fault
    intercom.deliver()
    assert intercom.events == ["even"]
    intercom.now += 2
    intercom.deliver()
    assert intercom.events == ["even", "odd"]
    assert "KeyError" in caplog.text


def test_previous_email_no_longer_finds_contact(intercom: Intercom) -> None:
    for message in (
        {"userId": "a@example.com", "traits": {"email": "a@example.com"}},
        {"userId": "u1", "traits": {"email": "b@example.com", "name": "One"}},
    ):
        intercom.put(type="identify", **message)
    intercom.outbox.put("a@example.com", b'{"type":"identify","traits":{"email":"b@example.com"}}')
    intercom.deliver()
    intercom.put(type="identify", userId="u1", traits={"email": "c@example.com"})
    intercom.deliver()
    intercom.outbox.put("b@example.com", b'{"type":"identify","traits":{"email":"b@example.com","name":"Other"}}')
    intercom.deliver()
    assert (intercom.person("u1")["email"], intercom.person("u1")["name"]) == ("c@example.com", "One")


@pytest.mark.parametrize("name", ["external_id", "signed_up_at", "last_seen_at", "unsubscribed_from_emails"])
def test_reserved_trait_name_costs_nothing_else(intercom: Intercom, name: str) -> None:
    intercom.put(type="identify", userId="u", traits={name: "x", "plan": "pro", "name": "Ann"})
    intercom.deliver()
    assert (intercom.person("u")["name"], intercom.person("u")["custom_attributes"]) == ("Ann", {"plan": "pro"})
    assert intercom.outbox.counts().given_up == 0


def test_lasting_fault_becomes_dead_letter(intercom: Intercom) -> None:
    def fault(operation: Operation) -> Reply | None:
        if operation.body and operation.body.get("event_name") == "odd":
            raise KeyError("x")
        return None

    intercom.transport.before = fault
    intercom.put(type="track", userId="u", event="odd")
    intercom.put(type="track", userId="u", event="even")
    for _ in range(6):
        intercom.deliver()
        intercom.now += LONGEST_BACK_OFF
    assert intercom.events == ["even"]
    assert intercom.outbox.dead_letters()[0].reason == "tried 5 times: an unforeseen KeyError"


def test_event_without_user_becomes_dead_letter(intercom: Intercom) -> None:
    """Eight attempts are enough, so nothing of that user waits for a whole day."""
    intercom.put(type="track", userId="u", event="lost")
    intercom.transport.before = lambda operation: (
        error(404, "not_found", "User Not Found") if operation.path == "/events" else None
    )
    for _ in range(8):
        intercom.deliver()
        intercom.now += LONGEST_BACK_OFF
    assert "tried 8 times" in intercom.outbox.dead_letters()[0].reason


def test_empty_context_email_is_ignored(intercom: Intercom) -> None:
    message = b'{"type":"track","event":"E","properties":{"email":"a@b.co"},"context":{"traits":{"email":""}}}'
    intercom.outbox.put("a@b.co", message)
    intercom.deliver()
    assert intercom.events == ["E"]


@pytest.mark.parametrize("body", [{"data": 5}, {"data": [5]}, {"data": [{}]}, [], {"id": None}, None, "text"])
def test_odd_success_leaves_nothing_waiting(intercom: Intercom, body: Any) -> None:
    intercom.put(type="group", userId="u", groupId="c", traits={"name": "One", "tier": "x"})
    intercom.put(type="identify", userId="u", traits={"company": {"id": "d", "remove": True}})
    intercom.transport.before = lambda _: Reply(200, body)
    for _ in range(8):
        intercom.deliver()
        intercom.now += LONGEST_BACK_OFF
    assert intercom.outbox.counts().waiting == 0


def test_unknown_outcome_sends_company_again(intercom: Intercom) -> None:
    """After a broken connection nobody knows which plan Intercom has, so an earlier one is sent anew."""

    def lost(operation: Operation) -> Reply | None:
        return (
            broken(operation)
            if operation.path == "/companies" and operation.body and operation.body["plan"] == "pro"
            else None
        )

    for plan, before in (("free", lambda _: None), ("pro", lost), ("free", lambda _: None)):
        intercom.transport.before = before
        intercom.put(type="group", userId=plan, groupId="c", traits={"name": "One", "plan": plan})
        intercom.deliver()
    assert [operation.body["plan"] for operation in intercom.transport.sent if operation.path == "/companies"] == [
        "free",
        "pro",
        "free",
    ]


def test_outage_is_logged_once_a_minute(intercom: Intercom, caplog: pytest.LogCaptureFixture) -> None:
    for user in range(6):
        intercom.put(type="track", userId=f"u{user}", event="Baked")
    intercom.transport.before = lambda _: Reply(503, None)
    for _ in range(10):
        intercom.deliver()
        intercom.now += 20
    lines = [
        record.message.removeprefix("Intercom: ") for record in caplog.records if "Intercom: delivery" in record.message
    ]
    assert lines[0].startswith("delivery failed (attempt 1)")
    assert lines[1] == "delivery fails since 1 min, 6 users wait: Intercom answered 503"
    assert 2 <= len(lines) <= 4  # who waits longer by chance says nothing meanwhile
    intercom.transport.before = lambda _: None
    intercom.now += 600
    intercom.deliver()
    assert caplog.records[-1].message == "Intercom: delivery goes on: all users who waited have been served"
    assert len(intercom.events) == 6
