"""What is in memory after a command, or after one import: nothing heavy before it is needed."""

import subprocess
import sys
from pathlib import Path

from msgspec.structs import replace
from records_of import record
from tree import GROUND

from gsm_cli.cli.plan import read_plan
from gsm_cli.records.layout import ReportFolder

HEAVY = {"numpy", "matplotlib", "pandas", "seaborn", "scipy", "sklearn", "torch", "rich"}
LIGHT = ["gsm_cli", "gsm_cli.data", *(f"gsm_cli.{name}" for name in GROUND if name not in ("style", "estimators"))]


def modules_after(code: str, folder: Path) -> set[str]:
    """The top-level modules in memory after a fresh interpreter has run `code`."""
    report = f"{code}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}}, file=sys.stderr)"
    finished = subprocess.run([sys.executable, "-c", report], cwd=folder, check=True, capture_output=True, text=True)
    return set(finished.stderr.split())


def heavy_modules_of(folder: Path, *commands: str) -> set[str]:
    """What is heavy and in memory after these commands, one after the other in one interpreter."""
    few = "from gsm_cli.law import animation; animation.STEPS = 3" if "animate" in " ".join(commands) else ""
    calls = [f"try: app({command.split()})\nexcept SystemExit as end: assert not end.code" for command in commands]
    return modules_after("\n".join(["from gsm_cli.cli.app import app", few, *calls]), folder) & HEAVY


def test_importing_the_command_line_imports_nothing_heavy(tmp_path):
    modules = modules_after("import gsm_cli.cli.app", tmp_path)
    assert "typer" in modules
    assert not modules & (HEAVY | {"msgspec"})


def test_settings_and_the_names_of_data_sets_are_light(tmp_path):
    modules = modules_after(f"import {', '.join(LIGHT)}", tmp_path)
    assert "gsm_cli" in modules
    assert not modules & HEAVY


def test_figure_commands_import_no_more_than_numpy_and_matplotlib(tmp_path):
    commands = ("sample --tau 1", "grid --tau 1", "simplex --tau 1", "animate --dpi 30", "explore")
    assert heavy_modules_of(tmp_path, *commands) == {"numpy", "matplotlib"}


def test_expectation_adds_no_more_than_its_table(tmp_path):
    assert heavy_modules_of(tmp_path, "expectation --tau 1") == {"numpy", "matplotlib", "rich"}


def test_what_is_finished_needs_no_torch_and_what_is_drawn_no_matplotlib(tmp_path):
    (config,) = read_plan({"objective": "gumbel", "epochs": "3"}, [], None).configs
    path = ReportFolder(tmp_path / "reports" / config.folder).record(config.name)
    replace(record("gumbel", 0), config=config).save(path)
    train = "train-ssl --objective gumbel --epochs 3"
    assert heavy_modules_of(tmp_path, train) == {"numpy", "scipy", "rich", "matplotlib"}
    assert heavy_modules_of(tmp_path, train) == {"numpy", "scipy", "rich"}
    assert heavy_modules_of(tmp_path, "report", "report --check") == {"numpy", "scipy"}


def test_help_needs_nothing_that_computes(tmp_path):
    assert heavy_modules_of(tmp_path, "--help", "sample --help", "train-ssl --help") <= {"rich"}


def test_an_import_leaves_the_environment_as_it_is(tmp_path):
    code = "import os; before = dict(os.environ); from gsm_cli.style import import_matplotlib; import_matplotlib(); "
    code += "assert before == dict(os.environ)"
    assert "matplotlib" in modules_after(code, tmp_path)
