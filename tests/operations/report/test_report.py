"""The report: one page, whole, honest and safe."""

import re
from decimal import Decimal

import pytest

from tandem.desk import Difference
from tandem.market import Refusal
from tandem.operations import picture, summarise, write_report
from tandem.operations.run.chronicle import Chronicle
from tandem.operations.run.pairday import pair_days
from tandem.screening import Funnel, Step
from tandem.statistics import SimulatedNull

SECTIONS = ["figures", "equity", "spreads", "trades", "mornings", "refusals", "passports", "models", "parity"]


@pytest.fixture
def page(traded, tmp_path):
    write_report(tmp_path / "report.html", traded.store, traded.facts, parity=True)
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def test_every_chapter_is_there_and_the_contents_lead_to_it(page):
    assert re.findall(r'<section id="(\w+)"', page) == SECTIONS
    assert re.findall(r'<a href="#(\w+)"', page) == SECTIONS


def test_the_page_needs_nothing_from_outside(page):
    assert not re.findall(r'(?:src|href)="(?!#)[^"]*"', page)
    assert "<script" not in page
    assert "@import" not in page
    assert set(re.findall(r"https?://[^\s\"<]+", page)) <= {"http://www.w3.org/1999/xlink"}


def test_every_reference_within_a_picture_is_answered_there(page):
    for drawing in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        asked = set(re.findall(r"url\(#(\w+)\)", drawing)) | set(re.findall(r'xlink:href="#(\w+)"', drawing))
        assert asked <= set(re.findall(r' id="(\w+)"', drawing))


def test_pictures_take_their_colours_from_the_page(page):
    drawings = "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    assert "var(--ink)" in drawings
    assert not re.findall(r"(?:fill|stroke): #(?!000000|ffffff)[0-9a-f]{6}", drawings)


def test_lines_break_where_no_signal_was_given(traded, page):
    (seen,) = pair_days(Chronicle.of(traded.store, traded.facts), ())
    assert [len(stretch) for stretch in seen.stretches] == [3, 1, 1]
    assert page.count("no signal") == 4  # twice, on the narrow picture and on the wide one


def test_a_loss_is_called_a_loss(page):
    assert 'It lost <span class="loss">$18.00</span> after costs' in page


def test_few_sessions_are_said_to_prove_nothing(page):
    assert "2 sessions prove nothing about profit" in page


def test_what_others_wrote_is_escaped(traded, tmp_path):
    traded.note(Refusal("<b>bold</b>", "<script>alert('x')</script> & \"more\"", "risk"), "9:50")
    write_report(tmp_path / "report.html", traded.store, traded.facts, limits="<i>limits</i>")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; &quot;more&quot;" in page
    assert "&lt;i&gt;limits&lt;/i&gt;" in page


def test_the_same_facts_give_the_same_page(traded, page, tmp_path):
    write_report(tmp_path / "again.html", traded.store, traded.facts, parity=True)
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == page


def test_differences_between_two_worlds_are_listed(traded, tmp_path):
    different = [Difference("2023-01-25 09:36 fill x#1", "12 shares", "absent")]
    write_report(tmp_path / "r.html", traded.store, traded.facts, parity=False, differences=different)
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "did not trade alike" in page
    assert "2023-01-25 09:36 fill x#1" in page


def test_a_wide_screen_says_how_much_of_it_is_luck(traded, tmp_path):
    funnel = Funnel((Step("pairs", 2000), Step("score", 7)), 1900, 35, 95.0, SimulatedNull(51.0, 10.0, 400))
    write_report(tmp_path / "r.html", traded.store, traded.facts, yearly=funnel)
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "35 of 1,900 tested pairs have p &lt; 0.05; luck alone gives about 51." in page


def test_a_world_without_facts_has_a_page_too(diary, tmp_path):
    write_report(tmp_path / "r.html", diary.store, diary.facts)
    assert "Nothing was traded" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_an_open_position_is_on_the_page(open_position, tmp_path):
    write_report(tmp_path / "r.html", open_position.store, open_position.facts)
    assert "Still open: AAA/BBB, long the spread since Wed 25 Jan 09:35" in (tmp_path / "r.html").read_text("utf-8")


def test_the_picture_is_a_png_or_an_svg_by_its_name(traded, tmp_path):
    for name, start in (("p.png", b"\x89PNG"), ("p.svg", b"<?xml")):
        assert picture(tmp_path / name, traded.store, traded.facts) == tmp_path / name
        assert (tmp_path / name).read_bytes().startswith(start)


def test_without_a_watched_pair_there_is_no_picture(diary, tmp_path):
    assert picture(tmp_path / "p.png", diary.store, diary.facts) is None
    assert not (tmp_path / "p.png").exists()


def test_a_summary_made_before_is_the_one_shown(traded, tmp_path):
    summary = summarise(traded.store, traded.facts, bars_replayed=9_360, seconds=44.0)
    write_report(tmp_path / "r.html", traded.store, traded.facts, summary=summary)
    page = (tmp_path / "r.html").read_text("utf-8")
    assert "9,360" in page
    assert "44 s" in page
    assert summary.net_pnl == Decimal(-18)
