"""What sets runs apart, and groups of them: a label, a colour and a shape; what they have in common is in none."""

from collections.abc import Mapping, Sequence
from colorsys import hls_to_rgb
from dataclasses import dataclass

import numpy as np

from gsm_cli import commands
from gsm_cli.config import GENERAL_DEFAULTS, RunConfig
from gsm_cli.data import Dataset
from gsm_cli.errors import inert
from gsm_cli.objectives import OBJECTIVES
from gsm_cli.settings import read_preset

DIGEST = "dataset_sha256"  # of images of somebody's own
DIGESTS = (DIGEST, "objective_sha256")
SHOWN = 12  # hex digits of a file's digest
LONGEST = 60  # letters of a value in a label: pictures have no room for more
CONSTANT = (("tau_min", "0"), ("tau_rate", "0"))  # of a temperature that does not fall; no label says so
ALWAYS = ("dataset", DIGEST, "epochs", "precision")  # that a group's name has even where its preset implies them
PALEST = 0.62  # how much white the last of an objective's series has; the first has none
MARKERS = "osvhD^8X<*pP>Hd"
Settings = Mapping[str, str]  # as a reader sees them


@dataclass(frozen=True)
class Identity:
    """An objective and the settings that set some of its runs apart from others, with the look of these runs."""

    objective: str
    settings: tuple[tuple[str, str], ...] = ()
    colour: str = ""
    marker: str = ""

    @property
    def label(self) -> str:
        return ", ".join([inert(self.objective), *self.words])

    @property
    def words(self) -> list[str]:
        """The settings, as a label has them."""
        return [f"{name} {value if len(value) <= LONGEST else value[:LONGEST] + '…'}" for name, value in self.settings]

    def in_brackets(self, more: str = "") -> str:
        """The label in a sentence, where its commas would be in the way: gumbel (tau 0.5; more)."""
        words = "; ".join(filter(None, [", ".join(self.words), more]))
        return f"{inert(self.objective)} ({words})" if words else inert(self.objective)


def identify(runs: Sequence[tuple[str, Settings]]) -> list[Identity]:
    """Of every objective with its settings what sets it apart from its namesakes here, and a look."""
    return with_looks([(name, apart(own, [other for its, other in runs if its == name])) for name, own in runs])


def with_looks(told: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> list[Identity]:
    """Objectives and what is told of their settings, each with its colour and its shape.

    An objective has one shape, so that a picture can be read without its colours, and one colour, in paler shades where
    there are several, as by their temperature. One that is in no table has a colour that is nobody's.
    """
    strangers = list(dict.fromkeys(name for name, _ in told if name not in OBJECTIVES))
    colours = {name: row.colour or "#000000" for name, row in OBJECTIVES.items()}
    colours |= {
        name: _hex(hls_to_rgb((0.21 + place / len(strangers)) % 1, 0.42, 0.45)) for place, name in enumerate(strangers)
    }
    found = []
    for name, settings in told:
        like = sorted(
            {tuple(each) for other, each in told if other == name},
            key=lambda own: [(setting, *by_size(value)) for setting, value in own],
        )
        white = float(np.linspace(0.0, PALEST, len(like))[like.index(tuple(settings))]) if len(like) > 1 else 0.0
        marker = MARKERS[list(colours).index(name) % len(MARKERS)]
        found.append(Identity(name, tuple(settings), _shade(colours[name], white), marker))
    return found


def apart(settings: Settings, others: Sequence[Settings]) -> list[tuple[str, str]]:
    """The settings that differ from those of others."""
    return [
        (name, value)
        for name, value in settings.items()
        if any(other.get(name) != value for other in others) and (name, value) not in CONSTANT
    ]


def shared_settings(config: RunConfig) -> dict[str, object]:
    """The settings that every run of a group has in common."""
    return {**config.general, "dataset": config.dataset_name, DIGEST: config.dataset_sha256}


def own_settings(config: RunConfig) -> dict[str, str]:
    """What is the objective's own, as a reader sees it; of somebody's own file the first digits of its digest."""
    file = {"SHA-256": config.objective_sha256[:SHOWN]} if config.objective_sha256 else {}
    return written(config.own) | file


def written(settings: Mapping[str, object]) -> dict[str, str]:
    """Settings as a reader sees them; of a file's digest the first digits."""
    shown = {name: "default" if value is None else inert(commands.write(value)) for name, value in settings.items()}
    return {inert(name): value[:SHOWN] if name in DIGESTS else value for name, value in shown.items()}


def name_groups(settings: Sequence[Mapping[str, object]], dataset: Dataset) -> list[str]:
    """A name for each group of runs: its preset, if they differ in that, and all else in which they differ."""
    nearest = [min(dataset.presets, key=lambda preset: len(_departures(each, dataset, preset))) for each in settings]
    several, shown, names = len(set(nearest)) > 1, [*map(written, settings)], []
    for each, preset in zip(settings, nearest, strict=True):
        told = {*ALWAYS, *(_departures(each, dataset, preset) if several else each)}
        words = [f"{name} {value}" for name, value in apart(written(each), shown) if name in told]
        names.append(", ".join([f"preset {preset}", *words] if several else words))
    return names


def _departures(settings: Mapping[str, object], dataset: Dataset, preset: str) -> set[str]:
    """In what a group departs from a preset."""
    usual = GENERAL_DEFAULTS | read_preset(dataset, preset)
    return {name for name, value in settings.items() if name not in ("dataset", DIGEST) and value != usual[name]}


def by_size(value: object) -> tuple[float, str]:
    """What sorts values as numbers, of a temperature that falls, "1 to 0.5", by the first; words come before them."""
    try:
        return float(str(value).split()[0]), str(value)
    except (ValueError, IndexError):
        return -1.0, str(value)


def _shade(colour: str, white: float) -> str:
    """A colour with a share of white."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return _hex([part + (1 - part) * white for part in parts])


def _hex(rgb: Sequence[float]) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in rgb)
