"""Data attributes: the fields that contacts and companies have, and new ones."""

from __future__ import annotations

import unicodedata
from typing import Any

from ..attributes import Check, boolean, text
from ..data_attributes import TYPES, Attribute
from ..refusal import RefusedError, malformed, missing, not_found, not_imitated
from .call import ApiCall, ApiReply
from .custom import check_room
from .fields import check, known

MODELS = {"contact": "people", "company": "company"}
FIELDS: dict[str, Check] = {
    "name": known,
    "model": text,
    "data_type": text,
    "description": text,
    "messenger_writable": boolean,
}
_CHANGEABLE: dict[str, Check] = {"description": text, "messenger_writable": boolean, "archived": boolean}
# What every workspace has from the beginning, and of what type.
_CONTACT = {
    "name": "string", "email": "string", "phone": "string", "external_id": "string", "signed_up_at": "date",
    "last_seen_at": "date", "unsubscribed_from_emails": "boolean", "id": "string", "created_at": "date",
}  # fmt: skip
_COMPANY = {
    "name": "string", "company_id": "string", "remote_created_at": "date", "monthly_spend": "float", "size": "integer",
    "industry": "string", "website": "string", "id": "string", "created_at": "date", "updated_at": "date",
}  # fmt: skip
_STANDARD = {"contact": _CONTACT, "company": _COMPANY}
_INTERCOMS_OWN = ("id", "created_at", "updated_at")
# The version from which on a page writes an attribute only where its creation said so: Intercom's API changelog 2.11.
_PROTECTED_SINCE = (2, 11)


def create(call: ApiCall) -> ApiReply:
    """POST /data_attributes: a name that is free, a model and a type."""
    body = call.body()
    _check_no_options(body)
    check(body, FIELDS, ())
    for name in ("name", "model", "data_type"):
        if name not in body:
            raise missing(f"{name} not specified", name)
    name, model, data_type = body["name"], body["model"], body["data_type"]
    if model not in MODELS:
        raise malformed("The Data Attribute model field must be either contact or company", "model")
    if data_type not in TYPES:
        raise malformed("Data Type isn't an option", "data_type", f"one of {', '.join(TYPES)}")
    if not all(_allowed(letter) for letter in name):
        message = (
            "Your name for this attribute must only contain alphanumeric characters, currency symbols, and hyphens"
        )
        raise malformed(message, "name", "no dots and no spaces; underscores are allowed")
    _check_free(call, model, name)
    check_room(call)
    attribute = call.account.attributes.create(model, name, data_type, call.source, call.at)
    attribute.change({"messenger_writable": call.version < _PROTECTED_SINCE, **body}, call.at)
    return ApiReply(200, _custom_json(attribute))


def update(call: ApiCall, number: str) -> ApiReply:
    """PUT /data_attributes/{id}: the description, who may write it, and whether it is archived; never its type."""
    body = call.body()
    _check_no_options(body)
    check(body, _CHANGEABLE, ())
    attribute = next((candidate for candidate in call.account.attributes if str(candidate.number) == number), None)
    if attribute is None:
        raise not_found("We couldn't find that data attribute to update", "field_not_found")
    if attribute.archived and body.get("archived") is False:
        check_room(call)
    attribute.change(body, call.at)
    return ApiReply(200, _custom_json(attribute))


def show(call: ApiCall) -> ApiReply:
    """GET /data_attributes, of one ``model`` or of both: standard and custom ones, archived ones where it is asked."""
    model = call.asked.query.get("model")
    if model is not None and model not in MODELS:
        message = "The Data Attribute model field must be either contact or company"
        if model == "conversation":
            message = "model=conversation is no longer supported. Use GET /conversations/attributes instead"
        raise RefusedError("parameter_invalid", message, "model", 422)
    standard = [
        _standard_json(name, data_type, kind)
        for kind, fields in _STANDARD.items()
        for name, data_type in fields.items()
    ]
    archived = call.asked.query.get("include_archived") == "true"
    custom = [attribute for attribute in call.account.attributes if archived or not attribute.archived]
    listed = standard + [_custom_json(attribute) for attribute in custom]
    return ApiReply(200, {"type": "list", "data": [kind for kind in listed if model in (None, kind["model"])]})


def _check_no_options(body: dict[str, Any]) -> None:
    if "options" in body or body.get("data_type") == "options":
        raise not_imitated("A data attribute with options")


def _check_free(call: ApiCall, model: str, name: str) -> None:
    if name.lower() in _STANDARD[model]:
        noun = MODELS[model]
        message = (
            f"'{name}' is one of our standard attributes for your {noun} data. "
            f"To save this as new {noun} data, use a different name."
        )
        raise malformed(message, "name")
    for owner, noun in MODELS.items():
        if call.account.attributes.get(owner, name):
            message = (
                f"You already have '{name}' in your {noun} data. "
                f"To save this as new {MODELS[model]} data, use a different name."
            )
            raise malformed(message, "name")


def _allowed(letter: str) -> bool:
    return letter.isalnum() or letter in "-_" or unicodedata.category(letter) == "Sc"


def _standard_json(name: str, data_type: str, model: str) -> dict[str, Any]:
    return {
        "type": "data_attribute",
        "name": name,
        "full_name": name,
        "label": name.replace("_", " ").capitalize(),
        "data_type": data_type,
        "api_writable": name not in _INTERCOMS_OWN,
        "ui_writable": False,
        "messenger_writable": True,
        "custom": False,
        "archived": False,
        "model": model,
    }


def _custom_json(attribute: Attribute) -> dict[str, Any]:
    data_type = "date" if attribute.data_type == "datetime" else attribute.data_type
    return {
        **_standard_json(attribute.name, data_type, attribute.model),
        "id": attribute.number,
        "full_name": f"custom_attributes.{attribute.name}",
        "label": attribute.name,
        **({} if attribute.description is None else {"description": attribute.description}),
        "messenger_writable": attribute.messenger_writable,
        "custom": True,
        "archived": attribute.archived,
        "admin_id": "1",
        "created_at": int(attribute.created_at),
        "updated_at": int(attribute.updated_at),
    }
