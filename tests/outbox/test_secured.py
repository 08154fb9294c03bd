"""NATS behind TLS, passwords and credentials: what the address says is what the server is given."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import nkeys
import pytest
import trustme

from segment_intercom import OutboxError
from segment_intercom.outbox.jetstream import JetStreamOutbox

from .nats_server import NatsServer

_CREDENTIALS = """-----BEGIN NATS USER JWT-----
{jwt}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
{seed}
------END USER NKEY SEED------
"""


@contextmanager
def server(folder: Path, config: str) -> Iterator[int]:
    started = NatsServer(folder, config=config)
    started.start()
    try:
        yield started.port
    finally:
        started.stop()


def keeps_a_call(address: str) -> bool:
    """Whether a call goes through an outbox at this address and comes out of it."""
    with closing(JetStreamOutbox(address)) as box:
        box.put("ann", b"hello")
        lease = box.lease()
        assert lease is not None
        return box.done(lease, lease.messages)


def key(prefix: int) -> tuple[str, str, Any]:
    """A pair of keys: the public one, the seed, and what signs."""
    seed = bytes(nkeys.encode_seed(os.urandom(32), prefix))
    pair = nkeys.from_seed(bytearray(seed))
    return bytes(pair.public_key).decode(), seed.decode(), pair


def token(issuer: tuple[str, str, Any], subject: str, name: str, claims: dict[str, Any]) -> str:
    """A JSON web token as NATS has them, signed with an issuer's key."""
    now = int(time.time())
    body = {"jti": name, "iat": now, "iss": issuer[0], "name": name, "sub": subject, "nats": {"version": 2, **claims}}
    head = {"typ": "JWT", "alg": "ed25519-nkey"}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (head, body)]
    signature = base64.urlsafe_b64encode(issuer[2].sign(b".".join(parts))).rstrip(b"=")
    return b".".join([*parts, signature]).decode()


def test_password_in_address_stays_hidden(tmp_path: Path) -> None:
    """The address's password lets in, and neither the location nor an error shows it."""
    with server(tmp_path, 'authorization { user: "shop", password: "s3cret" }') as port:
        assert keeps_a_call(f"nats://shop:s3cret@127.0.0.1:{port}")
        with closing(JetStreamOutbox(f"nats://shop:wr0ng@127.0.0.1:{port}")) as box:
            assert "wr0ng" not in box.location
            with pytest.raises(OutboxError) as refused:
                box.put("ann", b"hello")
        assert "wr0ng" not in str(refused.value)


def test_ca_option_trusts_own_authority(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    config = f'tls {{ cert_file: "{tmp_path}/cert.pem", key_file: "{tmp_path}/key.pem" }}'
    with server(tmp_path, config) as port:
        assert keeps_a_call(f"tls://127.0.0.1:{port}?ca={tmp_path}/ca.pem")
        with closing(JetStreamOutbox(f"tls://127.0.0.1:{port}")) as box, pytest.raises(OutboxError):
            box.put("ann", b"hello")


def test_a_file_of_credentials_lets_in(tmp_path: Path) -> None:
    operator, account, user = (
        key(nkeys.PREFIX_BYTE_OPERATOR),
        key(nkeys.PREFIX_BYTE_ACCOUNT),
        key(nkeys.PREFIX_BYTE_USER),
    )
    system = key(nkeys.PREFIX_BYTE_ACCOUNT)
    unlimited = dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1)
    stored = {"mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1}
    limits = {**unlimited, **stored, "wildcards": True}
    account_token = token(operator, account[0], "shop", {"type": "account", "limits": limits})
    user_token = token(account, user[0], "app", {"type": "user", "subs": -1, "data": -1, "payload": -1})
    system_token = token(operator, system[0], "system", {"type": "account", "limits": {**unlimited, "wildcards": True}})
    operator_token = token(operator, operator[0], "op", {"type": "operator", "system_account": system[0]})
    (tmp_path / "app.creds").write_text(_CREDENTIALS.format(jwt=user_token, seed=user[1]))
    preloaded = f"{{ {account[0]}: {account_token}, {system[0]}: {system_token} }}"
    config = f"operator: {operator_token}\nresolver: MEMORY\nresolver_preload: {preloaded}\n"
    with server(tmp_path, config) as port:
        assert keeps_a_call(f"nats://127.0.0.1:{port}?credentials={tmp_path}/app.creds")
        with closing(JetStreamOutbox(f"nats://127.0.0.1:{port}")) as box, pytest.raises(OutboxError):
            box.put("ann", b"hello")
