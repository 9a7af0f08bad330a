"""Where the records, the pictures and the text of a report lie: the one place that knows."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

import msgspec
from msgspec import Meta, Struct

from gsm_cli.config import RunConfig
from gsm_cli.errors import DataError, printable
from gsm_cli.files import is_there, read_bounded, write_atomic
from gsm_cli.records.cost import CostRecord
from gsm_cli.records.store import MOST

REPORTS = "reports"  # where commands look for folders of records by default
COST = "cost"  # the folder that `gsm cost` writes to; what is in a folder its records say, and not its name

# What a report asks of its runs: whether a sample may replace the sum, which values of their settings are best,
# and of one group of runs whether the curves, or the table, that others have shown come out
Kind = Literal["comparison", "settings", "curve", "table"]


class _Head(Struct):
    kind: str


class Question(Struct, forbid_unknown_fields=True):
    """What `report.toml` says."""

    kind: Kind
    about: str | None = None  # the runs, in the title of the report; None where the report finds the words
    margin: Annotated[float, Meta(gt=0, lt=100)] | None = None  # points of test accuracy whose loss counts as none
    out: str = REPORTS  # the folder around it, as the command that made it named that
    data_dir: str | None = None  # where that command found the data


@dataclass(frozen=True)
class ReportFolder:
    """A folder with records, and with the report on them."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.resolve().name

    @property
    def question(self) -> Path:
        return self.path / "report.toml"

    @property
    def asked(self) -> Question:
        """What its report asks; without `report.toml` a comparison. Raises DataError if that is damaged."""
        try:
            return msgspec.toml.decode(read_bounded(self.question, MOST), type=Question)
        except (FileNotFoundError, NotADirectoryError):
            return Question("comparison")
        except (OSError, ValueError) as error:
            rule = f'{self.question} must say what the report asks: kind = "comparison", "settings", "curve" or "table"'
            raise DataError(f"{rule}, and does not ({printable(str(error))}): restore it, or remove it") from error

    def ask(self, kind: Kind, data_dir: Path | None = None) -> None:
        """Say what the report asks and how commands find it, unless that is said. Raises GsmError if the disk refuses.

        The folder keeps the path by which it was made, so that its pages are the same wherever they are read.
        """
        if not is_there(self.question):
            told = {"kind": kind} if str(self.path.parent) == REPORTS else {"kind": kind, "out": str(self.path.parent)}
            told |= {} if data_dir is None else {"data_dir": str(data_dir)}
            lines = (f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in told.items())
            write_atomic(self.question, "".join(lines).encode())

    def options(self, config: RunConfig) -> list[str]:
        """What a command says so that such a run lies here, and finds its data."""
        words = [] if self.name == config.folder else ["--report", self.name]
        data_dir = self.asked.data_dir
        return [*words, *self.place, *(["--data-dir", printable(data_dir)] if data_dir else [])]

    @property
    def place(self) -> list[str]:
        """What a command says so that its folder lies beside this one."""
        out = self.asked.out
        return [] if out == REPORTS else ["--out", printable(out)]

    @property
    def named(self) -> str:
        """The folder as a command names it."""
        return f"{printable(self.asked.out)}/{self.name}"

    @property
    def text(self) -> Path:
        return self.path / "report.md"

    @property
    def details(self) -> Path:
        return self.path / "details.md"

    @property
    def records_folder(self) -> Path:
        """Where all records lie, but for those of gradients."""
        return self.path / "records"

    @property
    def steps(self) -> Path:
        """The record of the steps of its series, of `gsm cost --for`."""
        return self.path / "steps.json"

    @property
    def gradients(self) -> list[Path]:
        """The records of measurements of gradients that are there."""
        return sorted(_find(self.path, "gradients*.json"))

    def measurement(self, name: str) -> Path:
        """The record of the measurement of gradients that bears this name."""
        return self.path / f"{name}.json"

    def record(self, name: str) -> Path:
        """The record of the run, or of the measurement of costs, that bears this name."""
        return self.records_folder / f"{name}.json"

    @classmethod
    def of_record(cls, record: Path) -> Self:
        """The folder that `record` gave this path."""
        return cls(record.parent.parent)

    def picture(self, name: str) -> Path:
        return self.path / f"{name}.png"

    def table(self, name: str) -> Path:
        return self.path / f"{name}.csv"

    def link(self, path: Path) -> str:
        """How the report names a file of the folder."""
        return path.relative_to(self.path).as_posix()

    @property
    def records(self) -> list[Path]:
        """All records that are there, but for those of gradients."""
        return sorted(_find(self.records_folder, "*.json"))

    @property
    def pictures(self) -> list[Path]:
        """All pictures that are there."""
        return sorted(_find(self.path, "*.png"))

    @property
    def of_costs(self) -> bool:
        """Whether it holds measurements of costs and no runs."""
        kinds = (kind for path in self.records if (kind := _kind(path)))  # the first of runs tells
        cost = CostRecord.__struct_config__.tag
        return next(kinds, None) == cost and all(kind == cost for kind in kinds)


def find_records(path: Path) -> Path:
    """The folder of that path, or else of that name where reports lie."""
    inside = Path(REPORTS) / path
    return inside if is_there(inside) and not is_there(path) else path


def find_folders(path: Path) -> list[ReportFolder]:
    """`path` itself if it has records, else the folders in it that have. Raises DataError if there are none."""
    found = [folder for folder in _candidates(path) if folder.records or folder.gradients]
    if not found:
        rule = f"a report needs records, and {path} has none"
        raise DataError(f"{rule}: name a folder that has, or make some with gsm train-ssl --out {path}")
    return found


def without_records(path: Path) -> list[Path]:
    """The reports at `path` and in its folders that have no record."""
    return [each.text for each in _candidates(path) if is_there(each.text) and not (each.records or each.gradients)]


def _candidates(path: Path) -> list[ReportFolder]:
    """`path` and what lies in it, each of which may be the folder of a report."""
    return [ReportFolder(each) for each in (path, *sorted(_find(path, "*")))]


def _find(folder: Path, pattern: str) -> Iterator[Path]:
    """What a folder has of that pattern; nothing if there is no such folder. Raises DataError if one may not look."""
    try:
        yield from (path for path in folder.iterdir() if path.match(pattern) and path.name[0] != ".")
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise DataError(f"{folder} cannot be read ({error.strerror}): make it readable, or name another") from error


def _kind(path: Path) -> str | None:
    """What kind of record a file says that it is; None if it says nothing."""
    try:
        return msgspec.json.decode(read_bounded(path, MOST), type=_Head).kind
    except (OSError, msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
