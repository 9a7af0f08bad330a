"""The commands that draw the law: `gsm sample`, `gsm expectation`, `gsm grid`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gsm_cli.cli import options
from gsm_cli.cli.options import whole_number
from gsm_cli.style import JSON, Format, Picture

if TYPE_CHECKING:
    from gsm_cli.law.facts import Facts
    from gsm_cli.law.request import Law, Temperature


def sample(
    tau: options.Tau = None,
    repeat: Annotated[int, whole_number("--repeat", "Also draw z_0 .. z_<N-1> at the first temperature.", 0)] = 0,
    probs: options.Probs = None,
    logits: options.Logits = None,
    classes: options.Classes = None,
    seed: options.Seed = 0,
    out: options.Out = Path("figures"),
    format: options.FormatOption = "png",
    as_json: options.Json = False,
) -> None:
    """Draw the law and one relaxed sample at every temperature."""
    from gsm_cli.law import pictures

    law, temperatures = _read(tau, probs, logits, classes, seed)
    _write(pictures.samples(law, temperatures, repeat), out, format, as_json)


def expectation(
    tau: options.Tau = None,
    samples: options.Samples = 100,
    plain: Annotated[bool, typer.Option("--plain", help="Draw the bars alone.")] = False,
    probs: options.Probs = None,
    logits: options.Logits = None,
    classes: options.Classes = None,
    seed: options.Seed = 0,
    out: options.Out = Path("figures"),
    format: options.FormatOption = "png",
    as_json: options.Json = False,
) -> None:
    """Draw the mean of many samples against its exact value."""
    from gsm_cli.law import pictures

    law, temperatures = _read(tau, probs, logits, classes, seed)
    drawn = pictures.expectations(law, temperatures, samples, plain)
    _write(drawn, out, format, as_json)
    if not as_json:
        from gsm_cli.cli.tables import print_expectations

        print_expectations(drawn)


def grid(
    tau: options.Tau = None,
    samples: options.Samples = 100,
    draws: Annotated[int, whole_number("--draws", "Rows of single draws.", 1)] = 4,
    probs: options.Probs = None,
    logits: options.Logits = None,
    classes: options.Classes = None,
    seed: options.Seed = 0,
    out: options.Out = Path("figures"),
    format: options.FormatOption = "png",
    as_json: options.Json = False,
) -> None:
    """Draw means and samples at all temperatures in one picture."""
    from gsm_cli.law import pictures

    law, temperatures = _read(tau, probs, logits, classes, seed)
    _write([pictures.grid(law, temperatures, samples, draws)], out, format, as_json)


def _read(
    tau: list[str] | None, probs: str | None, logits: str | None, classes: int | None, seed: int
) -> "tuple[Law, list[Temperature]]":
    from gsm_cli.law.request import ARTICLE_TEMPERATURES, read_law, read_temperatures

    return read_law(probs, logits, classes, seed), read_temperatures(tau or ARTICLE_TEMPERATURES)


def _write(pictures: "Sequence[Picture[Facts]]", out: Path, format: Format, as_json: bool) -> None:
    """Encode every picture before the first is written; then print the paths, or what the files carry as JSON."""
    from gsm_cli.files import write_atomic

    files = {out / f"{picture.name}.{format}": picture.encode(format) for picture in pictures}
    for path, data in files.items():
        write_atomic(path, data)
    if as_json:
        from gsm_cli.cli import output

        figures = [_told(*each) for each in zip(files, pictures, strict=True)]
        output.show(pictures[0].facts.command.split()[1], files, output.FigureResults(figures=figures))
    else:
        print(*files, sep="\n", flush=True)  # before a table on stderr


def _told(path: Path, picture: "Picture[Facts]") -> dict[str, JSON]:
    carried = picture.carried
    assert isinstance(carried, dict), "facts are a struct"
    return {"path": str(path), **carried}
