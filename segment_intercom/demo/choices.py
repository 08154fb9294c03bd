"""What can be tried on the workbench: every choice, its options, and what each does to the template's line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .people import COMPANIES, PEOPLE

LAUNCHER_BUTTON = "#ask-us"
_LATER = ("Now", "Idle", "Interaction", "Manual")
_SHARED = "A switch of the workspace, so it is everybody's"
_WRONG = (
    "Intercom answers 403 and no Messenger appears: the hash is not this person's. Remedy: pass the user without a "
    "hash, and the snippet makes the right one from INTERCOM_IDENTITY_SECRET."
)
_MISSING = (
    "Intercom answers 403 and no Messenger appears: the workspace wants a proof and the page has none. Remedy: set "
    "INTERCOM_IDENTITY_SECRET to the secret in the workspace's settings."
)


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a choice; ``argument`` is what it adds to the call in the template, by name."""

    value: str
    label: str
    title: str = ""
    argument: tuple[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One row of the workbench; its first option is the default."""

    name: str
    label: str
    options: tuple[Option, ...]

    def option(self, value: str | None) -> Option:
        """The option of that value, else the default."""
        return next((option for option in self.options if option.value == value), self.options[0])


CHOICES = (
    Choice(
        "person",
        "Person",
        (
            Option("visitor", "Visitor", "Nobody is logged in"),
            *(Option(key, person.label, person.about) for key, person in PEOPLE.items()),
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
        "launcher",
        "Launcher",
        (
            Option("follow", "As in workspace", "The flag is not sent"),
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
    Choice("side", "Side", (Option("right", "Right"), Option("left", "Left", argument=("alignment", "left")))),
    Choice(
        "proof",
        "Proof",
        (
            Option("right", "Right hash", "Made by the snippet, from the identity secret"),
            Option("wrong", "Wrong hash", "64 zeros"),
            Option("none", "No hash", "As without an identity secret"),
        ),
    ),
    Choice(
        "load",
        "Load",
        (
            Option("load", "On load"),
            *(Option(name.lower(), name, argument=("load", name.lower())) for name in _LATER),
        ),
    ),
)
# Not of one browser's session: a switch of the workspace, so it is everybody's.
VISITORS = Choice("visitors", "Visitors", (Option("on", "Welcome", _SHARED), Option("off", "Switched off", _SHARED)))


def arguments(chosen: Mapping[str, str]) -> dict[str, Any]:
    """What the chosen options add to the call in the template."""
    options = (choice.option(chosen[choice.name]) for choice in CHOICES)
    return dict(option.argument for option in options if option.argument)


def line(chosen: Mapping[str, str]) -> str:
    """The line that a developer writes in the template for these choices."""
    given = [f"{name}={_literal(value)}" for name, value in arguments(chosen).items()]
    if chosen["proof"] == "wrong" and chosen["person"] != "visitor":
        given.insert(0, "user_with_wrong_hash")
    return "{{ intercom_snippet(" + ", ".join(given) + ") }}"


def remarks(chosen: Mapping[str, str], *, visitors: bool) -> list[str]:
    """What is worth knowing about these choices: why no Messenger shows, and what would bring it back."""
    visitor = chosen["person"] == "visitor"
    return [text for holds, text in _remarks(chosen, visitor=visitor, visitors=visitors) if holds]


def _remarks(chosen: Mapping[str, str], *, visitor: bool, visitors: bool) -> list[tuple[bool, str]]:
    proof, load = chosen["proof"], chosen["load"]
    unreachable = chosen["launcher"] == "hide" and chosen["button"] == "off"
    return [
        (proof == "wrong" and not visitor, _WRONG),
        (proof == "none" and not visitor, _MISSING),
        (proof != "right" and visitor, "A visitor needs no proof: log in as somebody to see the 403."),
        (visitor and not visitors, "The workspace shows the Messenger to nobody who is not logged in."),
        (unreachable, "Nothing on the page opens the Messenger now: switch the own button on."),
        (load == "interaction", "The Messenger waits for the first pointer, key or scroll."),
        (load == "manual", "The Messenger waits until the page calls intercomLoad(), for consent for example."),
    ]


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
