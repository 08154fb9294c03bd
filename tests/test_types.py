"""The types for pages, static/segment_intercom/analytics.d.ts: nothing public is missing from them."""

from __future__ import annotations

import re

import pytest

from segment_intercom import assets
from segment_intercom.spec import SPEC

TYPES = assets.read("segment_intercom/analytics.d.ts")
# Keys that a page does not choose: they are Intercom's own.
SETTINGS = [name for name in SPEC.reserved if name not in SPEC.ignored_settings]


def interface(name: str) -> str:
    match = re.search(rf"interface {name}\b[^{{]*\{{(.*?)^  \}}", TYPES, re.MULTILINE | re.DOTALL)
    assert match is not None
    return match[1]


def members(name: str) -> set[str]:
    return set(re.findall(r"^    (\w+)\??(?:<.*?>)?[(:]", interface(name), re.MULTILINE))


def test_every_page_call_is_typed() -> None:
    source = assets.read("segment_intercom/stub.js")
    calls = set(" ".join(re.findall(r'^  "([\w ]+)"\.split\(" "\)\.forEach', source, re.MULTILINE)).split())
    calls |= set(re.findall(r"^  analytics\.(\w+) =", source, re.MULTILINE)) - {"intercom", "invoked"}
    assert len(calls) > 15
    assert members("Analytics") == {*calls, "initialized"}


def test_every_messenger_method_is_typed() -> None:
    widget, pages = (assets.read(f"sandbox/widget/{name}.js") for name in ("messenger", "pages"))
    block = re.search(r"^  const methods = \{(.*?)^  \};", widget, re.MULTILINE | re.DOTALL)
    content = re.search(r"CONTENT = \{(.*?)\}", pages, re.DOTALL)
    assert block is not None
    assert content is not None
    methods = set(re.findall(r"^    (\w+)[:(]", block[1], re.MULTILINE))
    methods |= set(re.findall(r"^  (\w+):", content[1], re.MULTILINE))
    assert len(methods) > 25
    assert set(re.findall(r'"(\w+)"', " ".join(re.findall(r"method: ([^,)]*)", interface("Messenger"))))) == methods


@pytest.mark.parametrize("name", SETTINGS)
def test_every_messenger_setting_is_typed(name: str) -> None:
    assert name in members("MessengerSettings")


@pytest.mark.parametrize("name", SPEC.company_fields)
def test_every_company_field_is_typed(name: str) -> None:
    assert name in members("MessengerCompany")
