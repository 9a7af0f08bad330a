"""A data set split into the four disjoint parts of one experiment; NumPy alone."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gsm_cli.data.dataset import Dataset, Fetch, Images
from gsm_cli.errors import DataError, UsageError
from gsm_cli.streams import Purpose, generator

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """The four disjoint parts of one experiment."""

    labelled: Images
    unlabelled: Images  # whose classes are read when training has ended, and never by it
    validation: Images
    test: Images
    classes: int
    shape: tuple[int, int]
    digest: str  # SHA-256 of the indices of all parts, and of the classes that were drawn


def load(
    dataset: Dataset,
    labels: int,
    seed: int,
    folder: Path | None = None,
    fetch: Fetch | None = None,
    classes: int | None = None,
) -> Split:
    """The stratified split of a data set by `seed`, with `labels` labelled images, as many of every class.

    With `classes`, each part has those images of the whole split that are of so many classes, which the seed draws and
    numbers anew. Raises UsageError for labels or classes that there are not and DataError for data missing or damaged.
    """
    rng = generator(seed, Purpose.SPLIT)
    pool = dataset.read(folder, fetch)
    single, rest = pool.images.classes, np.arange(len(pool.images.classes))
    if pool.test is None:
        test, rest = _stratify(dataset, single, rest, dataset.test, rng)
    else:
        test = np.arange(len(pool.test.classes))
    validation, rest = _stratify(dataset, single, rest, dataset.validation, rng)
    rows = (*_choose_labelled(single, rest, labels, bool(dataset.paired), rng), validation, test)
    parts = [*(pool.images.take(each) for each in rows[:-1]), (pool.test or pool.images).take(test)]
    digest = hashlib.sha256(b"".join(each.astype("<i8").tobytes() for each in rows))
    shape, kinds = pool.shape, int(single.max()) + 1
    if dataset.paired:
        fixed = generator(0 if pool.test else seed, Purpose.PAIRS)  # a test part that is fixed stays so
        times = (1, *[dataset.paired] * 3)
        how = zip(parts, times, (rng, rng, rng, fixed), strict=True)
        parts = [pair(part, shape, count, stream) for part, count, stream in how]
        shape, kinds = (shape[0], 2 * shape[1]), kinds**2
    if classes is not None:
        parts, drawn = _draw(parts, classes, kinds, dataset.name, seed)
        digest.update(drawn.astype("<i8").tobytes())
        kinds = classes
    labelled, unlabelled, validating, testing = parts
    return Split(labelled, unlabelled, validating, testing, kinds, shape, digest.hexdigest())


def _draw(parts: list[Images], classes: int, kinds: int, dataset: str, seed: int) -> tuple[list[Images], Indices]:
    """The images of so many classes, numbered anew in order, and those classes. Raises UsageError for bad numbers."""
    if not 2 <= classes <= kinds:
        raise UsageError(f"classes must be from 2 to the {kinds} of {dataset}, not {classes}: leave it out for all")
    drawn = np.sort(generator(seed, Purpose.CLASSES).choice(kinds, classes, replace=False))
    kept = [each.take(np.flatnonzero(np.isin(each.classes, drawn))) for each in parts]
    return [Images(each.pixels, np.searchsorted(drawn, each.classes)) for each in kept], drawn


def _stratify(
    dataset: Dataset, classes: Indices, pool: Indices, size: int, rng: np.random.Generator
) -> tuple[Indices, Indices]:
    """`size` indices of the pool, of every class its share (by largest remainders), and the others."""
    counts = np.bincount(classes[pool])
    shares = size * counts / len(pool)
    takes = shares.astype(np.int64)
    takes[np.argsort(takes - shares, kind="stable")[: size - takes.sum()]] += 1
    few = np.flatnonzero((counts > 0) & ((takes == 0) | (takes == counts)))
    if size >= len(pool) or len(few):
        wrong = f"class {few[0]} has {counts[few[0]]}" if len(few) else f"it has {len(pool)} in all"
        raise DataError(f"{dataset.name} must have images of every class for each part ({wrong}): add some")
    shuffled = rng.permutation(pool)
    chosen = np.concatenate([shuffled[classes[shuffled] == k][:take] for k, take in enumerate(takes)])
    return chosen, np.setdiff1d(pool, chosen)


def _choose_labelled(
    classes: Indices, pool: Indices, labels: int, paired: bool, rng: np.random.Generator
) -> tuple[Indices, Indices]:
    """The images of the pool for `labels` labels, as many of every class, and the others.

    In pairs a class is one of two digits, so that `each` of every class takes 2 K `each` single images of a digit.
    """
    counts = np.bincount(classes[pool])
    kinds, takes = (len(counts) ** 2, 2 * len(counts)) if paired else (len(counts), 1)
    each, remainder = divmod(labels, kinds)
    if remainder or each < 1:
        raise UsageError(f"--labels must be a multiple of the {kinds} classes, not {labels}: every class gets as many")
    most = (int(counts.min()) - 1) // takes
    if most < 1:
        raise DataError(
            f"every class must have images to label and others beside them, and {counts.argmin()} has {counts.min()} "
            "left to train on: add some"
        )
    if each > most:
        raise UsageError(f"--labels must be at most {most * kinds}, not {labels}: some images must stay unlabelled")
    shuffled = rng.permutation(pool)
    labelled = np.concatenate([shuffled[classes[shuffled] == k][: takes * each] for k in range(len(counts))])
    return labelled, np.setdiff1d(pool, labelled)


def pair(images: Images, shape: tuple[int, int], times: int, rng: np.random.Generator) -> Images:
    """Every image `times` times in a pair; the pairs of classes are as frequent as their shares say, to within one.

    The left halves lie sorted by class, the right ones so that every stretch of them has all classes in proportion.
    """
    kinds = int(images.classes.max()) + 1
    left, right = [], []
    for _ in range(times):
        halves = [np.array_split(rng.permutation(np.flatnonzero(images.classes == k)), 2) for k in range(kinds)]
        halves = [half[::-1] if k % 2 else half for k, half in enumerate(halves)]  # the odd image left or right in turn
        count = min(sum(len(half[side]) for half in halves) for side in (0, 1))
        ranks = np.concatenate([(np.arange(len(half[1])) + 0.5) / len(half[1]) for half in halves])
        left.append(np.concatenate([half[0] for half in halves])[:count])
        right.append(np.concatenate([half[1] for half in halves])[np.argsort(ranks, kind="stable")][:count])
    order = rng.permutation(times * count)
    first, second = np.concatenate(left)[order], np.concatenate(right)[order]
    sides = [images.pixels[rows].reshape(-1, *shape) for rows in (first, second)]
    pixels = np.concatenate(sides, axis=2).reshape(len(order), -1)
    return Images(pixels, kinds * images.classes[first] + images.classes[second])
