"""The SQLite outbox when its file, its disk or a process fails: nothing accepted is lost, errors say what to do."""

from __future__ import annotations

import os
import random
import resource
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import pytest

from segment_intercom import OutboxError
from segment_intercom.outbox import SqliteOutbox
from tests.children import Children
from tests.outbox.child import start

NOBODY = 65534
USER, MESSAGE = "ann@example.com", b'{"event": "Signed Up"}' * 20


def deliver_all(box: SqliteOutbox) -> list[bytes]:
    """Deliver what is due, and give it back."""
    delivered = []
    while (lease := box.lease()) is not None:
        delivered += [message.body for message in lease.messages]
        box.done(lease, lease.messages)
    return delivered


@contextmanager
def opened(path: Path, **options: object) -> Iterator[SqliteOutbox]:
    """An outbox that is closed at the end."""
    box = SqliteOutbox(path, **options)  # type: ignore[arg-type]
    try:
        yield box
    finally:
        box.close()


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[bool]:
    """A small disk of its own at a folder; False where this process may not mount one."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        yield False
        return
    try:
        yield True
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def without_rights() -> Iterator[None]:
    """Root may write whatever the permissions are; for as long as this lasts, root is nobody."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def public(tmp_path: Path) -> Iterator[Path]:
    """A folder that nobody may reach, too."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def refused(box: SqliteOutbox, *words: str) -> None:
    """Each kind of call is refused with an error that names the file and says these words, and no user's."""
    for call in (lambda: box.put(USER, MESSAGE), lambda: box.put(USER, MESSAGE, "id-1"), box.lease, box.resend):
        with pytest.raises(OutboxError) as caught:
            call()
        assert str(caught.value).startswith(f"{box.path}: ")
        assert all(word in str(caught.value) for word in words), caught.value
        assert USER not in str(caught.value)


def waiting(path: Path) -> list[bytes]:
    """All messages in a file, user after user."""
    with opened(path, clock=lambda: time.time() + 60) as box:
        return deliver_all(box)


def modes(path: Path) -> list[int]:
    return [file.stat().st_mode & 0o777 for file in sorted(path.parent.glob(f"{path.name}*"))]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_only_owner_can_read_file(tmp_path: Path, umask: int) -> None:
    former = os.umask(umask)
    try:
        with opened(tmp_path / "box.db") as box:
            box.put(USER, MESSAGE)
            assert modes(box.path) == [0o600] * 3, "the file, its -shm and its -wal"
    finally:
        os.umask(former)


def test_readable_file_becomes_private(tmp_path: Path) -> None:
    with opened(tmp_path / "box.db") as box:
        box.put(USER, MESSAGE)
        for file in tmp_path.iterdir():
            file.chmod(0o644)
        with opened(box.path) as other_box:
            assert other_box.counts().waiting == 1
            assert modes(box.path) == [0o600] * 3


def test_folder_as_file_is_refused(tmp_path: Path) -> None:
    """A folder in the place of the file is refused, and its permissions stay as they are."""
    mode = tmp_path.stat().st_mode
    with opened(tmp_path) as box:
        refused(box, "is a folder; set outbox to a file in it")
    assert tmp_path.stat().st_mode == mode


def test_group_shared_file_stays_shared(tmp_path: Path) -> None:
    """A file that its group may write stays so, but everybody else loses access."""
    path = tmp_path / "box.db"
    path.touch()
    path.chmod(0o666)
    with opened(path) as box:
        box.put(USER, MESSAGE)
        assert modes(path) == [0o660] * 3


def test_missing_folder_is_reported(tmp_path: Path) -> None:
    with opened(tmp_path / "missing" / "box.db") as box:
        refused(box, f"the folder {tmp_path / 'missing'} is missing", "make it")
        (tmp_path / "missing").mkdir()
        assert box.put(USER, MESSAGE)


@pytest.mark.parametrize("content", [b"no database at all\n" * 100, b"x"])
def test_non_database_file_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "box.db"
    path.write_bytes(content)
    with opened(path) as box:
        refused(box, "is no SQLite database", "another path")
    assert path.read_bytes() == content


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "box.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE mail (x)")
    connection.close()
    before = path.read_bytes()
    with opened(path) as box:
        refused(box, "another program's database", "a path of its own")
    assert path.read_bytes() == before


def test_file_of_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "box.db"
    with opened(path) as box:
        box.put(USER, MESSAGE)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with opened(path) as box:
        refused(box, "newer version of segment-intercom (format 99, this one reads 1)", "up to date")


def test_file_with_overwritten_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "box.db"
    with opened(path) as box:
        box.put(USER, MESSAGE)
    with path.open("r+b") as file:
        file.write(b"\xff" * 100)
    with opened(path) as box:
        refused(box, "beginning was overwritten", "aside")


def test_file_with_garbage_inside_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "box.db"
    with opened(path) as box:
        box.put_all([(USER, MESSAGE, None)] * 500)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(random.Random(1).randbytes(size - 4096))
    with opened(path) as box:
        refused(box, "the file is damaged", "aside")


def test_message_behind_garbage_is_stored(tmp_path: Path) -> None:
    """A page of old messages is gone, and delivery says so; what is accepted meanwhile is in the file."""
    path = tmp_path / "box.db"
    with opened(path) as box:
        box.put_all([(USER, b"%d" % number + MESSAGE, None) for number in range(500)])
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\xff" * 4096)
    with opened(path) as box:
        assert box.put("bob", b"kept")
        with pytest.raises(OutboxError, match="the file is damaged"):
            deliver_all(box)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT message FROM mail ORDER BY number DESC LIMIT 1").fetchone() == (b"kept",)
    connection.close()


def test_lost_table_is_reported_as_damage(tmp_path: Path) -> None:
    path = tmp_path / "box.db"
    with opened(path) as box:
        box.put(USER, MESSAGE)
    connection = sqlite3.connect(path)
    connection.executescript("DROP VIEW progress; DROP TABLE mail; DROP TABLE dead; DROP TABLE seen")
    connection.close()
    with opened(path) as box:
        refused(box, "is not as an outbox left it", "aside")


@pytest.mark.parametrize("replaced", [False, True])
def test_file_removed_while_open_is_remade(tmp_path: Path, replaced: bool, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "box.db"
    with opened(path) as box:
        box.put(USER, MESSAGE)
        for file in list(tmp_path.iterdir()):
            file.unlink()
        if replaced:
            with opened(path) as other_box:
                other_box.put(USER, b"of the other")
        box._database.session.looked_at -= 1  # a second later
        box.put(USER, b"after")
        assert box.left() == 1
    assert waiting(path) == [b"of the other", b"after"][not replaced :]
    assert "removed or replaced while it was open" in caplog.text


def test_lasting_lock_is_reported_after_timeout(tmp_path: Path, family: Children) -> None:
    """While another process locks the file, writing fails after the timeout but reading goes on."""
    path = tmp_path / "box.db"
    with opened(path, busy_timeout=0.05) as box:
        box.put(USER, b"1")
        holder = start(family, "hold", path)
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        for call in (lambda: box.put(USER, MESSAGE), lambda: box.put(USER, MESSAGE, "id-1"), box.lease):
            with pytest.raises(OutboxError, match=r"box\.db: was locked .* more than 0\.05 seconds; end what holds it"):
                call()
        assert box.counts().waiting == box.left() == 1  # reading goes on
        holder.communicate()
        assert box.put(USER, b"2", "id-1")
    assert waiting(path) == [b"1", b"2"]


def test_short_lock_is_waited_for(tmp_path: Path, family: Children) -> None:
    path = tmp_path / "box.db"
    with opened(path, busy_timeout=60) as box:
        box.put(USER, b"1")
        holder = start(family, "hold", path)
        assert holder.stdout is not None
        holder.stdout.readline()
        assert holder.stdin is not None
        holder.stdin.close()
        assert box.put(USER, b"2")
        holder.stdout.close()
        assert holder.wait() == 0


def test_lock_on_new_file_is_reported(tmp_path: Path, family: Children) -> None:
    """A file that another process locks while it is made is refused, and works once the lock has ended."""
    holder = start(family, "hold", tmp_path / "box.db")
    assert holder.stdout is not None
    holder.stdout.readline()
    with opened(tmp_path / "box.db", busy_timeout=0.05) as box:
        refused(box, "was locked by another process")
        holder.communicate()
        assert box.put(USER, MESSAGE)


def test_read_only_file_is_refused(public: Path) -> None:
    path = public / "box.db"
    with opened(path) as box:
        box.put(USER, MESSAGE)
    for item in (path, public):
        item.chmod(item.stat().st_mode & ~0o222)
    with opened(path) as box:
        with without_rights():
            refused(box, "give this process the right to write")
        public.chmod(0o755)
        path.chmod(0o644)
        assert box.put(USER, MESSAGE)


def test_read_only_folder_takes_no_file(public: Path) -> None:
    public.chmod(0o555)
    with opened(public / "box.db") as box, without_rights():
        refused(box, "cannot be opened; give this process the right to write to the file and its folder")
    public.chmod(0o755)


def test_inaccessible_folder_is_reported(public: Path) -> None:
    public.chmod(0o600)
    with opened(public / "box.db") as box, without_rights():
        refused(box, "cannot be opened; give this process the right")
    public.chmod(0o755)


def test_read_only_disk_is_reported(tmp_path: Path, public: Path) -> None:
    with mounted(tmp_path / "disk", "1m") as own:
        folder = tmp_path / "disk" if own else public
        path = folder / "box.db"
        with opened(path) as box:
            box.put(USER, MESSAGE)
        if own:
            subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        else:
            path.chmod(0o444)
            folder.chmod(0o555)
        with opened(path) as box, nullcontext() if own else without_rights():
            refused(box, "give this process the right to write")
        if not own:
            folder.chmod(0o755)


@contextmanager
def little_room(folder: Path, *, messages: bool = True) -> Iterator[Iterator[None]]:
    """Room for some hundred messages, or not even for the file; ``next`` of what is given makes more."""
    with mounted(folder, "1m") as own:
        if own:
            (folder / "ballast").write_bytes(b"x" * (400_000 if messages else 1_020_000))
            yield (path.unlink() for path in [folder / "ballast"])
        else:
            soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (300_000 if messages else 2_000, hard))
            try:
                yield (resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard)) for _ in range(1))
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def put_until_refused(box: SqliteOutbox) -> list[bytes]:
    """The messages that were accepted until the disk was full."""
    accepted: list[bytes] = []

    def put_on() -> None:
        while len(accepted) < 100_000:
            message = b"%d" % len(accepted) + MESSAGE
            box.put(USER, message, str(len(accepted)))
            accepted.append(message)

    with pytest.raises(OutboxError, match=r"box\.db: the disk (is full; make room|refused to read or write .*full)"):
        put_on()
    return accepted


def test_full_disk_keeps_accepted_messages(tmp_path: Path) -> None:
    """A full disk refuses new messages, keeps the accepted ones, and takes more once there is room."""
    path = tmp_path / "disk" / "box.db"
    with little_room(tmp_path / "disk") as room:
        with opened(path) as box:
            accepted = put_until_refused(box)
            assert (box.counts().waiting, box.left()) == (len(accepted), len(accepted))
            next(room)
            assert box.put(USER, b"refused before", str(len(accepted)))
        assert waiting(path) == [*accepted, b"refused before"]


def fill(folder: Path) -> None:
    """Leave no byte of a disk, as another program's log does."""
    with suppress(OSError), (folder / "log").open("wb", buffering=0) as log:
        for size in (65_536, 1):
            with suppress(OSError):
                while log.write(bytes(size)):
                    pass


@pytest.mark.parametrize("by_another", [False, True])
def test_delivery_frees_a_full_disk(tmp_path: Path, by_another: bool) -> None:
    """Delivery goes on where the disk is full, and makes room for new messages."""
    folder = tmp_path / "disk"
    with mounted(folder, "4m") as is_small:
        if not is_small:
            pytest.skip("this process may not mount a small disk")
        with opened(folder / "box.db", clock=lambda: time.time() + 60) as box:
            accepted = [b"%d" % number + MESSAGE for number in range(200)]
            box.put_all((USER, message, None) for message in accepted)
            if by_another:
                fill(folder)
                assert shutil.disk_usage(folder).free == 0
            else:
                accepted += put_until_refused(box)
            assert deliver_all(box) == accepted
            assert box.counts().given_up == 0
            for number in range(100):
                assert box.put(USER, MESSAGE, f"later {number}")
            assert len(deliver_all(box)) == 100
            assert max(path.stat().st_size for path in folder.glob("*-wal")) < 1_000_000


def test_no_room_for_file_is_reported(tmp_path: Path) -> None:
    with little_room(tmp_path / "disk", messages=False) as room, opened(tmp_path / "disk" / "box.db") as box:
        with pytest.raises(
            OutboxError, match=r"box\.db: the disk (is full; make room|refused to read or write .*full)"
        ):
            box.put(USER, MESSAGE)
        next(room)
        assert box.put(USER, MESSAGE)


def test_accepted_messages_survive_kill_9(tmp_path: Path, family: Children) -> None:
    """The process is killed at a random moment; at most one message that it had no time to tell of is there, too."""
    for seed in range(4):
        path = tmp_path / f"box{seed}.db"
        process = start(family, "put", path, "a", 0)
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(random.randint(1, 2000))]
        process.kill()
        told += process.stdout.readlines()
        process.communicate()
        users, accepted = defaultdict(list), [line.split() for line in told if line.endswith(b"\n")]
        for user, message in accepted:
            users[user].append(message)
        stored = set(waiting(path))
        assert {message for messages in users.values() for message in messages} <= stored
        assert len(stored) <= len(accepted) + 1


def test_killed_worker_is_continued_by_another(tmp_path: Path, family: Children) -> None:
    """What the first one was at comes again: at most that one message, and nothing before or after it."""
    path, log = tmp_path / "box.db", tmp_path / "arrived"
    start(family, "put", path, "a", 1500).communicate()
    worker = start(family, "work", path, log)
    assert worker.stdout is not None
    for _ in range(random.randint(1, 1000)):
        worker.stdout.readline()
    worker.kill()
    worker.communicate()
    before = [line.split(b":")[1] for line in log.read_bytes().splitlines()]
    after = [message.split(b":")[1] for message in waiting(path)]
    assert 0 < len(after) < 1500
    assert len(before) + len(after) - 1500 in (0, 1)
    for user in range(3):
        numbers = [int(number) for number in before + after if int(number) // 10 % 3 == user]
        assert sorted(numbers) == numbers
        assert len(set(numbers)) == 500


def test_unfinished_lease_blocks_user_until_expiry(tmp_path: Path) -> None:
    """The lease of a worker that never ended it keeps others from the user until its time is over."""
    path = tmp_path / "box.db"
    with opened(path) as box:
        box.put("user0", b"1")
        box.lease()
        now = time.time()
        with opened(path, clock=lambda: now + 20) as other_box:
            assert other_box.lease() is None
        with opened(path, clock=lambda: now + 31) as other_box:
            assert other_box.lease() is not None
