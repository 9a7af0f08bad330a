"""Wrong input, made from the options themselves: one sentence and the right code, soon, whatever the value."""

import json
import signal
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gsm_cli.cli.app import COMMANDS, app, load

pytestmark = pytest.mark.faults
SECONDS = {signal.ITIMER_PROF: 10.0, signal.ITIMER_REAL: 60.0}  # of the processor, and in all, that a command may take
HEAVY = ("law.pictures", "measures.steps", "measures.gradients", "reports.folder", "runs.batch")
ODD = [
    *("", " ", ",", "1,,2", "=", "-", "--", "\n", "1\n2", "\t", "\x1b[31m", "ü", "½", "١", "\u202e", "💥", "\udcff"),
    *("nan", "inf", "-inf", "-1", "-0", "0", "1", "0.5", "1.5", "1e308", "1e308,1e308", "1e-400", "1e30", str(10**30)),
    *("9" * 5000, "0." + "0" * 5000 + "1", "x" * 5000, "0x10", "1_000", "1e", "true", "none", "null", "[]", "{}", "()"),
    *("a=b", "=1", "a=", "epochs=", "hidden=", "hidden=0", "tau=0", "norm=none", "0-3", "3-0", "0-", "0-100000000"),
    *("/", "/dev/null", "..", "nowhere", "nowhere/x", "x.py:X", "x.npz", "broken.toml", "broken.py:X", "a.png"),
    *("gumbel", "marginalize,", "digits", "mnist", "adgm", "cuda", "auto", "svg", "%s", "{0}", "$HOME", "`id`", "'"),
]
BASE = {  # what each command is given besides, so that it is quick, and what it must not do
    "sample": ["--tau", "1"],
    "expectation": ["--tau", "1"],
    "grid": ["--tau", "1"],
    "simplex": ["--tau", "1"],
    "animate": ["--dpi", "30"],
    "train-ssl": ["--dry-run"],
}
STUBS = ["gsm_cli.cli.measuring.go_on", "gsm_cli.measures.gradients.measure_plan", "gsm_cli.data.files.download"]


def options() -> Iterator[tuple[str, str | None]]:
    """Every command with each of its options that take a value; None is an argument."""
    for name in COMMANDS:
        for option in load(name).params:
            if option.param_type_name == "argument":
                yield name, None
            elif not option.is_flag:
                yield name, option.opts[0]


CASES = [(*option, odd) for option in options() for odd in ODD]


def problems_of(command: str, option: str | None, odd: str) -> list[str]:
    """What a user would not expect of a command with an odd value."""
    words = [command, *BASE.get(command, []), *([odd] if option is None else [f"{option}={odd}"])]
    result = CliRunner().invoke(app, words, prog_name="gsm")
    said = result.stderr
    lines = [line for line in said.splitlines() if line.startswith("gsm: ")]
    if isinstance(result.exception, TimeoutError):
        return ["takes too long"]
    if result.exception and not isinstance(result.exception, SystemExit):
        return [f"{result.exception!r} is not caught"]
    found = [f"{word} in {said[-300:]!r}" for word in ("Traceback", "a defect") if word in said]
    may_fail = option == "--out" or command in ("report", "train-ssl")  # a folder where nothing can be written
    may_fail = may_fail or odd == "broken.py:X"  # the fault of that code
    if result.exit_code not in (0, 1, 2, 3) or (result.exit_code == 1 and not may_fail):
        found.append(f"code {result.exit_code}: {said[-300:]!r}")
    if result.exit_code and (len(lines) != 1 or said != f"{lines[0]}\n"):
        found.append(f"{len(lines)} lines: {said[-300:]!r}")
    return found + ([f"{len(said)} letters"] if result.exit_code and len(said) > 1500 else [])


@pytest.fixture
def surroundings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is measured or fetched; files that are no good lie there; every command has so much time."""

    def done(*_: object, **__: object) -> None:
        raise SystemExit(0)

    def late(*_: object) -> None:
        raise TimeoutError

    for name in STUBS:
        monkeypatch.setattr(name, done)
    (folder / "broken.toml").write_text("a = [")
    (folder / "broken.py").write_text("raise ValueError('broken')")
    (folder / "x.npz").write_text("no archive")
    for name in HEAVY:  # once, and not within the time of a command
        import_module(f"gsm_cli.{name}")
    before = {number: signal.signal(number, late) for number in (signal.SIGALRM, signal.SIGPROF)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("surroundings")
def test_wrong_input(campaign):
    for case in campaign.sample(CASES, least=40, cheap=60):
        for clock, seconds in SECONDS.items():
            signal.setitimer(clock, seconds)
        try:
            problems = problems_of(*case)
        except TimeoutError:
            problems = ["takes too long"]
        finally:
            for clock in SECONDS:
                signal.setitimer(clock, 0.0)
        campaign.count(json.dumps([text and text[:40] for text in case]), problems)
    campaign.close()


@pytest.mark.usefixtures("surroundings")
@pytest.mark.parametrize("command", BASE)
def test_without_an_odd_value_each_command_ends_well(command):
    assert CliRunner().invoke(app, [command, *BASE[command]]).exit_code == 0


def test_the_odd_values_are_given_to_every_option():
    found = set(options())
    assert {("sample", "--tau"), ("train-ssl", "--epochs"), ("cost", "--rounds"), ("report", None)} <= found
    assert len(CASES) > 4000
