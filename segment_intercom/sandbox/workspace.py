"""A workspace, as its owner set it up, and the checks that need nothing but it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .faults import Fault
from .refusal import RefusedError

API_BASES = {
    "us": "https://api-iam.intercom.io",
    "eu": "https://api-iam.eu.intercom.io",
    "au": "https://api-iam.au.intercom.io",
}


@dataclass(slots=True)
class Workspace:
    """One Intercom workspace; its switches may be flipped while the sandbox runs."""

    app_id: str
    identity_secret: str | None = field(default=None, repr=False)
    enforce_identity: bool | None = None
    region: str = "us"
    trusted_domains: tuple[str, ...] = ()
    visitors: bool = True
    name: str = "Sandbox"
    # For the REST API. Without a token any is taken, and without both so is any key.
    access_token: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    rate_limit: int = 10_000
    rate_window: float = 10.0
    search_lag: float = 60.0
    faults: tuple[Fault, ...] = ()

    @property
    def enforced(self) -> bool:
        """Whether identified people need a proof: as switched, otherwise on when there is a secret."""
        return bool(self.identity_secret) if self.enforce_identity is None else self.enforce_identity

    def as_json(self) -> dict[str, Any]:
        """What the inspector shows of the workspace: everything but its secret."""
        return {
            "app_id": self.app_id,
            "name": self.name,
            "region": self.region,
            "enforced": self.enforced,
            "visitors": self.visitors,
            "trusted_domains": list(self.trusted_domains),
        }

    def check_region(self, region: str) -> None:
        """Refuse a request that came to the servers of another region."""
        if region != self.region:
            remedy = f'"api_base": "{API_BASES[self.region]}"' if self.region != "us" else "no api_base at all"
            message = (
                f"This workspace lives in the region {self.region}, not in {region}: its settings want {remedy} "
                f'(with segment-intercom: INTERCOM_REGION="{self.region}").'
            )
            raise RefusedError("wrong_region", message, "api_base")

    def check_domain(self, origin: str | None) -> None:
        """Refuse a page outside the trusted domains; ``origin`` is the Origin or Referer that the browser sent."""
        host = _host(origin)
        if self.trusted_domains and not any(_covers(domain, host) for domain in self.trusted_domains):
            message = (
                f"The page's domain ({host or 'unknown'}) is not trusted: add it to the workspace's trusted domains."
            )
            raise RefusedError("domain_not_trusted", message)


def _host(address: str | None) -> str:
    try:
        return (urlsplit(address or "").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _covers(domain: str, host: str) -> bool:
    domain = domain.lower().rstrip(".")
    return host.endswith(domain[1:]) if domain.startswith("*.") else host == domain
