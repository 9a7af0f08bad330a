"""Records on disk: JSON with a schema and a kind, whole or refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from gsm_cli.errors import DataError, inert, printable, shortened
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
    beside: Natural | None = None  # of older records: runs that may have been on the same machine at the same time

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

    PARTS: ClassVar[str] = ""  # what a whole one has once
    schema: Literal[4] = 4
    version: Plain
    code: Code | None  # `fingerprint` of what decided the numbers; None of a record that was converted
    environment: Environment

    @property
    def made_by(self) -> str:
        """The version and the environment in words."""
        return f"gsm {inert(self.version)}, {self.environment.words}"

    @property
    def is_whole(self) -> bool:
        """Whether all that was asked for is there."""
        return True

    def save(self, path: Path) -> None:
        """Write it atomically: a line for every entry of the two outer levels, so that two records compare by line."""
        write_atomic(path, (_lines(msgspec.to_builtins(self)) + "\n").encode())


AnyRecord = TypeVar("AnyRecord", bound=Record)


class _Head(Struct):
    schema: int


def rounded(number: float) -> float:
    """To seven significant digits and to a millionth, as records keep what is no count."""
    return round(float(f"{number:.7g}"), 6)


def read(path: Path, kind: type[AnyRecord], part: bool = False) -> AnyRecord:
    """The record at `path`, or a part of one. Raises DataError, with the file and the remedy, if it is none.

    Also without `part` if it lacks something.
    """
    try:
        content = read_bounded(path, MOST)
        schema = msgspec.json.decode(content, type=_Head).schema
        if schema != SCHEMA:
            remedy = "read it with the gsm that wrote it, or remove it and run again"
            raise DataError(f"{path} must be a record of schema {SCHEMA}, not {schema}: {remedy}")
        record = msgspec.json.decode(content, type=kind)
    except OSError as error:
        raise DataError(f"{path} must be a whole record, and cannot be read ({error.strerror}): {REMEDY}") from error
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        reason = shortened(printable(str(error)), LONGEST)
        raise DataError(f"{path} must be a whole record, and is not ({reason}): {REMEDY}") from error
    if not (part or record.is_whole):
        raise DataError(f"{path} must have {kind.PARTS} once, and has not: {REMEDY}")
    return record


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
