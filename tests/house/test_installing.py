"""What an installation gets: every module and nothing else, from exact versions, on every Python that is named."""

import re
import shutil
import subprocess
import sys
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tree import FILES, PACKAGE, PROJECT, ROOT

DISTRIBUTION = PROJECT["project"]
PYTHONS = [name.rpartition(" ")[2] for name in DISTRIBUTION["classifiers"] if "Python :: 3." in name]
REQUIREMENTS = [
    Requirement(text)
    for group in (DISTRIBUTION["dependencies"], *DISTRIBUTION["optional-dependencies"].values())
    for text in group
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of this tree, built from a copy: a build leaves files beside its sources."""
    copy = tmp_path_factory.mktemp("project")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name in ("gsm_cli", "tests", "benchmarks"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    build = "from setuptools import build_meta; build_meta.build_wheel('.')"
    subprocess.run([sys.executable, "-c", build], cwd=copy, check=True, capture_output=True)
    return next(copy.glob("*.whl"))


@pytest.fixture(scope="module")
def metadata(wheel) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    modules = {path.relative_to(ROOT).as_posix() for path in FILES}
    assert held == {*modules, "gsm_cli/py.typed", "gsm_cli/law/explore.html"}


def test_the_package_is_marked_as_typed():
    assert (PACKAGE / "py.typed").is_file()


def test_the_wheel_says_what_it_is(metadata):
    assert metadata["License-Expression"] == "MIT"
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Requires-Python"] == f">={PYTHONS[0]}"
    article = "http://musyoku.github.io/2016/11/12/Categorical-Reparameterization-with-Gumbel-Softmax/"
    assert metadata.get_all("Project-URL") == [f"Article, {article}", "Paper, https://arxiv.org/abs/1611.01144"]
    assert "Typing :: Typed" in metadata.get_all("Classifier")


def test_the_command_is_where_the_wheel_says(wheel):
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
        module, _, attribute = re.search(r"gsm = (\S+)", archive.read(name).decode())[1].partition(":")
    found = f"from {module} import {attribute}"
    subprocess.run([sys.executable, "-c", found], check=True)


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda requirement: requirement.name)
def test_every_requirement_has_its_exact_version(requirement):
    lines = [line for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if not line.startswith("#")]
    versions = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}
    assert len(versions) == len(lines)
    assert versions[canonicalize_name(requirement.name)] in requirement.specifier


def test_the_constraints_are_in_order():
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()[1:]
    assert lines == sorted(lines, key=str.lower)


def test_every_named_python_runs_the_same_check():
    workflow = (ROOT / ".github/workflows/ci.yml").read_text("utf-8")
    assert re.search(r"python: (\[.*\])", workflow)[1] == str(PYTHONS).replace("'", '"')
    assert "run: .ci/run\n" in workflow
    assert "python-version: ${{ matrix.python }}" in workflow
