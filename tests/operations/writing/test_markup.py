"""HTML by functions escapes what it did not make."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from tandem.operations.writing.markup import element, join, table

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]))


class Reader(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.text, self.values = [], "", []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.values += [value for _, value in attrs]

    def handle_data(self, data):
        self.text += data


@given(TEXT, TEXT.filter(bool))
def test_no_text_becomes_an_element(content, title):
    read = Reader(element("p", content, title=title))
    assert (read.tags, read.text, read.values) == (["p"], content, [title])


def test_elements_within_elements_stay():
    assert element("p", "a < ", element("b", "b & c")) == "<p>a &lt; <b>b &amp; c</b></p>"


def test_pieces_are_joined_each_by_its_kind():
    assert join(["<", element("br")], ", ") == "&lt;, <br>"


def test_a_table_marks_its_figures():
    assert table(["Name", ">Sum"], [["a", "1"]]) == (
        '<div class="scroll"><table><thead><tr><th>Name</th><th class="figure">Sum</th></tr></thead>'
        '<tbody><tr><th scope="row">a</th><td class="figure">1</td></tr></tbody></table></div>'
    )
