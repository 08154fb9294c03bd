"""Dates in every form that Segment accepts, as whole UTC seconds.

Source: Segment's documentation page for Intercom, "createdAt": a date, a valid date string, milliseconds or seconds.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum

from .numbers import is_finite

# Below this a number is seconds, from here on milliseconds; it is the year 2970 in seconds, 1971 in milliseconds.
_MILLISECONDS_FROM = 31_557_600_000
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799  # of the years 1 to 9999: what is beyond is no date
_LONGEST = 100  # characters of a date
_NUMBERS = (int, float, Decimal)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY = _EPOCH.toordinal()
_DAY = 86_400

_ISO = re.compile(
    r"([0-9]{4})(?:-?([0-9]{2})(?:-?([0-9]{2}))?)?"
    r"(?:[ Tt]([0-9]{2}):?([0-9]{2})(?::?([0-9]{2})(?:[.,][0-9]+)?)? ?([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
# A trait counts as a date only in this narrower form: "2014" or "20140101" is more likely to be something else.
starts_like_a_date = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ Tt]|\Z)").match

_TOKEN = re.compile(
    r"(?P<time>([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?(?:\s*([AaPp])\.?[Mm]\.?)?)"
    r"|(?P<offset>[+-][0-9]{2}:?[0-9]{2}(?![0-9]))"
    r"|(?P<slashed>([0-9]{1,4})[/-]([0-9]{1,2})[/-]([0-9]{1,4}))"
    r"|(?P<word>[A-Za-z]+)|(?P<number>[0-9]+)|(?P<filler>[\s,.-]+)|(?P<unknown>.)"
)
_MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_WEEKDAYS = frozenset(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
_ZONES = {"gmt": 0, "utc": 0, "ut": 0, "z": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5}
_ZONES |= {"mst": -7, "mdt": -6, "pst": -8, "pdt": -7}


def seconds(value: object) -> int | None:
    """Return the Unix time of a date in whole seconds, rounded down, or None when it is no date.

    Accepted are date and datetime objects (a naive one is UTC), seconds, milliseconds, both as text of 10 and 13
    digits, ISO 8601, and what JavaScript writes, such as ``Thu Mar 24 2016 17:46:45 GMT+0000 (UTC)``.
    """
    if type(value) is int and -_MILLISECONDS_FROM < value < _MILLISECONDS_FROM:
        return value
    if type(value) is str:
        return _from_text(value.strip())
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, datetime):
        return _elapsed(value)
    if isinstance(value, date):
        return _elapsed(datetime(value.year, value.month, value.day))
    if isinstance(value, bool):
        return None
    if isinstance(value, _NUMBERS):
        return _from_number(value)
    return _from_text(value.strip()) if isinstance(value, str) else None


def date_in_text(text: str) -> int | None:
    """Return the Unix time in a text that is an ISO 8601 date, which makes a trait of any name a date, else None."""
    return _from_iso(text) if starts_like_a_date(text) else None


def _elapsed(moment: datetime) -> int:
    aware = moment if moment.utcoffset() is not None else moment.replace(tzinfo=UTC)
    since = aware - _EPOCH
    return since.days * _DAY + since.seconds


def _from_number(number: float | Decimal) -> int | None:
    if not is_finite(number):
        return None
    whole = math.floor(number if number < _MILLISECONDS_FROM else number / 1000)
    return whole if _FIRST_SECOND <= whole <= _LAST_SECOND else None


def _from_text(text: str) -> int | None:
    if len(text) > _LONGEST:
        return None
    if text.isascii() and text.isdigit() and len(text) in (10, 13):
        return int(text) // (1 if len(text) == 10 else 1000)
    moment = _from_iso(text)
    return moment if moment is not None else _from_javascript(text)


def _from_iso(text: str) -> int | None:
    # What programs write, with its zone; the standard library reads it in a fraction of the time.
    if len(text) >= 20 and text[10] in "T " and text[4] == "-" and (text[-1] == "Z" or text[-6] in "+-"):
        try:
            return _elapsed(datetime.fromisoformat(text))
        except ValueError:
            pass
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, zone = match.groups()
    days = _days(int(year), int(month or 1), int(day or 1))
    if days is None or hour is None:
        return None if days is None else days * _DAY
    return _moment(days, int(hour), int(minute), int(second or 0), _minutes(zone))


def _from_javascript(text: str) -> int | None:
    """Read the forms of ``Date.toString``, RFC 2822 and ``month/day/year``; without a zone they are UTC here."""
    clock: tuple[int, int, int] | None = None
    offset, month, numbers, slashed = 0, 0, [], None
    for token in _TOKEN.finditer(re.sub(r"\([^()]*\)", " ", text)):
        kind, part = token.lastgroup, token.group()
        if kind == "time":
            clock = _clock(*token.group(2, 3, 4, 5))
        elif kind == "offset" and clock is not None:
            offset = _minutes(part)
        elif kind == "slashed":
            slashed = token.group(8, 9, 10)
        elif kind in ("number", "offset"):
            numbers.append(part.lstrip("+-"))
        elif kind == "word" and part[:3].lower() in _MONTHS:
            month = _MONTHS[part[:3].lower()]
        elif kind == "word" and part.lower() in _ZONES:
            offset = 60 * _ZONES[part.lower()]
        elif kind == "unknown" or (kind == "word" and part[:3].lower() not in _WEEKDAYS):
            return None
    day = _from_slashes(slashed) if slashed else _from_words(month, numbers)
    days = _days(*day) if day else None
    return None if days is None else _moment(days, *(clock or (0, 0, 0)), offset)


def _clock(hour: str, minute: str, second: str | None, half: str | None) -> tuple[int, int, int]:
    hours = int(hour)
    if half is not None:  # 13 PM is none
        hours = hours % 12 + (12 if half in "Pp" else 0) if 1 <= hours <= 12 else 24
    return hours, int(minute), int(second or 0)


def _from_slashes(parts: tuple[str, ...]) -> tuple[int, int, int]:
    if len(parts[0]) > 2:
        return int(parts[0]), int(parts[1]), int(parts[2])
    return _full_year(parts[2]), int(parts[0]), int(parts[1])


def _from_words(month: int, numbers: list[str]) -> tuple[int, int, int] | None:
    if not month or len(numbers) != 2:
        return None
    day, year = reversed(numbers) if len(numbers[0]) > 2 else numbers
    return _full_year(year), month, int(day)


def _full_year(text: str) -> int:
    year = int(text)
    return year if len(text) > 2 else year + (2000 if year < 50 else 1900)


def _minutes(zone: str | None) -> int:
    if zone is None or zone in "Zz":
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return (-1 if zone[0] == "-" else 1) * (60 * int(digits[:2]) + int(digits[2:]))


def _days(year: int, month: int, day: int) -> int | None:
    try:
        return date(year, month, day).toordinal() - _FIRST_DAY
    except (ValueError, OverflowError):  # the 31st of February, the year 0, a year of twenty digits
        return None


def _moment(days: int, hour: int, minute: int, second: int, offset: int) -> int | None:
    if hour > 23 or minute > 59 or second > 59 or abs(offset) >= _DAY // 60:
        return None
    return days * _DAY + hour * 3_600 + (minute - offset) * 60 + second
