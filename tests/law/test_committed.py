"""The committed figures are those that `make figures` draws, to the byte; and what files its films are."""

import json
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from numpy.testing import assert_array_equal
from PIL import Image

from gsm_cli import __version__
from gsm_cli.law import animation, films, pictures
from gsm_cli.law.colours import temperature_colour
from gsm_cli.law.explore import explore
from gsm_cli.law.request import ARTICLE_TEMPERATURES, ARTICLE_TRIANGLE, read_law, read_temperature, read_temperatures
from gsm_cli.law.simplex import simplex
from gsm_cli.style import Look

ROOT = Path(__file__).resolve().parents[2]
CONSTRAINTS = (ROOT / "constraints.txt").read_text("utf-8").split()
LAW = read_law(None, None, None, seed=0)
THREE = read_law(None, None, None, seed=0, default=ARTICLE_TRIANGLE)
FOUR = read_temperatures(ARTICLE_TEMPERATURES)
ENDS = (read_temperature("100"), read_temperature("0.05"))


def committed(name):
    return (ROOT / "figures" / name).read_bytes()


by_the_same_hand = pytest.mark.skipif(
    not {f"{name}=={version(name)}" for name in ("matplotlib", "pillow")} <= set(CONSTRAINTS),
    reason="another matplotlib or pillow draws other dots",
)


@by_the_same_hand
@pytest.mark.parametrize(
    ("draw", "count"),
    [
        (lambda: pictures.samples(LAW, FOUR, repeat=10), 15),
        (lambda: pictures.expectations(LAW, FOUR, 100, plain=False), 4),
        (lambda: [pictures.grid(LAW, FOUR, size=100, draws=4)], 1),
        (lambda: [simplex(THREE, FOUR, 300, Look())], 1),
    ],
    ids=["sample", "expectation", "grid", "simplex"],
)
def test_pictures_are_the_committed_ones(draw, count):
    drawn = draw()
    assert len(drawn) == count
    assert [picture.name for picture in drawn if picture.encode("png") != committed(f"{picture.name}.png")] == []


def test_the_page_is_the_committed_one():
    assert explore(LAW, read_temperature("1"))[0] == committed("explore.html")


@pytest.fixture(scope="module", params=[(LAW, False), (THREE, True)], ids=["bars", "triangle"])
def made(request):
    """A film and its bytes."""
    law, triangle = request.param
    film = animation.animate(law, ENDS, 100, triangle, Look())
    return film, films.encode(list(film.pixels()), json.dumps(film.carried))


class TestFilms:
    @by_the_same_hand
    def test_are_the_committed_ones(self, made):
        film, data = made
        same = data == committed(f"{film.name}.gif")
        assert same, film.name

    def test_are_small(self, made):
        assert len(made[1]) <= 600_000

    def test_loop_for_ever_and_rest_at_both_ends(self, made):
        image = Image.open(BytesIO(made[1]))
        assert image.info["loop"] == 0
        times = []
        for number in range(image.n_frames):
            image.seek(number)
            times.append(image.info["duration"])
        assert times == [1500, *[80] * 46, 1500, *[80] * 46]

    def test_go_back_as_they_came(self, made):
        image = Image.open(BytesIO(made[1]))
        frames = []
        for number in range(image.n_frames):
            image.seek(number)
            frames.append(np.asarray(image.convert("RGB")))
        for number in range(1, 47):
            assert_array_equal(frames[47 - number], frames[47 + number])

    def test_say_how_they_were_made(self, made):
        film, data = made
        facts = json.loads(Image.open(BytesIO(data)).info["comment"])
        assert facts == film.carried
        assert facts["command"].startswith("gsm animate ")
        assert (facts["version"], facts["seed"], facts["samples"]) == (__version__, 0, 100)
        assert facts["probabilities"] == list(film.facts.probabilities)
        assert (facts["temperatures"][0], facts["temperatures"][-1], len(facts["temperatures"])) == (100, 0.05, 48)

    def test_show_the_very_colours(self, made):
        film, data = made
        image = Image.open(BytesIO(data))
        for number in (0, 20, 47):
            image.seek(number)
            shown = {colour for _, colour in image.convert("RGB").getcolors(10**6)}
            own = temperature_colour(film.frames[number].temperature)
            assert {(255, 255, 255), tuple(round(255 * part) for part in to_rgb(own))} <= shown
