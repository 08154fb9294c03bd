"""Flask-Login and Flask-SQLAlchemy: whoever is logged in is a row, and its columns say who they are."""

from datetime import UTC, datetime

from flask import Flask, redirect, render_template_string, request
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from segment_intercom import SegmentIntercom


class Base(DeclarativeBase):
    pass


PAGE = "<title>Shop</title><h1>Hello {{ current_user.name }}</h1>{{ intercom_snippet() }}"
db, login, intercom = SQLAlchemy(model_class=Base), LoginManager(), SegmentIntercom()


class User(UserMixin, db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str] = mapped_column(default="never sent")
    created_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))


@login.user_loader
def load(user_id):
    return db.session.get(User, int(user_id))


intercom.user_loader(lambda: current_user)


def create_app(**config):
    app = Flask(__name__)
    app.config.from_mapping(SECRET_KEY="change me", SQLALCHEMY_DATABASE_URI="sqlite://", **config)
    db.init_app(app)
    login.init_app(app)
    intercom.init_app(app)

    @app.get("/")
    def home():
        return render_template_string(
            "<title>Shop</title><h1>Hello {{ current_user.name }}</h1>{{ intercom_snippet() }}"
        )

    @app.post("/login")
    def log_in():
        login_user(db.session.scalars(db.select(User).filter_by(email=request.form["email"])).one())
        intercom.track("Logged In")
        return redirect("/")

    @app.post("/logout")
    def log_out():
        logout_user()
        return intercom.logout(redirect("/"))

    with app.app_context():
        db.create_all()
        db.session.add(User(id=42, email="ann@example.com", name="Ann"))
        db.session.commit()
    return app
