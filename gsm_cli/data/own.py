"""Images of somebody's own, in a NumPy file: `--dataset mine.npz`, with the names of this program, Keras or MedMNIST.

images   (N, H, W), with a channel axis of 1 or without: bytes, booleans, or floats in [0, 1]
classes  (N,) or (N, 1), whole numbers from 0 or 1 on
test images and classes, likewise, if there is a test part; without one a fifth of the images is kept for it
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

from gsm_cli.data.dataset import Dataset, Images, Pool
from gsm_cli.errors import DataError, UsageError
from gsm_cli.files import is_there, read_bounded

ENDING = ".npz"
LAYOUTS = (  # the names of images and classes: of training, of the test, and of what joins those of training
    (("images", "classes"), ("test_images", "test_classes")),
    (("x_train", "y_train"), ("x_test", "y_test")),
    (("train_images", "train_labels"), ("test_images", "test_labels"), ("val_images", "val_labels")),
)
NAMES = {name for layout in LAYOUTS for names in layout for name in names}
MOST = 2**30  # bytes that a file unpacks to: twenty times MNIST
HELD_OUT = 5  # one image in so many is kept for validation, and one for the test


def is_own(name: str) -> bool:
    """Whether a name is that of a file."""
    return name.lower().endswith(ENDING)


def short_name(name: str) -> str:
    """What a data set is called in the names of folders: a file's without its folder and its ending."""
    return Path(name).stem if is_own(name) else name


def own_dataset(name: str, place: str) -> Dataset:
    """The data set in a file. Raises UsageError if there is no such file, DataError if it holds something else."""
    path = Path(name)
    if not is_there(path):
        raise UsageError(f"{place} must name a file of images, and there is no {name}: name one that exists")
    return _described(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _described(path: Path, modified: int) -> Dataset:
    pool, sha256 = read_npz(path)
    count = len(pool.images.classes)
    return Dataset(
        name=str(path),
        title=path.stem,
        shape=pool.shape,
        read=lambda folder, fetch: pool,
        validation=count // HELD_OUT,
        classes=int(pool.images.classes.max()) + 1,
        test=0 if pool.test else count // HELD_OUT,
        sha256=sha256,
    )


def read_npz(path: Path) -> tuple[Pool, str]:
    """The images of a file, checked, and the SHA-256 of the bytes that they are. Raises DataError with their rule."""
    import hashlib
    import zlib
    from io import BytesIO
    from zipfile import BadZipFile, is_zipfile

    import numpy as np

    broken = (OSError, ValueError, EOFError, LookupError, MemoryError, RuntimeError, TypeError, BadZipFile, zlib.error)
    try:
        content = read_bounded(path, MOST)
        if not is_zipfile(BytesIO(content)):
            raise BadZipFile("it is no ZIP archive")
        with np.load(BytesIO(content), allow_pickle=False) as archive:
            if sum(each.file_size for each in archive.zip.infolist()) > MOST:  # which no entry may exceed
                raise ValueError(f"it unpacks to more than {MOST:,} bytes")
            arrays = {name: archive[name] if name in NAMES else None for name in archive.files}
    except broken as error:
        rule = f"{path} must be a NumPy archive of arrays, and is not ({error})"
        remedy = "name another" if isinstance(error, OSError) else "write it with numpy.savez, as arrays of numbers"
        raise DataError(f"{rule}: {remedy}") from error
    layout = max(LAYOUTS, key=lambda layout: len(set(layout[0]) & set(arrays)))
    images, form = _part(path, arrays, *layout[0])
    others: list[Images | None] = []
    for names in layout[1:]:
        part, own = _part(path, arrays, *names) if set(names) & set(arrays) else (None, form)
        if own != form:
            rule = f"{names[0]} must have the shape and the classes of {layout[0][0]}"
            raise DataError(f"{path}: {rule} ({form[0]}, {form[1]}), not ({own[0]}, {own[1]}): change the file")
        others.append(part)
    for more in filter(None, others[1:]):
        pixels = np.concatenate([images.pixels, more.pixels])
        images = Images(pixels, np.concatenate([images.classes, more.classes]))
    return Pool(images, others[0], form[0]), hashlib.sha256(content).hexdigest()


def _part(path: Path, arrays: dict[str, Any], images: str, classes: str) -> tuple[Images, tuple[tuple[int, int], str]]:
    """The images of one part, with their shape and their classes in words."""
    import numpy as np

    def refuse(rule: str, found: object) -> DataError:
        return DataError(f"{path}: {rule}, not {found}: change the file")

    for name in (images, classes):
        if name not in arrays:
            raise refuse(f"the file must have an array {name!r}", f"only {', '.join(arrays) or 'none'}")
    pixels, labels = arrays[images], arrays[classes]
    for axis in (3, 1):
        pixels = pixels.squeeze(axis) if pixels.ndim == 4 and pixels.shape[axis] == 1 else pixels
    if pixels.ndim != 3 or 0 in pixels.shape:
        raise refuse(f"{images} must have the shape (N, H, W), with a channel axis of 1 or without", pixels.shape)
    labels = labels.squeeze(1) if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if labels.shape != pixels.shape[:1] or labels.dtype.kind not in "biu":
        raise refuse(f"{classes} must be {len(pixels)} whole numbers", f"{labels.dtype} of shape {labels.shape}")
    if pixels.dtype == bool:
        pixels = np.where(pixels, np.uint8(255), np.uint8(0))
    elif pixels.dtype == np.uint8:
        if pixels.max() <= 1:
            raise refuse(f"{images} of bytes must be white at 255", f"at {pixels.max()}")
    elif pixels.dtype.kind != "f" or not ((pixels >= 0) & (pixels <= 1)).all():
        ends = f" from {pixels.min()} to {pixels.max()}" if pixels.dtype.kind in "iuf" else ""
        raise refuse(f"{images} must be bytes (uint8), booleans or floats in [0, 1]", f"{pixels.dtype}{ends}")
    else:
        pixels = np.round(255 * pixels).astype(np.uint8)
    kinds = np.unique(labels).astype(np.int64)
    count, first = len(kinds), int(kinds[0])
    if count < 2 or first not in (0, 1) or kinds[-1] != first + count - 1:
        raise refuse(f"{classes} must be 0 to K - 1 or 1 to K, each of them at least once", f"{kinds[:8].tolist()}")
    height, width = pixels.shape[1:]
    part = Images(pixels.reshape(len(pixels), -1), labels.astype(np.int64) - first)
    return part, ((height, width), f"{first} to {kinds[-1]}")
