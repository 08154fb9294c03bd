"""Segment's own library for Python as an application uses it: ``python client.py HOST WRITE_KEY USERS ROUNDS GZIP``.

It says how many calls failed for good; the version of the library is that of the environment.
"""

from __future__ import annotations

import sys
from typing import Any

from segment.analytics.client import Client


def main(host: str, key: str, users: str, rounds: str, packed: str) -> None:
    """Identify users, and track what they do, round by round."""
    failed: list[Any] = []
    client = Client(
        key,
        host=host,
        gzip=packed == "gzip",
        on_error=lambda error, batch: failed.append((error, batch)),
        upload_size=20,
        upload_interval=0.1,
        max_retries=10,
        timeout=10,
    )
    for number in range(int(users)):
        client.identify(f"u{number}", {"email": f"u{number}@example.com", "plan": "pro"})
    for turn in range(int(rounds)):
        for number in range(int(users)):
            client.track(f"u{number}", f"Round {turn}", {"turn": turn})
    client.group("u0", "g0", {"name": "Tea"})
    client.flush()
    client.join()
    sys.stdout.write(f"failed {len(failed)} {failed[:1]}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
