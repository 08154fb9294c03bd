"""Nothing loads, and nothing is stored, before somebody agrees; then the Messenger is there at once."""

from flask import Flask, render_template_string

from segment_intercom import SegmentIntercom

PAGE = """<title>Shop</title>
<p id="ask">May we open a chat for you? <button onclick="intercomLoad(); ask.remove()">Yes</button></p>
{{ analytics_snippet(load="manual") }}"""


def create_app(**config):
    app = Flask(__name__)
    app.config.from_mapping(config)
    SegmentIntercom(app).user_loader(lambda: {"id": 42, "email": "ann@example.com"})
    app.add_url_rule("/", "home", lambda: render_template_string(PAGE))
    return app
