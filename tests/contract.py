"""Requests to Intercom, held against its own description of the API."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml
from openapi_core import OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest
from werkzeug import Request

from segment_intercom import Operation, Reference
from segment_intercom._json import dumps

DESCRIPTION = Path(__file__).parent / "intercom-openapi-2.16-pruned.yaml"


@cache
def described() -> OpenAPI:
    """Intercom's description, mended where its prose says otherwise, every operation with the error form it names."""
    description = yaml.load(DESCRIPTION.read_text(encoding="utf-8"), yaml.CSafeLoader)
    schemas = description["components"]["schemas"]
    for holder, name in (
        ("create_data_event_request", "metadata"),
        ("create_or_update_company_request", "custom_attributes"),
        ("company", "custom_attributes"),
    ):
        del schemas[holder]["properties"][name]["additionalProperties"]
    error = {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/error"}}}}
    for operations in description["paths"].values():
        for operation in operations.values():
            operation["responses"].setdefault("default", error)
    # It puts the three ways to name a person into one parameter of a style that no validator splits again.
    events = description["paths"]["/events"]["get"]
    events["parameters"] = [parameter for parameter in events["parameters"] if parameter["name"] != "filter"]
    return OpenAPI.from_dict(description)


def check(operation: Operation) -> None:
    """Raise what openapi-core raises when Intercom's description does not allow this request."""
    # An id may hold a slash, which a validator would take for one between parts of the path.
    path = re.sub("%2F", "_", operation.path.format(contact_id="1", company_id="2"))
    body = operation.body and {
        name: "3" if isinstance(value, Reference) else value for name, value in operation.body.items()
    }
    sent = {} if body is None else {"data": dumps(body), "content_type": "application/json"}
    request = Request.from_values(
        path,
        base_url="https://api.intercom.io",
        method=operation.method,
        headers={"Authorization": "Bearer t", "Intercom-Version": "2.16"},
        **sent,
    )
    described().validate_request(WerkzeugOpenAPIRequest(request))
