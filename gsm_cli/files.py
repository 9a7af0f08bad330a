"""Files that are either whole or not there."""

import os
import platform
from pathlib import Path

from gsm_cli.errors import GsmError


def write_atomic(path: Path, data: bytes | memoryview) -> None:
    """Write `data` under a temporary name, flush it to the disk, then move it onto `path`.

    Makes the folder if it is missing. Raises GsmError if the disk refuses; what was at `path` is then still there.
    """
    owner = f"{platform.node()}-{os.getpid()}-{os.urandom(4).hex()}"  # hosts may share a folder
    temporary = path.with_name(f".{path.name}.{owner}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        blocked = isinstance(error, FileExistsError | NotADirectoryError)
        reason = "a file stands where its folder should be" if blocked else error.strerror
        raise GsmError(f"{path} cannot be written ({reason}): name a writable folder with --out") from error
