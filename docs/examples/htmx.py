"""htmx swaps the body of a page, with hx-boost: the snippet in it sends one update, and the Messenger stays."""

from flask import Flask, render_template_string

from segment_intercom import SegmentIntercom

PAGE = """<!doctype html>
<head>
  <title>{{ title }}</title>
  <script src="https://cdn.jsdelivr.net/npm/htmx.org@2/dist/htmx.min.js"></script>
</head>
<body hx-boost="true">
  <h1>{{ title }}</h1>
  <a href="/">Home</a> <a href="/prices">Prices</a>
  {{ intercom_snippet() }}
</body>"""


def create_app(**config):
    app = Flask(__name__)
    app.config.from_mapping(config)
    SegmentIntercom(app).user_loader(lambda: {"id": 42, "email": "ann@example.com"})
    app.add_url_rule("/", "home", lambda: render_template_string(PAGE, title="Home"))
    app.add_url_rule("/prices", "prices", lambda: render_template_string(PAGE, title="Prices"))
    return app
