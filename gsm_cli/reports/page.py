"""What a report is: sections, each with its text and the pictures that it shows."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gsm_cli.analysis.facts import Facts
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.run import RunRecord
from gsm_cli.reports.markdown import plain
from gsm_cli.style import Picture


@dataclass(frozen=True)
class Section:
    """Blocks of Markdown, and the pictures that they show."""

    blocks: Sequence[str]
    pictures: Sequence[Picture[object]] = ()


@dataclass(frozen=True)
class Report:
    """What the records of a folder give.

    The answer is plain text; the problems name files that are no such records; the runs are the records that it is made
    of, series by series.
    """

    folder: ReportFolder
    title: str
    answer: str
    sections: Sequence[Section]
    problems: Sequence[str] = ()
    facts: Facts = field(default_factory=dict)
    runs: Sequence[RunRecord] = ()

    @property
    def text(self) -> str:
        """The Markdown."""
        return "\n\n".join([f"# {self.title}", *(block for each in self.sections for block in each.blocks)]) + "\n"

    @property
    def pictures(self) -> list[Picture[object]]:
        return [picture for each in self.sections for picture in each.pictures]


@dataclass(frozen=True)
class Answer:
    """The answer of a report, in plain text, and what stands with it."""

    answer: str
    details: Sequence[str] = ()

    @property
    def blocks(self) -> list[str]:
        return [f"**{self.answer}**", *self.details]


def show(folder: ReportFolder, picture: Picture[object]) -> str:
    """A picture in the text, with its description for those who cannot see it."""
    return f"![{picture.description}]({folder.link(folder.picture(picture.name))})"


def warnings(problems: Sequence[str]) -> list[str]:
    """A block for every problem."""
    return [f"> **Warning.** {plain(problem)}." for problem in problems]
