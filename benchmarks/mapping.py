"""What does it cost to map a message: JSON in, requests out, in one thread, against reading and writing it only?"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from statistics import median
from typing import Any

import orjson

from segment_intercom import Settings, parse, rest_operations

from . import messages
from .measure import Ratio, Result, Variant, interleave

# Segment's own mapper, in Node.js, was measured once, on another day: so this is context, and no ratio of one run.
_SEGMENTS_EVENTS_A_SECOND = 24_000
_DIALECTS = {"2.16": "contacts API", "1.4": "classic API"}


def results() -> list[Result]:
    """Map sample messages, and those that Segment's own integration was tested with, in both dialects."""
    logging.disable()  # some of Segment's cases hold wrong values
    try:
        return [result for kind, samples in _kinds().items() for result in _compare(kind, samples)]
    finally:
        logging.disable(logging.NOTSET)


def _kinds() -> dict[str, list[dict[str, Any]]]:
    single = {"identify": messages.identify(), "track": messages.track(), "group": messages.group()}
    company = messages.identify(company=messages.COMPANY)
    return {
        "all three": list(single.values()),
        **{kind: [message] for kind, message in single.items()},
        "identify with company": [company],
        "Segment's cases": messages.recorded(),
    }


def _compare(kind: str, samples: Sequence[dict[str, Any]]) -> list[Result]:
    texts = [orjson.dumps(message) for message in samples]
    variants = {name: _mapped(texts, version) for version, name in _DIALECTS.items()}
    _check(variants, samples)
    seconds = interleave({**variants, "floor": _floor(texts)})
    return [
        Result(
            f"mapping, {kind}, {name} / parse and dump",
            Ratio.of(seconds[name], seconds["floor"]),
            None,
            _context(seconds[name], len(texts)),
        )
        for name in variants
    ]


def _mapped(texts: Sequence[bytes], version: str) -> Variant:
    settings = Settings(app_id=messages.APP_ID, access_token=messages.TOKEN, api_version=version, strict=False)
    return lambda: [orjson.dumps(rest_operations(parse(orjson.loads(text)), settings)) for text in texts]


def _floor(texts: Sequence[bytes]) -> Variant:
    return lambda: [orjson.dumps(orjson.loads(text)) for text in texts]


def _context(seconds: Sequence[float], count: int) -> str:
    rate = count / median(seconds)
    return f"{rate:,.0f} events/s, {rate / _SEGMENTS_EVENTS_A_SECOND:.1f} x Segment's 24,000"


def _check(variants: dict[str, Variant], samples: Sequence[dict[str, Any]]) -> None:
    """Something must come out for each user whom a message names."""
    for name, variant in variants.items():
        answers: Any = variant()
        assert len(answers) == len(samples), name
        assert all(str(sample["userId"]).encode() in text for sample, text in zip(samples, answers, strict=True)), name
