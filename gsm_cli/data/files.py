"""Files of data: downloaded from their mirrors with pooch, verified by their content, kept in a cache."""

import zlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from gsm_cli.errors import DataError
from gsm_cli.files import OF_THE_DISK, prepare, read_bounded, refused, temporary_of

REMEDY = "see to that folder, or name one that has the files with --data-dir, or another cache with XDG_CACHE_HOME"
MOST = 2**26  # bytes of content: more than any file of a data set has


def cache_dir() -> Path:
    """Where downloads are kept."""
    import pooch

    return Path(pooch.os_cache("gsm"))


def read_verified(path: Path, expected: str) -> bytes:
    """The content of a plain or gzipped file if its SHA-256 is `expected`; else DataError, and the file stays."""
    import gzip  # late, as the next: whoever asks for the names of data sets needs none
    import hashlib

    content = b""
    try:
        content = read_bounded(path, MOST)
        if content.startswith(b"\x1f\x8b"):
            content = gzip.GzipFile(fileobj=BytesIO(content)).read(MOST + 1)
        found = hashlib.sha256(content).hexdigest() if len(content) <= MOST else f"more than {MOST:,} bytes"
    except (OSError, EOFError, zlib.error) as error:
        found = f"what cannot be read ({error})"
    if found != expected:
        raise DataError(
            f"{path} is damaged or another file: its content must have the SHA-256 {expected}, and it has {found}: "
            "remove it to download it again, or name another folder with --data-dir"
        )
    return content


def download(urls: Sequence[str], path: Path, sha256: str) -> None:
    """Download to `path` from the first of the mirrors that gives the content of that SHA-256.

    Raises OSError if none does, GsmError if the disk refuses.
    """
    import pooch

    prepare(path, REMEDY)
    pooch.get_logger().setLevel("ERROR")
    failures = []
    for url in urls:
        temporary = temporary_of(path)
        try:
            downloader = pooch.HTTPDownloader(timeout=20)  # no hash, since the content is what is verified, below
            pooch.retrieve(url, known_hash=None, fname=temporary.name, path=path.parent, downloader=downloader)
            read_verified(temporary, sha256)
            temporary.replace(path)
            return
        except (OSError, ValueError, DataError) as error:
            if isinstance(error, OSError) and error.errno in OF_THE_DISK:
                raise refused(path, error, REMEDY) from error
            failures.append(f"{url}: {type(error).__name__}")
        finally:
            temporary.unlink(missing_ok=True)
    raise OSError("; ".join(failures))
