"""The settings that count for the current request: strict or not, of its workspace, or switched off."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import cast

from flask import Flask, current_app, has_request_context, request

from .._validators import InvalidValue
from ..diagnostics import WARNINGS, logger
from ..errors import SettingsError
from ..settings import Settings, check_app_id

_EXCLUDED = "segment_intercom.excluded"


def settings_now(app: Flask, settings: Settings, workspace: Callable[[], str | None]) -> Callable[[], Settings]:
    """Strict in debug and testing, lenient in production; an application may turn either on late."""
    lenient = replace(settings, strict=False)
    off = _switched_off(lenient)

    def now() -> Settings:
        if settings.enabled and is_excluded(settings):
            return off
        return _of_tenant(settings if is_strict(app, settings) else lenient, workspace)

    return now


def is_strict(app: Flask, settings: Settings) -> bool:
    """Whether a bad trait raises at this moment."""
    return (app.debug or app.testing) if settings.strict is None else settings.strict


def is_excluded(settings: Settings) -> bool:
    """Whether ``exclude_if``, which is asked once a request, keeps Intercom from the current page."""
    if settings.exclude_if is None or not has_request_context():
        return False
    if _EXCLUDED not in request.environ:
        try:
            request.environ[_EXCLUDED] = bool(settings.exclude_if(request))
        except Exception:
            if is_strict(current_app, settings):
                raise
            logger.exception("exclude_if raised; the page is without Intercom")
            request.environ[_EXCLUDED] = True
    return bool(request.environ[_EXCLUDED])


def workspace_app_id(settings: Settings, workspace: Callable[[], str | None]) -> str | None:
    """The app id that the workspace_loader names for the current request, if any; in production None where it fails."""
    if not settings.workspaces:
        return None
    try:
        app_id = workspace()
        return None if app_id is None else cast("str", check_app_id(str(app_id)))
    except Exception as error:
        if is_strict(current_app, settings):
            if isinstance(error, InvalidValue):
                raise SettingsError("workspace_loader", f"what it returned {error}") from None
            raise
        logger.exception("the workspace of a log-out is not known; its cookies end as far as the request brought them")
        return None


def _of_tenant(settings: Settings, workspace: Callable[[], str | None]) -> Settings:
    """The settings of the workspace that the workspace_loader names; of one that is not known, without a proof.

    In production a page is not Intercom's to break: where no workspace can be named, it is rendered without Intercom.
    """
    if not (settings.enabled and settings.workspaces):
        return settings
    app_id = None
    try:
        app_id = workspace()
        return settings if app_id is None else settings.for_workspace(app_id)
    except Exception as error:  # ours, or one of the application's own functions
        if settings.strict is not False:
            raise
        if isinstance(error, SettingsError) and app_id:
            with suppress(SettingsError):
                unproven = replace(settings, app_id=str(app_id), identity_secret=None)
                WARNINGS.warn("%s; the page is rendered without a proof of identity", str(error))
                return unproven
        logger.exception("the workspace of a page is not known; it is rendered without Intercom")
    return _switched_off(settings)


def _switched_off(settings: Settings) -> Settings:
    """The settings, off; without an app id and a secret, so that no user can be named to a workspace by mistake."""
    return replace(settings, enabled=False, app_id=None, identity_secret=None)
