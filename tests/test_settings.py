"""Settings: read once, checked at start-up, silent about secrets."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from segment_intercom import Settings, SettingsError
from tests.conftest import APP_ID, SECRET


@pytest.mark.parametrize(
    ("field", "value", "accepted"),
    [
        ("app_id", "abc", "8 or 40 letters and digits"),
        ("app_id", "abc12345\n", "8 or 40"),
        ("app_id", "", "8 or 40"),
        ("app_id", 12345678, "8 or 40"),
        ("enabled", "yes", "True or False"),
        ("strict", 1, "True or False"),
        ("identity_secret", "", "empty secret"),
        ("identity_secret", [], "empty secret"),
        ("identity_secret", ["new", ""], "empty secret"),
        ("identity_secret", 5, "list of strings"),
        ("identity", "token", '"hash", "jwt"'),
        ("identity_ttl", 0, "at least 1"),
        ("region", "usa", '"us", "eu", "au"'),
        ("launcher_selector", "", "not empty"),
        ("hide_default_launcher", "no", "True or False"),
        ("messenger", {"aligment": "left"}, "accepted are alignment"),
        ("messenger", {"alignment": "middle"}, 'alignment must be one of "left", "right"'),
        ("messenger", {"horizontal_padding": 10}, "at least 20"),
        ("messenger", {"action_color": "url(evil)"}, "CSS colour"),
        ("messenger", {"user_id": "u"}, "user_id is an unknown Messenger setting"),
        ("nested_handling", "keep", '"flatten", "stringify", "drop"'),
        ("nested_handling_for", {"a": "keep"}, '"flatten", "stringify", "drop"'),
        ("rich_links", "article", "list of strings"),
        ("api_key", "short", "40 letters and digits"),
        ("api_version", "3.0", "1.4"),
        ("api_url", "ftp://example.com", "http or https"),
        ("widget_url", "javascript:alert(1)", "http or https"),
        ("widget_url", "https://example.com/'x", "http or https"),
        ("widget_url", "//example.com/x", "http or https"),
        ("widget_url", "https://user:pass@example.com/x", "no user and password"),
        ("widget_url", "http://[oops", "http or https"),
        ("api_url", "http://example.com:99999999", "http or https"),
        ("signed_fields", ["email"], 'needs identity "jwt"'),
        ("deliver", "process", '"thread", "worker"'),
        ("exit_timeout", -1, "at least 0"),
        ("exit_timeout", float("nan"), "at least 0"),
        ("exit_timeout", "soon", "a number"),
    ],
)
def test_error_names_field_and_accepted_values(field: str, value: Any, accepted: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings(**{field: value})
    assert caught.value.field == field
    assert accepted in str(caught.value)


def test_mapping_error_names_original_key() -> None:
    with pytest.raises(SettingsError, match=r"^INTERCOM_REGION: must be one of"):
        Settings.from_mapping({"INTERCOM_REGION": "mars", "SECRET_KEY": "x"})


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(TypeError, match="app_key"):
        Settings(app_key="x")  # type: ignore[call-arg]


def test_environment_text_becomes_typed_values() -> None:
    """Lists stand with commas, dicts as JSON, and an empty text means the default."""
    settings = Settings.from_env(
        {
            "INTERCOM_APP_ID": APP_ID,
            "INTERCOM_IDENTITY_SECRET": "new,old",
            "INTERCOM_HIDE_DEFAULT_LAUNCHER": "false",
            "INTERCOM_IDENTITY_TTL": "60",
            "INTERCOM_RICH_LINKS": "article, video",
            "INTERCOM_NESTED_HANDLING_FOR": '{"address": "drop"}',
            "INTERCOM_ENABLED": "",
            "HOME": "/",
        }
    )
    assert settings.secrets == ("new", "old")
    assert settings.hide_default_launcher is False
    assert settings.identity_ttl == 60
    assert settings.rich_links == ("article", "video")
    assert settings.nested_handling_for == {"address": "drop"}
    assert settings.enabled is True


@pytest.mark.parametrize("text", ["new, old", '["new", "old"]', " new ,old\n"])
def test_secrets_accept_commas_or_json(text: str) -> None:
    assert Settings.from_env({"INTERCOM_IDENTITY_SECRET": text}).secrets == ("new", "old")


def test_error_inside_json_is_explained() -> None:
    with pytest.raises(SettingsError, match="INTERCOM_MESSENGER: horizontal_padding must be a whole number"):
        Settings.from_env({"INTERCOM_MESSENGER": '{"horizontal_padding": 5}'})


def test_misspelt_key_warns_with_suggestion(caplog: pytest.LogCaptureFixture) -> None:
    """A key of the host's own, such as INTERCOM_WEBHOOK_PATH, causes no warning."""
    Settings.from_mapping({"INTERCOM_IDENTITY_SECRETT": "x", "INTERCOM_WEBHOOK_PATH": "/hook"})
    assert [record.getMessage().removeprefix("Intercom: ") for record in caplog.records] == [
        "INTERCOM_IDENTITY_SECRETT: is not a setting of segment-intercom; did you mean INTERCOM_IDENTITY_SECRET?"
    ]


@pytest.mark.parametrize("text", ["perhaps", "2"])
def test_unreadable_boolean_error_names_key(text: str) -> None:
    with pytest.raises(SettingsError, match="INTERCOM_ENABLED: must be True or False"):
        Settings.from_env({"INTERCOM_ENABLED": text})


def test_empty_variable_counts_as_unset() -> None:
    """An empty secret is an error instead."""
    assert Settings.from_env({"INTERCOM_APP_ID": ""}).app_id is None
    with pytest.raises(SettingsError, match="INTERCOM_IDENTITY_SECRET: an empty secret"):
        Settings.from_env({"INTERCOM_IDENTITY_SECRET": ""})


def test_repr_and_errors_hide_secrets() -> None:
    key = "4ad6ce80fc1d441324cfb11cdf8d3ade8fc7e8fd"
    outbox = "nats://user:hunter2@localhost"
    shown = repr(
        Settings(
            app_id=APP_ID,
            identity_secret=SECRET,
            access_token="hunter2",
            api_key=key,
            outbox=outbox,
            write_keys=["hunter2"],
        )
    )
    assert not any(secret in shown for secret in (SECRET, "hunter2", key))
    with pytest.raises(SettingsError) as caught:
        Settings(api_key="hunter2")
    assert "hunter2" not in str(caught.value)


def test_settings_cannot_be_changed() -> None:
    messenger = {"alignment": "left"}
    settings = Settings(app_id=APP_ID, messenger=messenger)
    messenger["alignment"] = "right"
    assert settings.messenger == {"alignment": "left"}
    with pytest.raises(AttributeError):
        settings.app_id = "other123"  # type: ignore[misc]
    with pytest.raises(TypeError):
        settings.messenger["alignment"] = "right"  # type: ignore[index]


@pytest.mark.parametrize(
    ("region", "api_base", "rest_url"),
    [
        ("us", None, "https://api.intercom.io"),
        ("eu", "https://api-iam.eu.intercom.io", "https://api.eu.intercom.io"),
        ("au", "https://api-iam.au.intercom.io", "https://api.au.intercom.io"),
    ],
)
def test_a_region_has_its_own_hosts(region: Any, api_base: str | None, rest_url: str) -> None:
    settings = Settings(region=region)
    assert (settings.api_base, settings.rest_url) == (api_base, rest_url)
    assert Settings(region=region, messenger_url="http://127.0.0.1:5000/m/").api_base == "http://127.0.0.1:5000/m"


def test_making_settings_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    Settings(app_id=APP_ID, identity_secret=SECRET)
    assert caplog.text == ""
