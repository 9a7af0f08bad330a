"""The commands that draw the law: `gsm sample`, `expectation`, `grid`, `simplex`, `animate` and `explore`."""

import inspect
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from gsm_cli.cli import options
from gsm_cli.cli.options import flag, signed, whole_number
from gsm_cli.cli.output import show
from gsm_cli.errors import UsageError, shown
from gsm_cli.files import write_atomic
from gsm_cli.style import Format, Look, Picture, import_matplotlib

if TYPE_CHECKING:
    from gsm_cli.law.facts import ExpectationFacts, Facts
    from gsm_cli.law.request import Law, Temperature

OF_A_LOOK = ("format", "class_names", "title", "size", "dpi", "style", "font_size", "font")  # which a page has not
HEADINGS = ("class", "π", "mean", "s.e.", "exact", "z-score")  # of the table of `gsm expectation`
MOST_ROWS = 40
LARGEST = 20  # classes by E[z] that are named where there are more than that


@dataclass(frozen=True)
class Asked:
    """What the options say that every command here takes; `law` gives the law, or its own default if it has one."""

    law: "Callable[..., Law]"
    look: Look
    formats: list[Format]
    out: Path
    as_json: bool


def _ask(
    format: options.Formats = None,
    probs: options.Probs = None,
    logits: options.Logits = None,
    classes: options.Classes = None,
    normalize: options.Normalize = False,
    class_names: options.ClassNames = None,
    seed: options.Seed = 0,
    title: options.Title = None,
    size: options.Size = None,
    dpi: options.Dpi = None,
    style: options.Style = "light",
    font_size: options.FontSize = None,
    font: options.Font = None,
    out: options.Out = Path("figures"),
    as_json: options.Json = False,
) -> Asked:
    import_matplotlib()  # before those who need it
    from gsm_cli.law.looks import check_characters, read_look
    from gsm_cli.law.request import read_law

    look = read_look(title, size, dpi, style=style, font_size=font_size, font=font)
    check_characters("--class-names", class_names or "", look.families)
    options.prompt(probs, logits)
    law = partial(read_law, probs, logits, classes, seed, class_names, normalize)
    return Asked(law, look, _formats(format), out, as_json)


def figure_command(draw: Callable[..., None], without: Sequence[str] = ()) -> Callable[..., None]:
    """The command that takes the options of `draw` and most of `_ask`, and hands `draw` what the latter say."""
    shared = {name: each for name, each in inspect.signature(_ask).parameters.items() if name not in without}
    _, *own = inspect.signature(draw).parameters.values()

    @wraps(draw)
    def command(**given: Any) -> None:
        draw(_ask(**{name: given.pop(name) for name in shared}), **given)

    return signed(command, [*own, *shared.values()])


@figure_command
def sample(
    asked: Asked,
    tau: options.Tau = None,
    repeat: Annotated[int, whole_number("--repeat", "Also draw z_0 .. z_<N-1> at the first temperature.", 0, 1000)] = 0,
) -> None:
    """Draw the law and one relaxed sample at every temperature."""
    from gsm_cli.law import pictures

    _write(pictures.samples(asked.law(), _temperatures(tau), repeat, asked.look), asked)


@figure_command
def expectation(
    asked: Asked,
    tau: options.Tau = None,
    samples: options.Samples = 100,
    plain: Annotated[bool, flag("--plain", "Draw the bars alone.")] = False,
) -> None:
    """Draw the mean of many samples against its exact value."""
    from gsm_cli.law import pictures, request

    law, temperatures = asked.law(), _temperatures(tau)
    request.check_work("--samples", samples, law, len(temperatures))
    drawn = pictures.expectations(law, temperatures, samples, plain, asked.look)
    _write(drawn, asked)
    if not asked.as_json:
        _print_expectations(drawn, law.names)


@figure_command
def grid(
    asked: Asked,
    tau: options.Tau = None,
    samples: options.Samples = 100,
    draws: Annotated[int, whole_number("--draws", "Rows of single draws.", 1, 50)] = 4,
) -> None:
    """Draw means and samples at all temperatures in one picture."""
    from gsm_cli.law import pictures, request

    law, temperatures = asked.law(), _temperatures(tau, most=20)
    request.check_work("--samples", samples, law, len(temperatures))
    _write([pictures.grid(law, temperatures, samples, draws, asked.look)], asked)


@figure_command
def simplex(
    asked: Asked,
    tau: options.Tau = None,
    samples: Annotated[int, whole_number("--samples", "Samples on each triangle.", 1, 10_000)] = 300,
) -> None:
    """Draw density and samples of three classes on a triangle."""
    from gsm_cli.law import request
    from gsm_cli.law import simplex as triangles

    law = asked.law(request.ARTICLE_TRIANGLE)
    _write([triangles.simplex(law, _temperatures(tau, most=20), samples, asked.look)], asked)


@partial(figure_command, without=["format"])
def animate(
    asked: Asked,
    first: Annotated[str, typer.Option("--from", metavar="NUMBER", help="Temperature at the beginning.")] = "100",
    last: Annotated[str, typer.Option("--to", metavar="NUMBER", help="Temperature at the turn.")] = "0.05",
    samples: options.Samples = 100,
    simplex: Annotated[bool, flag("--simplex", "Three classes as a cloud on their triangle.")] = False,
) -> None:
    """Draw the law as its temperature falls and rises again."""
    from gsm_cli.law import animation, films, request

    law = asked.law(request.ARTICLE_TRIANGLE) if simplex else asked.law()
    ends = request.read_temperature(first, "--from"), request.read_temperature(last, "--to")
    film = animation.animate(law, ends, samples, simplex, asked.look)
    data = films.encode(list(film.pixels()), json.dumps(film.carried))
    _save({asked.out / f"{film.name}.gif": data}, [film.carried], asked.as_json)


@partial(figure_command, without=OF_A_LOOK)
def explore(
    asked: Asked,
    tau: Annotated[str, typer.Option("--tau", metavar="NUMBER", help="Temperature at which the page opens.")] = "1",
) -> None:
    """Write a page, in one file, in which one drags the law."""
    from gsm_cli.law import explore as page
    from gsm_cli.law.request import read_temperature

    data, carried = page.explore(asked.law(), read_temperature(tau))
    _save({asked.out / "explore.html": data}, [carried], asked.as_json)


def _temperatures(tau: list[str] | None, **most: int) -> "list[Temperature]":
    from gsm_cli.law.request import ARTICLE_TEMPERATURES, read_temperatures

    return read_temperatures(tau or ARTICLE_TEMPERATURES, **most)


def _formats(asked: list[str] | None) -> list[Format]:
    """The formats that are asked for, each once."""
    names = get_args(Format)
    given: list[Any] = [part.strip() for text in asked or ["png"] for part in text.split(",")]
    for name in given:
        if name not in names:
            rule = f"--format must be of {', '.join(names)}, not {shown(name)}"
            raise UsageError(f"{rule}: write for example --format png,svg")
    return list(dict.fromkeys(given))


def _write(pictures: "Sequence[Picture[Facts]]", asked: Asked) -> None:
    """Encode every picture before the first is written; then print the paths, or what the files carry as JSON."""
    both = [(picture, each) for picture in pictures for each in asked.formats]
    files = {asked.out / f"{picture.name}.{each}": picture.encode(each) for picture, each in both}
    _save(files, [picture.carried for picture, _ in both], asked.as_json)


def _save(files: Mapping[Path, bytes], carried: Sequence[Any], as_json: bool) -> None:
    for path, data in files.items():
        write_atomic(path, data)
    figures = [{"path": str(path), **facts} for path, facts in zip(files, carried, strict=True)]
    show(figures[0]["command"].split()[1], files, as_json, figures=figures)


def _print_expectations(pictures: "Sequence[Picture[ExpectationFacts]]", names: Sequence[str]) -> None:
    """One table per temperature: pi, the mean of the draws, its standard error, E[z], and how far apart they are."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(stderr=True)
    for picture in pictures:
        table = Table(title=escape(picture.title), title_justify="left")
        for heading in HEADINGS:
            table.add_column(heading, justify="right", no_wrap=heading != HEADINGS[0], min_width=len(heading))
        for row in _rows(picture.facts, names):
            table.add_row(*map(escape, row))
        console.print(table)


def _rows(facts: "ExpectationFacts", names: Sequence[str]) -> Iterator[list[str]]:
    classes = range(len(facts.exact))
    by_size = sorted(classes, key=lambda k: -facts.exact[k])
    for k in classes if len(classes) <= MOST_ROWS else by_size[:LARGEST]:
        numbers = (facts.probabilities[k], facts.mean[k], facts.standard_error[k], facts.exact[k])
        z = facts.z_score[k]
        name = names[k] if names else str(k + 1)
        yield [name, *(f"{n:.1e}" if 0 < n < 5e-5 else f"{n:.4f}" for n in numbers), "–" if z is None else f"{z:+.2f}"]
