"""What the shell offers for names: objectives, data sets, presets and settings; behind a comma the next one."""

from collections.abc import Callable, Iterable, Mapping

from gsm_cli.data import DATASETS
from gsm_cli.objectives import OBJECTIVES

Offered = list[tuple[str, str]]  # what is offered, and its help


def names(choices: Iterable[str], ending: str = "") -> Callable[[str], Offered]:
    """Offers these names, with what a mapping says of them; behind a comma those that are not there yet."""
    words = choices if isinstance(choices, Mapping) else dict.fromkeys(choices, "")

    def complete(incomplete: str) -> Offered:
        before, comma, last = incomplete.rpartition(",")
        left = [name for name in words if name.startswith(last) and name not in before.split(",")]
        return [(f"{before}{comma}{name}{ending}", str(words[name])) for name in left]

    return complete


objectives = names({name: row.help for name, row in OBJECTIVES.items()} | {"all": "every objective"})
datasets = names({name: each.title for name, each in DATASETS.items()})
presets = names(dict.fromkeys(preset for each in DATASETS.values() for preset in each.presets))
models, precisions, devices = names(("adgm", "m2")), names(("float32", "bf16")), names(("auto", "cpu", "cuda"))
