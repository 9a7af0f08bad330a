"""Digits and MNIST: found, verified, read and split; NumPy alone."""

import gzip
import hashlib
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gsm_cli.config import Dataset
from gsm_cli.errors import DataError, UsageError

Bytes = NDArray[np.uint8]
Indices = NDArray[np.int64]

MNIST_FILES = {  # SHA-256 of the uncompressed files
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
HELD_OUT = {Dataset.DIGITS: 300, Dataset.MNIST: 10_000}  # validation images
DIGITS_TEST = 400  # digits come without a test set of their own

Fetch = Callable[[str, Path], None]  # downloads a file of MNIST, by its name, to a path


@dataclass(frozen=True)
class Images:
    """Grey images (N, D) of 0 to 255 with their classes (N,)."""

    pixels: Bytes
    classes: Indices


@dataclass(frozen=True)
class Split:
    """The four disjoint parts of one experiment. The classes of the unlabelled images are not here."""

    labelled: Images
    unlabelled: Bytes
    validation: Images
    test: Images
    classes: int
    digest: str  # SHA-256 of the indices of all parts


def load(name: Dataset, labels: int, seed: int, data_dir: Path | None = None, fetch: Fetch | None = None) -> Split:
    """The stratified split of a data set by `seed`, with `labels` labelled images, as many of every class.

    Raises UsageError for a number of labels that cannot be had and DataError for data missing or damaged.
    """
    rng = np.random.default_rng([seed, 0])
    if name is Dataset.DIGITS:
        everything = _digits()
        test, pool = _stratify(everything.classes, np.arange(len(everything.classes)), DIGITS_TEST, rng)
        held_out = Images(everything.pixels[test], everything.classes[test])
    else:
        everything, held_out = _mnist(data_dir, fetch)
        test, pool = np.arange(len(held_out.classes)), np.arange(len(everything.classes))
    validation, rest = _stratify(everything.classes, pool, HELD_OUT[name], rng)
    labelled, unlabelled = _choose_labelled(everything.classes, rest, labels, rng)
    digest = hashlib.sha256(b"".join(part.astype("<i8").tobytes() for part in (labelled, unlabelled, validation, test)))
    return Split(
        labelled=Images(everything.pixels[labelled], everything.classes[labelled]),
        unlabelled=everything.pixels[unlabelled],
        validation=Images(everything.pixels[validation], everything.classes[validation]),
        test=held_out,
        classes=int(everything.classes.max()) + 1,
        digest=digest.hexdigest(),
    )


def _stratify(classes: Indices, pool: Indices, size: int, rng: np.random.Generator) -> tuple[Indices, Indices]:
    """`size` indices of the pool with its proportions of classes, and the others."""
    from sklearn.model_selection import train_test_split

    seed = int(rng.integers(2**32))
    rest, chosen = train_test_split(pool, test_size=size, stratify=classes[pool], random_state=seed)
    return chosen, rest


def _choose_labelled(classes: Indices, pool: Indices, labels: int, rng: np.random.Generator) -> tuple[Indices, Indices]:
    """`labels` indices of the pool, as many of every class, and the others."""
    counts = np.bincount(classes[pool])
    each, remainder = divmod(labels, len(counts))
    if remainder or each < 1:
        raise UsageError(
            f"--labels must be a multiple of the {len(counts)} classes, not {labels}: every class gets as many"
        )
    if each >= counts.min():
        most = (int(counts.min()) - 1) * len(counts)
        raise UsageError(f"--labels must be at most {most}, not {labels}: some images must stay unlabelled")
    shuffled = rng.permutation(pool)
    labelled = np.concatenate([shuffled[classes[shuffled] == k][:each] for k in range(len(counts))])
    return labelled, np.setdiff1d(pool, labelled)


def _digits() -> Images:
    from sklearn.datasets import load_digits

    pixels, classes = load_digits(return_X_y=True)
    return Images(np.round(pixels * (255 / 16)).astype(np.uint8), classes.astype(np.int64))


def _mnist(data_dir: Path | None, fetch: Fetch | None) -> tuple[Images, Images]:
    """The training and the test images of MNIST."""
    files = {name: _find(name, data_dir, fetch) for name in MNIST_FILES}
    train_images, train_classes, test_images, test_classes = (
        np.frombuffer(content, dtype=np.uint8, offset=16 if "images" in name else 8).copy()
        for name, content in files.items()
    )
    return (
        Images(train_images.reshape(-1, 28 * 28), train_classes.astype(np.int64)),
        Images(test_images.reshape(-1, 28 * 28), test_classes.astype(np.int64)),
    )


def cache_dir() -> Path:
    """Where downloads are kept."""
    import pooch

    return Path(pooch.os_cache("gsm"))


def _find(name: str, data_dir: Path | None, fetch: Fetch | None) -> bytes:
    """The verified content of a file of MNIST: from `data_dir`, $GSM_DATA_DIR or the cache, else downloaded."""
    named = (data_dir, os.environ.get("GSM_DATA_DIR"))
    folders = [*(Path(folder) for folder in named if folder), cache_dir()]
    for path in (folder / (name + ending) for folder in folders for ending in (".gz", "")):
        if path.is_file():
            return read_verified(path, MNIST_FILES[name])
    places = ", ".join(str(folder) for folder in folders)
    missing = f"MNIST must be on this machine or on a mirror, and {name}.gz is in none of {places}"
    remedy = "put its four files into a folder and name it with --data-dir, or use --dataset digits, which needs none"
    if fetch is None:
        raise DataError(f"{missing}: {remedy}")
    path = cache_dir() / f"{name}.gz"
    try:
        fetch(name, path)
    except OSError as error:
        raise DataError(f"{missing}, and no mirror gave it ({error}): {remedy}") from error
    return read_verified(path, MNIST_FILES[name])


def read_verified(path: Path, expected: str) -> bytes:
    """The content of a plain or gzipped file if its SHA-256 is `expected`; else DataError and the file stays."""
    try:
        raw = path.read_bytes()
        content = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
        found = hashlib.sha256(content).hexdigest()
    except (OSError, EOFError, zlib.error) as error:
        found = f"what cannot be read ({error})"
    if found != expected:
        raise DataError(
            f"{path} is damaged or another file: its content must have the SHA-256 {expected}, and it has {found}: "
            "remove it to download it again, or name another folder with --data-dir"
        )
    return content
