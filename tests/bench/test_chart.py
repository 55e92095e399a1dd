from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from bench.book import Spread
from bench.chart import WIDTH, Bar, bars

SVG = "{http://www.w3.org/2000/svg}"
labels = st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=20)
spreads = st.lists(st.floats(0.1, 1e6), min_size=1, max_size=3).map(Spread.of)


@given(labels, st.lists(st.builds(Bar, labels, spreads), min_size=1, max_size=8))
def test_every_bar_is_drawn_inside_the_picture_and_named(title: str, every: list[Bar]) -> None:
    """Whatever a label holds, the chart is well-formed XML, with each bar in proportion and its name beside it."""
    root = ElementTree.fromstring(bars(title, "unit", every))
    drawn = [float(bar.attrib["width"]) for bar in root.iter(f"{SVG}rect")]
    assert len(drawn) == len(every)
    assert all(0 < width < WIDTH for width in drawn)
    by_length = sorted(range(len(every)), key=lambda place: every[place].spread.median)
    assert [drawn[place] for place in by_length] == sorted(drawn)
    texts = [text.text or "" for text in root.iter(f"{SVG}text")]
    assert all(bar.label in texts for bar in every)
