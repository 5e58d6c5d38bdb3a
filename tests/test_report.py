"""Figures and pages: what they say, and that they need nothing from outside."""

import re
import warnings
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
import pytest
from PIL import Image

from nomoi.errors import Refusal
from nomoi.measure.statistics import estimate
from nomoi.report import figures, page, panels

STEPS = np.linspace(1e4, 5e5, 12)


def runs(seeds=3, labels=("nothing", "levy & more", "hidden <rule>", "contract", "altar")):
    r = np.random.default_rng(0)
    return {label: (STEPS, 10 * k + r.normal(0, 2, (seeds, 12)).cumsum(1)) for k, label in enumerate(labels)}


def words(text):
    """All text of an svg, which must be XML."""
    return [" ".join(node.itertext()).strip() for node in ET.fromstring(text).iter() if node.tag.endswith("text")]


def schelling():
    r = np.random.default_rng(1)
    return figures.schelling(
        np.arange(4), np.arange(4) + r.normal(0, 0.1, (5, 4)), 2 + np.arange(4) + r.normal(0, 0.1, (5, 4)),
        ("to the meek", "to the bold"), "apples", "Who gains",
    )  # fmt: skip


def test_curves_name_every_line():
    said = words(figures.svg(figures.curves(runs(), "apples", "Five regimes", {"script": 12.0, "random": -3.0})))
    for label in (*runs(), "script", "random", "Five regimes", "world steps"):
        assert label in said
    assert any("apples" in s and "95 %" in s and "3 seeds" in s for s in said)


def test_names_too_long_for_the_side_go_below():
    labels = [f"a regime whose name is much longer than there is room {k}" for k in range(4)]
    said = words(figures.svg(figures.curves(runs(labels=labels), "apples", "Long", {"script": 1.0})))
    assert {*labels, "script"} <= set(said)


def test_names_do_not_touch():
    wish = np.sort(np.random.default_rng(2).normal(0, 30, 9))
    placed = figures.spread(wish, 12.0)
    assert (np.diff(placed) >= 12 - 1e-9).all()
    np.testing.assert_allclose(placed.mean(), wish.mean())  # nothing drifts away
    np.testing.assert_allclose(figures.spread(np.array([0.0, 50.0]), 12.0), [0, 50])


@pytest.mark.parametrize("seeds", [1, 2, 8])
def test_bands_contain_the_mean(seeds):
    fig = figures.curves(runs(seeds), "apples", "Band")
    mean, low, high = figures._band(runs(seeds)["altar"][1])
    np.testing.assert_allclose(mean, runs(seeds)["altar"][1].mean(0))
    if seeds == 1:
        assert np.isnan(low).all()
        assert any("one seed" in s for s in words(figures.svg(fig)))
    else:
        assert ((low <= mean) & (mean <= high)).all()
    # the bands that are drawn are these, and up to five seeds have a line each
    ax = fig.axes[0]
    assert len(ax.collections) == 5
    assert len(ax.lines) == 5 * (1 + (seeds if 1 < seeds <= 5 else 0))


def test_intervals_are_those_of_the_statistics():
    table = {label: values[:, -1] for label, (_, values) in runs(4).items()}
    drawn = {}
    for given in (table, {label: estimate(v) for label, v in table.items()}):
        fig = figures.intervals(given, "apples", "At the end", {"script": 20.0})
        said = words(figures.svg(fig))
        assert {*table, "script", "At the end"} <= set(said)
        for row, values in enumerate(table.values()):
            e = estimate(values)
            drawn = [line for line in fig.axes[0].lines if len(line.get_xdata()) == 2 and line.get_ydata()[0] == row]
            np.testing.assert_allclose(drawn[0].get_xdata(), [e.low, e.high])
            assert e.low <= e.mean <= e.high


def test_a_schelling_diagram_adds_up():
    fig = schelling()
    said = words(figures.svg(fig))
    assert {"to the meek", "to the bold", "mean of all 4", "Who gains"} <= set(said)
    cooperate, defect, welfare = (line.get_ydata() for line in fig.axes[0].lines)
    assert welfare[0] == pytest.approx(defect[0])  # nobody cooperates: all get what a lone defector gets
    assert welfare[4] == pytest.approx(cooperate[3])
    assert welfare[2] == pytest.approx((cooperate[1] + defect[2]) / 2)


def test_what_is_not_defined_does_not_break_a_figure():
    series = {
        "all": (STEPS, np.full((3, 12), np.nan)),
        "some": (STEPS, np.where(STEPS < 2e5, np.ones((3, 12)), np.nan)),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        said = words(figures.svg(figures.curves(series, "share", "Gaps")))
        figures.svg(figures.curves({}, "share", "Nothing"))
        figures.svg(figures.intervals({"none": [np.nan], "one": [1.0]}, "share", "Few"))
    assert "some" in said
    assert any(s.startswith("all") for s in said)


def test_lines_pass_over_what_is_not_defined():
    values = np.ones((3, 12))
    values[:, 3] = np.nan
    last = np.where(np.arange(12) < 11, np.nan, np.arange(3)[:, None])
    lines = figures.curves({"gap": (STEPS, values), "last": (STEPS, last)}, "share", "Gaps").axes[0].lines
    assert [len(line.get_xdata()) for line in lines] == [11] * 4 + [1] * 4
    assert all(line.get_marker() == ("o" if len(line.get_xdata()) == 1 else "None") for line in lines)


def test_a_label_keeps_its_colour():
    full, part = runs(1), {"altar": runs(1)["altar"]}
    tones = [figures.curves(x, "u", "t", labels=list(full)).axes[0].lines[-1].get_color() for x in (full, part)]
    assert tones[0] == tones[1] == figures.COLOURS[4]
    assert figures.intervals({"altar": [1.0]}, "u", "t", labels=list(full)).axes[0].lines[-1].get_color() == tones[0]


def test_svgs_stand_alone_and_side_by_side():
    first = figures.svg(figures.curves(runs(), "apples", "One"))
    second = figures.svg(figures.curves(runs(), "apples", "Two"))
    assert first == figures.svg(figures.curves(runs(), "apples", "One"))
    ids = [set(re.findall(r'\bid="([^"]+)"', text)) for text in (first, second)]
    assert ids[0]
    assert not ids[0] & ids[1]
    for text, mine in zip((first, second), ids, strict=True):
        assert text.startswith("<svg")
        used = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text))
        assert {a or b for a, b in used} <= mine
        assert not outside(text)


def test_drawing_leaves_no_state_behind(tmp_path):
    before = dict(matplotlib.rcParams)
    path = figures.png(figures.curves(runs(), "apples", "One"), tmp_path / "one.png")
    assert dict(matplotlib.rcParams) == before
    with Image.open(path) as picture:
        assert picture.width > 1000
        assert picture.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def outside(text):
    """References to other places, namespace declarations aside."""
    return re.findall(r"\b(?:https?:)?//[\w.]+", re.sub(r'xmlns(:\w+)?="[^"]*"', "", text))


def whole_page():
    figure = figures.svg(schelling())
    rows = [
        ["altar", estimate([1.0, 2.0, 4.0]), (0.5, 0.25, 0.75), -12345.0, True],
        ["<i>levy</i>", estimate([3.0]), None, float("nan"), "holds"],
    ]
    return page.page(
        "Harvest & <script>alert(1)</script>",
        'A "lead" <b>line</b>',
        [
            page.Text("What <was> asked", ["a < b & c", "<script>alert(2)</script>"]),
            page.Figure("Dilemma", figure, "<script>alert(3)</script>"),
            page.Table("Numbers", ["regime", "harvest", "share", "paid", "<u>verdict</u>"], rows, "A <note>."),
            page.Films("Films", [('"><script>alert(4)</script>', "<moves>", b"RIFF", "image/webp")], [("a", "#123")]),
        ],
    )  # fmt: skip


def test_a_page_escapes_what_it_is_given():
    text = whole_page()
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)" in text
    for tag in ("<b>line", "<was>", "<i>levy", "<note>", "<moves>", "<u>"):
        assert tag not in text
    assert 'alt="Film: &quot;&gt;&lt;script' in text


def test_a_page_needs_nothing_from_outside():
    text = whole_page()
    assert outside(text) == []
    assert "@import" not in text
    assert not re.search(r'(?:src|href)="(?!data:|#)', text)
    assert 'src="data:image/webp;base64,UklGRg=="' in text
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert 'name="viewport"' in text


def test_a_page_is_well_formed():
    body = whole_page().partition("<body>")[2].partition("</body>")[0]
    body = re.sub(r"(<img [^>]*[^/])>", r"\1/>", body).replace("&ndash;", "-")
    root = ET.fromstring(f"<body>{body}</body>")
    assert [h.text for h in root.iter("h2")] == ["What <was> asked", "Dilemma", "Numbers", "Films"]


def test_numbers_stand_right_and_intervals_small():
    text = whole_page()
    e = estimate([1.0, 2.0, 4.0])
    assert f'<td class="num">{e.text()}<small>{page._number(e.low)} to {page._number(e.high)}</small></td>' in text
    assert '<td class="num">0.500<small>0.250 to 0.750</small></td>' in text
    assert '<td class="num">\u221212\u202f345</td>' in text
    assert text.count('<td class="num">&ndash;</td>') == 2  # None and not a number
    assert '<th scope="row">altar</th>' in text
    assert "<td>yes</td>" in text
    assert '<th scope="col" class="num">harvest</th>' in text
    assert page._number(0.0123) == "0.0123"
    assert page._number(3) == "3"


@pytest.mark.parametrize("bad", ["", "<p>no</p>", "<svg><script>x</script></svg>", '<svg onload="x"></svg>'])
def test_only_harmless_svg_goes_in_raw(bad):
    with pytest.raises(Refusal, match="svg"):
        page.page("t", "l", [page.Figure("Odd", bad)])


# --- figures of several panels --------------------------------------------------------------------------------


def grid(count, seeds=3, points=6):
    r = np.random.default_rng(count)
    steps = np.linspace(1e5, 6e5, points)
    series = {
        "no rule": (steps, r.normal(5, 1, (seeds, points))),
        "a <rule>": (steps, r.normal(-5, 1, (seeds, points))),
    }
    return [(f"panel {k}", f"unit {k}", series) for k in range(count)]


@pytest.mark.parametrize(("count", "columns"), [(1, 3), (5, 2), (6, 3)])
def test_panels_are_lettered_and_laid_out_in_rows(count, columns):
    fig = panels.panels(grid(count), columns)
    said = words(figures.svg(fig))
    for k in range(count):
        assert f"{'ABCDEF'[k]} panel {k}" in [" ".join(s.split()) for s in said]
        assert f"unit {k}" in said
    assert {"no rule", "a <rule>"} <= set(said)
    assert any("over 3 seeds" in s for s in said)
    shown = [ax for ax in fig.axes if ax.get_visible()]
    assert len(shown) == count
    assert len({round(ax.get_position().y0, 2) for ax in shown}) == -(-count // columns)
    for ax, (_, _, series) in zip(shown, grid(count), strict=True):
        assert ax.get_xlim() == (0, 6e5)  # lines end where training does
        for line, (steps, values) in zip(ax.lines, series.values(), strict=True):
            np.testing.assert_allclose(line.get_xdata(), steps)
            np.testing.assert_allclose(line.get_ydata(), values.mean(0))
        assert ax.get_ylim()[0] < values.min()
    assert "A" not in " ".join(words(figures.svg(panels.panels(grid(1), letters=False)))).split()


def test_a_label_has_its_colour_in_every_panel_whoever_is_there():
    series = grid(1)[0][2]
    fig = panels.panels([("one", "", series), ("two", "", {"a <rule>": series["a <rule>"]})])
    one, two = fig.axes[:2]
    assert two.lines[0].get_color() == one.lines[1].get_color() != one.lines[0].get_color()


@pytest.mark.parametrize("seeds", [1, 2])
def test_panels_pass_over_what_is_not_defined(seeds):
    steps, values = np.arange(1, 6) * 1e4, np.ones((seeds, 5))
    values[:, :2] = np.nan
    values[0, 3] = np.nan
    single = np.full((seeds, 5), np.nan)
    single[:, 2] = 2
    series = {"some": (steps, values), "none": (steps, np.full((seeds, 5), np.nan)), "one point": (steps, single)}
    fig = panels.panels(
        [("holes", "u", series), ("empty", "u", {}), ("a single line", "u", {"some": (steps, values[0])})]
    )
    said = words(figures.svg(fig))
    assert any(("one seed" in s) if seeds == 1 else ("1 to 2 seeds" in s) for s in said)
    some, none, point = fig.axes[0].lines
    assert some.get_xdata().tolist() == ([3e4, 5e4] if seeds == 1 else [3e4, 4e4, 5e4])
    assert none.get_xdata().size == 0
    assert point.get_marker() == "o"


def test_more_panels_than_letters_are_all_drawn():
    fig = panels.panels(grid(27, 1, 2), 9)
    assert [len(ax.lines) for ax in fig.axes if ax.get_visible()] == [2] * 27
    assert words(figures.svg(panels.panels([])))  # and none at all is an empty sheet, no error


def test_a_scatter_says_its_correlation_and_draws_its_line():
    x = np.array([1.0, 2, 3, 4, np.nan])
    points = {"many": (x, np.array([2.0, 1, 4, 3, 9])), "two": ([1, 2], [1, np.nan]), "flat": ([1, 1, 1], [1, 2, 3])}
    fig = panels.scatter("One point a population", "early", "late", points)
    said = " ".join(words(figures.svg(fig)))
    assert "One point a population" in said
    assert "r = 0.60" in said
    many, two, flat = fig.axes
    np.testing.assert_allclose(many.lines[0].get_xdata(), [1, 4])
    np.testing.assert_allclose(many.lines[0].get_ydata(), np.polyval(np.polyfit(x[:4], [2, 1, 4, 3], 1), [1, 4]))
    assert len(many.collections[0].get_offsets()) == 4
    assert not [*two.lines, *flat.lines]


def test_heat_is_white_at_zero_and_says_its_numbers():
    values = [[-2.0, 0.0, 1.0], [np.nan, 0.5, -0.25]]
    fig = panels.heat("Phases", "cost", "reward", ["a", "b", "c"], ["low", "high"], values, unit="effect")
    said = words(figures.svg(fig))
    assert {"Phases", "cost", "reward", "low", "high", "effect", "-2.00", "0", "0.500", "-"} <= set(said)
    shown = fig.axes[0].images[0]
    assert shown.norm(0.0) == 0.5
    assert (shown.norm.vmin, shown.norm.vmax) == (-2, 2)
    told = words(figures.svg(panels.heat("t", "x", "y", ["a"], ["b"], [[np.nan]], text=[["not run"]])))
    assert "not run" in told


def test_a_page_says_what_the_lines_are_called_where_the_figure_has_no_room():
    drawn = figures.svg(figures.curves(runs(), "apples", "Five regimes", {"script": 1e3}))
    text = page.page("T", "", [page.Figure("F", drawn)])
    key = re.search(r'<ul class="key narrow">(.*?)</ul>', text)[1]
    names = re.findall(r'fill="(#\w{6})"/></svg>(.*?)</li>', key)
    assert names[0][1] == "script"  # from the top
    assert {name for _, name in names} == {
        "script",
        "nothing",
        "levy &amp; more",
        "hidden &lt;rule&gt;",
        "contract",
        "altar",
    }
    assert (figures.COLOURS[0], "nothing") in names
    assert ET.fromstring(drawn).get("data-key")
    assert text.index("key narrow") < text.index('<div class="scroll"')  # outside the box that scrolls
    assert "data-key" not in figures.svg(schelling())  # it has its key at the top left


def test_a_wide_table_scrolls_in_its_own_box_and_says_so():
    wide = page.page("T", "", [page.Table("", ["", *"abcdef"], [["x", 1, 2, 3, 4, 5, 6]])])
    assert re.search(r'<div class="scroll" tabindex="0"><table>.*</table></div>\n<p class="note narrow">', wide, re.S)
    assert page.WIDE not in page.page("T", "", [page.Table("", ["", "a"], [["x", 1]])])
    assert "position: sticky" in wide


def test_a_curve_begins_at_zero_unless_it_begins_far_from_it():
    """Training begins at its first update, and is drawn from 0; a range of settings is drawn as it is."""
    for first, left in ((10.0, 0.0), (300.0, 300.0)):
        fig = figures.curves({"a": (np.array([first, 500.0]), np.ones((2, 2)))}, "apples", "harvest")
        assert fig.axes[0].get_xlim() == (left, 500.0)
