"""Every module has its place: in the README's map, and every room its tests."""

import re

import pytest
from tree import FILES, PACKAGE, README, ROOMS, ROOT

MAP = README.partition("## Where is what\n")[2].partition("\n## ")[0]


def test_the_map_names_every_module_once_and_nothing_else():
    """A package is named by its folder, as the reader sees it."""
    named = re.findall(r"\]\((gsm_cli[^)]*)\)", MAP)
    there = [path.parent if path.name == "__init__.py" else path for path in FILES]
    assert sorted(named) == sorted(path.relative_to(ROOT).as_posix() for path in there)


def test_the_map_calls_every_module_by_its_name():
    links = re.findall(r"\[`([^`]+)`\]\((gsm_cli[^)]*)\)", MAP)
    assert len(links) == len(FILES)
    for name, path in links:
        folder = (ROOT / path).is_dir()
        assert name == path.rpartition("/")[2] + "/" * folder


def test_in_the_map_the_modules_of_a_room_follow_it():
    room = ""
    for path in re.findall(r"\]\((gsm_cli[^)]*)\)", MAP):
        if path.endswith(".py"):
            assert path.rpartition("/")[0] == room
        else:
            room = path


def test_tests_mirror_the_rooms():
    with_tests = {path.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").glob("*/**/test_*.py")}
    assert with_tests == {*ROOMS, "house", "faults"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_it_is_for(room):
    assert (PACKAGE / room / "__init__.py").read_text("utf-8").startswith('"""')
