"""The lab in a real browser: Chromium by Playwright, where both are found."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from test_lab import MATRIX, OWN, served

from nomoi.lab import report
from nomoi.play.transcript import replay
from nomoi.runs.store import Store

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed, so no browser is driven")
CHROMIUM = next((p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), None)
AUDIT = (Path(__file__).parent / "accessible.js").read_text()
WIDTHS = (1280, 640, 390)  # a desk, the same at 200 % zoom, and a phone
SLOW = 60_000  # milliseconds: programs are compiled meanwhile, on a machine that may be busy


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here, so nothing is tried in a browser")
    with sync_api.sync_playwright() as play:
        made = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    (folder / "mine.py").write_text(OWN)
    words = (
        "harvest",
        "--set",
        "situation.horizon=4",
        "--set",
        "situation.agents=3",
        "--seat",
        "person",
        "--own",
        "mine.py",
    )
    with served(folder, *words) as (_, links):
        yield folder, links


@pytest.fixture
def person(browser):
    """person() is a page of a browser of its own; at the end none has complained, or asked anybody else."""
    wrong, opened = [], []

    def come(link, **more):
        context = browser.new_context(reduced_motion="reduce", **more)
        page = context.new_page()
        opened.append(context)
        page.set_default_timeout(SLOW)
        here = re.match(r"http://[^/]+", link)[0]
        page.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: wrong.append(str(e)))
        page.on("request", lambda r: wrong.append(r.url) if not r.url.startswith((here, "data:")) else None)
        page.goto(link)
        return page

    yield come
    for context in opened:
        context.close()
    assert wrong == []


def ask(page, name, body):
    """A question of the host's page to the lab."""
    return page.evaluate(
        "async ([name, body]) => (await fetch(`/ask/${name}`, {method: 'POST', body: JSON.stringify(body)})).json()",
        [name, body],
    )


def sound(page, name):
    """Nothing stands in the way of anybody, in light and dark, on large and small screens."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(f"({AUDIT})()") == [], f"{name}, {scheme}, {width} pixels"
    page.set_viewport_size({"width": 1280, "height": 720})
    snapshot = page.locator("body").aria_snapshot()
    assert not re.search(NAMELESS, snapshot, re.M), snapshot


RING = """() => [document.activeElement, document.activeElement.closest('label')].some((e) => e === document.body
  || (e && parseFloat(getComputedStyle(e).outlineWidth) >= 2 && getComputedStyle(e).outlineStyle !== 'none'))"""
FOCUS = "document.activeElement.textContent"
NAMELESS = r"- (slider|textbox|combobox|checkbox|button|spinbutton|radio|img|link|log|region)( \[|:|$)"


def test_an_episode_by_keyboard_alone_is_kept_and_replays_bit_for_bit(lab, person):
    folder, (_, seat) = lab
    page = person(seat)
    page.get_by_role("button", name="I have read this").wait_for()
    sound(page, "the consent")
    assert "#" not in page.url  # the token stands in no history
    page.keyboard.press("Enter")
    for step, key in enumerate(("ArrowUp", "ArrowLeft", "e", " ")):
        page.locator("#happened", has_text=f"Turn {step + 1}.").wait_for()
        assert page.get_by_text("What your agent is told beside it, in numbers").is_visible()
        assert page.locator("#words").inner_text() == ""  # no vector stands in the way
        page.keyboard.press(key)
    said = page.locator("#over").inner_text()
    sound(page, "the end on land")
    record = Store(folder / "runs").pick(re.search(r"record is (\S+)\.", said)[1])
    told = report.session(record)
    moves = [line["answers"]["move"][0] for line in told.lived.lines if "step" in line]
    assert moves == [1, 3, 6, 0]
    assert [x["digest"] for x in replay(told.lived, told.situation).log] == [x["digest"] for x in told.lived.lines[:-1]]
    picture = page.get_by_role("img")
    assert "What you see" in picture.get_attribute("aria-label")


def test_what_a_stranger_wrote_is_built_followed_and_played_by_keyboard(lab, person):
    host = lab[1][0]
    page = person(host)
    page.get_by_role("button", name="Build and consequences").press("Enter")
    page.get_by_label("Who meets over what").focus()
    page.get_by_label("Who meets over what").select_option("contribution")
    page.locator("#s-multiplier").wait_for()
    page.get_by_label("Add:").select_option("tithe")
    page.get_by_role("button", name="Add it").press("Enter")
    consequences = page.locator("#consequences[aria-busy=false]")
    consequences.get_by_text("Everybody pays a share of what they earn into a fire.").wait_for()
    slider = page.locator("#i0-part")
    assert slider.get_attribute("type") == "range"
    page.get_by_role("heading", name="What follows: 16 worlds").wait_for()
    burnt = page.get_by_role("row", name=re.compile("^burnt ")).get_by_role("cell").first
    before = float(burnt.inner_text().split()[0])
    slider.press("End")  # everything is burnt
    page.locator("#consequences[aria-busy=true]").wait_for()
    consequences.wait_for()
    assert float(burnt.inner_text().split()[0]) == pytest.approx(10 * before, rel=0.02)
    assert '- slider "part"' in page.locator("main").aria_snapshot()
    page.locator("details").first.evaluate("(drawer) => { drawer.open = true; }")
    sound(page, "the workbench")
    page.keyboard.press("Tab")
    for _ in range(12):  # whoever goes on by keyboard sees where
        assert page.evaluate(RING)
        page.keyboard.press("Tab")
    page.reload()  # the setup stands in the address
    consequences.get_by_text("Everybody pays a share of what they earn into a fire.").wait_for()
    assert "situation=contribution&1=tithe&1.part=1" in page.url
    assert slider.input_value() == "1"
    page.get_by_role("button", name="Open a room").press("Enter")
    link = page.get_by_role("region", name="Room 2").get_by_role("link").get_attribute("href")
    seat = person(f"{host.split('/#')[0]}{link}")
    seat.get_by_role("button", name="I have read this").press("Enter")
    seat.get_by_role("radio").first.press(" ")
    seat.keyboard.press("Enter")
    seat.locator("#happened", has_text="Turn 2.").wait_for()
    end = page.get_by_role("region", name="Room 2").get_by_role("button", name="End", exact=True)
    end.dblclick()  # which asks, and puts the focus where nothing is done
    end.press("Enter")
    for key in ("Escape", "Enter", "Enter"):  # called off twice, and opened in between
        page.keyboard.press(key)
    assert page.evaluate(FOCUS) == "End"
    assert seat.locator("#over").count() == 0
    page.keyboard.press("Enter")
    page.get_by_role("group", name=re.compile("1 person is in it. What was played is kept")).wait_for()
    sound(page, "the question before the end")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    seat.locator("#over").wait_for()
    page.get_by_role("button", name="Records").press("Enter")
    kept = page.get_by_role("row", name=re.compile(r"contribution\s*session"))
    kept.get_by_role("button", name="page").press("Enter")
    page.frame_locator("iframe").get_by_text("What was played").wait_for()
    sound(page, "the records")


def test_two_play_under_a_contract_and_one_who_leaves_finds_the_same_state(lab, person):
    host = person(lab[1][0])
    host.locator("nav button").first.wait_for()
    room = ask(
        host,
        "room",
        {"plan": {"persons": 2, "deadline": 0, "hold": 60, "title": "contract", "talk": "always"}, "setup": MATRIX},
    )
    links = [f"{lab[1][0].split('#')[0]}{link}" for link in room["links"]]
    one, other = map(person, links)
    one.get_by_role("button", name="I have read this").press("Enter")
    host.get_by_role("button", name="Play and watch").press("Enter")
    host.get_by_text("seat 2: reading the consent").wait_for()
    shown = [card.get_attribute("aria-label") for card in host.locator("main > section").all()]
    assert (shown[0], shown[-1]) == (f"Room {room['name']}", "Room 1")  # the newest first
    host.get_by_role("region", name=f"Room {room['name']}").get_by_role("button", name="Start now").press("Enter")
    host.get_by_text("The consent is still being read at seat 2. Begin all the same?").wait_for()
    assert host.evaluate(FOCUS) == "Wait for them"
    other.get_by_role("button", name="I have read this").press("Enter")
    one.get_by_label("Say to all").wait_for()
    one.keyboard.type("let us <b>both</b> sign")  # where the focus is by then
    one.keyboard.press("Enter")
    other.get_by_role("log").get_by_text("seat 1: let us <b>both</b> sign").wait_for()
    sound(other, "talk")
    host.get_by_role("region", name=f"Room {room['name']}").get_by_text("You can talk").wait_for()
    assert host.evaluate(FOCUS).startswith("You can talk")  # the question went with its sense, and took no focus along
    sound(host, "the rooms")
    for page in (one, other):
        page.get_by_role("button", name="I am ready").press("Enter")
    one.get_by_role("radio", name="4").press(" ")
    one.keyboard.press("Enter")
    other.get_by_role("radio", name="yes").press(" ")
    other.keyboard.press("Enter")
    for page in (one, other):
        page.locator("#happened", has_text="Turn 3.").wait_for()
    seen = other.locator("#words").inner_text()
    other.goto("about:blank")
    one.locator("#said", has_text="Seat 2 is away; after 60 seconds a script takes over").wait_for(timeout=20_000)
    other.goto(links[1])
    one.locator("#said", has_text="Seat 2 is back").wait_for()
    other.locator("#happened", has_text="Turn 3.").wait_for()
    assert other.locator("#words").inner_text() == seen
    for page in (one, other):
        page.get_by_role("radio").first.press(" ")
        page.keyboard.press("Enter")
    one.locator("#happened", has_text="Turn 4.").wait_for()
    assert ask(host, "rooms", {})["rooms"][-1]["phase"] == "playing"
    assert json.dumps(room)


def test_a_formula_is_moved_by_keyboard(lab, person):
    page = person(lab[1][0])
    page.get_by_role("button", name="Formulas").press("Enter")
    page.get_by_label("Which").select_option("deferring")
    said = page.get_by_role("row", name=re.compile("^to whom knows ")).get_by_role("cell").first
    page.get_by_role("cell", name="0.198").wait_for()
    page.get_by_role("slider", name="mean (mu)").press("Home")
    page.get_by_role("cell", name="0.000382").wait_for()  # phi(3) - 3 (1 - Phi(3))
    assert said.inner_text() == "0.000382"
    assert "to whom knows is 0.000382 at mean -3" in page.get_by_role("img").get_attribute("aria-label")
    page.get_by_label("mean, exactly").fill("9")
    page.get_by_label("mean, exactly").press("Tab")
    page.get_by_role("alert").get_by_text("a number in [-3, 3] would be right").wait_for()


LATE = """(word) => {
  const quick = window.fetch;
  window.held = [];
  window.fetch = async (path, given) => {
    const answer = await quick(path, given);
    if (given?.body?.includes(word)) await new Promise((go) => window.held.push(go));
    return answer;
  };
}"""


def release(page):
    """Let the answers come that were held back."""
    page.wait_for_function("() => window.held.length")
    page.evaluate("() => window.held.splice(0).forEach((go) => go())")
    page.wait_for_timeout(300)


def test_an_answer_that_comes_late_shows_nothing_and_until_then_the_page_says_what_is_done(lab, person):
    page = person(lab[1][0])
    page.evaluate(LATE, "niche")  # the first formula
    page.get_by_role("button", name="Formulas").press("Enter")
    page.get_by_label("Which").select_option("deferring")
    page.get_by_role("cell", name="0.198").wait_for()
    release(page)
    assert page.get_by_role("cell", name="0.198").is_visible()
    assert page.get_by_role("slider", name="mean (mu)").is_visible()

    page.get_by_role("button", name="Build").press("Enter")
    page.get_by_label("Who meets over what").wait_for()
    page.evaluate(LATE, '"pool"')
    page.get_by_label("Who meets over what").select_option("pool")
    page.locator("#consequences .doing", has_text=re.compile(r"^[A-Z].*, [2-9] s so far\.$")).wait_for()
    assert "s so far" not in page.locator("#live").text_content()  # said aloud sparingly
    page.get_by_label("Who meets over what").select_option("matrix")
    page.get_by_role("heading", name="What follows: solved exactly").wait_for()
    release(page)
    assert page.get_by_label("Who meets over what").input_value() == "matrix"
    assert page.locator(".doing").count() == 0
    page.get_by_label("Who meets over what").select_option("pool")
    page.get_by_role("button", name="Records").press("Enter")
    release(page)
    assert page.url.endswith("#records")
