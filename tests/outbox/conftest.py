"""A place for each kind of outbox, and the servers behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from segment_intercom.outbox import Outbox, SqliteOutbox
from segment_intercom.outbox.jetstream import JetStreamOutbox
from segment_intercom.outbox.postgres import PostgresOutbox

from .nats_server import NatsServer
from .places import Clock, Place
from .postgres_server import PostgresServer

_NAMES = count()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What an engine does not promise, the README says; here it is left out by name."""
    left_out = [item for item in items if _does_not_hold(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _does_not_hold(item: pytest.Item) -> bool:
    kind = item.callspec.params.get("place") if hasattr(item, "callspec") else None
    moves_the_clock = "clock" in getattr(item, "fixturenames", ())
    return kind == "jetstream" and (moves_the_clock or item.get_closest_marker("by_user") is not None)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "by_user: of engines with a lease for each user, not for each partition")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A server of its own, for all tests; not among pytest's folders, which another run of it closes to other users."""
    with TemporaryDirectory(prefix="postgres-") as folder:
        server = PostgresServer(Path(folder))
        server.start()
        yield server
        server.stop()


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> str:
    """The address of a database in which the outbox is new."""
    postgres_server.start()  # where a test has stopped it
    postgres_server.forget()
    address = postgres_server.address
    PostgresOutbox(address).migrate()
    return address


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A server of its own, for all tests."""
    server = NatsServer(tmp_path_factory.mktemp("nats"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def jetstream(nats_server: NatsServer) -> str:
    """The address of an outbox that is new."""
    return f"{nats_server.address}?name=test{next(_NAMES)}"


@pytest.fixture(params=["sqlite", "postgres", "jetstream"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A place for each kind of outbox; another kind is another parameter."""
    address = "" if request.param == "sqlite" else request.getfixturevalue(request.param)
    makers: dict[str, Callable[[Clock], Outbox]] = {
        "sqlite": lambda clock: SqliteOutbox(tmp_path / "box.db", clock=clock),
        "postgres": lambda clock: PostgresOutbox(address, clock=clock),
        "jetstream": lambda _: JetStreamOutbox(address),
    }
    place = Place(makers[request.param], delay=0.01 if request.param == "jetstream" else 1.0)
    yield place
    place.close()
