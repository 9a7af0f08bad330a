"""Images of somebody's own, in a NumPy file: `--dataset mine.npz`.

images   (N, H, W), bytes or floats in [0, 1]           classes   (N,), whole numbers 0 to K - 1
test_images and test_classes, likewise, if there is a test part; without one a fifth of the images is kept for it
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

from gsm_cli.data.dataset import Dataset
from gsm_cli.data.images import Images, Pool
from gsm_cli.errors import DataError, UsageError
from gsm_cli.files import check_ordinary, is_there

ENDING = ".npz"
ARRAYS = ("images", "classes", "test_images", "test_classes")
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
    import hashlib

    pool = read_npz(path)
    count = len(pool.images.classes)
    return Dataset(
        name=str(path),
        title=path.stem,
        shape=pool.shape,
        read=lambda folder, fetch: read_npz(path),
        validation=count // HELD_OUT,
        classes=int(pool.images.classes.max()) + 1,
        test=0 if pool.test else count // HELD_OUT,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def read_npz(path: Path) -> Pool:
    """The images of a file, checked. Raises DataError with the rule that they break."""
    import zipfile
    import zlib

    import numpy as np

    try:
        check_ordinary(path)
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] if name in ARRAYS else None for name in archive.files}
    except (
        OSError,
        ValueError,
        EOFError,
        LookupError,
        MemoryError,
        RuntimeError,
        TypeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise DataError(
            f"{path} must be a NumPy archive of arrays, and is not ({error}): write it with numpy.savez"
        ) from error
    images, shape, classes = _part(path, arrays, *ARRAYS[:2])
    if not set(ARRAYS[2:]) & set(arrays):
        return Pool(images, None, shape)
    test, test_shape, test_classes = _part(path, arrays, *ARRAYS[2:])
    if (test_shape, test_classes) != (shape, classes):
        raise DataError(
            f"{path}: test_images must have the shape and the classes of images ({shape}, {classes}), "
            f"not ({test_shape}, {test_classes}): change the file"
        )
    return Pool(images, test, shape)


def _part(path: Path, arrays: dict[str, Any], images: str, classes: str) -> tuple[Images, tuple[int, int], int]:
    """The images of one part, their shape, and the number of classes."""
    import numpy as np

    def refuse(rule: str, found: object) -> DataError:
        return DataError(f"{path}: {rule}, not {found}: change the file")

    for name in (images, classes):
        if name not in arrays:
            raise refuse(f"the file must have an array {name!r}", f"only {', '.join(arrays) or 'none'}")
    pixels, labels = arrays[images], arrays[classes]
    if pixels.ndim != 3 or 0 in pixels.shape:
        raise refuse(f"{images} must have the shape (N, H, W)", pixels.shape)
    if labels.shape != pixels.shape[:1] or labels.dtype.kind not in "iu":
        raise refuse(f"{classes} must be {len(pixels)} whole numbers", f"{labels.dtype} of shape {labels.shape}")
    if pixels.dtype == np.uint8:
        if pixels.max() <= 1:
            raise refuse(f"{images} of bytes must be white at 255", f"at {pixels.max()}")
    elif pixels.dtype.kind != "f" or not ((pixels >= 0) & (pixels <= 1)).all():
        greatest = f" up to {pixels.max()}" if pixels.dtype.kind in "iuf" else ""
        raise refuse(f"{images} must be bytes (uint8) or floats in [0, 1]", f"{pixels.dtype}{greatest}")
    else:
        pixels = np.round(255 * pixels).astype(np.uint8)
    count = int(labels.max()) + 1
    if labels.min() < 0 or count < 2 or len(np.unique(labels)) != count:
        raise refuse(f"{classes} must be 0 to K - 1, each of them at least once", f"{np.unique(labels)[:8].tolist()}")
    height, width = pixels.shape[1:]
    return Images(pixels.reshape(len(pixels), -1), labels.astype(np.int64)), (height, width), count
