"""A React front end: Flask renders one page that says who is there, and the routes of React tell what they show."""

from flask import Flask, render_template_string

from segment_intercom import SegmentIntercom

PAGE = """<!doctype html>
<title>Shop</title>
<div id="root"></div>
{{ analytics_snippet(user, page=False) }}
<script src="https://cdn.jsdelivr.net/npm/react@18/umd/react.production.min.js"></script>
<script src="https://cdn.jsdelivr.net/npm/react-dom@18/umd/react-dom.production.min.js"></script>
<script>
  const { createElement, useEffect, useState } = React;
  function Shop() {
    const [view, show] = useState("Home");
    useEffect(() => void analytics.page(view), [view]); // with a router: [location.pathname]
    return createElement("main", null,
      createElement("h1", null, view),
      createElement("button", { onClick: () => show("Prices") }, "Prices"),
      createElement("button", { onClick: () => analytics.track("Order Completed", { revenue: 19.99 }) }, "Buy"));
  }
  ReactDOM.createRoot(document.getElementById("root")).render(createElement(Shop));
</script>"""


def create_app(**config):
    app = Flask(__name__)
    app.config.from_mapping(config)
    SegmentIntercom(app)

    @app.get("/")
    def home():
        return render_template_string(PAGE, user={"id": 42, "email": "ann@example.com"})

    return app
