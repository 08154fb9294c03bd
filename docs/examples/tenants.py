"""One application for many tenants, each with an Intercom workspace of their own: by the host, say, or by the path."""

from flask import Flask, render_template_string, request

from segment_intercom import SegmentIntercom


def create_app(workspace_of=None, **config):
    app = Flask(__name__)
    app.config.from_mapping(config)
    intercom = SegmentIntercom(app)
    intercom.user_loader(lambda: {"id": 42, "email": "ann@example.com"})
    # The app id of the tenant of this request, one of INTERCOM_WORKSPACES; None stands for INTERCOM_APP_ID.
    intercom.workspace_loader(lambda: (workspace_of or {}).get(request.view_args.get("tenant")))

    @app.get("/<tenant>")
    def home(tenant):
        intercom.track("Looked", {"tenant": tenant})
        return render_template_string("<title>Shop</title><h1>{{ tenant }}</h1>{{ intercom_snippet() }}", tenant=tenant)

    return app
