"""The laws of the layout: who may import whom, how long things may be, and no state of modules."""

from __future__ import annotations

import ast
import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "segment_intercom"
# Lowest first. A module imports only what stands before it; the sandbox stands apart.
ORDER = (
    "errors",
    "diagnostics",
    "memo",
    "forks",
    "spec",
    "assets",
    "_validators",
    "intercom_keys",
    "settings",
    "calls",
    "_json",
    "traits",
    "identity",
    "messenger",
    "serialize",
    "tracing",
    "transport",
    "outbox",
    "api",
    "partition",
    "metrics",
    "delivery",
    "at_exit",
    "ingest",
    "analytics",
    "collector",
    "replay",
    "bulk",
    "web",
    "integrations",
    "sandbox",
    "testing",
    "demo",
    "doctor",
    "cli",
)
SANDBOX_MAY_IMPORT = {"errors", "assets"}
ONLY_IN = {
    "flask": {"integrations", "sandbox", "demo", "cli"},
    "werkzeug": {"integrations", "sandbox", "testing", "demo", "cli"},
    "jinja2": {"web", "integrations"},
    "markupsafe": {"web", "integrations", "demo"},
    "jwt": {"identity", "sandbox", "doctor"},
    "socket": {"cli"},  # which asks whether a port is free, before it says that something listens there
    "urllib3": {"transport"},
    "sqlite3": {"outbox"},
    # The doctor opens one page, the one that it was asked to look at; NATS may have an authority of its own.
    "http": {"doctor"},
    "ssl": {"doctor", "outbox"},
    "hmac": {"sandbox"},
}
FILES = sorted(PACKAGE.rglob("*.py"))
PARSED = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def module_of(path: Path) -> str:
    """The name in ORDER to which a file belongs."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[bool, str]]:
    """Each import of a file: whether it is of this package, and the first name of what it imports."""
    depth = len(path.relative_to(PACKAGE).parts)
    for node in ast.walk(PARSED[path]):
        if isinstance(node, ast.Import):
            yield from ((False, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield False, str(node.module).partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.level == depth:
            yield from ((True, str(node.module or alias.name).partition(".")[0]) for alias in node.names)


def ids(value: object) -> str:
    return str(value.relative_to(PACKAGE)) if isinstance(value, Path) else str(value)


INNER = [path for path in FILES if path.name not in ("__init__.py", "__main__.py") or path.parent != PACKAGE]


def test_every_module_stands_in_order() -> None:
    assert {module_of(path) for path in INNER} == set(ORDER)


@pytest.mark.parametrize("path", INNER, ids=ids)
def test_imports_point_down(path: Path) -> None:
    own = module_of(path)
    imported = {name for ours, name in imports(path) if ours and name != own}
    allowed = SANDBOX_MAY_IMPORT if own == "sandbox" else set(ORDER[: ORDER.index(own)])
    assert imported <= allowed


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_a_framework_stays_in_its_modules(path: Path) -> None:
    for ours, name in imports(path):
        if not ours and name in ONLY_IN:
            assert module_of(path) in ONLY_IN[name], f"{name} is imported"


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_imports_stand_at_the_top(path: Path) -> None:
    functions = (node for node in ast.walk(PARSED[path]) if isinstance(node, FUNCTION))
    inside = [
        node.lineno
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert inside == []


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_modules_and_functions_stay_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 400
    for node in ast.walk(PARSED[path]):
        if isinstance(node, FUNCTION):
            assert (node.end_lineno or node.lineno) - node.body[0].lineno < 40, node.name


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_no_state_of_a_module(path: Path) -> None:
    """A function never rebinds a name of its module, and a name in small letters is never a container to fill."""
    for node in ast.walk(PARSED[path]):
        assert not isinstance(node, ast.Global), node.lineno
    for node in PARSED[path].body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        filled = isinstance(getattr(node, "value", None), ast.Dict | ast.List | ast.Set)
        assert not (filled and any(isinstance(target, ast.Name) and target.id.islower() for target in targets)), (
            node.lineno
        )


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_public_names_have_docstrings(path: Path) -> None:
    assert ast.get_docstring(PARSED[path]), "the module"
    if module_of(path) == "_validators":  # twelve predicates whose names say it
        return
    for node in itertools.chain(*(getattr(item, "body", []) for item in [PARSED[path]])):
        if isinstance(node, FUNCTION | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name


WORDS = {"found", "one", "other", "each", "given", "kept", "named"}
ROOT = PACKAGE.parent
OF_THE_HOUSE = sorted(path for name in (PACKAGE.name, "tests", "benchmarks") for path in (ROOT / name).rglob("*.py"))


@pytest.mark.parametrize("path", OF_THE_HOUSE, ids=lambda path: str(path.relative_to(ROOT)))
def test_variables_avoid_vague_names(path: Path) -> None:
    """In the package, its tests and its benchmarks."""
    nodes = [*ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    arguments = {node.arg for node in nodes if isinstance(node, ast.arg)}
    assert (stored | arguments).isdisjoint(WORDS)


TESTS = sorted(Path(__file__).parent.rglob("test_*.py"))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_test_names_have_six_words(path: Path) -> None:
    """At most: a name that says more is a docstring."""
    names = [node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, FUNCTION)]
    assert [name for name in names if name.startswith("test_") and name.count("_") > 6] == []


def test_public_class_names_are_unique() -> None:
    names = [
        node.name
        for tree in PARSED.values()
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    assert sorted(names) == sorted(set(names))


def test_operations_contain_no_path_placeholder() -> None:
    """So that none reaches delivery with a literal ``{contact_id}`` in its path."""
    for path, tree in PARSED.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Operation":
                texts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
                assert not any("{" in text for text in texts if isinstance(text, str)), (path, node.lineno)


def test_calls_load_no_web_framework() -> None:
    script = (
        "import sys, segment_intercom.calls; print(*{'flask', 'werkzeug', 'jinja2', 'markupsafe'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
