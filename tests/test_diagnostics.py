"""Warnings: each once for a process, then counted."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from segment_intercom import Identify, Settings, messenger_settings, rest_operations
from segment_intercom.diagnostics import WarningLog

LENIENT = Settings(app_id="abc12345", strict=False)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage().removeprefix("Intercom: ").removeprefix("page, ") for record in caplog.records]


def test_repeated_warning_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    """A warning is logged once, and then again only at its tenth and its hundredth time."""
    for _ in range(100):
        messenger_settings(Identify("u", {"created_at": "never", "odd": object()}), LENIENT)
    about = "trait 'created_at': is no date that can be read; it is not sent"
    of_dates = [line for line in lines(caplog) if line.startswith("trait 'created_at'")]
    assert of_dates == [about, f"{about} (said 10 times by now)", f"{about} (said 100 times by now)"]
    assert len(lines(caplog)) == 6


def test_every_field_gets_own_warning(caplog: pytest.LogCaptureFixture) -> None:
    messenger_settings(Identify("u", {"a": object(), "b": object()}), LENIENT)
    assert [line.partition(":")[0] for line in lines(caplog)] == ["trait 'a'", "trait 'b'"]


def test_endless_warnings_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """After a thousand different warnings, all further ones share one line that is counted."""
    remarks = WarningLog()
    for number in range(2_000):
        remarks.warn("trait %s", f"{number} " + "x" * 10_000)
    assert len(lines(caplog)) == 1_000 + 4
    assert lines(caplog)[1_000:] == [
        lines(caplog)[1_000] + end for end in ("", *(f" (said {n} times by now)" for n in (10, 100, 1_000)))
    ]


def test_threads_make_a_remark_once(caplog: pytest.LogCaptureFixture) -> None:
    remarks = WarningLog()
    with caplog.at_level(logging.WARNING), ThreadPoolExecutor(8) as pool:
        list(pool.map(remarks.warn, ["odd"] * 500))
    assert sorted(lines(caplog)) == ["odd", "odd (said 10 times by now)", "odd (said 100 times by now)"]


def test_omitted_ip_address_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    for user in ("u", "v"):
        rest_operations(Identify(user, context={"ip": "192.0.2.1", "userAgent": "Mozilla"}), LENIENT)
    (line,) = lines(caplog)
    assert "collect_address=True" in line
    assert "192.0.2.1" not in line


def test_warning_tells_source_and_call(caplog: pytest.LogCaptureFixture) -> None:
    call = Identify("u", {"createdAt": "some day"})
    rest_operations(call, Settings(app_id="abc12345"))
    messenger_settings(call, Settings(app_id="abc12345"))
    lines = [record.getMessage() for record in caplog.records]
    assert [line.partition(": is no date")[0] for line in lines] == [
        "Intercom: identify, trait 'created_at'",
        "Intercom: page, trait 'created_at'",
    ]
