"""Under gunicorn: the processes that answer pages only store calls, and one worker of its own delivers them.

    $ gunicorn --workers 4 "gunicorn_and_worker:create_app()"
    $ segment-intercom worker

Both read the same environment, INTERCOM_OUTBOX above all: a file of one machine, or the address of a database.
"""

from flask import Flask, render_template_string

from segment_intercom import SegmentIntercom

intercom = SegmentIntercom()


@intercom.user_loader
def load_user():
    return {"id": 42, "email": "ann@example.com"}


def create_app(**config):
    app = Flask(__name__)
    app.config.from_mapping({"INTERCOM_DELIVER": "worker", **config})
    intercom.init_app(app)

    @app.get("/")
    def home():
        return render_template_string("<!doctype html><title>Shop</title><h1>Shop</h1>{{ intercom_snippet() }}")

    @app.post("/orders")
    def order():
        intercom.track("Order Completed", {"revenue": "19.99", "currency": "EUR"})
        return "", 201

    return app
