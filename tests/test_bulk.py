"""Tables of people and companies: what their columns become, and that each row comes in once."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from segment_intercom import CallError, Group, Identify, Settings, parse
from segment_intercom.bulk import Table
from segment_intercom.cli import main
from segment_intercom.diagnostics import Diagnostics
from segment_intercom.ingest import Ingest
from segment_intercom.outbox import SqliteOutbox
from segment_intercom.replay import Replay, Summary, waiting_messages
from segment_intercom.sandbox import Workspace, create_sandbox
from segment_intercom.sandbox.faults import Fault
from segment_intercom.serialize import read, write
from tests.conftest import APP_ID

PEOPLE = b"""id,email,Full Name,Seats,Zip,Spend,Active,created_at,company_id,company.plan
1,ann@example.com,Ann Bell,3,01234,9.5,true,2024-01-02,c1,pro
2,bob@example.com,,4,99999,10,FALSE,2024-05-06,,
"""


def table(text: bytes, **options: Any) -> Table:
    return Table(io.BytesIO(text), **options)


def calls(text: bytes, **options: Any) -> list[Any]:
    return [line.call or line.problem for line in table(text, **options).lines()]


def traits(text: bytes, **options: Any) -> list[dict[str, Any]]:
    return [dict(call.traits) for call in calls(text, **options)]


def test_row_becomes_inactive_identify_call() -> None:
    """An import is no activity of the person, so the row does not count as seeing them."""
    ann, bob = calls(PEOPLE, renamed={"Full Name": "name"})
    assert isinstance(ann, Identify)
    assert (ann.user_id, bob.user_id, ann.context) == ("1", "2", {"active": False})
    assert ann.traits == {
        "email": "ann@example.com",
        "name": "Ann Bell",
        "Seats": 3,
        "Zip": "01234",
        "Spend": 9.5,
        "Active": True,
        "created_at": "2024-01-02",
        "company": {"id": "c1", "plan": "pro"},
    }
    assert bob.traits == {
        "email": "bob@example.com",
        "Seats": 4,
        "Zip": "99999",
        "Spend": 10,
        "Active": False,
        "created_at": "2024-05-06",
    }


def test_company_row_becomes_group_call() -> None:
    (call,) = calls(b"company_id;name;monthly_spend\n7;Acme;12\n", companies=True)
    assert isinstance(call, Group)
    assert (call.group_id, call.user_id, call.traits) == ("7", None, {"name": "Acme", "monthly_spend": 12})


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "2"], [1, 2]),
        (["1", "2.5"], [1, 2.5]),
        (["1", "x"], ["1", "x"]),
        (["1", "01"], ["1", "01"]),
        (["+1", "2"], ["+1", "2"]),
        (["1", "12345678901234567890"], ["1", "12345678901234567890"]),
        (["true", "no"], ["true", "no"]),
        (["True", "false"], [True, False]),
        (["1e5", "2"], ["1e5", "2"]),
        ([" 7 ", "8"], [7, 8]),
    ],
)
def test_a_column_is_of_one_kind(cells: list[str], expected: list[Any]) -> None:
    text = "id,x\n" + "".join(f"{number},{cell}\n" for number, cell in enumerate(cells))
    assert [row["x"] for row in traits(text.encode())] == expected


def test_as_text_column_stays_text() -> None:
    assert traits(b"id,code\n1,42\n", as_text=["code"]) == [{"code": "42"}]
    assert traits(b'{"id": 1, "code": 42}\n', as_text=["code"]) == [{"code": "42"}]


def test_columns_say_what_they_become() -> None:
    shown = {column.name: (column.becomes, column.kind) for column in table(PEOPLE).columns}
    assert shown["id"] == ("the user id", "text")
    assert shown["email"] == ("Intercom's email", "text")
    assert shown["Full Name"] == ('attribute "Full_Name"', "text")
    assert shown["created_at"] == ("Intercom's signed_up_at", "date")
    assert shown["company.plan"] == ("the company's plan", "text")
    (tags,) = (column for column in table(b"id,Tags\n1,vip\n", tags=True).columns if column.name == "Tags")
    assert tags.becomes == "the contact's tags"


def test_json_lines_are_a_table_too() -> None:
    text = b'{"userId": "1", "plan": "pro", "seats": 3}\n\n{"userId": "2", "plan": null}\nnonsense\n[1]\n'
    first, second, *problems = calls(text)
    assert (first.user_id, first.traits, second.traits) == ("1", {"plan": "pro", "seats": 3}, {})
    assert all(isinstance(problem, str) for problem in problems)
    assert len(problems) == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "holds no row"),
        (b"id,email\n", "holds no row"),
        (b"plan\npro\n", "--map COLUMN=user_id"),
        (b"id,plan\n1,pro,more\n2,pro,more\n", "line 2: row: has 3 cells, and the first line 2"),
        (b"id,id\n1,2\n", "each by another name"),
        (b"id,\n1,2\n", "each by another name"),
        ("id,näme\n1,x\n".encode("latin-1"), "CSV UTF-8"),
        (gzip.compress(b"id,a\n" + b"1,2\n" * 9_999, mtime=0)[:-20], "cannot be read to its end"),
    ],
)
def test_invalid_table_is_refused_with_remedy(text: bytes, problem: str) -> None:
    with pytest.raises(CallError, match=problem):
        table(text)


def test_an_unknown_column_is_named() -> None:
    with pytest.raises(CallError, match="has no column 'plann'; it has id, plan"):
        table(b"id,plan\n1,pro\n", skipped=["plann"])


def test_bad_rows_spare_good_rows() -> None:
    rows = calls(b"\xef\xbb\xbfid,email,plan\n,,pro\n1,a\n\n2,,pro\n,nobody,pro\n")
    assert rows[0].startswith("user_id: is empty")
    assert rows[1] == "row: has 2 cells, and the first line 3"
    assert rows[2].user_id == "2"
    assert rows[3].startswith("email: is no e-mail address")


def test_interrupted_import_resumes_where_it_stopped(tmp_path: Path) -> None:
    text = gzip.compress(b"id,n\n" + b"".join(b"u%d,%d\n" % (number, number) for number in range(1_200)))
    settings = Settings(app_id=APP_ID, outbox=f"sqlite:///{tmp_path}/o.db", deliver="worker")

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with closing(SqliteOutbox(tmp_path / "o.db")) as outbox, closing(Ingest(settings)) as ingest:
        with pytest.raises(KeyboardInterrupt):
            Replay(table(text), outbox, ingest.enqueue_all).run(Summary(), 0, stop)
        assert len([*waiting_messages(outbox)]) == 500
        again, summary = Replay(table(text), outbox, ingest.enqueue_all), Summary()
        again.run(summary, again.resumes_after())
        assert (summary.lines, summary.accepted) == (700, 700)
        assert [json.loads(body)["traits"]["n"] for body in waiting_messages(outbox)] == [*range(1_200)]
        other_import = Replay(table(text, as_text=["n"]), outbox, ingest.enqueue_all)
        assert other_import.resumes_after() == 0, "with other columns it is another import"


def test_new_file_skips_repeated_rows(tmp_path: Path) -> None:
    """Another file with the same header is read from its first row on, as far as its rows are not those of before."""
    settings = Settings(app_id=APP_ID, outbox=f"sqlite:///{tmp_path}/o.db", deliver="worker")
    first = b"id,n\n1,1\n2,2\n"
    with closing(SqliteOutbox(tmp_path / "o.db")) as outbox, closing(Ingest(settings)) as ingest:
        seen = []
        for text in (first, b"id,n\n1,1\n3,2\n", b"id,n\n4,1\n", b"id,n\n4,1\n5,2\n", first):
            replay, summary = Replay(table(text), outbox, ingest.enqueue_all), Summary()
            after = replay.resumes_after()
            replay.run(summary, after)
            seen.append((after, summary.accepted, summary.repeated))
        users = [json.loads(body)["userId"] for body in waiting_messages(outbox)]
    assert seen == [(0, 2, 0), (0, 1, 1), (0, 1, 0), (2, 1, 0), (0, 0, 2)], "only what was added goes on behind it"
    assert users == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("text", "company"),
    [
        (b"id,company,company_id\n1,Acme,17\n", {"name": "Acme", "id": "17"}),
        (b"id,company_id,company\n1,17,Acme\n", {"name": "Acme", "id": "17"}),
        (b"id,company,company.plan\n1,Acme,pro\n", {"name": "Acme", "plan": "pro"}),
        (b"id,company\n1,Acme\n", "Acme"),
        (b'{"id": 1, "company": {"name": "Acme"}, "company_id": 17}\n', {"name": "Acme", "id": "17"}),
    ],
)
def test_company_column_becomes_company_name(text: bytes, company: Any) -> None:
    assert traits(text) == [{"company": company}]


def test_whole_floats_lose_their_fraction() -> None:
    """A gap in a column makes floats of its whole numbers; id and phone number stay the same."""
    (call,) = calls(b'{"user_id": 42.0, "phone": 491701234567.0, "score": 1.5}\n')
    assert (call.user_id, call.traits) == ("42", {"phone": "491701234567", "score": 1.5})


def test_digits_of_other_scripts_are_text() -> None:
    assert traits("id,n\n1,1\uff15\n".encode()) == [{"n": "1\uff15"}]


def test_quoted_comma_splits_no_header() -> None:
    assert traits(b'"Last, first";"Email, work, first";email\nBell;x;ann@example.com\n') == [
        {"Last, first": "Bell", "Email, work, first": "x", "email": "ann@example.com"}
    ]


def test_table_calls_survive_the_outbox() -> None:
    """Written and read again they are the same calls, of somebody who was not active."""
    people, companies = calls(PEOPLE), calls(b"company_id,name,monthly_spend\n7,Acme,12\n", companies=True)
    for call in [*people, *calls(b"email\nann@example.com\n"), *companies]:
        returned = parse(read(write(call, Diagnostics(True))))
        assert replace(returned, timestamp=None) == call
        assert returned.context == ({} if call in companies else {"active": False})


def environment(serve: Callable[..., str], tmp_path: Path, workspace: Workspace) -> tuple[Any, dict[str, str]]:
    sandbox = create_sandbox(workspace)
    return sandbox.extensions["sandbox"], {
        "INTERCOM_APP_ID": APP_ID,
        "INTERCOM_ACCESS_TOKEN": "t",
        "INTERCOM_API_URL": serve(sandbox),
        "INTERCOM_OUTBOX": f"sqlite:///{tmp_path / 'outbox.db'}",
    }


def test_import_command_brings_people_in(serve: Callable[..., str], tmp_path: Path) -> None:
    """A dry run sends nothing; rows that cannot be read are reported and make the exit code 1."""
    workspace = Workspace(APP_ID, access_token="t", search_lag=0, faults=(Fault(status=500, probability=0.1),))
    store, env = environment(serve, tmp_path, workspace)
    (tmp_path / "people.csv").write_bytes(PEOPLE + b",,,,,,,,,\n3,x\n")
    command = ["import", str(tmp_path / "people.csv"), "--map", "Full Name=name", "--yes"]
    tried = CliRunner().invoke(main, [*command, "--dry-run"], env=env)
    assert ("Would go   2" in tried.stdout, store.state()["people"]) == (True, [])
    done = CliRunner().invoke(main, command, env=env)
    assert done.exit_code == 1
    assert "Full Name     Intercom's name" in done.stdout
    assert "line 5: row: has 2 cells" in done.stdout
    people = {person["user_id"]: person for person in store.state()["people"]}
    assert people.keys() == {"1", "2"}
    assert (people["1"]["name"], people["1"]["signed_up_at"]) == ("Ann Bell", 1704153600)
    assert people["1"]["custom_attributes"] == {"Seats": 3, "Zip": "01234", "Spend": 9.5, "Active": True}


def test_the_command_brings_companies_in(serve: Callable[..., str], tmp_path: Path) -> None:
    store, env = environment(serve, tmp_path, Workspace(APP_ID, access_token="t", search_lag=0))
    done = CliRunner().invoke(
        main, ["import", "-", "--companies", "--yes"], env=env, input="company_id,name,plan\n7,Acme,pro\n"
    )
    assert done.exit_code == 0, done.output
    (company,) = store.state()["companies"]
    assert (company["company_id"], company["name"], company["plan"]) == ("7", "Acme", "pro")


def test_invalid_map_is_usage_error() -> None:
    assert CliRunner().invoke(main, ["import", "-", "--map", "name"], input="id\n1\n").exit_code == 2


def test_import_without_terminal_wants_yes(serve: Callable[..., str], tmp_path: Path) -> None:
    """Where nobody can be asked, nothing is sent unasked."""
    store, env = environment(serve, tmp_path, Workspace(APP_ID, access_token="t", search_lag=0))
    result = CliRunner().invoke(main, ["import", "-"], env=env, input="user_id\n1\n")
    assert result.exit_code == 2
    assert "say --yes" in result.stderr
    assert store.state()["people"] == []


def test_shown_columns_are_what_arrives(serve: Callable[..., str], tmp_path: Path) -> None:
    """A text that is a date is one in any trait, so that a column of which some are becomes two attributes."""
    store, env = environment(serve, tmp_path, Workspace(APP_ID, access_token="t", search_lag=0))
    rows = "user_id,trial ends,note\n1,2026-01-05,x\n2,soon,y\n"
    shown = CliRunner().invoke(main, ["import", "-", "--yes"], env=env, input=rows).stdout
    people = {person["user_id"]: person["custom_attributes"] for person in store.state()["people"]}
    assert people == {"1": {"trial_ends_at": 1767571200, "note": "x"}, "2": {"trial_ends": "soon", "note": "y"}}
    assert 'attribute "trial_ends", for its dates "trial_ends_at"' in shown
    assert 'attribute "note"  ' in shown
