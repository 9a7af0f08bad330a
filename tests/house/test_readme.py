"""The README's commands do what it shows, its numbers are those of the reports, and its files are there."""

import doctest
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from tree import DOCUMENTS, README, ROOT
from typer.testing import CliRunner, Result

from gsm_cli.cli.app import app
from gsm_cli.estimator_settings import SCHEDULE
from gsm_cli.law import animation
from gsm_cli.objectives import OBJECTIVES

DRAWING = ("sample", "expectation", "grid", "simplex", "animate", "explore")
QUICK_COMMANDS = (*(f"gsm {command}" for command in DRAWING), "python -c")


def console_blocks(text: str) -> Iterator[tuple[str, str]]:
    """Every command in a ```console block, and what the block shows under it."""
    for block in text.split("```console\n")[1:]:
        for entry in ("\n" + block.partition("```")[0]).split("\n$ ")[1:]:
            command, _, shown = entry.partition("\n")
            yield command, shown


def documented() -> list[tuple[str, str]]:
    """The commands of the README and of docs/."""
    assert len(list(console_blocks(README))) > 5, "README.md shows no commands"
    return [entry for text in DOCUMENTS for entry in console_blocks(text)]


def test_console_blocks_are_read_as_written():
    text = "a\n```console\n$ one -x\nshown\nmore\n$ two\n```\n```python\n$ three\n```\n```console\n$ four\n\n```\n"
    assert list(console_blocks(text)) == [("one -x", "shown\nmore"), ("two", ""), ("four", "\n")]


def parse(command: str) -> Result:
    """Let `gsm` read a command line but answer with its help; what follows a pipe or a redirection is the shell's."""
    words = shlex.split(re.split(r"[|>]", command)[0], comments=True)
    return CliRunner().invoke(app, [*words[1:], "--help"])


def test_documented_commands_are_accepted_by_the_parser():
    for command, _ in documented():
        if command.startswith("gsm"):
            result = parse(command)
            assert result.exit_code == 0, f"{command}\n{result.stderr}"


@pytest.mark.parametrize("command", ["gsm sampel", "gsm sample --tua 1", "gsm grid --draws", "gsm --nothing"])
def test_the_parser_refuses_what_does_not_exist(command):
    assert parse(command).exit_code == 2


def stdout_of(command: str, gsm: Callable[..., Result]) -> str:
    """What a command writes on standard output, which must end well; `2>&1` adds standard error."""
    words = shlex.split(command)
    if words[0] == "python":
        return subprocess.run([sys.executable, *words[1:]], check=True, capture_output=True, text=True).stdout
    both = words[-1] == "2>&1"
    result = gsm(*words[1 : -1 if both else None])
    assert result.exit_code == 0, f"{command}\n{result.stderr}"
    return result.output if both else result.stdout


def test_documented_commands_show_what_the_readme_says(gsm, monkeypatch):
    """`...` in a document stands for anything; standard error is not compared. Films have a few temperatures alone."""
    monkeypatch.setattr(animation, "STEPS", 4)
    for command, shown in documented():
        if command.startswith(QUICK_COMMANDS):
            stdout = stdout_of(command, gsm)
            if shown.strip():
                same = doctest.OutputChecker().check_output(shown.rstrip() + "\n", stdout, doctest.ELLIPSIS)
                assert same, f"{command}\n{stdout}"


PAGES = {  # on which page a table stands, and behind what
    "results": ("report.md", "^# .*\n"),
    "schedules": ("details.md", "## Accuracy in so many seconds\n"),
    "changes": ("details.md", "## What each change brings\n"),
}
TABLES = [  # where they stand, of which report, with their rows
    ("docs/results.md", "results", "mnist-100", 8),
    ("docs/results.md", "schedules", "mnist-100", 4),
    ("docs/results.md", "results", "mnist-pairs-1000", 8),
    ("docs/recipe.md", "changes", "mnist-recipe", 29),
    ("docs/recipe.md", "changes", "mnist-norm", 20),
]


@pytest.mark.parametrize(("document", "kind", "name", "rows"), TABLES)
def test_tables_are_those_of_the_reports(document, kind, name, rows):
    page, start = PAGES[kind]
    text = (ROOT / f"reports/{name}/{page}").read_text("utf-8")
    blocks = re.split(start, text, flags=re.MULTILINE)[1].split("\n\n")
    table = next(block for block in blocks if block.startswith("| "))
    assert table.count("\n| ") == rows + 1
    assert f"<!-- {kind} of {name} -->\n\n{table}\n" in (ROOT / document).read_text("utf-8")


def test_the_table_of_estimators_has_a_row_for_each():
    """Its name, what stands for the sum, and its settings; the rest the document alone says."""
    table = (ROOT / "docs/estimators.md").read_text("utf-8").partition("| objective | ")[2].partition("\n\n")[0]
    cells = [line.split(" | ") for line in table.splitlines()[2:]]
    assert [row[0] for row in cells] == [f"| `{name}`" for name in OBJECTIVES]
    for (_, meaning, _, _, settings, _), row in zip(cells, OBJECTIVES.values(), strict=True):
        assert meaning.partition(" ([")[0] == row.help
        own = [f"`{name}`" for name in row.settings if name not in (*SCHEDULE[1:], "entropy_weight")]
        assert settings == (", ".join(own) or "–")


def test_every_table_that_says_whose_it_is_is_held():
    said = re.findall(r"<!-- (?!rows)(\w+) of ([\w-]+) -->", "\n".join(DOCUMENTS))
    assert sorted(said) == sorted((kind, name) for _, kind, name, _ in TABLES)


def test_the_table_of_the_readme_has_rows_of_the_articles_experiment():
    table = README.partition("<!-- rows of mnist-held-back -->\n\n")[2].partition("\n\n")[0].splitlines()
    page = (ROOT / "reports/mnist-held-back/report.md").read_text("utf-8").splitlines()
    assert len(table) == 2 + 4
    assert set(table) <= set(page)


def test_the_readme_can_be_read_in_a_few_minutes():
    assert len(README.splitlines()) <= 140
    assert len(README.split()) <= 1_500


def test_files_that_the_documents_name_are_there():
    names = set(
        re.findall(r"(?<!tests/)(?:figures|reports|gsm_cli|benchmarks|docs)/[\w./-]+\.\w+", "\n".join(DOCUMENTS))
    )
    assert len(names) > 20
    made_by_examples = {"figures/sample_2_5.png", "figures/sample_41.png", "reports/digits-100/runs.csv"}
    made_by_examples |= {"reports/digits-100/steps.json"}
    assert not [name for name in names - made_by_examples if not (ROOT / name).is_file()]
