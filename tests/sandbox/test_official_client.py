"""Intercom's own client for Python against the sandbox: what holds the sandbox here is not our code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from intercom import Intercom as Client
from intercom import types
from intercom.core.api_error import ApiError
from intercom.errors import BadRequestError, NotFoundError, UnauthorizedError

from segment_intercom.sandbox import Workspace, create_sandbox
from tests.conftest import APP_ID

AT = 1_700_000_000


@pytest.fixture
def workspace() -> Workspace:
    return Workspace(APP_ID, access_token="t", search_lag=0)


@pytest.fixture
def connect(serve: Callable[[Any], str], workspace: Workspace) -> Iterator[Callable[..., Client]]:
    """A client with a token, on a connection of its own."""
    address, opened = serve(create_sandbox(workspace)), list[httpx.Client]()

    def make(token: str = "t") -> Client:
        opened.append(httpx.Client())
        return Client(token=token, base_url=address, httpx_client=opened[-1])

    yield make
    for http_client in opened:
        http_client.close()


@pytest.fixture
def client(connect: Callable[..., Client]) -> Client:
    return connect()


def user(client: Client, user_id: str = "u", **fields: Any) -> Any:
    request = types.CreateContactRequestWithExternalId(external_id=user_id, role="user", **fields)
    return client.contacts.create(request=request)


def company(client: Client, name: str) -> Any:
    return client.companies.create_or_update(request=types.CreateOrUpdateCompanyRequest(company_id=name, name=name))


def by_email(client: Client, email: str) -> list[str | None]:
    query = types.SingleFilterSearchRequest(field="email", operator="=", value=email)
    return [contact.external_id for contact in client.contacts.search(query=query)]


def test_the_token_says_who_asks(client: Client) -> None:
    admin = client.admins.identify()
    assert admin is not None
    assert admin.app is not None
    assert admin.app.id_code == APP_ID


def test_contact_is_created_read_and_updated(client: Client) -> None:
    made = user(client, email="ann@example.com", name="Ann", signed_up_at=AT)
    assert (made.type, made.external_id, made.email, made.signed_up_at) == ("contact", "u", "ann@example.com", AT)
    updated = client.contacts.update(made.id, name="Bea", phone="+353871234567")
    assert (updated.name, updated.phone) == ("Bea", "+353871234567")
    assert client.contacts.find(made.id).name == "Bea"
    assert client.contacts.show_contact_by_external_id("u").id == made.id


def test_contacts_are_listed_and_searched(client: Client) -> None:
    for name in ("a", "b", "c"):
        user(client, name, email=f"{name}@example.com")
    assert sorted(contact.external_id or "" for contact in client.contacts.list(per_page=2)) == ["a", "b", "c"]
    assert by_email(client, "b@example.com") == ["b"]
    assert by_email(client, "x@example.com") == []


def test_contact_is_archived_restored_and_deleted(client: Client) -> None:
    made = user(client)
    assert client.contacts.archive(made.id).archived
    assert client.contacts.unarchive(made.id).archived is False
    assert client.contacts.delete(made.id).deleted
    with pytest.raises(ApiError) as gone:
        client.contacts.find(made.id)
    assert gone.value.status_code == 404


def test_lead_is_merged_into_user(client: Client) -> None:
    lead = client.contacts.create(request=types.CreateContactRequestWithRole(role="lead", email="ann@example.com"))
    made = user(client, email="ann@example.com")
    assert client.contacts.merge_lead_in_user(lead_id=lead.id, contact_id=made.id).external_id == "u"
    assert by_email(client, "ann@example.com") == ["u"]


def test_a_contact_is_tagged(client: Client) -> None:
    contact = user(client)
    tag = client.tags.create(request=types.CreateOrUpdateTagRequest(name="VIP"))
    client.tags.tag_contact(contact.id, tag_id=tag.id)
    assert [attached.name for attached in client.contacts.list_attached_tags(contact.id).data] == ["VIP"]
    client.tags.untag_contact(contact.id, tag.id)
    assert client.contacts.list_attached_tags(contact.id).data == []
    with pytest.raises(NotFoundError):
        client.tags.tag_contact(contact.id, tag_id="none")


def test_companies_are_made_found_and_listed(client: Client) -> None:
    member = user(client)
    for name in ("one", "two", "three"):
        made = company(client, name)
        assert client.companies.attach_contact(member.id, company_id=made.id).company_id == name
    company(client, "empty")
    assert client.companies.find(made.id).name == "three"
    assert client.companies.retrieve(company_id="two") is not None
    listed = [item.company_id for item in client.companies.list(per_page=2, order="asc")]
    assert sorted(listed) == ["one", "three", "two"], "those with members only"


def test_contact_joins_and_leaves_company(client: Client) -> None:
    member, made = user(client), company(client, "one")
    client.companies.attach_contact(member.id, company_id=made.id)
    attached = client.contacts.list_attached_companies(member.id)
    assert [item.company_id for item in attached] == ["one"]
    client.companies.detach_contact(member.id, made.id)
    assert list(client.contacts.list_attached_companies(member.id)) == []


def test_attributes_are_made_listed_and_described(client: Client) -> None:
    request = types.CreateDataAttributeRequestOne(name="seats", model="contact", data_type="integer")
    made = client.data_attributes.create(request=request)
    assert (made.name, made.full_name, made.data_type) == ("seats", "custom_attributes.seats", "integer")
    assert made.id is not None
    assert client.data_attributes.update(made.id, request={"description": "How many"}).description == "How many"
    listed = client.data_attributes.list(model="contact").data or []
    assert "seats" in [attribute.name for attribute in listed]
    assert user(client, custom_attributes={"seats": 3}).custom_attributes == {"seats": 3}


def test_events_are_taken_and_listed(client: Client) -> None:
    user(client)
    request = types.CreateDataEventRequestWithUserId(
        user_id="u", event_name="Paid", created_at=AT, metadata={"plan": "pro"}
    )
    client.events.create(request=request)
    (event,) = client.events.list(type="user", user_id="u", summary=False).events or []
    assert (event.event_name, event.created_at, event.metadata) == ("Paid", AT, {"plan": "pro"})


def test_a_wrong_token_is_unauthorized(connect: Callable[..., Client]) -> None:
    with pytest.raises(UnauthorizedError) as caught:
        connect("wrong").contacts.list()
    assert "Access Token Invalid" in str(caught.value.body)


def test_refusals_are_the_clients_own_errors(client: Client) -> None:
    made = user(client, email="ann@example.com")
    with pytest.raises(ApiError) as conflict:
        user(client)
    assert (conflict.value.status_code, f"id={made.id}" in str(conflict.value.body)) == (409, True)
    with pytest.raises(NotFoundError):
        client.companies.find("none")
    request = types.CreateDataAttributeRequestOne(name="a.b", model="contact", data_type="string")
    with pytest.raises(BadRequestError) as refused:
        client.data_attributes.create(request=request)
    assert "parameter_invalid" in str(refused.value.body)


def test_rate_limit_is_clients_own_error(client: Client, workspace: Workspace) -> None:
    workspace.rate_limit = 6
    user(client)
    with pytest.raises(ApiError) as limited:
        user(client)
    assert (limited.value.status_code, "rate_limit_exceeded" in str(limited.value.body)) == (429, True)
