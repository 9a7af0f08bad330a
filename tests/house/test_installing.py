"""What an installation gets: every module and nothing else, from exact versions, on every Python that is named."""

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tree import FILES, PACKAGE, PROJECT, ROOT

from gsm_cli import __version__

DISTRIBUTION = PROJECT["project"]
PYTHONS = [name.rpartition(" ")[2] for name in DISTRIBUTION["classifiers"] if "Python :: 3." in name]
MANIFEST = [line.split() for line in (ROOT / "MANIFEST.in").read_text("utf-8").splitlines()]
NEEDED = next(names for command, *names in MANIFEST if command == "include")
GRAFTED = [names[0] for command, *names in MANIFEST if command == "graft"]
REQUIREMENTS = [
    Requirement(text)
    for group in (DISTRIBUTION["dependencies"], *DISTRIBUTION["optional-dependencies"].values())
    for text in group
]


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with sdist and wheel of this tree without reports, built from a copy: a build leaves files beside it."""
    copy = tmp_path_factory.mktemp("project")
    for name in ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in", *NEEDED):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    for name in ("gsm_cli", *(folder for folder in GRAFTED if folder != "reports")):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    build = "from setuptools import build_meta; build_meta.build_sdist('.'); build_meta.build_wheel('.')"
    subprocess.run([sys.executable, "-c", build], cwd=copy, check=True, capture_output=True)
    return copy


@pytest.fixture(scope="module")
def wheel(built) -> Path:
    return next(built.glob("*.whl"))


def test_the_source_distribution_holds_the_tests_and_what_the_readme_links_to(built):
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    folders = [ROOT / folder for folder in ("docs", "figures", "tests", "benchmarks")]
    wanted = {path.relative_to(ROOT).as_posix() for folder in folders for path in folder.rglob("*.*")}
    assert {name for name in wanted if "__pycache__" not in name} <= held
    assert {*NEEDED, "README.md", "LICENSE", "gsm_cli/law/explore.html"} <= held
    assert GRAFTED == ["benchmarks", "docs", "figures", "reports", "tests"]


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == __version__
    assert citation["license"] == DISTRIBUTION["license"]
    assert {"cff-version", "message", "title", "authors"} <= set(citation)


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


@pytest.mark.parametrize("name", ["ci", "release"])
def test_an_action_is_named_by_its_digest(name):
    workflow = (ROOT / f".github/workflows/{name}.yml").read_text("utf-8")
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", used) for used in re.findall(r"uses: (\S+)", workflow))


def test_a_release_publishes_what_was_installed_and_tried():
    steps = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text("utf-8"))["jobs"]["release"]["steps"]
    commands = [step["run"] for step in steps if "run" in step]
    tried, published = commands.index(".ci/versions wheel"), len(commands) - 1
    assert tried < published
    assert "dist/*" in commands[published]
    assert f'__version__ = "{__version__}"' in (PACKAGE / "__init__.py").read_text("utf-8").splitlines()
    assert "grep -qx" in commands[0]
