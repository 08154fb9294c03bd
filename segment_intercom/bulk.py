"""People or companies from a table, CSV or JSON lines, as identify or group calls.

A file is read twice: first for what its columns hold, so that a number is a number in every row, then row by row.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import re
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

from .calls import Call, Group, Identify
from .diagnostics import Diagnostics
from .errors import CallError
from .replay import Line, short_digest
from .serialize import read
from .spec import SPEC
from .traits import seconds, split
from .traits.attributes import date_key
from .traits.dates import starts_like_a_date
from .traits.labels import attribute_name
from .traits.names import plain_name
from .traits.standard import email_of

TEXT, WHOLE, NUMBER, FLAG, DATE = "text", "whole number", "number", "true or false", "date"
_FORMS = {
    WHOLE: re.compile(r"-?(0|[1-9][0-9]{0,14})"),  # a leading zero or a plus is no number's, but a code's
    NUMBER: re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?"),
    FLAG: re.compile(r"true|false", re.IGNORECASE),
}
_TYPES: dict[str, tuple[type, ...]] = {WHOLE: (int,), NUMBER: (int, float), FLAG: (bool,)}
_IDS = {"user_id": ("userid", "externalid", "id"), "group_id": ("companyid", "groupid", "id")}
_FIELDS = {"created": "signed_up_at", "created_at": "signed_up_at", "remote_created_at": "signed_up_at"}
_FIELDS |= {"first_name": "name", "last_name": "name", "last_request_at": "last_seen_at", "phones": "phone"}
_ALWAYS_TEXT = {"phone", "phones", "name", "first_name", "last_name", "email", "id", "company_id"}
_GZIP = b"\x1f\x8b"
_SNIFFED = 65_536
_COMPANYS_NAME = ("company", "name")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its name there, the id or the traits that it becomes, and what its cells hold."""

    name: str
    path: tuple[str, ...]
    kind: str = TEXT
    is_tags: bool = False
    is_companys: bool = False
    has_dates: bool = False  # some of its texts are dates, which Segment's mapping takes for dates everywhere

    @property
    def becomes(self) -> str:
        """What Intercom makes of it."""
        if self.path in (("user_id",), ("group_id",)):
            return "the user id" if self.path == ("user_id",) else "the company's id"
        if len(self.path) > 1:
            return f"the company's {self.path[-1]}"
        if self.is_companys:
            field = plain_name(self.path[0]) in _COMPANY_FIELDS
            return f"the company's {self.path[0]}" if field else f'the company\'s attribute "{self.path[0]}"'
        if self.is_tags:
            return "the contact's tags"
        standard, custom = split({self.path[0]: "x"}, Diagnostics(False), server=True)
        fields = [f"Intercom's {_FIELDS.get(field, field)}" for field in standard]
        names = [date_key(name) if self.kind == DATE else name for name in custom]
        dates = [date_key(name) for name in custom if self.kind == TEXT and self.has_dates and date_key(name) != name]
        return ", ".join(
            [
                *fields,
                *(f'attribute "{attribute_name(name)}"' for name in names),
                *(f'for its dates "{attribute_name(name)}"' for name in dates),
            ]
        )

    def value(self, cell: Any) -> Any:
        """What a cell says; None where it is empty."""
        if not isinstance(cell, str):
            if self.kind != TEXT or type(cell) not in (int, float):
                return cell
            return str(int(cell) if cell == cell // 1 else cell)  # 42.0 is what a column with gaps makes of an id
        cell = cell.strip()
        if not cell:
            return None
        if self.kind == FLAG:
            return cell.lower() == "true"
        return json.loads(cell) if self.kind in (WHOLE, NUMBER) else cell


class Table:
    """A file of people, or with ``companies`` of companies; it can be brought in as a history is.

    ``renamed`` gives columns another trait, or ``user_id``; ``as_text`` names those of which a number is a code;
    ``tags`` is the setting of this name. Raises CallError for what is no table, or has no column that names a person.
    """

    def __init__(
        self,
        stream: BinaryIO,
        *,
        companies: bool = False,
        renamed: Mapping[str, str] | None = None,
        as_text: Collection[str] = (),
        skipped: Collection[str] = (),
        tags: bool = False,
    ) -> None:
        self._raw = stream
        self._companies = companies
        self._id = "group_id" if companies else "user_id"
        self._tags = tags and not companies
        self._is_gzip = self._peek(2) == _GZIP
        self._is_json = self._sniff().lstrip("\ufeff \r\n\t").startswith(("{", "["))
        self.rows = 0
        self._dated: set[str] = set()
        kinds = self._kinds()
        for name in {*(renamed or {}), *as_text, *skipped} - kinds.keys():
            raise CallError("file", f"has no column {name!r:.60}; it has {', '.join(kinds)[:300]}")
        wanted = {name: kind for name, kind in kinds.items() if name not in skipped}
        self.columns = self._columns(wanted, renamed or {}, as_text)
        said = json.dumps([[column.name, column.path, column.kind] for column in self.columns])
        self.name = hashlib.blake2b(said.encode(), digest_size=8).hexdigest()
        self._digest = hashlib.blake2b(digest_size=16)

    def lines(self, after: int = 0) -> Iterator[Line]:
        """Each row behind the first ``after`` ones, as a call; the header of a CSV file is the first."""
        self._digest = hashlib.blake2b(digest_size=16)
        for number, cells in self._numbered():
            self._digest.update(repr(cells).encode("utf-8", "surrogatepass"))
            if number > after:
                yield self._line(number, cells)

    def digest(self) -> str:
        """A digest of all rows up to the last that was read."""
        return self._digest.hexdigest()

    def digest_of(self, count: int) -> str | None:
        """A digest of the rows up to a number, or None where there are fewer."""
        digest, number = hashlib.blake2b(digest_size=16), 0
        for number, cells in self._numbered():
            digest.update(repr(cells).encode("utf-8", "surrogatepass"))
            if number >= count:
                break
        return digest.hexdigest() if number == count else None

    def _line(self, number: int, cells: Mapping[str, Any] | str) -> Line:
        end = self._raw.tell()
        if isinstance(cells, str):
            return Line(number, end, problem=cells)
        try:
            return Line(number, end, self._call(number, cells))
        except CallError as error:
            return Line(number, end, problem=str(error))

    def _call(self, number: int, cells: Mapping[str, Any]) -> Call:
        own_id, traits = self._read(cells)
        content = short_digest(repr(cells).encode("utf-8", "surrogatepass"))
        message_id = f"import {self.name} {number} {content}"
        if self._companies:
            if own_id is None and not traits.get("name"):
                raise CallError("company_id", "is empty, and so is the name: it is not known which company is meant")
            return Group(own_id, traits, message_id=message_id)
        emails = [value for name, value in traits.items() if plain_name(name) == "email"]
        if own_id is None and not any(map(email_of, emails)):
            field, problem = ("email", "is no e-mail address") if emails else ("user_id", "is empty, as is the e-mail")
            raise CallError(field, f"{problem}, and nothing else says who is meant")
        # Nobody was seen because a file was read.
        return Identify(own_id, traits, context={"active": False}, message_id=message_id)

    def _read(self, cells: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """The id and the traits that a row's cells say."""
        traits: dict[str, Any] = {}
        own_id = None
        for column in self.columns:
            if (value := column.value(cells.get(column.name))) is None:
                continue
            if column.path == (self._id,):
                own_id = value
                continue
            target = traits
            for step in column.path[:-1]:
                target = target.setdefault(step, {})
            if isinstance(value, Mapping) and column.path == _COMPANYS_NAME:  # it was a whole company
                target |= value
            else:
                target[column.path[-1]] = value
        return own_id, traits

    def _columns(self, kinds: Mapping[str, str], renamed: Mapping[str, str], as_text: Collection[str]) -> list[Column]:
        own = [name for name, trait in renamed.items() if trait in (self._id, "user_id", "company_id")]
        own += [name for plain in _IDS[self._id] for name in kinds if plain_name(name) == plain and name not in renamed]
        emails = [name for name in kinds if plain_name(renamed.get(name, name)) in ("email", "name")]
        if not own and not emails:
            needed = "company_id or a name" if self._companies else "user_id or an e-mail"
            raise CallError("file", f"has no column for the {needed}; say which it is with --map COLUMN={self._id}")
        columns = []
        paths = {name: self._path(renamed.get(name, name)) for name in kinds}
        has_company = any(path[0] == "company" and len(path) > 1 for path in paths.values())
        for name, kind in kinds.items():
            path = (self._id,) if own and name == own[0] else paths[name]
            if has_company and path == ("company",):  # beside its id or its plan it is its name
                path = _COMPANYS_NAME
            is_text = name in as_text or path == (self._id,) or plain_name(path[-1]) in _PLAIN_TEXTS
            is_tags = self._tags and [*map(plain_name, path)] == ["tags"]
            columns.append(
                Column(
                    name,
                    path,
                    TEXT if is_tags or (is_text and kind != DATE) else kind,
                    is_tags,
                    self._companies,
                    name in self._dated,
                )
            )
        return columns

    def _path(self, trait: str) -> tuple[str, ...]:
        """The place of a trait: ``company_id`` and ``company.plan`` of a person are the company's."""
        if self._companies:
            return (trait,)
        first, dot, rest = trait.partition(".")
        if dot and first == "company" and rest:
            return ("company", rest)
        return {"companyid": ("company", "id"), "companyname": ("company", "name")}.get(plain_name(trait), (trait,))

    def _kinds(self) -> dict[str, str]:
        """Each column with what all of its cells hold."""
        possible: dict[str, list[str]] = {}
        problem = "holds no row"
        for number, cells in self._numbered():
            self.rows += 1
            if isinstance(cells, str) and self.rows == 1:
                problem = f"line {number}: {cells}"
            for name, cell in cells.items() if isinstance(cells, Mapping) else ():
                kinds = possible.setdefault(name, [WHOLE, NUMBER, FLAG, DATE])
                if kinds and cell not in ("", None):
                    kinds[:] = [kind for kind in kinds if _holds(cell, kind)]
                if name not in self._dated and _holds(cell, DATE):
                    self._dated.add(name)
        if not possible:
            raise CallError("file", problem)
        empty = [name for name, kinds in possible.items() if len(kinds) == 4]
        return {name: TEXT if name in empty or not kinds else kinds[0] for name, kinds in possible.items()}

    def _numbered(self) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
        """Each row by its number, its cells by their columns, or what is wrong with it; blank ones are left out."""
        try:
            with self._text() as text:
                yield from _json_rows(text) if self._is_json else _csv_rows(text)
        except UnicodeDecodeError:
            raise CallError("file", "is not UTF-8; save it as such, in Excel as 'CSV UTF-8'") from None
        except (OSError, EOFError, zlib.error, csv.Error) as error:
            raise CallError("file", f"cannot be read to its end ({type(error).__name__})") from error

    @contextmanager
    def _text(self) -> Iterator[io.TextIOWrapper]:
        self._raw.seek(0)
        unpacked = gzip.GzipFile(fileobj=self._raw) if self._is_gzip else self._raw
        text = io.TextIOWrapper(unpacked, encoding="utf-8-sig", newline="" if not self._is_json else None)
        try:
            yield text
        finally:
            text.detach()

    def _peek(self, size: int) -> bytes:
        self._raw.seek(0)
        return self._raw.read(size)

    def _sniff(self) -> str:
        if not self._is_gzip:
            return self._peek(_SNIFFED).decode("utf-8", "replace")
        self._raw.seek(0)
        with suppress(OSError, EOFError, zlib.error):  # which the first reading says
            return gzip.GzipFile(fileobj=self._raw).read(_SNIFFED).decode("utf-8", "replace")
        return ""


_COMPANY_FIELDS = {plain_name(field.name) for field in SPEC.company_traits}
_PLAIN_TEXTS = {plain_name(name) for name in _ALWAYS_TEXT}


def _holds(cell: Any, kind: str) -> bool:
    """Whether a cell is of a kind."""
    if kind == DATE:
        return isinstance(cell, str) and bool(starts_like_a_date(cell)) and seconds(cell.strip()) is not None
    if isinstance(cell, str):
        return _FORMS[kind].fullmatch(cell.strip()) is not None
    return type(cell) in _TYPES[kind]


def _csv_rows(text: io.TextIOWrapper) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    head = re.sub(r'"[^"]*"', "", text.readline())
    text.seek(0)
    delimiter = max(",;\t", key=head.count)
    names: list[str] = []
    for number, cells in enumerate(csv.reader(text, delimiter=delimiter), 1):
        if not any(cell.strip() for cell in cells):
            continue
        if not names:
            names = [name.strip() for name in cells]
            if len({*names}) < len(names) or not all(names):
                raise CallError("file", "its first line must name each column, and each by another name")
        elif len(cells) != len(names):
            yield number, f"row: has {len(cells)} cells, and the first line {len(names)}"
        else:
            yield number, dict(zip(names, cells, strict=True))


def _json_rows(text: io.TextIOWrapper) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    for number, line in enumerate(text, 1):
        if not line.strip():
            continue
        try:
            row = read(line.encode())
        except CallError as error:
            yield number, str(error)
            continue
        yield number, row if isinstance(row, dict) else "row: must be a JSON object on a line of its own"
