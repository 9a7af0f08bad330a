"""How long things are: neither a module nor a function too long to be read at once, nor a module that is a crumb."""

import ast

import pytest
from tree import SOURCES

SHORT = {  # modules under thirty lines, and why they are right so
    "gsm_cli/schedules.py": "what records and runs ask of a schedule, and neither imports from the other",
    "gsm_cli/estimators.py": "where others find what is in `model`",
}


@pytest.mark.parametrize("module", SOURCES)
def test_modules_and_functions_are_short(module):
    tree = ast.parse(SOURCES[module])
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert SOURCES[module].count("\n") <= 250
    lengths = [(node.name, node.end_lineno - node.body[0].lineno) for node in functions]  # of what it does
    assert not [name for name, length in lengths if length >= 45]


def test_there_are_no_crumbs():
    """Join a crumb with what needs it, or say above why it stands alone; who grew leaves the list."""
    short = {module for module, source in SOURCES.items() if source.count("\n") < 30}
    assert {module for module in short if not module.endswith("/__init__.py")} == set(SHORT)
