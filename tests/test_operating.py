"""What operators rely on: metrics that agree with Intercom, moves between engines, recipes that name what there is."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from segment_intercom import OutboxError
from segment_intercom.cli import main
from segment_intercom.cli.observing import _picture, age
from segment_intercom.cli.serving import free_port
from segment_intercom.metrics import METRICS, Measured
from segment_intercom.outbox import Outbox, SqliteOutbox, open_outbox
from segment_intercom.outbox.postgres import PostgresOutbox
from segment_intercom.sandbox import Fault, Workspace, create_sandbox
from tests.children import ROOT, Children, wait_for
from tests.collector.conftest import SERVER
from tests.collector.served import delivering, serve_collector
from tests.outbox.conftest import jetstream, nats_server, postgres, postgres_server

DEPLOY = ROOT / "docs/deploy"
__all__ = ["jetstream", "nats_server", "postgres", "postgres_server"]  # fixtures


def scraped(port: int) -> dict[str, float]:
    """The samples at ``/metrics``, by name and labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_metrics_agree_with_what_intercom_counted(serve: Callable[..., str], family: Children, tmp_path: Path) -> None:
    sandbox = create_sandbox(Workspace("abc12345", faults=(Fault.parse("500=0.2"),), access_token="t", search_lag=0))
    port = free_port()
    served = serve_collector(family, tmp_path, "--metrics-port", str(port), **delivering(serve(sandbox)))
    batch = [{"type": "track", "userId": f"u{number % 3}", "event": f"e{number}"} for number in range(30)]
    assert served.post("/v1/batch", {"writeKey": SERVER, "batch": [*batch, {"type": "track"}]})[0] == 200
    with closing(served.outbox):
        wait_for(lambda: served.outbox.counts().waiting == 0)
    samples = scraped(port)
    assert samples["segment_intercom_delivered_total"] == 30
    assert samples["segment_intercom_waiting"] == samples["segment_intercom_dead_letters"] == 0
    assert samples["segment_intercom_outbox_up"] == 1
    assert samples['segment_intercom_collected_total{outcome="accepted"}'] == 30
    assert samples['segment_intercom_collected_total{outcome="refused"}'] == 1
    counted: dict[str, int] = {}
    for request in sandbox.extensions["sandbox"].state()["requests"]:
        counted[str(request["status"])] = counted.get(str(request["status"]), 0) + 1
    pattern = re.compile(r'segment_intercom_requests_total\{status="(\w+)"\}')
    ours = {match[1]: int(value) for name, value in samples.items() if (match := pattern.fullmatch(name))}
    assert ours == counted
    assert 0 < samples["segment_intercom_budget_used_ratio"] < 1


def test_broken_outbox_reports_down_metric(tmp_path: Path) -> None:
    class Broken(SqliteOutbox):
        def counts(self) -> None:  # type: ignore[override]
            raise OutboxError("no")

    assert [*Measured(Broken(tmp_path / "box.db")).samples()] == [("segment_intercom_outbox_up", {}, 0)]


def test_collector_reports_readiness(family: Children, tmp_path: Path) -> None:
    served = serve_collector(family, tmp_path)
    with urllib.request.urlopen(f"{served.address}/ready", timeout=30) as answer:
        assert json.load(answer) == {"status": "ready"}


@pytest.fixture
def engines(tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    return {
        "sqlite": f"sqlite:///{tmp_path / 'move.db'}",
        "postgres": request.getfixturevalue("postgres"),
        "jetstream": request.getfixturevalue("jetstream"),
    }


PAIRS = [("sqlite", "postgres"), ("postgres", "jetstream"), ("jetstream", "sqlite")]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_an_outbox_moves_into_another(engines: dict[str, str], source: str, target: str) -> None:
    calls = [(f"u{number % 4}", b"%d" % number, None) for number in range(120)]
    with closing(open_outbox(engines[source])) as box:
        box.put_all(calls)
    environment = {"INTERCOM_APP_ID": "abc12345", "INTERCOM_OUTBOX": engines[source]}
    done = CliRunner().invoke(main, ["move", "--to", engines[target]], env=environment, catch_exceptions=False)
    assert "120 calls moved" in done.output
    with closing(open_outbox(engines[target])) as box:
        arrived = [(message.user, message.body) for message in box.browse()]
    for user in ("u0", "u1", "u2", "u3"):
        assert [body for name, body in arrived if name == user] == [body for name, body, _ in calls if name == user]


@pytest.mark.parametrize("engine", ["sqlite", "postgres", "jetstream"])
def test_outbox_move_into_itself_is_refused(engines: dict[str, str], engine: str) -> None:
    """The same outbox by another spelling of its address is itself, too, and loses nothing."""
    address = engines[engine]
    with closing(open_outbox(address)) as box:
        box.put("ann", b"1")
        again = address.replace("/move.db", "/./move.db")
        done = CliRunner().invoke(main, ["move", "--to", again], env={"INTERCOM_OUTBOX": address})
        assert (done.exit_code, box.counts().waiting, box.counts().delivered) == (2, 1, 0), done.output
    assert "--to" in done.output


def test_wrong_move_target_names_option(tmp_path: Path) -> None:
    environment = {"INTERCOM_OUTBOX": f"sqlite:///{tmp_path}/o.db"}
    done = CliRunner().invoke(main, ["move", "--to", "mysql://db/shop"], env=environment)
    assert done.exit_code == 2
    assert "Invalid value for --to: must be the address of a SQLite file" in done.output


@pytest.fixture(params=["sqlite", "postgres", "jetstream"])
def box(request: pytest.FixtureRequest, engines: dict[str, str]) -> Iterator[Outbox]:
    box = open_outbox(engines[request.param])
    yield box
    box.close()


def test_each_engine_tells_depth_and_age(box: Outbox) -> None:
    assert box.oldest() is None
    box.put("ann", b"1")
    assert 0 <= (box.oldest() or 0) < 60
    console = Console(record=True, width=100)
    console.print(_picture(box, deque([0, 3], maxlen=5), deque()))
    drawn = console.export_text()
    assert re.search(r"Waiting +1 +", drawn)
    assert "Oldest" in drawn


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (7200, "2 h"), (9e5, "10 d")])
def test_an_age_is_said_in_words(seconds: float, text: str) -> None:
    assert age(seconds) == text


def test_migrate_makes_the_tables_once(postgres: str) -> None:
    box = PostgresOutbox(postgres)
    with closing(box):
        assert box.exists()
    done = CliRunner().invoke(main, ["migrate"], env={"INTERCOM_OUTBOX": postgres}, catch_exceptions=False)
    assert "in format 1 already" in done.output


def test_dashboard_names_exactly_our_metrics() -> None:
    text = (DEPLOY / "grafana.json").read_text(encoding="utf-8")
    assert json.loads(text)["panels"]
    assert set(re.findall(r"segment_intercom_\w+", text)) == set(METRICS)


def check_command(command: list[str]) -> None:
    """A command line is one that click takes."""
    assert command[0].endswith("segment-intercom")
    subcommand = main.commands[command[1]]
    subcommand.make_context(command[1], command[2:])


def test_the_recipes_name_what_there_is() -> None:
    unit = (DEPLOY / "segment-intercom-worker.service").read_text(encoding="utf-8")
    (command,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    check_command(shlex.split(command))
    image = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    for sources in re.findall(r"^COPY (.*) \S+$", image, re.MULTILINE):
        assert all((ROOT / source).exists() for source in sources.split())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (extras,) = re.findall(r"\.\[([\w,]+)\]", image)
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    (started,) = re.findall(r"^CMD (\[.*\])$", image, re.MULTILINE)
    check_command(json.loads(started))


def test_missing_driver_error_names_extra() -> None:
    script = (
        "import sys; sys.modules['psycopg'] = sys.modules['nats'] = None\n"
        "from segment_intercom.outbox import open_outbox\n"
        "for address in ('postgresql://h/n', 'nats://h:1'):\n"
        "    try: open_outbox(address)\n"
        "    except Exception as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert "pip install 'segment-intercom[postgres]'" in done.stdout
    assert "pip install 'segment-intercom[jetstream]'" in done.stdout


TRACED = """
import sys
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from segment_intercom import Operation, Settings
from segment_intercom.transport import HttpTransport
spans, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(provider)
transport = HttpTransport(Settings(access_token="t", api_url=sys.argv[1]))
transport.send(Operation("GET", "/contacts/secret-id"))
transport.close()
for span in spans.get_finished_spans():
    print(span.name, dict(span.attributes))
"""


def test_requests_are_traced_where_opentelemetry_is(serve: Callable[..., str]) -> None:
    address = serve(create_sandbox(Workspace("abc12345", access_token="t")))
    command = [sys.executable, "-c", TRACED, address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("GET /contacts {")
    assert "'http.response.status_code': 404" in done.stdout
    assert "secret-id" not in done.stdout


def test_readme_mentions_threats() -> None:
    assert "threats.md" in (ROOT / "README.md").read_text(encoding="utf-8")
