"""What a report is: sections, each with its text and the pictures that it shows."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from gsm_cli.analysis.facts import Facts
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.run import RunRecord
from gsm_cli.reports.markdown import plain
from gsm_cli.style import Picture

Block: TypeAlias = "str | Picture[object]"


@dataclass(frozen=True)
class Section:
    """Blocks of Markdown and pictures, in the order of the page."""

    blocks: Sequence[Block]

    @property
    def pictures(self) -> list[Picture[object]]:
        return [block for block in self.blocks if isinstance(block, Picture)]


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
        blocks = [self._show(block) for each in self.sections for block in each.blocks]
        return "\n\n".join([f"# {self.title}", *blocks]) + "\n"

    @property
    def pictures(self) -> list[Picture[object]]:
        """All of them, under the title of the report."""
        return [replace(picture, title=self.title) for each in self.sections for picture in each.pictures]

    def _show(self, block: Block) -> str:
        """A picture in the text, with its description for those who cannot see it."""
        if isinstance(block, str):
            return block
        return f"![{block.description}]({self.folder.link(self.folder.picture(block.name))})"


@dataclass(frozen=True)
class Answer:
    """The answer of a report, in plain text, and what stands with it."""

    answer: str
    details: Sequence[str] = ()

    @property
    def blocks(self) -> list[str]:
        return [f"**{self.answer}**", *self.details]


def warnings(problems: Sequence[str]) -> list[str]:
    """A block for every problem."""
    return [f"> **Warning.** {plain(problem)}." for problem in problems]
