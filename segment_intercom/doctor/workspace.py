"""Whether a page reaches the workspace that the settings mean, in its region."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..settings import Settings
from .findings import Finding, ok, problem, shown

_US = "https://api-iam.intercom.io"  # the default, which a page may also say


def check_workspace(values: Mapping[str, Any], settings: Settings) -> Iterator[Finding]:
    """Hold ``app_id`` and ``api_base`` of a page against the settings."""
    yield _app_id(values.get("app_id"), settings)
    yield _region(values.get("api_base"), settings)


def _app_id(app_id: object, settings: Settings) -> Finding:
    if not app_id:
        return problem("app_id: not in the page, so no workspace is asked", "Set INTERCOM_APP_ID where the site runs.")
    if settings.app_id in (None, app_id):
        return ok(f"app_id: the page names {shown(app_id)}")
    return problem(
        f"app_id: the page names {shown(app_id)}, the settings {settings.app_id}",
        "Set INTERCOM_APP_ID alike here and where the site runs; for a page of another workspace, give that "
        "workspace's here.",
    )


def _region(api_base: object, settings: Settings) -> Finding:
    if (api_base or _US) == (settings.api_base or _US):
        return ok(f'region: the page asks where "{settings.region}" is')
    return problem(
        f"region: the page asks {shown(api_base or _US)}, the settings mean {settings.api_base or _US}; a wrong region "
        "answers 403",
        "Set INTERCOM_REGION (and INTERCOM_MESSENGER_URL, if any) alike here and where the site runs: the region is "
        "in the address of your Intercom inbox, app.eu.intercom.com for example.",
    )
