"""What the shell offers for names: objectives, data sets, presets and settings; behind a comma the next one."""

from collections.abc import Callable, Iterable, Mapping

from gsm_cli.data import DATASETS
from gsm_cli.objectives import OBJECTIVES

Offered = list[tuple[str, str]]  # what is offered, and its help

MODELS, PRECISIONS, DEVICES = ("adgm", "m2"), ("float32", "bf16"), ("auto", "cpu", "cuda")


def names(choices: Iterable[str], ending: str = "", several: bool = True) -> Callable[[str], Offered]:
    """Offers these names, with what a mapping says of them; where several may stand, the next behind a comma."""
    words = choices if isinstance(choices, Mapping) else dict.fromkeys(choices, "")

    def complete(incomplete: str) -> Offered:
        before, comma, last = incomplete.rpartition(",") if several else ("", "", incomplete)
        taken = before.split(",")
        return [
            (f"{before}{comma}{name}{ending}", str(said))
            for name, said in words.items()
            if name.startswith(last) and name not in taken
        ]

    return complete


objectives = names({name: row.help for name, row in OBJECTIVES.items()} | {"all": "every objective"})
TITLES = {name: each.title for name, each in DATASETS.items()}
datasets, dataset = names(TITLES), names(TITLES, several=False)
preset = names(dict.fromkeys(preset for each in DATASETS.values() for preset in each.presets), several=False)
model, precision, device = (names(each, several=False) for each in (MODELS, PRECISIONS, DEVICES))
