"""The page of `gsm explore` in headless Chromium: its numbers are the law's, its draws those of `gsm`."""

import json
import re
import shlex

import numpy as np
import pytest
from browser import PROGRAM, browser
from numpy.testing import assert_allclose

from gsm_cli.errors import UsageError
from gsm_cli.law import exact_moments, log_density, relax
from gsm_cli.law.colours import TEMPERATURE_COLOURS
from gsm_cli.law.explore import MOST, explore
from gsm_cli.law.request import read_law, read_temperature

LAWS = ["0.3,0.7", "0.6,0.3,0.1", "0.25,0.2,0.15,0.1,0.1,0.08,0.06,0.03,0.02,0.01"]
TAU = read_temperature("1")
SIX = read_law(None, None, None, seed=7)


def page_of(law):
    return explore(law, TAU)[0].decode()


class TestFile:
    def test_is_the_same_twice_and_small(self):
        assert page_of(SIX) == page_of(SIX)
        assert len(page_of(SIX).encode()) < 60_000

    def test_names_no_other_file(self):
        assert not re.search(r"https?:|//\w+\.|\bsrc=|@import|url\(|<link|fetch\(|XMLHttp|import\(", page_of(SIX))
        assert "default-src 'none'" in page_of(SIX)

    def test_opens_at_what_was_asked(self):
        data, facts = explore(read_law(None, "0,1,2", None, seed=10**17), read_temperature("0.5"))
        opened = json.loads(re.search(r"const OPENED = (\{.*\});", data.decode())[1])
        assert opened["facts"] == facts
        assert (opened["seed"], facts["temperatures"]) == (str(10**17), [0.5])
        assert facts["command"] == f"gsm explore --tau 0.5 --logits 0,1,2 --seed {10**17}"
        assert_allclose(facts["probabilities"], np.exp([0, 1, 2]) / np.exp([0, 1, 2]).sum(), rtol=1e-5)

    def test_has_the_colours_of_figures(self):
        hues = json.loads(re.search(r'"hues": (\[.*?\])', page_of(SIX))[1])
        assert [hues[20 * (power + 2)] for power in (-1, 0, 2)] == [TEMPERATURE_COLOURS[tau] for tau in (0.1, 1, 100)]

    @pytest.mark.parametrize("classes", [MOST + 1, 10_000])
    def test_of_more_classes_is_refused(self, classes):
        with pytest.raises(UsageError, match=rf"^the page .* 2 to 20 classes, not {classes}: write for"):
            explore(read_law(None, None, classes, seed=0), TAU)


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A function that opens the page of six classes at a fragment, in one browser."""
    if PROGRAM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    folder = tmp_path_factory.mktemp("browser")
    (folder / "explore.html").write_text(page_of(SIX), "utf-8")
    with browser(folder / "profile") as shown:
        shown.size(1280, 1000)

        def at(fragment=""):
            shown.open(folder / "explore.html", fragment)
            return shown

        yield at


def numbers(page):
    """The table, (K, 5): pi, one draw, the mean of the draws, its standard error, and what it tends to."""
    return np.array(page.run("[...document.querySelectorAll('tbody tr')].map(row => "
                             "[...row.querySelectorAll('data')].map(cell => +cell.value))"))  # fmt: skip


def shown(page, part):
    return page.run(f"document.querySelector('{part}').textContent")


class TestNumbers:
    @pytest.mark.parametrize("probs", LAWS)
    def test_are_those_of_the_law(self, opened, probs):
        law = read_law(probs, None, None, seed=3)
        for tau in (0.01, 1, 100):
            page = opened(f"#probs={probs}&tau={tau}&seed=3&samples=400")
            pi, draw, mean, error, exact = numbers(page).T
            draws = relax(law.logits, law.noise(400), tau)
            expected, variance = exact_moments(law.logits, tau)
            assert_allclose(pi, law.probabilities, atol=1e-12)
            assert_allclose(exact, expected, rtol=0, atol=1e-6)
            assert_allclose(error, np.sqrt(variance / 400), rtol=1e-6)
            assert_allclose(draw, draws[0], atol=1e-9)
            assert_allclose(mean, draws.mean(axis=0), atol=1e-9)
            assert_allclose([draw.sum(), mean.sum(), exact.sum()], 1, atol=1e-8)
            assert (abs(mean - exact) < 5 * error).all()

    @pytest.mark.parametrize("tau", [1e-6, 1e6])
    def test_hold_at_the_ends_and_where_a_class_is_impossible(self, opened, tau):
        law = read_law("0.7,0,0.3", None, None, seed=0)
        exact = numbers(opened(f"#probs=0.7,0,0.3&tau={tau}"))[:, 4]
        assert_allclose(exact, exact_moments(law.logits, tau)[0], atol=1e-6)

    def test_of_the_density(self, opened):
        law = read_law(LAWS[1], None, None, seed=0)
        points = np.array([[0.2, 0.5, 0.3], [0.98, 0.01, 0.01], [1 / 3, 1 / 3, 1 / 3]])
        page = opened()
        for tau in (0.1, 1, 30):
            code = f"{np.log(points).tolist()}.map(z => logDensityOf({law.logits.tolist()}, {tau})(...z))"
            assert_allclose(page.run(code), log_density(points, law.logits, tau), rtol=1e-9)

    def test_of_a_large_seed(self, opened):
        seed = 10**18 - 1
        law = read_law(LAWS[0], None, None, seed)
        draw = numbers(opened(f"#probs={LAWS[0]}&seed={seed}&tau=1"))[:, 1]
        assert_allclose(draw, relax(law.logits, law.noise(1), 1)[0], atol=1e-12)


class TestHands:
    def test_nothing_else_is_asked_for(self, opened):
        page = opened()
        page.run("$('again').click()")
        assert [address.rpartition("/")[2] for address in page.asked] == ["explore.html"]

    def test_a_bar_is_dragged_and_the_others_keep_their_proportions(self, opened):
        page = opened(f"#probs={LAWS[1]}")
        left, top, width, height = page.run("(b => [b.x, b.y, b.width, b.height])(SVG.law.getBoundingClientRect())")
        x, half = left + width * (30 + 284 / 6) / 320, top + height * (240 - 110) / 264
        page.drag((x, top + height - 9), (x, top - 50), (x, half))  # to 1, where the others are 0, and back
        assert_allclose(numbers(page)[:, 0], [0.5, 0.375, 0.125], atol=1e-9)
        page.press("ArrowUp")
        page.press("PageDown")
        assert_allclose(numbers(page)[0, 0], 0.41, atol=1e-9)
        assert page.run("document.activeElement.getAttribute('aria-valuenow')") == "0.41"
        page.touch((x, top + 30), (x, half))
        assert_allclose(numbers(page)[:, 0], [0.5, 0.375, 0.125], atol=1e-9)

    def test_the_noise_is_held_or_not(self, opened):
        page = opened("#seed=5")
        slide = "$('slider').value = -1; $('slider').oninput()"
        page.run(slide)
        assert shown(page, "#caption") == "τ = 0.1, seed 5, mean of 100 draws"
        page.run(f"$('hold').checked = false; {slide}")
        assert "seed 6" in shown(page, "#caption")
        page.run("$('again').click()")
        assert "seed 7" in shown(page, "#caption")

    def test_draws_pile_up(self, opened):
        page = opened("#samples=9000")
        page.run("$('pile').click()")
        page.run("new Promise(done => { const wait = () => piling ? setTimeout(wait, 20) : done(); wait(); })")
        assert "mean of 10,000 draws" in shown(page, "#caption")
        assert shown(page, "#pile") == "Pile up draws"

    def test_commands_draw_the_figure_at_hand(self, opened, gsm):
        page = opened(f"#probs={LAWS[1]}&tau=0.5&seed=4&samples=50")
        table = numbers(page)
        for part, column, key in (("draw", 1, "values"), ("mean", 2, "mean"), ("triangle", 2, "mean")):
            words = shlex.split(shown(page, f"#{part} code"))
            figure = json.loads(gsm(*words[1:], "--json").stdout)["results"]["figures"][-1]
            values = figure["columns"][0][key] if part == "triangle" else figure[key]
            assert_allclose(table[:, column], values, rtol=1e-5)

    def test_a_command_is_copied_or_marked(self, opened):
        page = opened()
        page.run("document.querySelector('#mean .copy').click()")
        assert page.run("getSelection().toString()") == shown(page, "#mean code")
        page.run("new Promise(done => setTimeout(done, 50))")
        assert shown(page, "#mean .copy") in ("Copied", "Press Ctrl+C")

    def test_a_link_opens_where_it_was_made(self, opened):
        page = opened("#probs=0.5,0.5&tau=2&seed=8&samples=30")
        before, link = numbers(page), shown(page, "#law code")
        assert (numbers(opened(link)) == before).all()

    def test_who_cannot_see_is_told(self, opened):
        page = opened(f"#probs={LAWS[1]}")
        page.run("new Promise(done => setTimeout(done, 800))")
        assert re.fullmatch(
            r"τ = 1, seed 7, mean of 100 draws\. π: 0\.600, 0\.300, 0\.100\. "
            r"One draw: 0\.\d.* Mean: 0\.\d.* Exact expectation: 0\.\d.*\.",
            shown(page, "#said"),
        )
        unnamed = page.run("[...document.querySelectorAll('input, button')].filter(each => "
                           "!each.labels?.length && !each.ariaLabel && !each.textContent).length")  # fmt: skip
        assert unnamed == 0

    @pytest.mark.parametrize(
        ("field", "text", "sentence"),
        [
            ("tau", "0", "tau must be a positive number, not “0”: write for example 0.5"),
            ("probs", "1", "probs must be numbers from 0 on with a sum above 0, of 2 to 20 classes, not “1”: write"),
            ("probs", ",".join(["1"] * 21), "2 to 20 classes"),
            ("probs", "0.5, -1", "numbers from 0 on"),
            ("seed", "-1", "seed must be a whole number of at most 18 digits, not “-1”: write"),
            ("samples", "10001", "samples must be a whole number from 1 to 10,000, not “10001”: write"),
        ],
    )
    def test_what_is_none_is_refused_and_changes_nothing(self, opened, field, text, sentence):
        page = opened()
        before = numbers(page)
        page.run(f"$('{field}').value = '{text}'; $('{field}').onchange()")
        assert sentence in shown(page, "#message")
        assert (numbers(page) == before).all()
        page.run("$('again').click()")
        assert shown(page, "#message") == ""

    def test_a_small_probability_stays_possible(self, opened):
        """At a high temperature it is seen: only a class of probability zero has none of the mean."""
        law = read_law("2,1,0.000001", None, None, 0, normalize=True)
        found = numbers(opened("#probs=2,1,0.000001&tau=100"))
        assert_allclose(found[:, 0], law.probabilities, rtol=5e-3, atol=1e-5)
        assert_allclose(found[2, [1, 4]], [relax(law.logits, law.noise(1), 100)[0, 2], 0.2988], atol=2e-3)
        assert shown(opened("#probs=0.6,0.4&tau=1e6"), "tbody td:nth-of-type(4)").endswith("e-7")

    def test_weights_are_scaled_and_said_to_be(self, opened):
        page = opened("#probs=3;2 1")
        assert_allclose(numbers(page)[:, 0], [0.5, 0.33333, 0.16667], atol=1e-9)
        assert shown(page, "#message").startswith("The probabilities did not sum to 1, and were scaled.")


class TestLooks:
    @pytest.mark.parametrize("width", [380, 768, 1280, 1600])
    def test_fits_its_window(self, opened, width):
        page = opened(f"#probs={LAWS[2] if width > 1000 else LAWS[1]}")
        page.size(width, 900)
        assert page.run("document.documentElement.scrollWidth") <= width
        beyond = """[...document.querySelectorAll("input, code")].filter(each => {
            const card = each.closest(".controls, .temperature, figure");
            return each.offsetParent && each.getBoundingClientRect().right > card.getBoundingClientRect().right - 10;
        }).map(each => each.id)"""
        assert page.run(beyond) == []

    def test_is_dark_where_the_reader_is_and_switches(self, opened):
        page = opened()
        page.size(1280, 1000, "dark")
        paper = "getComputedStyle(document.body).backgroundColor"
        assert page.run(paper) == "rgb(21, 23, 27)"
        page.run("$('theme').click()")
        assert page.run(paper) == "rgb(255, 255, 255)"
        page.size(1280, 1000)
