"""Fonts that a user names: found by their family or their file, and asked for the letters that others lack."""

import os
import shlex
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib
import pytest
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font

from gsm_cli import style
from gsm_cli.errors import UsageError
from gsm_cli.law import looks, pictures
from gsm_cli.law.looks import read_look
from gsm_cli.law.request import read_law, read_temperatures

BROUGHT = Path(matplotlib.get_data_path()) / "fonts/ttf"
STIX = str(BROUGHT / "STIXGeneral.ttf")
LACKING = "\u1d81"  # a d with a hook, which STIX has, and DejaVu Sans lacks
ONE = read_temperatures(["1"])


def picture(look, names="a,b"):
    return pictures.samples(read_law("0.5,0.5", None, None, 0, names), ONE, 0, look)[1]


@pytest.fixture
def mine(tmp_path):
    """A font in a file of another name, which nobody else knows."""
    path = tmp_path / "mine.TTF"
    shutil.copy(STIX, path)
    before = list(fontManager.ttflist)
    yield str(path)
    fontManager.ttflist[:] = before


@pytest.mark.parametrize("name", ["STIXGeneral", "dejavu serif"])
def test_an_installed_font_draws_other_letters_and_is_part_of_the_command(name):
    look = read_look(None, None, None, name)
    assert picture(look).encode("png") != picture(read_look(None, None, None)).encode("png")
    assert picture(look).encode("png") == picture(look).encode("png")
    assert f"--font {name}" in picture(look).carried["command"].replace("'", "")


def test_a_file_is_taken_though_a_font_of_its_family_is_installed(mine):
    look = read_look(None, None, None, mine)
    assert look.families == ("STIXGeneral", "sans-serif")
    with style.drawn(picture(look).draw, look) as figure:
        assert findfont(figure.axes[0].title.get_fontproperties()) == mine
    assert look.options == ("--font", mine)


@pytest.mark.parametrize("format", ["png", "svg", "pdf"])
def test_letters_that_one_font_lacks_come_from_the_other(mine, format):
    """A warning of matplotlib's, that a letter is missing, fails."""
    look = read_look(f"{LACKING} τ →", None, None, mine)
    looks.check_characters("--class-names", LACKING, look.families)
    data = picture(look, f"{LACKING},b").encode(format)
    if format == "svg":
        texts = ["".join(each.itertext()) for each in ET.fromstring(data).iter("{http://www.w3.org/2000/svg}text")]
        assert LACKING in texts


def test_a_font_that_has_the_letters_is_named():
    with pytest.raises(UsageError, match=rf"^--title must .* it has no {LACKING}: take --font ") as refusal:
        read_look(f"a {LACKING}", None, None)
    (name,) = shlex.split(str(refusal.value).partition("take --font ")[2])
    assert ord(LACKING) in get_font(findfont(FontProperties(family=[name]))).get_charmap()


def test_a_font_that_came_after_matplotlib_made_its_list_is_found(mine, monkeypatch):
    monkeypatch.setattr(fontManager, "ttflist", [each for each in fontManager.ttflist if each.name != "STIXGeneral"])
    monkeypatch.setattr(looks, "findSystemFonts", lambda: [mine, __file__])
    assert looks.family_of("stixgeneral") == "stixgeneral"


def test_boxes_are_no_letters(monkeypatch):
    """Matplotlib brings a font that has a box for every character."""
    monkeypatch.setattr(fontManager, "ttflist", [each for each in fontManager.ttflist if "fonts/ttf" in each.fname])
    monkeypatch.setattr(looks, "findSystemFonts", list)
    with pytest.raises(UsageError, match="it has no 犬: install one, such as Noto Sans CJK JP for Japanese"):
        read_look("犬", None, None)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "No such file or directory"),
        (Path.mkdir, "Is a directory"),
        (Path.touch, "FreeType cannot read it"),
        (lambda path: path.write_bytes(os.urandom(2000)), "FreeType cannot read it"),
        (os.mkfifo, "it is no ordinary file"),
    ],
    ids=["nothing", "folder", "empty", "binary", "pipe"],
)
def test_what_is_no_font_is_refused(tmp_path, make, reason):
    make(tmp_path / "odd.otf")
    with pytest.raises(UsageError, match=rf"^--font must name a font, and '.*odd.otf' is none \({reason}\): install"):
        read_look(None, None, None, str(tmp_path / "odd.otf"))


@pytest.mark.skipif("IPAGothic" not in {each.name for each in fontManager.ttflist}, reason="fonts-ipafont-gothic")
def test_names_in_japanese_are_as_wide_as_squares():
    look = read_look("確率", None, None, "IPAGothic")
    named = read_law("0.5,0.3,0.2", None, None, 0, "犬,猫の子たち,鳥")
    with style.drawn(pictures.grid(named, ONE, 9, 1, look).draw, look) as figure:
        assert [label.get_rotation() for label in figure.axes[-1].get_xticklabels()] == 3 * [90]
