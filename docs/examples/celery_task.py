"""A Celery task returns when Intercom has the call; what fails is tried again by Celery, and no worker of ours runs."""

from celery import Celery
from flask import Flask

from segment_intercom import Analytics, DeliveryError, Settings

celery = Celery("shop", broker="memory://")


@celery.task(autoretry_for=(DeliveryError,), retry_backoff=True, max_retries=5)
def paid(user_id, amount):
    # From the configuration of Celery's own process: a token has no business in a broker.
    analytics = Analytics(Settings.from_mapping({**celery.conf.intercom, "INTERCOM_DELIVER": "now"}))
    analytics.track(user_id, "Paid", {"revenue": amount, "currency": "EUR"})


def create_app(**config):
    app = Flask(__name__)
    app.config.from_mapping(config)
    celery.conf.intercom = config

    @app.post("/pay")
    def pay():
        paid.delay("42", "19.99")
        return "", 202

    return app
