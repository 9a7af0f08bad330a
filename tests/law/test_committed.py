"""The committed figures are those that `make figures` draws: every dot of them, and every word that they carry."""

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from gsm_cli.law import animation, films, pictures
from gsm_cli.law.request import ARTICLE_TEMPERATURES, ARTICLE_TRIANGLE, read_law, read_temperature, read_temperatures
from gsm_cli.law.simplex import simplex
from gsm_cli.style import Look

ROOT = Path(__file__).resolve().parents[2]
CONSTRAINTS = (ROOT / "constraints.txt").read_text("utf-8").split()
LAW = read_law(None, None, None, seed=0)
THREE = read_law(None, None, None, seed=0, default=ARTICLE_TRIANGLE)
FOUR = read_temperatures(ARTICLE_TEMPERATURES)
ENDS = (read_temperature("100"), read_temperature("0.05"))

pytestmark = pytest.mark.skipif(
    not {f"{name}=={version(name)}" for name in ("matplotlib", "pillow")} <= set(CONSTRAINTS),
    reason="another matplotlib or pillow draws other dots",
)


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
def test_pictures(draw, count):
    drawn = draw()
    assert len(drawn) == count
    assert [picture.name for picture in drawn if picture.encode("png") != committed(f"{picture.name}.png")] == []


@pytest.mark.parametrize(("law", "triangle"), [(LAW, False), (THREE, True)], ids=["bars", "triangle"])
def test_films(law, triangle):
    film = animation.animate(law, ENDS, 100, triangle, Look())
    same = films.encode(list(film.pixels()), "gif", json.dumps(film.carried)) == committed(f"{film.name}.gif")
    assert same


def committed(name):
    return (ROOT / "figures" / name).read_bytes()
