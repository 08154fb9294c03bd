"""Whether the policies of a page let the Messenger in; every one of them has to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urljoin, urlsplit

from ..settings import WIDGET_URL, Settings
from ..web.csp import csp
from .document import Script
from .findings import Finding, ok, problem, shown, warning
from .snippets import inserted_by, route_of
from .sources import Policy, allows, allows_inline, has_nonce, has_nonces, policies, sources, trusts

_HEADER = "content-security-policy"
_MERGE = "Let merge_csp(policy, settings) add them"
# Without these there is no Messenger; without the others it lacks pictures, sounds or its looks.
_VITAL = ("connect-src",)
_REFINED = {"style-src": "style-src-elem"}


def check_policy(
    script: Script, headers: Mapping[str, str], metas: Sequence[str], settings: Settings, url: str
) -> Iterator[Finding]:
    """Hold every policy against what the snippet and the Messenger need; names of headers in small letters."""
    all_policies = [policy for text in (headers.get(_HEADER, ""), *metas) for policy in policies(text)]
    for number, policy in enumerate(all_policies, start=1):
        name = "policy" if len(all_policies) == 1 else f"policy {number} of {len(all_policies)}"
        findings = list(_check(policy, script, settings, url))
        yield from (Finding(finding.level, f"{name}: {finding.what}", finding.remedy) for finding in findings)
        if all(finding.level == "ok" for finding in findings):
            yield ok(f"{name}: allows the snippet and the Messenger")
    if not all_policies:
        yield ok("policy: none, so the page may load the Messenger")
    if f"{_HEADER}-report-only" in headers:
        yield ok(
            "policy: Content-Security-Policy-Report-Only blocks nothing and was not checked",
            "Let merge_csp(policy, settings) write it before it becomes a policy.",
        )


def _check(policy: Policy, script: Script, settings: Settings, url: str) -> Iterator[Finding]:
    scripts = sources(policy, "script-src-elem")
    if scripts is not None:
        yield from _inline(scripts, script)
        yield from _inserted(scripts, script, settings, url)
    if "'script'" in policy.get("require-trusted-types-for", ()):
        yield problem(
            "require-trusted-types-for 'script' stops the Messenger, which knows no trusted types",
            "Remove the directive from the policy of pages with the Messenger.",
        )
    if scripts is not None and "base-uri" not in policy:
        yield ok(
            "lacks base-uri: a base element that an attacker injects sends relative addresses to a host of theirs",
            "Add base-uri 'self', or 'none'; no other directive stands in for it.",
        )
    for directive, needed in _needed(script, settings, url).items():
        yield from _missing(policy, directive, needed, url)


def _inline(listed: Sequence[str], script: Script) -> Iterator[Finding]:
    if not script.text or allows_inline(listed) or trusts(listed, script.nonce, script.text):
        return
    if script.nonce:
        remedy = (
            "Give intercom_snippet() the nonce of this very answer, csp_nonce() with flask-talisman, and name "
            "script-src in content_security_policy_nonce_in; a page from a cache has an old one."
        )
    elif has_nonces(listed):
        remedy = "Give the snippet the policy's nonce: {{ intercom_snippet(user, nonce=csp_nonce()) }}."
    else:
        remedy = "Add a nonce, or csp_hash(html) of the snippet, to script-src: lists of hosts allow no inline script."
    yield problem("script-src blocks the snippet, an inline script" + _of_nonce(listed, script), remedy)


def _of_nonce(listed: Sequence[str], script: Script) -> str:
    if not has_nonces(listed):
        return ""
    return ", whose nonce is not the policy's" if script.nonce else ", which has no nonce"


def _inserted(listed: Sequence[str], script: Script, settings: Settings, url: str) -> Iterator[Finding]:
    """The script that the loader inserts: it carries the nonce of the one that inserted it."""
    if has_nonce(listed, script.nonce):
        return
    dynamic = "'strict-dynamic'" in (word.lower() for word in listed)
    if dynamic:
        if not trusts(listed, script.nonce, script.text):
            yield problem(
                "script-src with 'strict-dynamic' blocks the Messenger's script, since the snippet is not trusted",
                "Give intercom_snippet() the policy's nonce; 'strict-dynamic' makes lists of hosts count for nothing.",
            )
        return
    missing = [source for source in _scripts(script, settings, url) if not allows(listed, source, url)]
    if missing:
        yield problem(
            f"script-src blocks the Messenger's script: {', '.join(missing)} not allowed",
            f"{_MERGE}, or use a nonce, which the loader hands on.",
        )


def _scripts(script: Script, settings: Settings, url: str) -> list[str]:
    inserted = [urljoin(url, address) for address in inserted_by(script) or (settings.widget_url,)]
    if settings.widget_url != WIDGET_URL:  # an imitation, which needs nothing of Intercom's
        return inserted
    hosts = [source for source in csp(settings)["script-src"] if not source.startswith("'")]
    return [*inserted, *(host for host in hosts if not any(address.startswith(f"{host}/") for address in inserted))]


def _needed(script: Script, settings: Settings, url: str) -> dict[str, list[str]]:
    """The sources besides those of scripts, by directive."""
    is_imitation = settings.widget_url != WIDGET_URL
    places = (route_of(script), settings.messenger_url, settings.widget_url if is_imitation else None)
    own = [_origin(urljoin(url, place)) for place in dict.fromkeys(places) if place]
    if is_imitation:
        return {"connect-src": own}
    needed = csp(settings)
    needed["connect-src"] += own
    left_out = ("script-src", "child-src")  # the latter counts only where frame-src is missing, which falls back to it
    return {
        _REFINED.get(name, name): list(dict.fromkeys(source for source in listed if source != "'self'"))
        for name, listed in needed.items()
        if name not in left_out
    }


def _missing(policy: Policy, directive: str, needed: Sequence[str], url: str) -> Iterator[Finding]:
    listed = sources(policy, directive)
    # What worker-src falls back to is made for scripts, with nonces that no worker can show.
    if listed is None or (directive == "worker-src" and directive not in policy):
        return
    missing = [source for source in needed if not _is_allowed(listed, source, url)]
    if missing:
        level = problem if directive in _VITAL else warning
        shown_name = directive.removesuffix("-elem")
        yield level(f"{shown_name} lacks {', '.join(map(shown, missing))}", f"{_MERGE} to {shown_name}.")


def _is_allowed(listed: Sequence[str], source: str, url: str) -> bool:
    return allows_inline(listed) if source == "'unsafe-inline'" else allows(listed, source, url)


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
