"""An application factory with blueprints: one extension, made once, for whatever application it is given."""

from flask import Blueprint, Flask, render_template_string, session

from segment_intercom import SegmentIntercom

intercom = SegmentIntercom()
shop = Blueprint("shop", __name__)
admin = Blueprint("admin", __name__, url_prefix="/admin")
PAGE = "<!doctype html><title>{{ title }}</title><body><h1>{{ title }}</h1></body>"


@intercom.user_loader
def load_user():
    return {"id": session["user_id"], "email": session["email"]} if "user_id" in session else None


@shop.get("/")
def home():
    return render_template_string(PAGE, title="Shop")


@shop.post("/login")
def log_in():
    session.update(user_id="42", email="ann@example.com")
    intercom.track("Logged In")  # of whom the loader names by now
    return "", 204


@admin.get("/")
def orders():
    return render_template_string(PAGE, title="Orders")


def create_app(**config):
    app = Flask(__name__)
    app.config.from_mapping(
        # Every page gets the Messenger, but for those of the team.
        {"SECRET_KEY": "change me", "INTERCOM_AUTO_INCLUDE": True, "INTERCOM_EXCLUDE": ["/admin"], **config}
    )
    intercom.init_app(app)
    app.register_blueprint(shop)
    app.register_blueprint(admin)
    return app
