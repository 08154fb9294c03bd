"""Leads: people with an e-mail and no user id yet, who become users with all that was theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from segment_intercom import Analytics
from segment_intercom.transport import Reply
from tests.delivery.intercom import Intercom, make_intercom
from tests.outbox.conftest import jetstream, nats_server, place, postgres, postgres_server
from tests.outbox.places import Place

__all__ = ["jetstream", "make_intercom", "nats_server", "place", "postgres", "postgres_server"]  # fixtures


@pytest.fixture
def intercom(tmp_path: Path) -> Iterator[Intercom]:
    intercom = Intercom(tmp_path, leads=True, deliver="worker")
    yield intercom
    intercom.close()


def roles(intercom: Intercom) -> list[tuple[str, str | None, str | None]]:
    return sorted((person["role"], person["user_id"], person["email"]) for person in intercom.state["people"])


def merges(intercom: Intercom) -> int:
    return sum(path == "/contacts/merge" for _, path in intercom.transport.requests)


LEAD = ("lead", None, "ann@example.com")
USER = ("user", "ann", "ann@example.com")


def test_lead_is_created_once_then_updated(intercom: Intercom) -> None:
    intercom.analytics.identify(None, {"email": "an@example.com"}, anonymous_id="anon")
    intercom.deliver()
    intercom.analytics.identify(None, {"email": "ann@example.com", "plan": "pro"}, anonymous_id="anon")
    intercom.deliver()
    assert roles(intercom) == [LEAD]
    (lead,) = intercom.state["people"]
    assert lead["custom_attributes"] == {"plan": "pro"}


def test_existing_lead_is_reused_by_email(intercom: Intercom) -> None:
    intercom.call("POST", "/contacts", {"role": "lead", "email": "ann@example.com"})
    intercom.analytics.identify(None, {"email": "ann@example.com"}, anonymous_id="anon")
    intercom.deliver()
    assert roles(intercom) == [LEAD]


def test_combined_identifies_wait_for_lead_between(intercom: Intercom) -> None:
    """Identifies that are sent as one request wait for the lead that was put between them."""
    intercom.analytics.identify("ann", {"seats": 1}, anonymous_id="anon")
    intercom.analytics.identify(None, {"email": "ann@example.com"}, anonymous_id="anon")
    intercom.analytics.identify("ann", {"seats": 2}, anonymous_id="anon")
    intercom.deliver()
    intercom.now += 1
    intercom.deliver()
    assert [role for role, *_ in roles(intercom)] == ["user"]
    assert merges(intercom) == 1


def test_lead_becomes_user_with_events(intercom: Intercom) -> None:
    intercom.analytics.identify(None, {"email": "ann@example.com", "source": "ad"}, anonymous_id="anon")
    intercom.analytics.track(None, "Asked", context={"traits": {"email": "ann@example.com"}}, anonymous_id="anon")
    intercom.analytics.identify("ann", {"email": "ann@example.com"}, anonymous_id="anon")
    intercom.deliver()
    assert roles(intercom) == [USER]
    assert intercom.person("ann")["custom_attributes"] == {"source": "ad"}
    assert [event["user_id"] for event in intercom.state["events"]] == ["ann"]


def test_anonymous_id_suffices_to_merge(intercom: Intercom) -> None:
    intercom.analytics.identify(None, {"email": "private@example.com", "source": "ad"}, anonymous_id="anon")
    intercom.analytics.identify("ann", {"email": "ann@example.com"}, anonymous_id="anon")
    intercom.deliver()
    assert roles(intercom) == [USER]
    assert intercom.person("ann")["custom_attributes"] == {"source": "ad"}


def test_an_event_alone_makes_the_lead(intercom: Intercom) -> None:
    intercom.analytics.track(None, "Asked", context={"traits": {"email": "ann@example.com"}}, anonymous_id="anon")
    intercom.analytics.group(None, "g1", {"name": "Org"}, {"traits": {"email": "ann@example.com"}}, anonymous_id="anon")
    intercom.deliver()
    assert roles(intercom) == [LEAD]
    assert intercom.events == ["Asked"]
    assert [company["company_id"] for company in intercom.state["people"][0]["companies"]] == ["g1"]


def test_user_waits_for_failing_lead(intercom: Intercom) -> None:
    """While the lead's calls fail, those of the user it becomes wait, and other users go on."""
    intercom.transport.before = lambda operation: (
        Reply(503, None) if (operation.body or {}).get("role") == "lead" else None
    )
    intercom.analytics.identify(None, {"email": "ann@example.com"}, anonymous_id="anon")
    intercom.analytics.identify("ann", {"email": "ann@example.com"}, anonymous_id="anon")
    intercom.analytics.identify("bob", {"email": "bob@example.com"}, anonymous_id="other")
    intercom.deliver()
    assert roles(intercom) == [("user", "bob", "bob@example.com")]
    intercom.transport.before = lambda _: None
    while (due := intercom.outbox.next_due()) is not None:
        intercom.now += due
        intercom.deliver()
    assert (USER in roles(intercom), merges(intercom)) == (True, 1)


def test_merged_user_is_not_merged_again(intercom: Intercom) -> None:
    intercom.analytics.identify(None, {"email": "ann@example.com"}, anonymous_id="anon")
    for number in range(4):
        intercom.analytics.identify("ann", {"email": "ann@example.com", "n": number}, anonymous_id="anon")
        intercom.deliver()
    assert merges(intercom) == 1
    before = len(intercom.transport.requests)
    intercom.analytics.identify("ann", {"n": 9}, anonymous_id="anon")
    intercom.deliver()
    assert [method for method, _ in intercom.transport.requests[before:]] == ["PUT"]


def test_lead_of_later_visit_is_merged(intercom: Intercom) -> None:
    for _ in range(2):
        intercom.analytics.identify(None, {"email": "ann@example.com"}, anonymous_id="anon")
        intercom.deliver()
        intercom.analytics.identify("ann", {"email": "ann@example.com"}, anonymous_id="anon")
        intercom.deliver()
    assert (roles(intercom), merges(intercom)) == ([USER], 2)


def test_deleted_lead_is_created_anew(intercom: Intercom) -> None:
    intercom.analytics.identify(None, {"email": "ann@example.com"}, anonymous_id="anon")
    intercom.deliver()
    intercom.call("DELETE", f"/contacts/{intercom.state['people'][0]['id']}")
    intercom.analytics.track(None, "Asked", context={"traits": {"email": "ann@example.com"}}, anonymous_id="anon")
    intercom.deliver()
    intercom.now += 300
    intercom.deliver()
    assert (roles(intercom), intercom.events) == ([LEAD], ["Asked"])


def test_late_merge_is_no_failure(intercom: Intercom) -> None:
    """A lead that Intercom has deleted before the merge is no failure: the user is made without it."""
    intercom.analytics.identify(None, {"email": "ann@example.com"}, anonymous_id="anon")
    intercom.deliver()
    intercom.call("DELETE", f"/contacts/{intercom.state['people'][0]['id']}")
    intercom.analytics.identify("ann", {"email": "ann@example.com"}, anonymous_id="anon")
    intercom.deliver()
    assert (roles(intercom), intercom.outbox.counts().given_up) == ([USER], 0)


def test_leads_are_off_by_default(make_intercom: Callable[..., Intercom]) -> None:
    intercom = make_intercom(deliver="worker")
    intercom.analytics.identify(None, {"email": "ann@example.com"}, anonymous_id="anon")
    intercom.deliver()
    assert roles(intercom) == [("user", None, "ann@example.com")]


def test_immediate_delivery_merges_leads(intercom: Intercom) -> None:
    with closing(Analytics(replace(intercom.settings, deliver="now"), intercom.transport)) as analytics:
        analytics.identify(None, {"email": "ann@example.com"}, anonymous_id="anon")
        assert roles(intercom) == [LEAD]
        analytics.identify("ann", {"email": "ann@example.com"}, anonymous_id="anon")
    assert roles(intercom) == [USER]


def test_waits_sees_earlier_undelivered_messages(place: Place) -> None:
    """A message still counts as waiting while it is leased, until it is delivered."""
    box = place.open()
    box.put("anonymous a", b"1")
    box.put("ann", b"2")
    number = max(message.number for message in box.browse())
    assert box.waits("anonymous a", number)
    leases: list[Any] = []
    while (lease := box.lease()) is not None:
        leases.append(lease)
    assert box.waits("anonymous a", number), "it is still to be delivered"
    for lease in leases:
        assert box.done(lease, lease.messages)
    assert not box.waits("anonymous a", number)
