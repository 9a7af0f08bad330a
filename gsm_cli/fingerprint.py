"""Which code made a number: a digest of the modules that decide it, whatever their files are called.

It is of syntax trees, so comments, formatting and docstrings leave it as it is. It is of the statements of all modules
in the order of their own digests, so a module may be renamed and a function moved. Imports are left out, because they
name modules; what they import is in the digest by its own content. A string that names a module is code like any other.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parent
# What decides the numbers of a run, and of a gradient or a cost
RUNS = ("data", "model", "runs", "estimator_settings.py", "objectives.py", "schedules.py", "streams.py")
MEASURES = (*RUNS, "measures", "law/gumbel.py")


@cache
def fingerprint(parts: tuple[str, ...] = RUNS, package: Path = PACKAGE) -> str:
    """Sixteen hex digits of these packages and modules, as they are when first asked for; the same in every Python."""
    places = [package / part for part in parts]
    paths = [path for place in places for path in (place, *place.rglob("*.py")) if path.is_file()]
    statements = [statement for path in paths for statement in _said(ast.parse(path.read_bytes()).body)]
    digests = sorted(hashlib.sha256(repr(_plain(each)).encode()).hexdigest() for each in statements)
    return hashlib.sha256("".join(digests).encode()).hexdigest()[:16]


def _plain(node: Any) -> Any:
    """A part of a tree as tuples, without what is empty, which some versions of Python have no field for.

    Nor with what follows from its place: whether a name is read or written.
    """
    if isinstance(node, list):
        return [_plain(each) for each in _said(node)]
    if not isinstance(node, ast.AST):
        return node
    values = [(name, getattr(node, name, None)) for name in node._fields if name != "ctx"]
    return type(node).__name__, [(name, _plain(value)) for name, value in values if value is not None and value != []]


def _said(nodes: list[Any]) -> list[Any]:
    """Without imports and texts that stand alone, as docstrings do."""
    texts = [node for node in nodes if isinstance(node, ast.Expr) and type(getattr(node.value, "value", None)) is str]
    return [node for node in nodes if node not in texts and not isinstance(node, ast.Import | ast.ImportFrom)]
