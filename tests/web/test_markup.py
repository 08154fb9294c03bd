"""The end of a page's body: the last tag of that name, and nothing that only looks like it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segment_intercom.web.markup import end_of_body

END = "</body>"


@pytest.mark.parametrize(
    "after",
    [
        "<!-- </body> -->",
        "<!-- </body>",
        "<script>var a = '</body>'</script>",
        "<script>var a = '</body>'",
        "<style>p:after { content: '</body>' }</style>",
        "<textarea></body></textarea>",
        "<title></body></title>",
        "<template><p></body></p></template>",
        "<a title='</body>'>x</a>",
        '<a title = "a > b </body>">x</a>',
        "<iframe></body></iframe>",
        "<plaintext></body>",
        "< /body> </bodyx> <\\/body>",
        "<a title='</body>",
    ],
)
def test_lookalike_body_ends_are_ignored(after: str) -> None:
    page = "<!doctype html><body>Text"
    assert end_of_body(page + END + after) == len(page)
    assert end_of_body(page + after) is None


@pytest.mark.parametrize("tag", ["</body>", "</BODY >", "</body\n>", "</body x='y'>"])
def test_the_last_tag_counts(tag: str) -> None:
    page = "<body><p don't>a</p><!--> </body> <b>"
    assert end_of_body(page + tag + "</html>") == len(page)


@given(st.text(st.sampled_from("<>/!-='\"bodyscripttemplate \n"), max_size=60))
def test_any_text_has_an_answer(text: str) -> None:
    end = end_of_body(text)
    assert end is None or text[end:].lower().startswith("</body")


@pytest.mark.parametrize(
    "piece", ["<", "<a ", "<!--", "<a b='", "<script>", "</body", "<template>", '="', "<textarea "]
)
def test_hostile_page_takes_linear_time(piece: str) -> None:
    def seconds(size: int) -> float:
        text, begin = piece * (size // len(piece)), time.perf_counter()
        end_of_body(text)
        return time.perf_counter() - begin

    small = min(seconds(200_000) for _ in range(3))
    assert min(seconds(800_000) for _ in range(2)) < max(16 * small, 0.5)
