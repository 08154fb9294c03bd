"""Custom attributes and metadata under names that Intercom takes, without what it cannot keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..diagnostics import Diagnostics
from ..traits.labels import attribute_name, labelled

_CONTAINERS = (dict, list)


def named(attributes: Mapping[str, Any], diagnostics: Diagnostics) -> Mapping[str, Any]:
    """The attributes under names that Intercom takes, without what it cannot keep."""
    return without_empty(labelled(attributes, attribute_name, diagnostics), diagnostics)


def without_empty(values: Mapping[str, Any], diagnostics: Diagnostics) -> Mapping[str, Any]:
    """The values that Intercom takes: an empty list or dict is nothing that it could keep."""
    empty = [name for name, value in values.items() if type(value) in _CONTAINERS and not value]
    for name in empty:
        diagnostics.warn(name, "is empty, which Intercom cannot keep; it is not sent")
    return {name: value for name, value in values.items() if name not in empty} if empty else values
