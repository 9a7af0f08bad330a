"""Data sets: found, verified, read and split. A new one is a file here, and a line in `DATASETS`."""

from gsm_cli.data.dataset import LAPTOP, Dataset
from gsm_cli.data.digits import DIGITS, DIGITS_PAIRS
from gsm_cli.data.mnist import MNIST, MNIST_PAIRS
from gsm_cli.data.own import is_own, own_dataset, short_name
from gsm_cli.errors import UsageError, inert, meant

DATASETS: dict[str, Dataset] = {each.name: each for each in (DIGITS, MNIST, DIGITS_PAIRS, MNIST_PAIRS)}


def find_dataset(name: str, place: str = "dataset") -> Dataset:
    """The data set of that name, or of the file `<name>.npz`.

    Raises UsageError if there is none, and says that it stands at `place`.
    """
    if is_own(name):
        if short_name(name).startswith("."):
            raise UsageError(f"{place} must be no hidden file, for its report is named by it, not {name!r}: rename it")
        return own_dataset(name, place)
    if name not in DATASETS:
        raise UsageError(
            f"{place} must be one of {', '.join(DATASETS)} or a file .npz, not {name!r}: {meant(name, DATASETS)}"
        )
    return DATASETS[name]


def describe_dataset(name: str) -> Dataset:
    """What is known of a data set without its file: of somebody's own its title alone, for a report."""
    if name in DATASETS:
        return DATASETS[name]
    title = short_name(name)
    return Dataset(title, inert(title), (0, 0), lambda *given: own_dataset(name, "dataset").read(*given), 0)


__all__ = ["DATASETS", "LAPTOP", "Dataset", "describe_dataset", "find_dataset", "short_name"]
