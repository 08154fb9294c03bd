"""Several workspaces on one outbox: each call goes to its own, with its own token and its own rate budget."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask, g, render_template_string

from segment_intercom import (
    Analytics,
    CallError,
    Operation,
    SegmentIntercom,
    Settings,
    SettingsError,
    Track,
    TransportError,
    parse,
    user_hash,
)
from segment_intercom.calls import plain_message
from segment_intercom.cli import main
from segment_intercom.delivery import Sender, Worker
from segment_intercom.delivery.now import Notes
from segment_intercom.delivery.workspaces import Workspaces
from segment_intercom.ingest import Ingest
from segment_intercom.outbox import SqliteOutbox
from segment_intercom.partition import to_workspace
from segment_intercom.sandbox import Workspace, create_sandbox
from segment_intercom.sandbox.store import Store
from segment_intercom.settings import _for_workspace
from segment_intercom.transport import HttpTransport
from tests.children import wait_for

OWN, ACME, GLOBEX = "abc12345", "acme1234", "globex12"
TOKENS = {ACME: "token-of-acme", GLOBEX: "token-of-globex"}


class Tenants:
    """A sandbox with three workspaces, and an outbox whose worker delivers to all of them."""

    def __init__(self, folder: Path, serve: Callable[..., str]) -> None:
        self.workspaces = {
            app_id: Workspace(app_id, access_token=token, search_lag=0)
            for app_id, token in {OWN: "t", **TOKENS}.items()
        }
        sandbox = create_sandbox(*self.workspaces.values())
        self.store: Store = sandbox.extensions["sandbox"]
        self.environment = {
            "INTERCOM_APP_ID": OWN,
            "INTERCOM_ACCESS_TOKEN": "t",
            "INTERCOM_WORKSPACES": json.dumps(TOKENS),
            "INTERCOM_API_URL": serve(sandbox),
            "INTERCOM_OUTBOX": f"sqlite:///{folder / 'outbox.db'}",
            "INTERCOM_DELIVER": "worker",
        }

    def analytics(self, app_id: str | None, **settings: str) -> Analytics:
        settings = {f"INTERCOM_{name.upper()}": value for name, value in settings.items()}
        return Analytics(Settings.from_env(self.environment | settings), workspace_loader=lambda: app_id)

    def work(self, **settings: str) -> str:
        environment = {**self.environment, **{f"INTERCOM_{name.upper()}": value for name, value in settings.items()}}
        done = CliRunner().invoke(main, ["worker", "--until-empty"], env=environment)
        assert done.exit_code == 0, done.output
        return done.output

    def people(self) -> dict[str, list[str]]:
        people: dict[str, list[str]] = {app_id: [] for app_id in self.workspaces}
        for person in self.store.state()["people"]:
            people[person["app_id"]].append(person["user_id"])
        return people


@pytest.fixture
def tenants(tmp_path: Path, serve: Callable[..., str]) -> Iterator[Tenants]:
    tenants = Tenants(tmp_path, serve)
    yield tenants
    tenants.store.close()


def test_calls_reach_their_own_workspace(tenants: Tenants) -> None:
    for app_id in (OWN, ACME, GLOBEX, None):
        with closing(tenants.analytics(app_id)) as analytics:
            analytics.identify("ann", {"plan": str(app_id)})
            analytics.group("ann", "org", {"name": "Org"})
            analytics.track("ann", "Baked")
    tenants.work()
    assert tenants.people() == {OWN: ["ann"], ACME: ["ann"], GLOBEX: ["ann"]}
    plans = {person["app_id"]: person["custom_attributes"]["plan"] for person in tenants.store.state()["people"]}
    assert plans == {OWN: "None", ACME: ACME, GLOBEX: GLOBEX}
    assert {company["app_id"] for company in tenants.store.state()["companies"]} == {OWN, ACME, GLOBEX}


def test_call_app_id_overrides_loader(tenants: Tenants) -> None:
    with closing(tenants.analytics(ACME)) as analytics:
        analytics.identify("bob", integrations={"Intercom": {"appId": GLOBEX}})
    tenants.work()
    assert tenants.people()[GLOBEX] == ["bob"]


@pytest.mark.parametrize("integrations", [{"intercom": {"x": 1}}, {"INTERCOM": {"x": 1}}])
@pytest.mark.parametrize("place", ["integrations", "context"])
def test_integration_name_case_hides_no_workspace(integrations: dict[str, Any], place: str) -> None:
    """Options under intercom or INTERCOM count, and the loader's workspace joins them."""
    said = {"integrations": integrations}
    call = parse({"type": "identify", "userId": "ann", **(said if place == "integrations" else {"context": said})})
    sent = to_workspace(call, lambda: ACME, strict=True)
    assert (sent.app_id, sent.options["x"]) == (ACME, 1)


def test_numeric_app_id_becomes_text() -> None:
    assert to_workspace(Track("Paid", {}, "ann"), lambda: 12345678, strict=True).app_id == "12345678"
    assert Track("Paid", {}, "ann", integrations={"Intercom": {"appId": 12345678}}).app_id == "12345678"


def broken() -> Any:
    raise RuntimeError


@pytest.mark.parametrize("loader", [lambda: "", lambda: b"acme1234", lambda: True, broken])
def test_invalid_workspace_reaches_no_workspace(tenants: Tenants, loader: Callable[[], Any]) -> None:
    """In strict mode the call raises; otherwise it waits in the outbox."""
    settings = Settings.from_env(tenants.environment)
    with closing(Analytics(settings, workspace_loader=loader)) as analytics, pytest.raises((CallError, RuntimeError)):
        analytics.identify("ann")
    with closing(Analytics(replace(settings, strict=False), workspace_loader=loader)) as analytics:
        analytics.identify("ann")
    with closing(SqliteOutbox(settings.outbox.removeprefix("sqlite:///"))) as outbox:
        with closing(HttpTransport(settings)) as transport:
            while (lease := outbox.lease()) is not None:
                Sender(settings, outbox, transport).deliver(lease)
        assert outbox.counts().waiting == 1
    assert tenants.people() == {OWN: [], ACME: [], GLOBEX: []}


def test_new_token_closes_old_connections() -> None:
    tokens = {ACME: "first"}
    settings = Settings(app_id=OWN, access_token="t", workspaces=lambda app_id: tokens[app_id])
    with closing(HttpTransport(settings)) as transport:
        workspaces = Workspaces(settings, Notes(), transport)  # type: ignore[arg-type]
        first = workspaces.of(ACME)
        for _ in range(2):
            assert workspaces.of(ACME) is first
            _for_workspace.cache_clear()
        tokens[ACME] = "second"
        second = workspaces.of(ACME)
        assert second.transport is not first.transport
        with pytest.raises(TransportError, match="closing"):
            first.transport.send(Operation("GET", "/me"))
        assert transport._others == [second.transport]


def test_context_app_id_selects_workspace(tenants: Tenants) -> None:
    """Such a message is parsed, for its workspace decides its partition."""
    message = {"type": "identify", "userId": "bob", "context": {"Intercom": {"appId": GLOBEX}}}
    assert plain_message(message) is None, "it needs to be read, for its partition is that of its workspace"
    with closing(Ingest(Settings.from_env(tenants.environment))) as ingest:
        assert ingest.enqueue_all([parse(message)]) == 1
    tenants.work()
    assert tenants.people()[GLOBEX] == ["bob"]


def test_a_deletion_is_of_one_workspace(tenants: Tenants) -> None:
    for app_id in (ACME, GLOBEX):
        with closing(tenants.analytics(app_id)) as analytics:
            analytics.identify("ann", {"email": "ann@example.com"})
    tenants.work()
    with closing(tenants.analytics(GLOBEX)) as analytics:
        analytics.track("ann", "Waits")
    with closing(tenants.analytics(ACME)) as analytics:
        analytics.delete(email="ann@example.com")
    tenants.work()
    assert tenants.people() == {OWN: [], ACME: [], GLOBEX: ["ann"]}
    assert [event["event_name"] for event in tenants.store.state()["events"]] == ["Waits"]


def test_lead_merges_within_its_workspace(tenants: Tenants) -> None:
    with closing(tenants.analytics(ACME, leads="true")) as analytics:
        analytics.identify(None, {"email": "ann@example.com"}, anonymous_id="anon")
        analytics.identify("ann", {"email": "ann@example.com"}, anonymous_id="anon")
    tenants.work(leads="true")
    assert tenants.people()[ACME] == ["ann"]


def test_rate_limit_affects_only_its_workspace(tenants: Tenants) -> None:
    """All calls of Globex arrive while those of Acme wait for their next window; then Acme's arrive, too."""
    for app_id in (ACME, GLOBEX):
        with closing(tenants.analytics(app_id)) as analytics:
            for user in range(8):
                analytics.identify(f"u{user}")
    settings = Settings.from_env(tenants.environment)
    now = time.time()  # with which a window of Acme's begins, of one call in twelve seconds
    tenants.workspaces[ACME].rate_limit, tenants.workspaces[ACME].rate_window = 5, now / (now // 12)
    with closing(SqliteOutbox(settings.outbox.removeprefix("sqlite:///"))) as outbox:
        with closing(HttpTransport(settings)) as transport:
            worker = Worker(settings, outbox, transport, threads=4)  # fewer than users of Acme
            worker.start()
            try:
                wait_for(lambda: tenants.people()[ACME] and len(tenants.people()[GLOBEX]) == 8, seconds=8)
                assert len(tenants.people()[ACME]) == 1
            finally:
                worker.stop()
        assert worker.wait(20)
    tenants.workspaces[ACME].rate_limit = 10_000
    tenants.work()
    assert {app_id: len(people) for app_id, people in tenants.people().items()} == {OWN: 0, ACME: 8, GLOBEX: 8}
    requests = [request for request in tenants.store.state()["requests"] if request["app_id"] == GLOBEX]
    assert {request["status"] for request in requests} == {200}


@pytest.mark.parametrize("workspaces", [{GLOBEX: TOKENS[GLOBEX]}, {**TOKENS, ACME: "wrong"}])
def test_calls_wait_for_workspace_token(tenants: Tenants, workspaces: dict[str, str]) -> None:
    """Whether the token is missing or wrong, the calls of the other workspace are delivered."""
    for app_id in (ACME, GLOBEX):
        with closing(tenants.analytics(app_id)) as analytics:
            analytics.identify("ann")
    settings = Settings.from_env({**tenants.environment, "INTERCOM_WORKSPACES": json.dumps(workspaces)})
    with closing(SqliteOutbox(settings.outbox.removeprefix("sqlite:///"))) as outbox:
        with closing(HttpTransport(settings)) as transport:
            while (lease := outbox.lease()) is not None:
                Sender(settings, outbox, transport).deliver(lease)
        assert (tenants.people(), outbox.counts().waiting) == ({OWN: [], ACME: [], GLOBEX: ["ann"]}, 1)
    tenants.work()
    assert tenants.people()[ACME] == ["ann"]


def test_application_needs_no_own_token(tenants: Tenants) -> None:
    """Where workspaces have tokens of their own, their calls are delivered by these alone."""
    del tenants.environment["INTERCOM_ACCESS_TOKEN"]
    with closing(tenants.analytics(ACME)) as analytics:
        analytics.identify("ann")
    tenants.work()
    assert tenants.people()[ACME] == ["ann"]


def test_direct_delivery_reaches_loader_workspace(tenants: Tenants) -> None:
    with closing(tenants.analytics(ACME, deliver="now")) as analytics:
        analytics.identify("ann")
    assert tenants.people()[ACME] == ["ann"]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"acme": "t"}, "8 or 40 letters"),
        ({ACME: {"token": "t"}}, "unknown key of a workspace"),
        ({ACME: {"region": "mars"}}, "region must be one of"),
        ({ACME: 5}, "must be a dict.*, for acme1234"),
        ("nonsense", "must be a dict"),
    ],
)
def test_wrong_workspaces_setting_is_refused(value: Any, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem) as refused:
        Settings(workspaces=value)
    assert "INTERCOM" not in str(refused.value)


def test_workspace_settings_share_no_secrets() -> None:
    settings = Settings(
        app_id=OWN,
        access_token="t",
        identity_secret="own",
        workspaces=lambda app_id: {"access_token": "a", "region": "eu"} if app_id == ACME else None,
    )
    acme = settings.for_workspace(ACME)
    assert (acme.app_id, acme.access_token, acme.secrets, acme.region) == (ACME, "a", (), "eu")
    assert settings.for_workspace(ACME) is acme
    assert settings.for_workspace(OWN) is settings
    with pytest.raises(SettingsError, match="no access token for the workspace globex12"):
        settings.for_workspace(GLOBEX)
    assert "token-of" not in repr(Settings(workspaces=TOKENS))


def site(**config: Any) -> Flask:
    app = Flask("shop")
    workspaces = {ACME: {"access_token": "a", "identity_secret": "secret-of-acme"}}
    app.config.update(
        INTERCOM_APP_ID=OWN, INTERCOM_IDENTITY_SECRET="own", INTERCOM_WORKSPACES=workspaces, TESTING=True, **config
    )
    intercom = SegmentIntercom(app)
    intercom.workspace_loader(lambda: g.get("tenant"))
    intercom.user_loader(lambda: {"id": "ann"})

    @app.get("/<tenant>")
    def index(tenant: str) -> str:
        g.tenant = None if tenant == "own" else tenant
        intercom.track("Looked")
        return render_template_string("<body>{{ intercom_snippet() }}</body>")

    return app


def test_page_uses_workspace_of_request() -> None:
    app = site()
    own, acme = (app.test_client().get(f"/{tenant}").text for tenant in ("own", ACME))
    assert f'"app_id":"{OWN}"' in own
    assert user_hash("own", "ann") in own
    assert f'"app_id":"{ACME}"' in acme
    assert user_hash("secret-of-acme", "ann") in acme
    assert [call.app_id for call in app.extensions["segment_intercom"].captured] == [None, ACME]


def test_unknown_workspace_raises_only_in_development() -> None:
    """In production the page names the unknown workspace, but holds no proof of the user."""
    app = site()
    with pytest.raises(SettingsError, match="globex12"):
        app.test_client().get(f"/{GLOBEX}")
    app.testing = False
    app.config["INTERCOM_DELIVER"] = "worker"
    with app.test_request_context("/"):
        g.tenant = GLOBEX
        html = app.jinja_env.from_string("{{ intercom_snippet() }}").render()
    assert f'"app_id":"{GLOBEX}"' in html
    assert user_hash("own", "ann") not in html
    assert '"user_hash":' not in html


@pytest.mark.parametrize("tenant", ["tenant-1", "", 12345678, b"acme1234"])
def test_odd_tenant_never_breaks_production_page(tenant: Any) -> None:
    app = site()
    app.testing = False
    with app.test_request_context("/"):
        g.tenant = tenant
        html = app.jinja_env.from_string("{{ intercom_snippet() }}").render()
    assert OWN not in html
    assert '"user_hash":' not in html
    assert ("widget.intercom.io" in html) is (tenant == 12345678), "an app id, if not one that is known"


def test_raising_workspaces_function_breaks_no_page() -> None:
    """In production the page is without Intercom; in testing the error is raised."""
    app = Flask("shop")
    app.config.update(INTERCOM_APP_ID=OWN, INTERCOM_WORKSPACES=lambda _: 1 / 0)
    SegmentIntercom(app).workspace_loader(lambda: ACME)
    with app.test_request_context("/"):
        html = app.jinja_env.from_string("{{ intercom_snippet() }}").render()
        assert "widget.intercom.io" not in html
        app.testing = True
        with pytest.raises(ZeroDivisionError):
            app.jinja_env.from_string("{{ intercom_snippet() }}").render()


def test_template_app_id_brings_its_proof() -> None:
    app = site()
    with app.test_request_context("/"):
        html = app.jinja_env.from_string("{{ intercom_snippet(app_id='acme1234') }}").render()
    assert user_hash("secret-of-acme", "ann") in html
