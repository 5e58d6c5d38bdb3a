"""The pictures of docs/lab.md, from the lab as it is:

    python docs/screens.py docs

It needs Playwright and a Chromium.  Whoever changes a page of the lab draws them again, and looks at them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = next((p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), None)
TALK = """
title = "A fishery with a contract"
situation = "pool"
under = "contract(on=request,high=1,voters=0)"
set = ["situation.agents=3", "situation.horizon=20"]
persons = 3
talk = "before"
"""
SAID = ("Last time nothing was left after three turns.", "What about 0.3 a unit?", "0.3 is fine, if all three sign.")


@contextmanager
def served(folder: Path, *words: str, seats: int = 0) -> Iterator[list[str]]:
    """A lab, and its links: the host's, and those of its seats; above these stands the address for phones."""
    command = [sys.executable, "-c", "from nomoi.cli import main; main()", "lab", *words]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as lab:
        try:
            assert lab.stdout is not None
            lines = [lab.stdout.readline() for _ in range(2 + seats if seats else 1)]
            yield [re.findall(r"http://\S+", line)[0] for line in lines if "/join/" not in line]
        finally:
            lab.terminate()


def come(browser: Browser, link: str, width: int, height: int, dark: bool = False) -> Page:
    """A page of a browser of its own."""
    size = {"width": width, "height": height}
    page = browser.new_context(viewport=size, color_scheme="dark" if dark else "light").new_page()  # type: ignore[arg-type]
    page.set_default_timeout(120_000)
    page.goto(link)
    return page


def seated(browser: Browser, links: list[str], width: int, height: int, dark: bool = False) -> list[Page]:
    """All seats of a room, who have agreed; the first has the size of the picture."""
    pages = [come(browser, link, width, height, dark) for link in links]
    for page in pages:
        page.get_by_role("button", name="I have read this").click()
    return pages


def main(out: Path) -> None:
    """Draw all."""
    with sync_playwright() as play, tempfile.TemporaryDirectory() as home:
        browser, folder = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"]), Path(home)
        with served(folder) as links:
            page = come(browser, links[0], 1280, 800)
            page.get_by_text("What follows: solved exactly").wait_for()
            page.get_by_role("row", name=re.compile("^welfare")).wait_for()
            page.screenshot(path=out / "lab-build.png")
            page.set_viewport_size({"width": 1280, "height": 1080})
            page.get_by_role("button", name="Formulas").click()
            page.get_by_label("Which:").select_option("niche")
            page.locator(".curve").wait_for()
            page.screenshot(path=out / "lab-formulas.png")
        with served(folder, "--room", "commons", seats=5) as links:
            first = seated(browser, links[1:], 960, 590)[0]
            for key in ("ArrowUp", "c", "ArrowRight", "c", "ArrowUp", "c") * 2:
                first.wait_for_timeout(500)
                first.keyboard.press(key)
            first.locator("#happened", has_text="Turn 1").first.wait_for()
            first.screenshot(path=out / "lab-play.png")
        (folder / "talk.toml").write_text(TALK)
        with served(folder, "--room", "talk.toml", seats=3) as links:
            pages = seated(browser, links[1:], 390, 620, dark=True)
            for page, words in zip(pages, SAID, strict=True):
                page.get_by_label("Say to all").fill(words)
                page.keyboard.press("Enter")
                pages[0].get_by_text(words).wait_for()
            pages[0].screenshot(path=out / "lab-talk.png")
        browser.close()
    for name in ("build", "formulas", "play", "talk"):
        Image.open(path := out / f"lab-{name}.png").quantize(128).save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
