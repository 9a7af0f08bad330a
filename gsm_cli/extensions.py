"""Estimators of somebody else's: a class in a file, `mine.py:Mine`, or one that an installed package offers.

A package offers one by an entry point of the group `gsm.objectives`. The parameters of the class are its settings: each
needs a default, a number, a text or true or false; `temperature` is given by tau, tau_min and tau_rate at every step.

A file is read once, and the bytes whose SHA-256 a record keeps are those that run; Python's caches have no part in it.
Of an installed package Python's own import runs, and the digest is that of the file with the class.
"""

import hashlib
import inspect
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stdout
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Annotated, Any

from msgspec import Meta

from gsm_cli.config import RunConfig
from gsm_cli.errors import OwnCodeError, UsageError, is_of_memory, is_seen, meant, printable
from gsm_cli.estimator_settings import NO_PARAMETERS, SCHEDULE, Annealed
from gsm_cli.files import check_ordinary
from gsm_cli.objectives import OBJECTIVES, Objective
from gsm_cli.rules import GREATEST, NAME, Name, Setting, rule_of, settings_of

RULES: dict[type, Any] = {  # of a parameter, by the kind of its default
    bool: Annotated[bool, Meta(description="true or false")],
    int: Annotated[int, Meta(description="a whole number")],
    float: Annotated[float, Meta(ge=-GREATEST, le=GREATEST, description="a finite number")],
    str: Annotated[str, Meta(description="a text")],
}
TAKEN = {*RunConfig.__struct_fields__, *NO_PARAMETERS, "objective", "objective_sha256"}  # by settings of a run
FILES: set[str] = set()  # with code of somebody's own, as tracebacks name them


@contextmanager
def own_code(culprit: str | None = None) -> Iterator[None]:
    """Around what may call code of somebody's own: the working folder and the environment stay as they were.

    What it prints goes to stderr. Raises OwnCodeError for what it raises, SystemExit too, and with a culprit for
    whatever is raised; errors of gsm's own, Ctrl-C and too little memory stay what they are.
    """
    variables = dict(os.environ)
    try:
        with redirect_stdout(sys.stderr), chdir("."):
            yield
    except BaseException as error:
        ours = type(error).__module__.startswith("gsm_cli.") or isinstance(error, KeyboardInterrupt)
        if ours or is_of_memory(error) or not (place := _place(error) or culprit):
            raise
        what = f"{type(error).__name__} ({str(error) or 'without a word'})"
        raise OwnCodeError(printable(f"{place} must run without an error, and raises {what}: correct it")) from error
    finally:
        if os.environ != variables:
            os.environ.clear()
            os.environ.update(variables)


def _place(error: BaseException) -> str | None:
    """The last line of somebody's own code that an error came through; None if it is not theirs."""
    lines = [(each.filename, each.lineno) for each in extract_tb(error.__traceback__)]
    lines += [(str(error.filename), error.lineno)] if isinstance(error, SyntaxError) else []
    return next((f"{file}, line {line}," for file, line in reversed(lines) if file in FILES), None)


def find_objective(name: str, place: str = "objective") -> Objective:
    """The row of the table with that name, or one made for somebody's own class.

    Raises UsageError if there is none, and says that it stands at `place`.
    """
    if name in OBJECTIVES:
        return OBJECTIVES[name]
    if not re.search(NAME, name) or not is_seen(name):
        raise UsageError(f"{place} must be {rule_of(Name)}, and all of it be seen, not {name!r}: rename it")
    path, colon, _ = name.rpartition(":")
    if colon and not path.endswith(".py"):
        raise UsageError(f"{place} must name a Python file, as mine.py:Mine, not {path}: write its path and class")
    if colon:
        return _from_file(name, Path(path).absolute(), _read(Path(path), place))
    for point in entry_points(group="gsm.objectives", name=name):
        with own_code(point.value):
            if not inspect.isclass(found := point.load()):
                raise TypeError(f"{found!r} is no class")
            path = inspect.getfile(found)
        FILES.add(path)
        return _row(name, found, _read(Path(path), place))
    rule = f"{place} must be one of {', '.join(OBJECTIVES)} or a class as mine.py:Mine"
    raise UsageError(f"{rule}, not {name!r}: {meant(name, OBJECTIVES)}")


def _read(path: Path, place: str = "objective") -> bytes:
    try:
        check_ordinary(path)
        return path.read_bytes()
    except OSError as error:
        rule = f"{place} must name a file that exists and can be read"
        raise UsageError(f"{rule}, not {path} ({error.strerror}): write its path and class") from error


@lru_cache
def _from_file(name: str, path: Path, content: bytes) -> Objective:
    module, (file, _, attribute) = _module(path, content), name.rpartition(":")
    found = getattr(module, attribute, None)
    if not inspect.isclass(found):
        classes = [each for each, value in vars(module).items() if inspect.isclass(value) and "__call__" in vars(value)]
        raise UsageError(f"{file} must have a class {attribute!r}, and has {', '.join(classes) or 'none'}: name one")
    return _row(name, found, content)


@lru_cache
def _module(path: Path, content: bytes) -> ModuleType:
    """A file's content run as a module, once."""
    module = ModuleType(f"gsm_own_{path.stem}_{hashlib.sha256(content).hexdigest()[:8]}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where dataclasses and pickle look
    FILES.add(module.__file__)
    with own_code(str(path)):
        exec(compile(content, module.__file__, "exec", dont_inherit=True), vars(module))
    return module


def _row(name: str, found: Any, content: bytes) -> Objective:
    """A row of the table from the signature of a class, and the content of its file."""
    try:
        calls = [vars(base)["__call__"] for base in found.__mro__ if "__call__" in vars(base)]
        inspect.signature(calls[0]).bind(None, None, None, None)  # self, bound, logits, rng
    except (IndexError, TypeError, ValueError):
        rule = f"{name} must be called with (bound, logits, rng), and its __call__ cannot be"
        raise UsageError(f"{rule}: change its parameters") from None
    settings: dict[str, Setting] = {}
    for parameter in inspect.signature(found).parameters.values():
        settings |= _settings(name, parameter)
    summary = (inspect.getdoc(found) or "an estimator of somebody's own").splitlines()[0]
    return Objective(name, summary, found, settings, sha256=hashlib.sha256(content).hexdigest())


def _settings(name: str, parameter: inspect.Parameter) -> Mapping[str, Setting]:
    """What a parameter of the class is set by. Raises UsageError without a default of a kind that a setting has."""
    default, missing = parameter.default, parameter.default is inspect.Parameter.empty
    if parameter.name in TAKEN:
        remedy = "call it temperature" if parameter.name in SCHEDULE else "rename it"
        raise UsageError(f"{name} must not call a parameter {parameter.name}, which is a setting of gsm: {remedy}")
    is_number = type(default) in (int, float) and abs(default) <= sys.float_info.max
    if parameter.name == "temperature" and (missing or is_number):
        annealed = settings_of(Annealed)
        return annealed if missing else {**annealed, "tau": replace(annealed["tau"], default=float(default))}
    if is_number and parameter.annotation in (float, "float"):
        default = float(default)
    if type(default) is str:  # which has to stand on the command line as one value
        fits = "," not in default and default == default.strip()
    else:
        fits = is_number or type(default) is bool
    if fits and parameter.name != "temperature":
        return {parameter.name: Setting(RULES[type(default)], default)}
    what = "no default" if missing else repr(default)
    rule = f"{name} must have a finite number, a text without commas or true or false as the default of its parameter"
    raise UsageError(f"{rule} {parameter.name}, and has {what}: give it one")
