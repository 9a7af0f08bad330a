"""The digest of the code: what changes no number leaves it as it is, and what may change one does not."""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tree import PACKAGE

from gsm_cli.fingerprint import MEASURES, RUNS, fingerprint

MODULE = '''"""What it is for."""

import math
from math import exp

RATE = 0.5  # a share


class Law:
    """A law."""

    def at(self, x: float) -> float:
        """Its value."""
        if x is None:
            return 0.0
        return self.rate * exp(-RATE * (x + 1)) if x < 2 else RATE
'''
SAME = {
    "a comment": ("# a share", "# something else"),
    "no comment": ("  # a share", ""),
    "a docstring of a module": ("What it is for.", "What else."),
    "a docstring of a function": ('        """Its value."""\n', ""),
    "a docstring more": ("RATE = 0.5", '"""Rates."""\n\nRATE = 0.5'),
    "lines": ("(self, x: float)", "(\n        self,\n        x: float,\n    )"),
    "brackets": ("self.rate * exp(-RATE * (x + 1))", "(self.rate * exp((-RATE) * (x + 1)))"),
    "how a number is written": ("0.5", ".50"),
    "an import that is not used": ("import math\n", ""),
    "an import from elsewhere": ("from math import exp", "from cmath import exp"),
}
OTHER = {
    "a constant": ("0.5", "0.51"),
    "a type of constant": ("RATE = 0.5", 'RATE = "0.5"'),
    "a whole number for a float": ("return 0.0", "return 0"),
    "true for one": ("x + 1", "x + True"),
    "nothing for a number": ("return 0.0", "return None"),
    "an operator": ("x + 1", "x - 1"),
    "a comparison": ("x < 2", "x <= 2"),
    "a sign": ("-RATE", "RATE"),
    "order": ("self.rate * exp", "exp * self.rate"),
    "a name": ("self.rate", "self.other"),
    "a default": ("x: float", "x: float = 1.0"),
    "a statement less": ("        if x is None:\n            return 0.0\n", ""),
    "a decorator": ("    def at(self,", "    @staticmethod\n    def at(self,"),
    "a base": ("class Law:", "class Law(dict):"),
}


@pytest.fixture
def of(tmp_path):
    """The digest of a package with one module of a content."""

    def digest(content: str, name: str = "runs/one.py") -> str:
        folder = tmp_path / f"package-{time.monotonic_ns()}"
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(content)
        return fingerprint(("runs",), folder)

    return digest


def changed(change: tuple[str, str]) -> str:
    assert MODULE.count(change[0]) >= 1
    return MODULE.replace(*change)


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_what_changes_no_number_leaves_it(of, change):
    assert of(changed(change)) == of(MODULE)


@pytest.mark.parametrize("change", OTHER.values(), ids=OTHER)
def test_what_may_change_a_number_changes_it(of, change):
    assert of(changed(change)) != of(MODULE)


def test_names_of_files_leave_it(of, tmp_path):
    assert of(MODULE, "runs/another.py") == of(MODULE, "runs/deeper/one.py") == of(MODULE)


def test_a_function_may_move_and_a_module_be_in_by_itself(tmp_path):
    modules = {"whole": ["A = 1\nB = 2\n"], "parts": ["B = 2\n", "A = 1\n"], "more": ["A = 1\nB = 2\nC = 3"]}
    for name, contents in modules.items():
        (tmp_path / name / "runs").mkdir(parents=True)
        for number, content in enumerate(contents):
            (tmp_path / name / "runs" / f"{number}.py").write_text(content)
    whole, parts, more = (fingerprint(("runs",), tmp_path / name) for name in ("whole", "parts", "more"))
    assert whole == parts != more


@pytest.fixture
def copy(tmp_path) -> Path:
    """The package elsewhere."""
    return shutil.copytree(PACKAGE, tmp_path / "copy", ignore=shutil.ignore_patterns("__pycache__"))


def test_it_is_the_same_elsewhere(copy):
    assert (fingerprint(RUNS, copy), fingerprint(MEASURES, copy)) == (fingerprint(), fingerprint(MEASURES))


@pytest.mark.parametrize("part", MEASURES)
def test_every_part_is_in_it(copy, part):
    module = copy / part if part.endswith(".py") else copy / part / "new.py"
    module.write_text((module.read_text() if module.exists() else "") + "\nNEW = 1\n")
    assert (fingerprint(RUNS, copy) == fingerprint()) == (part not in RUNS)
    assert fingerprint(MEASURES, copy) != fingerprint(MEASURES)


def test_it_is_the_same_in_another_process_and_brings_nothing_heavy():
    code = "from gsm_cli.fingerprint import fingerprint; import sys; print(fingerprint(), *sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    digest, *modules = said.stdout.split()
    assert digest == fingerprint()
    assert re.fullmatch("[0-9a-f]{16}", digest)
    assert not {"numpy", "torch", "msgspec"} & set(modules)


def test_it_is_quick():
    def seconds() -> float:
        start = time.process_time()
        fingerprint.__wrapped__(RUNS)
        return time.process_time() - start

    assert min(seconds() for _ in range(3)) < 0.5  # 0.06 s on an idle machine


def test_every_package_is_there():
    assert all(Path(PACKAGE, part).exists() for part in MEASURES)
