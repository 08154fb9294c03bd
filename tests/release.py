"""Is this fit to be released? ``python -m tests.release PYTHON ...`` builds it, looks at it, and runs it.

The sdist and the wheel are built into dist/, checked with twine and check-wheel-contents, and the wheel is installed
for each of these Pythons that there is; there the quickstart of README.md is run as it is written.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from urllib.request import urlopen

from segment_intercom.cli.serving import free_port

from .children import ROOT, children, is_running, is_served, wait_for

_SECONDS = 120.0


def main(pythons: Sequence[str]) -> int:
    """Build, look, install and run; 1 where anything is not as it should be."""
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    _run(sys.executable, "-m", "build", "--outdir", str(dist), str(ROOT))
    (wheel,) = dist.glob("*.whl")
    (sdist,) = dist.glob("*.tar.gz")
    _run(sys.executable, "-m", "twine", "check", "--strict", str(wheel), str(sdist))
    # The folders of templates and static files are its own; they are no packages.
    _run(sys.executable, "-m", "check_wheel_contents", "--ignore", "W004", str(wheel))
    installed = [_try_out(path, wheel) for python in pythons if (path := shutil.which(python)) is not None]
    missing = [python for python in pythons if shutil.which(python) is None]
    print(f"{wheel.name}: {', '.join(installed) or 'no Python to try it on'}")
    if missing:
        print(f"not tried, for they are not here: {', '.join(missing)}")
    return 0 if installed else 1


def _try_out(python: str, wheel: Path) -> str:
    """Install the wheel into an empty environment, and run the quickstart there; return the version of Python."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _run(python, "-m", "venv", str(place / "env"))
        own = place / "env/bin/python"
        _run(str(own), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel))
        _quickstart(place)
        return _run(str(own), "-c", "import platform; print(platform.python_version())").strip()


def _quickstart(place: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    code, console, shown = (next(text for kind, text in blocks if kind == name) for name in ("python", "console", "js"))
    (place / "app.py").write_text(code, encoding="utf-8")
    commands = [line.removeprefix("$ ") for line in console.splitlines() if line.startswith("$ ")]
    port, proof = free_port(), re.search(r'"user_hash":"\w+"', shown)
    assert proof is not None
    environment = {"PATH": f"{place / 'env/bin'}{os.pathsep}{os.environ['PATH']}", "FLASK_RUN_PORT": str(port)}
    with children() as family:
        process = family.start(["bash", "-c", "\n".join(commands)], cwd=place, env=environment, start_new_session=True)
        address = f"http://127.0.0.1:{port}/"
        wait_for(partial(is_served, address), partial(is_running, process), _SECONDS)
        with urlopen(address) as answer:
            assert proof[0] in answer.read().decode()


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
