"""The rules of the house: who imports whom, how long things are, and that the README's commands do what it shows."""

import ast
import doctest
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gsm_cli.cli import app

ROOT = Path(__file__).parents[1]
SOURCES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "gsm_cli").glob("*.py"))}

TRAINING = {"torch", "gsm_cli.training"}
DRAWING = {"matplotlib", "seaborn", "rich", "typer"}
HEAVY = {"numpy", "matplotlib", "pandas", "seaborn", "scipy", "sklearn", "torch", "rich"}
FORBIDDEN = {  # module -> what it may not import, itself or through another module of the package
    "cli": HEAVY,
    **dict.fromkeys(("gumbel", "law"), TRAINING | DRAWING),
    **dict.fromkeys(("figures", "pictures", "style"), TRAINING | {"seaborn", "rich", "typer"}),
    **dict.fromkeys(("models", "estimators", "objective", "evaluation", "training", "batch", "gradients"), DRAWING),
    **dict.fromkeys(("cost", "networks", "environment"), DRAWING),
    **dict.fromkeys(("config", "records", "groups", "summary", "report", "report_files", "curves"), TRAINING),
    **dict.fromkeys(("cost_records", "costs", "report_cost"), TRAINING),
    "cost_batch": TRAINING | DRAWING,
}
QUICK_COMMANDS = ("gsm sample", "gsm expectation", "gsm grid", "python -c")


def nodes_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run when a module is imported: not those in functions or for type checkers."""
    for child in ast.iter_child_nodes(node):
        later = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        never = isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING")
        if not later and not never:
            yield child
            yield from nodes_at_import(child)


def imported_names(source: str) -> set[str]:
    """The dotted names that a module imports when it is itself imported."""
    names = set()
    for node in nodes_at_import(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "the package imports itself by its full name"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def reached(module: str, sources: dict[str, str]) -> set[str]:
    """Every dotted name, and every parent of one, that importing a module of the package brings along."""
    names: set[str] = set()
    waiting, seen = [module], {module}
    while waiting:
        for name in imported_names(sources[waiting.pop()]):
            package, *rest = parts = name.split(".")
            names |= {".".join(parts[:depth]) for depth in range(1, len(parts) + 1)}
            if package == "gsm_cli" and rest[0] in sources and rest[0] not in seen:
                seen.add(rest[0])
                waiting.append(rest[0])
    return names


@pytest.mark.parametrize("module", [module for module in FORBIDDEN if module in SOURCES])
def test_imports_point_down(module):
    assert not reached(module, SOURCES) & FORBIDDEN[module]


def test_the_figure_tower_is_under_the_rule():
    assert {"gumbel", "law", "figures", "pictures", "style"} <= set(SOURCES) & set(FORBIDDEN)


@pytest.mark.parametrize(
    ("source", "is_found"),
    [
        ("import torch.nn", True),
        ("from torch import nn", True),
        ("if True:\n    import torch", True),
        ("class A:\n    import torch", True),
        ("from gsm_cli import low", True),
        ("from gsm_cli.low import f", True),
        ("import gsm_cli.low as low", True),
        ("def f():\n    import torch", False),
        ("if TYPE_CHECKING:\n    import torch", False),
        ("from gsm_cli.lazy import f", False),
        ("import torchless", False),
    ],
)
def test_the_rule_finds_imports_through_other_modules(source, is_found):
    sources = {"high": source, "low": "import high\nimport torch as t\n", "lazy": "def f():\n    import torch\n"}
    assert ("torch" in reached("high", sources)) is is_found


def modules_after(code: str, folder: Path) -> set[str]:
    """The top-level modules in memory after a fresh interpreter has run `code`."""
    report = f"{code}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}}, file=sys.stderr)"
    finished = subprocess.run([sys.executable, "-c", report], cwd=folder, check=True, capture_output=True, text=True)
    return set(finished.stderr.split())


def test_importing_the_command_line_imports_nothing_heavy(tmp_path):
    modules = modules_after("import gsm_cli.cli", tmp_path)
    assert "typer" in modules
    assert not modules & HEAVY


@pytest.mark.parametrize("command", ["sample", "grid"])
def test_figure_commands_import_no_more_than_numpy_and_matplotlib(command, tmp_path):
    run = f"from gsm_cli.cli import app\ntry:\n    app(['{command}', '--tau', '1'])\nexcept SystemExit: pass"
    modules = modules_after(run, tmp_path)
    assert {"numpy", "matplotlib"} <= modules
    assert not modules & (HEAVY - {"numpy", "matplotlib"})


@pytest.mark.parametrize("module", SOURCES)
def test_modules_and_functions_are_short(module):
    functions = [node for node in ast.walk(ast.parse(SOURCES[module])) if isinstance(node, ast.FunctionDef)]
    lines = SOURCES[module].count("\n")
    assert lines <= 250
    assert not [node.name for node in functions if node.end_lineno - node.lineno >= 45]


def console_blocks(text: str) -> Iterator[tuple[str, str]]:
    """Every command in a ```console block, and what the block shows under it."""
    for block in text.split("```console\n")[1:]:
        for entry in ("\n" + block.partition("```")[0]).split("\n$ ")[1:]:
            command, _, shown = entry.partition("\n")
            yield command, shown


def readme_commands() -> list[tuple[str, str]]:
    commands = list(console_blocks((ROOT / "README.md").read_text("utf-8")))
    assert any(command.startswith("gsm ") for command, _ in commands), "README.md shows no command"
    return commands


def test_console_blocks_are_read_as_written():
    text = "a\n```console\n$ one -x\nshown\nmore\n$ two\n```\n```python\n$ three\n```\n```console\n$ four\n\n```\n"
    assert list(console_blocks(text)) == [("one -x", "shown\nmore"), ("two", ""), ("four", "\n")]


def parse(command: str) -> Result:
    """Let `gsm` read a command line but answer with its help; what follows a pipe or a redirection is the shell's."""
    words = shlex.split(re.split(r"[|>]", command)[0], comments=True)
    return CliRunner().invoke(app, [*words[1:], "--help"])


def test_readme_commands_are_accepted_by_the_parser():
    for command, _ in readme_commands():
        if command.startswith("gsm"):
            result = parse(command)
            assert result.exit_code == 0, f"{command}\n{result.stderr}"


@pytest.mark.parametrize("command", ["gsm sampel", "gsm sample --tua 1", "gsm grid --draws", "gsm --nothing"])
def test_the_parser_refuses_what_does_not_exist(command):
    assert parse(command).exit_code == 2


def test_readme_commands_show_what_the_readme_says(tmp_path):
    """`...` in the README stands for anything; standard error is not compared."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for command, shown in readme_commands():
        if command.startswith(QUICK_COMMANDS):
            finished = subprocess.run(
                command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, encoding="utf-8"
            )
            assert finished.returncode == 0, f"{command}\n{finished.stderr}"
            if shown.strip():
                same = doctest.OutputChecker().check_output(shown.rstrip() + "\n", finished.stdout, doctest.ELLIPSIS)
                assert same, f"{command}\n{finished.stdout}"


@pytest.mark.parametrize(("name", "objectives"), [("mnist-100", 5), ("digits-100", 9)])
def test_readme_results_are_those_of_the_report(name, objectives):
    readme, report = ((ROOT / path).read_text("utf-8") for path in ("README.md", f"reports/{name}/report.md"))
    table = report.split("## Results\n\n")[1].split("\n\n")[0]
    assert table.count("\n| ") == objectives + 1
    assert f"<!-- results of {name} -->\n\n{table}\n" in readme


def test_the_first_results_of_the_readme_are_the_articles_experiment():
    assert re.search("<!-- results of (.*) -->", (ROOT / "README.md").read_text("utf-8"))[1] == "mnist-100"


def test_files_that_the_readme_names_are_there():
    readme = (ROOT / "README.md").read_text("utf-8")
    names = set(re.findall(r"(?:figures|reports|gsm_cli|benchmarks|docs)/[\w./-]+\.\w+", readme))
    assert len(names) > 20
    made_by_examples = {"figures/sample_2_5.png", "figures/sample_41.png"}
    assert not [name for name in names - made_by_examples if not (ROOT / name).is_file()]
