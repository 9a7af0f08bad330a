"""Long measurements: turn after turn in other processes, in the order of a plan; an interrupted one goes on."""

from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from msgspec.structs import replace

from gsm_cli.errors import DataError, GsmError, OwnCodeError
from gsm_cli.files import is_there, move
from gsm_cli.records.cost import CostRecord
from gsm_cli.records.steps import StepRecord
from gsm_cli.records.store import read
from gsm_cli.runs.processes import Processes

P = ParamSpec("P")
T = TypeVar("T")
Measured = TypeVar("Measured", CostRecord, StepRecord)
PART = ".part"  # the ending of a measurement that is not whole


def begun(record: Measured, path: Path) -> Measured:
    """The part of a record that lies beside `path`, or the record itself if none does.

    Raises GsmError if the part is of another code or machine, which are never mixed, of another plan, or no beginning.
    """
    part = path.with_suffix(PART)
    if not is_there(part):
        return record
    found = read(part, type(record))
    if (found.code, found.environment) != (record.code, record.environment):
        raise GsmError(
            f"{part} must be of this code and this machine to go on with, and is of {found.code}, "
            f"{found.made_by}: finish it there, or remove it and measure anew"
        )
    turns = [turn[:2] for turn in record.plan.order[: len(found.rows)]]
    if found.plan != record.plan or [row.turn for row in found.rows] != turns:
        raise DataError(f"{part} must be the beginning of this measurement, and is not: remove it and measure anew")
    return found


def measure_turns(
    record: Measured, path: Path, measure: Callable[..., object], on_row: Callable[[Measured], None]
) -> Measured:
    """Measure the turns that a plan's record still lacks, and move it to `path` when it is whole.

    Until then it lies beside it under the ending `.part`, with which a later call goes on.
    """
    record, part = begun(record, path), path.with_suffix(PART)
    for turn in record.plan.order[len(record.rows) :]:
        record = replace(record, rows=[*record.rows, measure(*turn)])
        record.save(part)
        on_row(record)
    move(part, path)
    return record


def apart(pool: Processes, what: str, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a call returns in the process of a pool. Raises GsmError if it fails, as where memory runs out."""
    try:
        return pool.submit(call, *args, **kwargs).result()
    except OwnCodeError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        rule = f"{what} must fit into memory and end, and did not ({reason})"
        raise GsmError(f"{rule}: free memory, or ask for less") from error
