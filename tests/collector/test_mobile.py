"""Batches of Segment's mobile libraries, as their documentation shows them, and what becomes of the device in them."""

from __future__ import annotations

import gzip
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from segment_intercom import Track, rest_operations
from segment_intercom.partition import has_effect

from .conftest import SERVER, Received

BATCHES = sorted((Path(__file__).parent / "mobile").glob("*.json"))
DEVICES = {
    "analytics-android": ("android", "Google", "Pixel 6", "Android", "13"),
    "analytics-ios": ("ios", "Apple", "iPhone7,2", "iPhone OS", "16.2"),
    "analytics-react-native": ("ios", "Apple", "iPhone12,1", "iOS", "16.2"),
}


@pytest.mark.parametrize("batch", BATCHES, ids=lambda path: path.stem)
def test_a_mobile_library_is_understood(received: Received, batch: Path) -> None:
    authorization = "Basic " + b64encode(f"{SERVER}:".encode()).decode()
    body = gzip.compress(batch.read_bytes())
    answer = received.post("b", body, content_encoding="gzip", authorization=authorization)
    assert answer.body == b'{"success":true}'
    assert received.collector.counts == {"accepted": 3, "without effect": 1}
    settings = replace(received.settings, collect_context=True)
    sent = [operation for call in received.calls if has_effect(call) for operation in rest_operations(call, settings)]
    assert [operation.path for operation in sent] == [
        "/contacts",
        "/events",
        "/companies",
        "/contacts/{contact_id}/companies",
    ]
    kind, manufacturer, model, system, version = DEVICES[batch.stem]
    assert sent[0].body is not None
    assert sent[0].body["custom_attributes"] == {
        "plan": "pro",
        "app_name": "Shop",
        "app_version": "2.1.0",
        "device_type": kind,
        "device_manufacturer": manufacturer,
        "device_model": model,
        "os_name": system,
        "os_version": version,
    }
    (event,) = (call for call in received.calls if isinstance(call, Track))
    assert str(event.timestamp) == "2026-11-27T11:59:59.300000+00:00"  # the sender's clock is an hour behind
