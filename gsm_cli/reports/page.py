"""What a report is: one page that answers, and the details, each of texts and pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from gsm_cli.analysis.findings import Facts
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.run import RunRecord
from gsm_cli.reports.markdown import plain
from gsm_cli.style import Picture

Block: TypeAlias = "str | Picture[object]"
BULLETS = 4  # at most, of what to keep in mind


@dataclass(frozen=True)
class Page:
    """A question, its answer in one sentence of plain text, and what stands below: picture, table, and what they mean.

    The notice is what a reader must know before the picture, as that seeds are few.
    """

    question: str
    answer: str
    blocks: Sequence[Block] = ()
    notice: str = ""
    missing: Sequence[str] = ()
    caveats: Sequence[str] = ()


@dataclass(frozen=True)
class Report:
    """What the records of a folder give.

    The problems name files that are no such records; the runs are the records that it is made of, series by series.
    """

    folder: ReportFolder
    page: Page
    details: Sequence[Block]
    problems: Sequence[str] = ()
    facts: Facts = field(default_factory=dict)
    runs: Sequence[RunRecord] = ()

    @property
    def title(self) -> str:
        return self.page.question

    @property
    def answer(self) -> str:
        return self.page.answer

    @property
    def text(self) -> str:
        """The Markdown of the page."""
        page = self.page
        blocks: list[Block] = [f"**{page.answer}**", *([f"*{page.notice}*"] if page.notice else [])]
        blocks += [f"> **Warning.** {plain(problem)}." for problem in self.problems]
        blocks += [*page.blocks, *(["## What is missing", *page.missing] if page.missing else [])]
        if page.caveats:
            blocks += ["## Keep in mind", "\n".join(f"* {each}" for each in page.caveats[:BULLETS])]
        return self._written([*blocks, f"More: {', '.join(self._links)}."])

    @property
    def details_text(self) -> str:
        """The Markdown of the details."""
        start = f"The answer is on [the first page]({self.folder.link(self.folder.text)})."
        return self._written([start, *self.details])

    @property
    def pictures(self) -> list[Picture[object]]:
        """All of them, under the title of the report, each once."""
        blocks = [*self.page.blocks, *self.details]
        found = {block.name: block for block in blocks if isinstance(block, Picture)}
        return [replace(picture, title=self.title) for picture in found.values()]

    @property
    def _links(self) -> list[str]:
        """The details and the data beside the page."""
        folder = self.folder
        found = {"details": folder.details, "records": folder.records_folder if folder.records else None}
        found["steps"] = folder.steps if self.facts.get("timed") else None
        return [f"[{name}]({folder.link(path)})" for name, path in found.items() if path]

    def _written(self, blocks: Sequence[Block]) -> str:
        """The Markdown; a picture has its description for those who cannot see it."""
        link, at = self.folder.link, self.folder.picture
        found = (each if isinstance(each, str) else f"![{each.description}]({link(at(each.name))})" for each in blocks)
        return "\n\n".join([f"# {self.title}", *found]) + "\n"
