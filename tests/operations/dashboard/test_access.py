"""Who is let in, and what a form must carry."""

import pytest
import requests

from tandem.config import Settings
from tandem.market import ConfigError, WorldKind
from tandem.operations.dashboard import access
from tandem.operations.dashboard.server import check
from tandem.risk import Standing, Switch

TOKEN = "open, please, it is me"


@pytest.fixture
def world(store):
    return store.new_world(WorldKind.RECYCLER)


def halt(visitor, world, **changed):
    form = {"csrf": visitor.csrf(), "world": str(world), "by": "Ada", "why": "a feeling", "back": "/pairs", **changed}
    return visitor.post("/switch/halt", data=form)


def test_a_halt_is_a_fact_with_the_persons_name(store, serve, world):
    with serve(store) as visitor:
        answer = halt(visitor, world)
        assert (answer.status_code, answer.headers["location"]) == (303, "/pairs")
        (record,) = store.facts(world).read(Switch)
        assert record.body == Switch(Standing.HALTED, "a feeling", "Ada")
        html = visitor.get("/").text
        assert f"{world} takes no entries from its next decision on." in html
        assert 'value="Ada"' in html
        assert "takes no entries" not in visitor.get("/").text


@pytest.mark.parametrize(("what", "standing"), [("resume", Standing.ARMED), ("flatten", Standing.FLATTEN)])
def test_so_are_resume_and_flatten(store, serve, world, what, standing):
    with serve(store) as visitor:
        visitor.post(f"/switch/{what}", data={"csrf": visitor.csrf(), "world": str(world), "by": "Ada"})
    assert [record.body.standing for record in store.facts(world).read(Switch)] == [standing]


def test_a_form_without_the_visits_own_mark_changes_nothing(store, serve, world):
    with serve(store) as visitor, serve(store) as other:
        assert halt(visitor, world, csrf="").status_code == 403
        assert halt(visitor, world, csrf=other.csrf()).status_code == 403
        stolen = visitor.csrf()
        visitor.cookies.clear()
        assert halt(visitor, world, csrf=stolen).status_code == 403
    assert store.facts(world).read(Switch) == []


def test_nobody_is_not_a_name_and_nowhere_not_a_world(store, serve, world):
    with serve(store) as visitor:
        assert halt(visitor, world, by="  ").status_code == 400
        assert halt(visitor, "recycler-99").status_code == 400
        assert (
            visitor.post("/switch/dance", data={"csrf": visitor.csrf(), "world": str(world), "by": "Ada"}).status_code
            == 400
        )
        assert visitor.post("/switch/halt", data=b"x" * 40_000).status_code == 413
        assert visitor.post("/switch/halt", data=b"\xff\xfe").status_code in (400, 403)
    assert store.facts(world).read(Switch) == []


@pytest.mark.parametrize("back", ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example", ""])
def test_a_form_leads_back_to_this_site_alone(store, serve, world, back):
    with serve(store) as visitor:
        assert halt(visitor, world, back=back).headers["location"] == "/"


def test_nothing_changes_by_looking(store, serve, world):
    with serve(store) as visitor:
        assert visitor.get("/switch/halt").status_code == 200
        assert visitor.get("/recycler/tell").status_code in (404, 405)
    assert store.facts(world).read(Switch) == []


def test_the_cookie_is_for_this_site_and_no_script(empty):
    cookie = empty.get("/").headers["set-cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=strict", "Max-Age=43200"} <= set(cookie.split("; "))
    assert "set-cookie" not in empty.get("/").headers


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", ""])
def test_on_loopback_a_foreign_host_name_is_refused(empty, host):
    assert empty.get("/", headers={"host": host}).status_code in (400, 421)


@pytest.mark.parametrize("host", ["localhost", "localhost:1", "127.0.0.1:9", "[::1]:9", "LOCALHOST"])
def test_its_own_names_are_answered(empty, host):
    assert empty.get("/", headers={"host": host}).status_code == 200


def test_beyond_loopback_any_name_is_answered_to_who_has_the_token(store, serve):
    with serve(store, host="0.0.0.0", token=TOKEN) as visitor:
        assert visitor.get("/", headers={"host": "desk.example"}).headers["location"] == "/login"
        assert visitor.get("/events/desk", headers={"accept": "text/event-stream"}).status_code == 401
        assert visitor.get("/charts/equity", headers={"accept": "*/*"}).status_code == 401
        assert visitor.post("/switch/halt", data={}).status_code == 401
        assert visitor.get("/health").status_code == 200
        wrong = visitor.post("/login", data={"token": "a wrong one"})
        assert (wrong.status_code, "set-cookie" in wrong.headers) == (403, False)
        right = visitor.post("/login", data={"token": TOKEN})
        assert (right.status_code, right.headers["location"]) == (303, "/")
        cookie = right.headers["set-cookie"]
        assert TOKEN not in cookie
        assert {"HttpOnly", "SameSite=strict"} <= set(cookie.split("; "))
        page = visitor.get("/")
        assert page.status_code == 200
        assert TOKEN not in page.text
        assert visitor.post("/logout", data={"csrf": visitor.csrf()}).status_code == 303
        assert visitor.get("/").status_code == 303


@pytest.mark.parametrize("path", ["/metrics", "/charts/equity", "/health", "/static/page.js", "/nowhere", "/"])
def test_an_open_page_keeps_its_buttons_whatever_programs_ask_for(store, serve, world, monkeypatch, path):
    monkeypatch.setattr(access, "MOST_SESSIONS", 2)
    with serve(store) as visitor:
        csrf = visitor.csrf()
        for _ in range(3):
            asked = requests.get(visitor.url + path, headers={"accept": "*/*"}, timeout=20)
            assert "set-cookie" not in asked.headers
        assert visitor.post("/switch/halt", data={"csrf": csrf, "world": str(world), "by": "Ada"}).status_code == 303


def test_a_visit_that_is_used_outlives_those_that_are_not(store, serve, world, monkeypatch):
    monkeypatch.setattr(access, "MOST_SESSIONS", 2)
    with serve(store) as visitor:
        csrf = visitor.csrf()
        for _ in range(3):
            requests.get(visitor.url, headers={"accept": "text/html"}, timeout=20)
            visitor.get("/charts/equity")
        assert visitor.post("/switch/halt", data={"csrf": csrf, "world": str(world), "by": "Ada"}).status_code == 303


def guess(visitor, address="127.0.0.1", token="a wrong one"):
    return visitor.post("/login", data={"token": token}, headers={"x-forwarded-for": address}).status_code


def test_who_guesses_is_told_so_and_locks_out_nobody(store, serve):
    with serve(store, token=TOKEN) as visitor:
        assert {guess(visitor, "192.0.2.1") for _ in range(9)} == {403}
        assert guess(visitor, "192.0.2.1") == 429
        assert guess(visitor, "192.0.2.2") == 403
        asked = {"authorization": "Bearer wrong", "accept": "*/*", "x-forwarded-for": "192.0.2.1"}
        assert visitor.get("/metrics", headers=asked).status_code == 429
        assert visitor.get("/metrics", headers={**asked, "authorization": f"Bearer {TOKEN}"}).status_code == 200
        assert guess(visitor, "192.0.2.2", TOKEN) == 303
        assert guess(visitor, "192.0.2.1", TOKEN) == 303


def test_a_minute_later_a_wrong_token_is_a_mistake_again(monkeypatch):
    guesses = access.Guesses()
    for _ in range(access.MOST_FAILURES):
        guesses.add("192.0.2.1")
    assert guesses.are_many("192.0.2.1")
    monkeypatch.setattr(access, "FAILURES_SECONDS", 0.0)
    assert not guesses.are_many("192.0.2.1")


def test_of_guesses_only_the_last_addresses_are_remembered(monkeypatch):
    monkeypatch.setattr(access, "MOST_ADDRESSES", 3)
    guesses = access.Guesses()
    for number in range(20):
        guesses.add(f"192.0.2.{number}")
    assert len(guesses._of) == 3


def test_a_host_beyond_this_machine_needs_a_token():
    with pytest.raises(
        ConfigError, match=r"dashboard.host 0.0.0.0 is beyond this machine. Set TANDEM_DASHBOARD__TOKEN"
    ):
        check(Settings.model_validate({"dashboard": {"host": "0.0.0.0"}}))
    check(Settings.model_validate({"dashboard": {"host": "0.0.0.0", "token": TOKEN}}))
    check(Settings.model_validate({"dashboard": {"host": "::1"}}))
