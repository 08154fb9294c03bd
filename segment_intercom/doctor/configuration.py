"""The half of the doctor that needs no page: what the settings say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..settings import DEFAULT_LAUNCHER, WIDGET_URL, Settings, unknown_keys
from .findings import Finding, ok, problem, warning

_TOKEN_SECRET = 32  # bytes: RFC 7518, 3.2, of a key for HS256
_TOKEN_LIFE = range(300, 7201)  # seconds: Intercom recommends one to two hours


def check_configuration(settings: Settings) -> list[Finding]:
    """Return what the settings alone tell, the good as well, in the order in which a reader would ask."""
    return [finding for check in _CHECKS for finding in check(settings)]


def check_keys(config: Mapping[str, Any]) -> list[Finding]:
    """Return a finding for each ``INTERCOM_*`` key of a configuration that is not a setting."""
    return [
        warning(f"{key}: {said}", "Give it its right name, or take it away.")
        for key, said in unknown_keys(config).items()
    ]


def _enabled(settings: Settings) -> Iterator[Finding]:
    if not settings.enabled:
        yield warning("enabled: False, so pages get a comment and no Messenger", "Set INTERCOM_ENABLED to true.")


def _app_id(settings: Settings) -> Iterator[Finding]:
    if settings.app_id is None:
        yield problem(
            "app_id: not set, so nothing is rendered",
            "Set INTERCOM_APP_ID to the 8 or 40 letters and digits that Intercom shows under Settings > Installation; "
            "a page of several workspaces gives app_id in its template.",
        )
    else:
        yield ok(f"app_id: {settings.app_id}")


def _secret(settings: Settings) -> Iterator[Finding]:
    if not settings.secrets:
        yield warning(
            "identity_secret: not set, so a visitor can claim to be any user; Intercom answers 403 where it enforces "
            "verification",
            "Set INTERCOM_IDENTITY_SECRET to the secret that Intercom shows under Settings > Messenger > Security.",
        )
        return
    more = f"; of {len(settings.secrets)} secrets the first signs" if len(settings.secrets) > 1 else ""
    yield ok(f"identity_secret: set, identity is proven by {_proof(settings)}{more}")
    if any(secret != secret.strip() for secret in settings.secrets):
        yield warning(
            "identity_secret: begins or ends with white space, which counts, so that every proof may be wrong",
            "Copy INTERCOM_IDENTITY_SECRET again without the space or line end.",
        )


def _proof(settings: Settings) -> str:
    return "a token (intercom_user_jwt)" if settings.identity == "jwt" else "a hash (user_hash)"


def _tokens(settings: Settings) -> Iterator[Finding]:
    if settings.identity != "jwt":
        return
    if any(len(secret.encode()) < _TOKEN_SECRET for secret in settings.secrets):
        yield warning(
            f"identity_secret: shorter than the {_TOKEN_SECRET} bytes that a token's signature wants",
            "Check that INTERCOM_IDENTITY_SECRET is whole, or let Intercom make a new Messenger secret.",
        )
    if settings.identity_ttl not in _TOKEN_LIFE:
        yield warning(
            f"identity_ttl: a token lives {settings.identity_ttl} seconds",
            "Set INTERCOM_IDENTITY_TTL to one or two hours, 3600 to 7200: shorter ones end while a page is open, "
            "longer ones serve a thief.",
        )


def _region(settings: Settings) -> Iterator[Finding]:
    where = settings.api_base or "Intercom's default, https://api-iam.intercom.io"
    yield ok(f'region: "{settings.region}", the Messenger asks {where}')


def _imitation(settings: Settings) -> Iterator[Finding]:
    for name, value, own in (
        ("widget_url", settings.widget_url, WIDGET_URL),
        ("messenger_url", settings.messenger_url, None),
    ):
        if value != own:
            yield warning(
                f"{name}: {value} is not Intercom's own, so pages talk to an imitation or a proxy",
                f"Leave INTERCOM_{name.upper()} out where customers look.",
            )


def _launcher(settings: Settings) -> Iterator[Finding]:
    if settings.hide_default_launcher and settings.launcher_selector == DEFAULT_LAUNCHER:
        yield warning(
            "hide_default_launcher: True without a launcher_selector, so nothing opens the Messenger",
            "Set INTERCOM_LAUNCHER_SELECTOR to your own button, call Intercom('show'), or show the default launcher.",
        )


def _exclude(settings: Settings) -> Iterator[Finding]:
    if settings.exclude and not settings.auto_include:
        yield warning(
            "exclude: has no effect, since auto_include is off",
            "Set INTERCOM_AUTO_INCLUDE to true, or remove INTERCOM_EXCLUDE.",
        )


_CHECKS = (_enabled, _app_id, _secret, _tokens, _region, _imitation, _launcher, _exclude)
