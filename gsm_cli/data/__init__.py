"""Data sets: found, verified, read and split. A new one is a file here, and a line in `DATASETS`."""

from pathlib import Path

from gsm_cli.data.dataset import LAPTOP, Dataset, Fetch
from gsm_cli.data.digits import DIGITS
from gsm_cli.data.images import Pool
from gsm_cli.data.mnist import MNIST
from gsm_cli.data.own import is_own, own_dataset, short_name
from gsm_cli.data.pairs import DIGITS_PAIRS, MNIST_PAIRS
from gsm_cli.errors import DataError, UsageError, inert, meant

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
    return DATASETS.get(name) or Dataset(short_name(name), inert(short_name(name)), (0, 0), _absent, 0)


def _absent(folder: Path | None, fetch: Fetch | None) -> Pool:
    raise DataError("images of somebody's own are read by the name of their file")


__all__ = ["DATASETS", "LAPTOP", "Dataset", "describe_dataset", "find_dataset", "short_name"]
