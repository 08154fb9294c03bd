"""Custom attributes: today's API wants them created first, the classic one creates them by itself."""

from __future__ import annotations

from typing import Any

from ..attributes import scalar
from ..data_attributes import ATTRIBUTE_LIMIT
from ..refusal import malformed
from .call import ApiCall


def custom_attributes(call: ApiCall, model: str, values: Any) -> dict[str, Any]:
    """The custom attributes of a body, each fitting its type; an unfit or unknown one is refused."""
    custom: dict[str, Any] = values or {}
    for name, value in custom.items():
        why = scalar(value) or _fault(call, model, name, value)
        if why:
            remedy = "GET /data_attributes?include_archived=true shows its data_type, and whether it is archived"
            raise malformed(f"Custom attribute '{name}' {why}", "custom_attributes", remedy)
    if call.source == "classic":
        for name, value in custom.items():
            call.account.attributes.admit(model, name, value, call.source, call.at)
    elif unknown := next((name for name in custom if not call.account.attributes.get(model, name)), None):
        remedy = "create it first with POST /data_attributes"
        raise malformed(f"Custom attribute '{unknown}' does not exist", "custom_attributes", remedy)
    return custom


def check_room(call: ApiCall) -> None:
    """Refuse one more custom attribute than the workspace may have."""
    if call.account.attributes.is_full:
        remedy = "archive one in Intercom"
        raise malformed(f"You have reached the limit of {ATTRIBUTE_LIMIT} custom attributes", None, remedy)


def _fault(call: ApiCall, model: str, name: str, value: Any) -> str | None:
    attribute = call.account.attributes.get(model, name)
    if attribute is None:
        if call.source == "classic" and value is not None:
            check_room(call)
        return None
    return None if call.source == "classic" and attribute.widens(value) else attribute.fault(value)
