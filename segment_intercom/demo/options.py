"""What can be tried on the workbench: every choice, its options, and what each does to the template's line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..spec import SPEC
from .people import COMPANIES, PEOPLE

PARTNER = "mill5678"
LAUNCHER_BUTTON = "#ask-us"
_LATER = ("Now", "Idle", "Interaction", "Manual")
_SHARED = "Shared by everybody"
_REGIONS = {code: region.name for code, region in SPEC.regions.items()}
_WRONG = (
    "Intercom answers 403 and no Messenger appears: the hash is not this person's. Remedy: pass the user without a "
    "hash, and the snippet makes the right one from INTERCOM_IDENTITY_SECRET."
)
_MISSING = (
    "Intercom answers 403 and no Messenger appears: the workspace wants a proof and the page has none. Remedy: set "
    "INTERCOM_IDENTITY_SECRET to the secret in the workspace's settings."
)
_REGION = (
    'Intercom answers 403 and no Messenger appears: the workspace is hosted in "{home}", and the page asks in '
    '"{asked}". Remedy: INTERCOM_REGION="{home}".'
)
_IN_PLACE = "The site's links change the content in place and call {call}: an open Messenger stays open."
_ONLY_EMAIL = "A token needs a user id: somebody with only an e-mail gets a hash."
_NO_COMPANY = "A visitor acts for no company: nothing of it is sent. Log in as somebody."


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a choice; ``argument`` is what it adds to the call in the template, by name."""

    value: str
    label: str
    title: str = ""
    argument: tuple[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One row of the workbench; its first option is the default. What is tried seldom is folded away at first."""

    name: str
    label: str
    options: tuple[Option, ...]
    seldom: bool = False

    def option(self, value: str | None) -> Option:
        """The option of that value, else the default."""
        return next((option for option in self.options if option.value == value), self.options[0])


CHOICES = (
    Choice(
        "person",
        "Person",
        (
            *(Option(key, person.label, person.about) for key, person in PEOPLE.items()),
            Option("visitor", "Visitor", "Nobody is logged in"),
        ),
    ),
    Choice(
        "company",
        "Company",
        (
            Option("none", "None", "The company loader returns None"),
            *(Option(key, str(company["name"]).split()[0]) for key, company in COMPANIES.items()),
        ),
    ),
    Choice(
        "snippet",
        "Snippet",
        (
            Option("intercom", "intercom_snippet", "The Messenger"),
            Option("analytics", "analytics_snippet", "The Messenger, and Segment's analytics"),
        ),
    ),
    Choice(
        "launcher",
        "Launcher",
        (
            Option("follow", "As in workspace", "Flag not sent"),
            Option("hide", "Hide", argument=("hide_default_launcher", True)),
            Option("show", "Show", argument=("hide_default_launcher", False)),
        ),
    ),
    Choice(
        "button",
        "Own button",
        (
            Option("off", "Off"),
            Option("on", "On", "“Ask us” in the site's header", ("launcher_selector", LAUNCHER_BUTTON)),
        ),
    ),
    Choice(
        "proof",
        "Proof",
        (
            Option("right", "Hash", "Made by the snippet, from the identity secret"),
            Option("token", "Token", "A JSON web token, which ends after two hours"),
            Option("wrong", "Wrong hash", "64 zeros"),
            Option("none", "No hash", "As without an identity secret"),
        ),
    ),
    Choice(
        "links",
        "Links",
        (Option("load", "Load a page"), Option("place", "Change it in place", "Single-page navigation")),
    ),
    Choice(
        "side", "Side", (Option("right", "Right"), Option("left", "Left", argument=("alignment", "left"))), seldom=True
    ),
    Choice(
        "load",
        "Load",
        (
            Option("load", "On load"),
            *(Option(name.lower(), name, argument=("load", name.lower())) for name in _LATER),
        ),
        seldom=True,
    ),
    Choice(
        "region",
        "Region",
        tuple(Option(value, label, "The site's INTERCOM_REGION") for value, label in _REGIONS.items()),
        seldom=True,
    ),
    Choice(
        "tenant",
        "Tenant",
        (
            Option("own", "Oventide", "The workspace of INTERCOM_APP_ID"),
            Option("partner", "Mill & Co", "A workspace of INTERCOM_WORKSPACES, with a token and a secret of its own"),
        ),
        seldom=True,
    ),
)
# Not of one browser's session: switches of the workspace, so they are everybody's.
WORKSPACE = Choice(
    "workspace",
    "Workspace",
    tuple(Option(value, f"In {label}", _SHARED) for value, label in _REGIONS.items()),
    seldom=True,
)
VISITORS = Choice(
    "visitors",
    "Visitors",
    (Option("on", "Welcome", _SHARED), Option("off", "Switched off", _SHARED)),
    seldom=True,
)
ALL = (*CHOICES, WORKSPACE, VISITORS)


def arguments(chosen: Mapping[str, str]) -> dict[str, Any]:
    """What the chosen options add to the call in the template."""
    options = (choice.option(chosen[choice.name]) for choice in CHOICES)
    return dict(option.argument for option in options if option.argument)


def line(chosen: Mapping[str, str]) -> str:
    """The line that a developer writes in the template for these choices."""
    written = [f"{name}={_literal(value)}" for name, value in arguments(chosen).items()]
    if chosen["proof"] == "wrong" and chosen["person"] != "visitor":
        written.insert(0, "user_with_wrong_hash")
    return "{{ " + chosen["snippet"] + "_snippet(" + ", ".join(written) + ") }}"


def unusual(chosen: Mapping[str, str]) -> bool:
    """Return whether something is chosen in a row that is folded away at first."""
    return any(chosen[choice.name] != choice.options[0].value for choice in ALL if choice.seldom)


def remarks(chosen: Mapping[str, str]) -> list[str]:
    """What is worth knowing about these choices: why no Messenger shows, and what would bring it back."""
    visitor = chosen["person"] == "visitor"
    remarks = [*_of_proof(chosen, visitor=visitor), *_of_workspace(chosen, visitor=visitor), *_of_page(chosen)]
    return [text for holds, text in remarks if holds]


def _of_proof(chosen: Mapping[str, str], *, visitor: bool) -> list[tuple[bool, str]]:
    proof = chosen["proof"]
    return [
        (proof == "wrong" and not visitor, _WRONG),
        (proof == "none" and not visitor, _MISSING),
        (proof in ("wrong", "none") and visitor, "A visitor needs no proof: log in as somebody to see the 403."),
        (proof == "token" and visitor, "A visitor needs no proof: log in as somebody to see the token."),
        (proof == "token" and chosen["person"] == "jonas", _ONLY_EMAIL),
    ]


def _of_workspace(chosen: Mapping[str, str], *, visitor: bool) -> list[tuple[bool, str]]:
    home, asked = chosen["workspace"], chosen["region"]
    return [
        (home != asked, _REGION.format(home=home, asked=asked)),
        (visitor and chosen["company"] != "none", _NO_COMPANY),
        (visitor and chosen["visitors"] == "off", "The workspace shows the Messenger to nobody who is not logged in."),
    ]


def _of_page(chosen: Mapping[str, str]) -> list[tuple[bool, str]]:
    load = chosen["load"]
    unreachable = chosen["launcher"] == "hide" and chosen["button"] == "off"
    call = "analytics.page()" if chosen["snippet"] == "analytics" else 'Intercom("update")'
    return [
        (chosen["person"] == "script", "This name is text: nothing of it ran."),
        (chosen["links"] == "place", _IN_PLACE.format(call=call)),
        (unreachable, "Nothing on the page opens the Messenger now: switch the own button on."),
        (load == "interaction", "The Messenger waits for the first pointer, key or scroll."),
        (load == "manual", "The Messenger waits until the page calls intercomLoad(), for consent for example."),
    ]


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
