"""Every module has its place: in the map of the rooms, and every room its tests."""

import re
from pathlib import Path

import mutants
import pytest
from tree import FILES, PACKAGE, PAPERS, ROOMS, ROOT

MAP = (ROOT / "docs/architecture.md").read_text("utf-8")


def test_the_map_names_every_room_once_and_nothing_else():
    named = re.findall(r"\]\(\.\./(gsm_cli[^)]*)\)", MAP)
    assert sorted(named) == sorted(["gsm_cli", *(f"gsm_cli/{room}" for room in ROOMS)])


def test_every_module_says_what_it_is_for():
    for path in FILES:
        assert path.read_text("utf-8").startswith('"""'), path


def test_tests_mirror_the_rooms():
    with_tests = {path.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").glob("*/**/test_*.py")}
    assert with_tests == {*ROOMS, "house", "faults"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_it_is_for(room):
    assert (PACKAGE / room / "__init__.py").read_text("utf-8").startswith('"""')


def test_mutants_are_made_of_every_room_of_the_mathematics_and_the_records():
    """The names of modules and of tests are those of files that are there."""
    tests = {name.removeprefix("--deselect=").split("::")[0] for room in mutants.ROOMS.values() for name in room.tests}
    assert all((ROOT / name).exists() for name in tests)
    assert {path.relative_to(ROOT).parts[0] for path in PAPERS} <= set(mutants.COPIED)  # tests read them
    made = {Path(path).parts[1] for room in mutants.ROOMS.values() for path in room.code}
    assert made >= {"law", "model", "records", "runs", "analysis"}
