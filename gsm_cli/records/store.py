"""Records on disk: JSON with a schema and a kind, whole or refused."""

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from gsm_cli.errors import DataError, inert, printable
from gsm_cli.files import read_bounded, write_atomic
from gsm_cli.rules import Count, Natural, Plain

SCHEMA = 4
MOST = 2**26  # bytes of a record: hundreds of times what the longest run leaves
LONGEST = 300  # letters of what is wrong with a record
Number = Annotated[float, Meta(ge=-1e100, le=1e100)]  # whose squares and sums are finite as well
NotBelowZero = Annotated[float, Meta(ge=0, le=1e100)]
Seconds = Annotated[float, Meta(ge=1e-9, le=1e12)]
Code = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]
REMEDY = "restore it, or remove it and run again"


class Environment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What numbers and times depend on besides the settings; None where an older record does not say."""

    python: Plain
    torch: Plain
    numpy: Plain
    system: Plain
    device: Literal["cpu", "cuda"]
    kernels: Plain  # of PyTorch on a processor, as AVX512; on a GPU its name
    features: list[Plain] | None = None  # of the processor, those that decide kernels: avx2, avx512_f, avx512_bf16 ...
    threads: Count
    beside: Natural | None = None  # runs that may have been on the same machine at the same time

    @property
    def words(self) -> str:
        """The environment in words."""
        features = "" if self.features is None else f" ({' '.join(self.features) or 'none of the newer instructions'})"
        return inert(
            f"python {self.python}, torch {self.torch}, numpy {self.numpy}, {self.system}, {self.device}, "
            f"{self.kernels}{features}, threads {self.threads}"
        )


class Record(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What every record says: its schema, its kind (the tag of the class), and what made it."""

    schema: Literal[4] = 4
    version: Plain
    code: Code | None  # `fingerprint` of what decided the numbers; None of a record that was converted
    environment: Environment

    @property
    def made_by(self) -> str:
        """The version and the environment in words."""
        return f"gsm {inert(self.version)}, {self.environment.words}"

    def save(self, path: Path) -> None:
        """Write it atomically: a line for every entry of the two outer levels, so that two records compare by line."""
        write_atomic(path, (_lines(msgspec.to_builtins(self)) + "\n").encode())


class Measurement(Record, frozen=True, kw_only=True):
    """A record of turns, a row for each: of a plan that has their `order`, and whose rows say which `turn` they are."""

    plan: Any
    rows: list[Any]

    @property
    def is_whole(self) -> bool:
        """Whether there is a row for every turn."""
        plan = self.plan
        if len(self.rows) != plan.rounds * len(plan.turns):
            return False
        return Counter(row.turn for row in self.rows) == Counter(turn[:2] for turn in plan.order)


AnyRecord = TypeVar("AnyRecord")
AnyMeasurement = TypeVar("AnyMeasurement", bound=Measurement)
Turn = TypeVar("Turn")


def shuffled(turns: Sequence[Turn], rounds: int, seed: int) -> list[tuple[int, Turn]]:
    """Every turn once in each round, with the number of that, in an order that the seed fixes."""
    rng = random.Random(seed)
    return [(number, turn) for number in range(rounds) for turn in rng.sample(turns, len(turns))]


def read_whole(path: Path, kind: type[AnyMeasurement]) -> AnyMeasurement:
    """The measurement at `path`. Raises DataError as `read` does, also if a part of it is missing."""
    found = read(path, kind)
    if not found.is_whole:
        raise DataError(f"{path} must have every turn of its plan once, and has not: {REMEDY}")
    return found


class _Head(Struct):
    schema: int


def rounded(number: float) -> float:
    """To seven significant digits and to a millionth, as records keep what is no count."""
    return round(float(f"{number:.7g}"), 6)


def read(path: Path, kind: type[AnyRecord]) -> AnyRecord:
    """The record at `path`. Raises DataError, with the file and the remedy, if it is not a whole one of that kind."""
    try:
        content = read_bounded(path, MOST)
        schema = msgspec.json.decode(content, type=_Head).schema
        if schema != SCHEMA:
            remedy = "read it with the gsm that wrote it, or remove it and run again"
            raise DataError(f"{path} must be a record of schema {SCHEMA}, not {schema}: {remedy}")
        return msgspec.json.decode(content, type=kind)
    except OSError as error:
        raise DataError(f"{path} must be a whole record, and cannot be read ({error.strerror}): {REMEDY}") from error
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        reason = printable(str(error))
        reason = reason if len(reason) <= LONGEST else reason[:LONGEST] + "…"
        raise DataError(f"{path} must be a whole record, and is not ({reason}): {REMEDY}") from error


def _text(value: Any) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ": "))


def _lines(value: Any, indent: str = "") -> str:
    """JSON with a line for every entry of the two outer levels."""
    deeper = indent + " "
    if isinstance(value, dict) and value and len(indent) < 2:
        entries: Iterator[str] = (f"{json.dumps(key)}: {_lines(entry, deeper)}" for key, entry in value.items())
        return "{\n" + ",\n".join(deeper + entry for entry in entries) + f"\n{indent}}}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(deeper + _text(entry) for entry in value) + f"\n{indent}]"
    return _text(value)
