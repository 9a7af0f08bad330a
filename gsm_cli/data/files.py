"""Files of data: verified by their content, kept in a cache."""

import zlib
from contextlib import nullcontext
from logging import getLogger
from pathlib import Path

from gsm_cli.errors import DataError
from gsm_cli.files import check_ordinary

log = getLogger(__name__)
MOST = 2**26  # bytes of content: more than any file of a data set has


def cache_dir() -> Path:
    """Where downloads are kept."""
    import pooch

    return Path(pooch.os_cache("gsm"))


def read_verified(path: Path, expected: str) -> bytes:
    """The content of a plain or gzipped file if its SHA-256 is `expected`; else DataError, and the file stays."""
    import hashlib  # late: whoever asks for the names of data sets needs none

    content = b""
    try:
        check_ordinary(path)
        content = _content(path)
        found = hashlib.sha256(content).hexdigest() if len(content) <= MOST else f"more than {MOST:,} bytes"
    except (OSError, EOFError, zlib.error) as error:
        found = f"what cannot be read ({error})"
    if found != expected:
        raise DataError(
            f"{path} is damaged or another file: its content must have the SHA-256 {expected}, and it has {found}: "
            "remove it to download it again, or name another folder with --data-dir"
        )
    return content


def _content(path: Path) -> bytes:
    """The content of a plain or gzipped file, of which no more is read than tells that it is too much."""
    import gzip

    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        with gzip.GzipFile(fileobj=file) if zipped else nullcontext(file) as plain:
            log.info("read %s", path.absolute())
            return plain.read(MOST + 1)
