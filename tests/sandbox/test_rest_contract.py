"""The sandbox's answers, held against Intercom's own description of its API."""

from __future__ import annotations

from typing import Any

import pytest
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest, WerkzeugOpenAPIResponse
from openapi_core.exceptions import OpenAPIError
from werkzeug import Request

from segment_intercom.sandbox import Workspace
from tests.contract import described
from tests.sandbox.test_rest import ADA, APP, AT, Api


class Described(Api):
    """A client that holds every answer, and every request that was taken, against the description."""

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        fields = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        sent: dict[str, Any] = {"base_url": "https://api.intercom.io", "method": method, "headers": fields}
        sent |= {} if body is None else {"json": body}
        answer, request = self.client.open(path, **sent), WerkzeugOpenAPIRequest(Request.from_values(path, **sent))
        if answer.status_code < 300:
            described().validate_request(request)
        described().validate_response(request, WerkzeugOpenAPIResponse(answer))
        return answer


@pytest.fixture
def api() -> Described:
    return Described(Workspace(APP, search_lag=0))


def test_contacts_are_answered_as_described(api: Described) -> None:
    made = api.contact(**ADA, name="Ada", avatar="https://example.com/a.png", signed_up_at=AT, last_seen_at=AT)
    api.attribute("plan")
    api.ok("PUT", f"/contacts/{made}", {"custom_attributes": {"plan": "pro"}, "phone": None})
    api.ok("GET", f"/contacts/{made}")
    api.ok("GET", "/contacts/find_by_external_id/42")
    api.ok("GET", "/contacts")
    api.ok("POST", "/contacts/search", {"query": {"field": "email", "operator": "=", "value": ADA["email"]}})
    api.ok("POST", f"/contacts/{made}/archive")
    api.ok("POST", f"/contacts/{made}/unarchive")
    api.ok("DELETE", f"/contacts/{made}")


def test_bare_contact_is_answered_as_described(api: Described) -> None:
    api.ok("GET", f"/contacts/{api.contact(role='lead')}")


def test_merging_is_answered_as_described(api: Described) -> None:
    lead, user = api.contact(role="lead", email=ADA["email"]), api.contact()
    api.refusal("POST", "/contacts/merge", {"from": user, "into": lead})
    api.ok("POST", "/contacts/merge", {"from": lead, "into": user})
    assert api.refusal("GET", f"/contacts/{lead}")[0] == 410


def test_tags_are_answered_as_described(api: Described) -> None:
    contact = api.contact()
    tag = api.ok("POST", "/tags", {"name": "VIP"})["id"]
    assert api.ok("POST", "/tags", {"name": "vip"})["id"] == tag
    api.ok("POST", f"/contacts/{contact}/tags", {"id": tag})
    for path in ("/tags", f"/contacts/{contact}/tags", f"/contacts/{contact}"):
        api.ok("GET", path)
    api.ok("DELETE", f"/contacts/{contact}/tags/{tag}")
    api.refusal("DELETE", f"/contacts/{contact}/tags/{tag}")
    api.refusal("POST", f"/contacts/{contact}/tags", {"id": "VIP"})
    api.refusal("POST", f"/contacts/{contact}/tags", {})
    api.refusal("POST", "/tags", {"names": "VIP"})
    api.ok("POST", "/tags", {"id": tag, "name": "Very"})


def test_companies_are_answered_as_described(api: Described) -> None:
    api.attribute("seats", "integer", "company")
    company = api.company(plan="pro", size=3, monthly_spend=10, custom_attributes={"seats": 3}, remote_created_at=AT)
    contact = api.contact()
    api.ok("POST", f"/contacts/{contact}/companies", {"id": company})
    for path in (f"/contacts/{contact}/companies", f"/contacts/{contact}", f"/companies/{company}", "/companies"):
        api.ok("GET", path)
    api.ok("GET", "/companies?company_id=7")
    api.ok("POST", "/companies/list?page=1&per_page=5&order=asc")
    api.refusal("POST", "/companies/list?page=0")
    api.ok("GET", f"/companies/{company}/contacts?per_page=1")
    api.ok("PUT", f"/companies/{company}", {"name": "Eight", "monthly_spend": 9, "custom_attributes": {}})
    api.ok("DELETE", f"/contacts/{contact}/companies/{company}")
    api.ok("GET", f"/companies/{company}/contacts")
    api.ok("DELETE", f"/companies/{company}")
    api.refusal("GET", f"/companies/{company}/contacts")
    api.ok("GET", f"/companies/{api.company(company_id='bare')}")


def test_events_are_answered_as_described(api: Described) -> None:
    api.contact()
    link = {"url": "https://example.com", "value": "Order"}
    assert api.event(metadata={"order": link, "price": {"amount": 1, "currency": "eur"}, "n": 1}).status_code == 202
    for summary in ("", "&summary=true"):
        api.ok("GET", f"/events?type=user&user_id=42{summary}")


def test_attributes_and_app_match_description(api: Described) -> None:
    for number, data_type in enumerate(("string", "integer", "float", "boolean", "date", "datetime")):
        api.attribute(f"a{number}", data_type, ("contact", "company")[number % 2])
    changes = {"description": "How many", "messenger_writable": True, "archived": True}
    api.ok("PUT", f"/data_attributes/{api.attribute('seats')['id']}", changes)
    for query in ("", "?model=company", "?include_archived=true"):
        api.ok("GET", f"/data_attributes{query}")
    api.ok("GET", "/me")


def test_errors_are_answered_as_described(api: Described) -> None:
    api.contact()
    refused = [
        api("GET", "/me", Authorization="Bearer"),
        api("GET", "/me", Intercom_Version="2.17"),
        api("POST", "/contacts", ADA),
        api("POST", "/contacts", {}),
        api("POST", "/contacts", [1]),
        api("POST", "/contacts", {**ADA, "name": "x" * 1_000_001}),
        api("POST", "/contacts/search", {"query": {}}),
        api("PUT", "/contacts/nobody", {}),
        api("GET", "/contacts/nobody"),
        api("GET", "/contacts/find_by_external_id/nobody"),
        api("POST", "/contacts/nobody/companies", {}),
        api("GET", "/companies/none"),
        api("POST", "/companies", {"monthly_spend": 1.5}),
        api("POST", "/data_attributes", {"name": "a.b", "model": "contact", "data_type": "string"}),
        api("GET", "/data_attributes?model=conversation"),
        api.event(user_id="nobody"),
    ]
    statuses = [401, 400, 409, 400, 400, 413, 400, 404, 404, 404, 400, 404, 400, 400, 422, 404]
    assert [answer.status_code for answer in refused] == statuses


def test_limit_and_fault_match_description(api: Described) -> None:
    assert api.client.post("/inspector/faults", json={"faults": [{"status": 503, "next": 1}]}).status_code == 200
    assert api("GET", "/me").status_code == 503
    api.workspace.rate_limit = 1
    assert api("GET", "/me").status_code == 429


def test_the_description_is_really_asked(api: Described) -> None:
    """What the sandbox lets pass but the description does not is found."""
    api.app.after_request(lambda response: (response.set_data(b'{"type": 7}'), response)[1])
    with pytest.raises(OpenAPIError):
        api("GET", "/me")
