"""A page that is cached in public: it names nobody, and asks the extension's own route who is logged in."""

from flask import Flask, make_response, render_template_string

from segment_intercom import SegmentIntercom


def create_app(**config):
    app = Flask(__name__)
    app.config.from_mapping(config)
    SegmentIntercom(app).user_loader(lambda: {"id": 42, "email": "ann@example.com"})

    @app.get("/")
    def home():
        page = render_template_string("<title>Shop</title><h1>Hello</h1>{{ intercom_snippet(remote=True) }}")
        answer = make_response(page)
        answer.headers["Cache-Control"] = "public, max-age=3600"
        return answer

    return app
