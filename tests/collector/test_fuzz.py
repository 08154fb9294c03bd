"""Whatever is sent, the collector answers; what it keeps is a call; nothing but a refusal leaves the reading of one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import suppress
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from segment_intercom import CallError, Settings, parse, rest_operations
from segment_intercom.calls import message_of, plain_message
from tests.children import ROOT

from .conftest import BROWSER, SERVER, Received

NAMES = st.sampled_from(
    "type userId event groupId anonymousId previousId traits properties context integrations timestamp messageId "
    "sentAt writeKey batch name email company companies Intercom All user_hash ip direct custom_attributes".split()
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["identify", "track", "u1"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=8),
    max_leaves=25,
)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["identify", "track", "group", "page", "screen", "alias"]) | VALUES,
        "userId": st.sampled_from(["u1", "ann@example.com"]) | VALUES,
        "event": st.just("Baked") | VALUES,
        "groupId": st.just("g1") | VALUES,
        **dict.fromkeys(("anonymousId", "traits", "properties", "context", "integrations"), VALUES),
        **dict.fromkeys(("timestamp", "messageId", "sentAt", "previousId", "name"), VALUES),
    },
)


@given(st.dictionaries(NAMES, VALUES) | MESSAGES, st.sampled_from([SERVER, BROWSER]), st.sampled_from(["t", "i", "b"]))
def test_any_json_is_answered(message: dict[str, Any], key: str, path: str) -> None:
    received = Received(Settings(app_id="abc12345", write_keys=[SERVER], browser_write_keys=[BROWSER]))
    body: dict[str, Any] = {"batch": [message, message]} if path == "b" else message
    try:
        answer = received.post(path, {**body, "writeKey": key}, None)
    except TypeError:  # orjson writes no such text; the fuzzer below sends those
        return
    assert answer.status in (200, 400, 403)
    for call in received.calls:
        with suppress(CallError):
            rest_operations(call, received.settings)


@given(st.binary(max_size=200), st.sampled_from(["", "gzip"]))
def test_any_bytes_are_answered(body: bytes, encoding: str) -> None:
    received = Received(Settings(app_id="abc12345", write_keys=[SERVER]))
    assert received.post("batch", body, content_encoding=encoding).status in (400, 401)


@given(MESSAGES)
@example({"type": "track", "userId": "u1", "event": "Baked", "properties": {}, "context": {}})
@example({"type": "group", "userId": "u1", "groupId": "g1", "traits": {"name": "Tea"}})
def test_plain_message_equals_parsed_call(message: dict[str, Any]) -> None:
    plain = plain_message(message)
    if plain is not None:
        assert plain == message_of(parse(message))


def test_a_fuzzer_finds_nothing() -> None:
    """A run of atheris, bounded in number and time; a crash is printed with the input that it is of."""
    command = [sys.executable, "-m", "tests.collector.fuzz", "-atheris_runs=8000", "-max_total_time=40", "-seed=1"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-4_000:]
    runs = re.search(r"Done (\d+) in|stat::number_of_executed_units: (\d+)", done.stderr)
    assert runs, done.stderr[-2_000:]
    assert int(runs[1] or runs[2]) >= 1_000
