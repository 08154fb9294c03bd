"""The wheel holds all that an installation needs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
# What somebody would do first, in an environment that holds nothing else.
SCRIPT = """
from pathlib import Path
import segment_intercom
from flask import Flask
from segment_intercom import SegmentIntercom, assets

assert Path(segment_intercom.__file__).is_relative_to(Path.cwd() / "env"), segment_intercom.__file__
app = Flask("shop")
app.config.update(INTERCOM_APP_ID="abc12345", INTERCOM_IDENTITY_SECRET="not-a-real-secret")
SegmentIntercom(app)
with app.test_request_context():
    print(app.jinja_env.from_string("{{ intercom_snippet({'id': 'u'}) }}").render())
print(app.test_client().get("/segment-intercom/loader.js").status_code)
print(sorted(path.name for path in assets.templates().iterdir()))
print(Path(segment_intercom.__file__).with_name("py.typed").exists())
"""

DESCRIPTION = "from importlib.metadata import metadata; print(metadata('segment-intercom').get_payload())"


def test_installed_wheel_serves_snippet_and_loader(tmp_path: Path) -> None:
    """Its templates, its marker for types, its description and its command are there as well."""

    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run(sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(ROOT))
    (wheel,) = tmp_path.glob("*.whl")
    run(sys.executable, "-m", "venv", "env")
    python = str(tmp_path / "env" / "bin" / "python")
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel))
    lines = run(python, "-c", SCRIPT).splitlines()
    assert lines[0].startswith("<script>/*<![CDATA[*/(()=>{")
    described = run(python, "-c", DESCRIPTION)
    assert "What becomes of a trait (`docs/traits.md`)" in described
    assert re.findall(r"\]\((?!https?:)", described) == [], "a link that leads nowhere on a package index"
    assert lines[1:] == ["200", "['demo', 'sandbox']", "True"]
    assert "segment-intercom, version 0.1.0" in run(str(tmp_path / "env/bin/segment-intercom"), "--version")
