"""Beside Vue or Angular, which take {{ }} for themselves: Jinja gets other delimiters, and the helper is the same."""

from flask import Flask, render_template_string

from segment_intercom import SegmentIntercom

PAGE = """<!doctype html>
<title>Shop</title>
<div id="app">{{ message }} <button @click="ask">Ask us</button></div>
<script src="https://cdn.jsdelivr.net/npm/vue@3/dist/vue.global.prod.js"></script>
<script>
  Vue.createApp({ data: () => ({ message: "Hello" }), methods: { ask: () => Intercom("show") } }).mount("#app");
</script>
<< intercom_snippet(user) >>"""


def create_app(**config):
    app = Flask(__name__)
    app.config.from_mapping(config)
    app.jinja_options = {**app.jinja_options, "variable_start_string": "<<", "variable_end_string": ">>"}
    SegmentIntercom(app)

    @app.get("/")
    def home():
        return render_template_string(PAGE, user={"id": 42, "email": "ann@example.com"})

    return app
