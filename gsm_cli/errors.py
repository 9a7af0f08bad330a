"""The errors meant for the user's eyes: one sentence with the rule, the value and the remedy."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from itertools import combinations, zip_longest
from typing import Any

AGAIN = "interrupted; give the same command again"
CALLED = (  # an option or a setting, and what other programs call it
    "learning_rate lr step_size, tau t temp temperature temperatures, out o output outdir out_dir output_dir save_dir, "
    "batch_size b bs batch, classes k num_classes n_classes, samples n num_samples n_samples, seeds s, latent z_dim, "
    "jobs j n_jobs workers num_workers processes, objective estimator method loss, probs p pi probabilities, "
    "force f overwrite, dataset d data, weight_decay wd, size figsize, device gpu, cuda gpu"
)
# What PyTorch, the system and Python say where there is too little memory
OF_MEMORY = re.compile("[Cc]an(no|')t allocate memory|failed to map segment|can't start new thread|out of memory")
# Letters that are not seen, though to Python they are printable
UNSEEN = re.compile("[\u034f\u115f\u1160\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
# What Markdown, mathematics in pictures or Rich would obey; links, and what sets _words_ apart, but not_in_a_word
LIVE = re.compile(r"[\\`*\[\]|<>&#~$@]|:(?=//)|(?<=www)\.|(?<![^\W_])_|_(?![^\W_])|^[-+=]", re.IGNORECASE)


class GsmError(Exception):
    """Something failed while running; exit code 1."""

    exit_code = 1


class UsageError(GsmError):
    """What was asked for makes no sense; exit code 2."""

    exit_code = 2


class DataError(GsmError):
    """Data are missing or damaged; exit code 3."""

    exit_code = 3


class OwnCodeError(GsmError):
    """Code of somebody's own failed, and the words name its file, the line and the exception; exit code 1."""


class InterruptError(GsmError):
    """Somebody stopped it, and the words say how to go on; exit code 130, or 128 and the number of the signal."""

    exit_code = 130


def check_shapes(**arrays: Any) -> None:
    """Raise ValueError unless these arrays, or tensors, broadcast."""
    shapes = {name: tuple(array.shape) for name, array in arrays.items()}
    columns = zip_longest(*map(reversed, shapes.values()), fillvalue=1)
    if any(a != b and 1 not in (a, b) for sizes in columns for a, b in combinations(sizes, 2)):
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"the shapes must broadcast, and do not: {listed}")


def is_of_memory(error: BaseException) -> bool:
    """Whether an error of somebody else's says that there is too little memory."""
    return isinstance(error, MemoryError) or bool(OF_MEMORY.search(str(error)))


def meant(name: str, choices: Iterable[str], otherwise: str = "choose one of them") -> str:
    """The remedy for a name that is not among these: the one that it may stand for, if any is close."""
    found = closest(name, choices)
    return f"did you mean {found}?" if found else otherwise


def closest(name: str, choices: Iterable[str]) -> str | None:
    """The choice that a name may stand for, if any: one that others call so, or one of nearly the same letters.

    Hyphens before it, and whether others are underscores, make no difference.
    """
    plain = {_plain(choice): choice for choice in choices}
    called = [word for word, *others in map(str.split, CALLED.split(",")) if _plain(name) in others and word in plain]
    found = called or get_close_matches(_plain(name), plain, n=1)
    return plain[found[0]] if found else None


def _plain(name: str) -> str:
    return name.lstrip("-").replace("-", "_").lower()


def shown(value: object) -> str:
    """A wrong value as a sentence shows it: in one line, not all of a long one, and in quotes but for numbers."""
    if isinstance(value, list | tuple) and len(value) == 1:
        (value,) = value
    text = str(value) if re.fullmatch(r"[-+]?[0-9.][-0-9.e+]*", str(value)) else repr(value)
    return shortened(text)


def printable(text: str) -> str:
    """A text in one line, with every character that a terminal would obey, or nobody would see, written out."""
    return "".join(letter if is_seen(letter) else ascii(letter)[1:-1] for letter in text)


def is_seen(text: str) -> bool:
    """Whether every character of a text is seen where it is shown, and none is obeyed."""
    return text.isprintable() and not UNSEEN.search(text)


def shortened(text: str, most: int = 60) -> str:
    """A text of somebody else's, no longer than a sentence bears."""
    return text if len(text) <= most else text[:most] + "…"


def inert(text: str) -> str:
    """A text of a record as pages and pictures show it: what they would obey is written out, as an asterisk by x2a."""
    return printable(LIVE.sub(lambda found: f"\\x{ord(found[0]):02x}", text))
