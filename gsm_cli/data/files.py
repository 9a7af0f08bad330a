"""Files of data: verified by their content, kept in a cache."""

import gzip
import hashlib
import zlib
from pathlib import Path

from gsm_cli.errors import DataError


def cache_dir() -> Path:
    """Where downloads are kept."""
    import pooch

    return Path(pooch.os_cache("gsm"))


def read_verified(path: Path, expected: str) -> bytes:
    """The content of a plain or gzipped file if its SHA-256 is `expected`; else DataError, and the file stays."""
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
