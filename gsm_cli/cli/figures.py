"""The commands that draw the law: `gsm sample`, `expectation`, `grid`, `simplex`, `animate` and `explore`."""

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from gsm_cli.cli import options
from gsm_cli.cli.options import flag, signed, whole_number
from gsm_cli.errors import UsageError
from gsm_cli.style import Format, Look, Picture, import_matplotlib

if TYPE_CHECKING:
    from gsm_cli.law.facts import Facts
    from gsm_cli.law.request import Law, Temperature


@dataclass(frozen=True)
class Asked:
    """What the options say that every command here takes; `law` gives the law, with its own default if it has one."""

    law: "Callable[..., Law]"
    look: Look
    out: Path
    as_json: bool


def _ask(
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

    def law(**default: Sequence[float]) -> "Law":
        options.prompt(probs, logits)
        return read_law(probs, logits, classes, seed, class_names, normalize, **default)

    return Asked(law, look, out, as_json)


def figure_command(draw: Callable[..., None]) -> Callable[..., None]:
    """The command that takes the options of `draw` and those of `_ask`, and hands `draw` what these say."""
    shared = inspect.signature(_ask).parameters
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
    format: options.Formats = None,
) -> None:
    """Draw the law and one relaxed sample at every temperature."""
    from gsm_cli.law import pictures

    _write(pictures.samples(asked.law(), _temperatures(tau), repeat, asked.look), asked, format)


@figure_command
def expectation(
    asked: Asked,
    tau: options.Tau = None,
    samples: options.Samples = 100,
    plain: Annotated[bool, flag("--plain", "Draw the bars alone.")] = False,
    format: options.Formats = None,
) -> None:
    """Draw the mean of many samples against its exact value."""
    from gsm_cli.law import pictures, request

    law, temperatures = asked.law(), _temperatures(tau)
    request.check_work("--samples", samples, law, len(temperatures))
    drawn = pictures.expectations(law, temperatures, samples, plain, asked.look)
    _write(drawn, asked, format)
    if not asked.as_json:
        from gsm_cli.cli.tables import print_expectations

        print_expectations(drawn, law.names)


@figure_command
def grid(
    asked: Asked,
    tau: options.Tau = None,
    samples: options.Samples = 100,
    draws: Annotated[int, whole_number("--draws", "Rows of single draws.", 1, 50)] = 4,
    format: options.Formats = None,
) -> None:
    """Draw means and samples at all temperatures in one picture."""
    from gsm_cli.law import pictures, request

    law, temperatures = asked.law(), _temperatures(tau, most=20)
    request.check_work("--samples", samples, law, len(temperatures))
    _write([pictures.grid(law, temperatures, samples, draws, asked.look)], asked, format)


@figure_command
def simplex(
    asked: Asked,
    tau: options.Tau = None,
    samples: Annotated[int, whole_number("--samples", "Samples on each triangle.", 1, 10_000)] = 300,
    format: options.Formats = None,
) -> None:
    """Draw density and samples of three classes on a triangle."""
    from gsm_cli.law import request
    from gsm_cli.law import simplex as triangles

    law = asked.law(default=request.ARTICLE_TRIANGLE)
    _write([triangles.simplex(law, _temperatures(tau, most=20), samples, asked.look)], asked, format)


@figure_command
def animate(
    asked: Asked,
    first: Annotated[str, typer.Option("--from", metavar="NUMBER", help="Temperature at the beginning.")] = "100",
    last: Annotated[str, typer.Option("--to", metavar="NUMBER", help="Temperature at the turn.")] = "0.05",
    samples: options.Samples = 100,
    simplex: Annotated[bool, flag("--simplex", "Three classes as a cloud on their triangle.")] = False,
) -> None:
    """Draw the law as its temperature falls and rises again."""
    from gsm_cli.law import animation, films, request

    law = asked.law(**({"default": request.ARTICLE_TRIANGLE} if simplex else {}))
    ends = request.read_temperature(first, "--from"), request.read_temperature(last, "--to")
    film = animation.animate(law, ends, samples, simplex, asked.look)
    data = films.encode(list(film.pixels()), json.dumps(film.carried))
    _save({asked.out / f"{film.name}.gif": data}, [film.carried], asked.as_json)


def explore(
    probs: options.Probs = None,
    logits: options.Logits = None,
    classes: options.Classes = None,
    normalize: options.Normalize = False,
    tau: Annotated[str, typer.Option("--tau", metavar="NUMBER", help="Temperature at which the page opens.")] = "1",
    seed: options.Seed = 0,
    out: options.Out = Path("figures"),
    as_json: options.Json = False,
) -> None:
    """Write a page, in one file, in which one drags the law."""
    import_matplotlib()
    from gsm_cli.law import explore as page
    from gsm_cli.law.request import read_law, read_temperature

    options.prompt(probs, logits)
    law = read_law(probs, logits, classes, seed, normalize=normalize)
    data, carried = page.explore(law, read_temperature(tau))
    _save({out / "explore.html": data}, [carried], as_json)


def _temperatures(tau: list[str] | None, **most: int) -> "list[Temperature]":
    from gsm_cli.law.request import ARTICLE_TEMPERATURES, read_temperatures

    return read_temperatures(tau or ARTICLE_TEMPERATURES, **most)


def _formats(asked: list[str] | None) -> list[Format]:
    """The formats that are asked for, each once."""
    names = get_args(Format)
    given: list[Any] = [part.strip() for text in asked or ["png"] for part in text.split(",")]
    for name in given:
        if name not in names:
            rule = f"--format must be of {', '.join(names)}, not {options.as_typed(name)}"
            raise UsageError(f"{rule}: write for example --format png,svg")
    return list(dict.fromkeys(given))


def _write(pictures: "Sequence[Picture[Facts]]", asked: Asked, format: list[str] | None) -> None:
    """Encode every picture before the first is written; then print the paths, or what the files carry as JSON."""
    formats = _formats(format)
    both = [(picture, each) for picture in pictures for each in formats]
    files = {asked.out / f"{picture.name}.{each}": picture.encode(each) for picture, each in both}
    _save(files, [picture.carried for picture, _ in both], asked.as_json)


def _save(files: Mapping[Path, bytes], carried: Sequence[Any], as_json: bool) -> None:
    from gsm_cli.files import write_atomic

    for path, data in files.items():
        write_atomic(path, data)
    if as_json:
        from gsm_cli.cli import output

        figures = [{"path": str(path), **facts} for path, facts in zip(files, carried, strict=True)]
        output.show(figures[0]["command"].split()[1], files, figures=figures)
    else:
        print(*files, sep="\n", flush=True)  # before a table on stderr
