"""flask-talisman with a strict policy: the nonce is found by itself, and goes on to what the loader inserts."""

from flask import Flask, render_template_string
from flask_talisman import Talisman

from segment_intercom import SegmentIntercom, Settings, merge_csp

POLICY = "default-src 'self'; script-src 'strict-dynamic'; object-src 'none'; base-uri 'none'"


def create_app(**config):
    app = Flask(__name__)
    app.config.from_mapping(config)
    policy = merge_csp(POLICY, Settings.from_mapping(app.config))
    Talisman(app, content_security_policy=policy, content_security_policy_nonce_in=["script-src"], force_https=False)
    SegmentIntercom(app).user_loader(lambda: {"id": 42, "email": "ann@example.com"})

    @app.get("/")
    def home():
        return render_template_string("<title>Shop</title><h1>Hello</h1>{{ intercom_snippet() }}")

    return app
