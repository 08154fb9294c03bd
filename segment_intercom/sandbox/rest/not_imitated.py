"""What Intercom's API description names and the sandbox does not imitate: 501, instead of a misleading 404."""

from __future__ import annotations

from ..refusal import not_imitated
from .call import ApiCall, ApiReply

# docs/sandbox.md lists them.
PATHS = (
    ("GET", "companies/scroll"),
    ("GET", "companies/*/notes"),
    ("POST", "companies/*/notes"),
    ("GET", "companies/*/segments"),
    ("GET", "contacts/*/banners"),
    ("POST", "contacts/*/banners/*/dismiss"),
    ("POST", "contacts/*/block"),
    ("GET", "contacts/*/merge_history"),
    ("GET", "contacts/*/notes"),
    ("POST", "contacts/*/notes"),
    ("GET", "contacts/*/segments"),
    ("GET", "contacts/*/subscriptions"),
    ("POST", "contacts/*/subscriptions"),
    ("DELETE", "contacts/*/subscriptions/*"),
    ("POST", "events/summaries"),
    ("GET", "tags/*"),
    ("DELETE", "tags/*"),
    ("GET", "visitors"),
    ("PUT", "visitors"),
    ("POST", "visitors/convert"),
)


def refuse(call: ApiCall, *_ids: str) -> ApiReply:
    """Answer 501 to a request to one of these paths."""
    raise not_imitated(f"This {call.asked.method} request")


def check_query(query: dict[str, str]) -> None:
    """Answer 501 to a query that wants more of contacts than the sandbox keeps."""
    if query.get("include_merge_history") == "true":
        raise not_imitated("include_merge_history")
