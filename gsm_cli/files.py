"""Files that are either whole or not there, and files that are read only as far as they may be.

A file that is being written bears the name of whoever writes it: `.NAME.HOST-PROCESS-TOKEN-XXXXXXXX.tmp`. The next
command that writes into the folder removes those whose process is gone.
"""

import errno
import os
import platform
import re
import stat
import time
from contextlib import suppress
from functools import cache
from logging import getLogger
from pathlib import Path
from select import select
from tempfile import TemporaryFile

from gsm_cli.errors import GsmError

TEMPORARY = re.compile(r"\..+\.(?P<host>[\w-]+)-(?P<process>\d+)-(?P<token>[0-9a-f]{8})-[0-9a-f]{8}\.tmp")
TOKEN = os.urandom(4).hex()  # of this process: another may have had its number
log = getLogger(__name__)  # of what is read and written
ELSEWHERE = "see to its folder, or write elsewhere"
OF_THE_DISK = {  # errors that no network has
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO),
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENAMETOOLONG),
}
FORGOTTEN = 30 * 86400.0  # seconds after which a file of another machine is nobody's


def write_atomic(path: Path, data: bytes | memoryview) -> None:
    """Write `data` under a temporary name, flush it to the disk, then move it onto `path`.

    Makes the folder if it is missing. Raises GsmError if the disk refuses; what was at `path` is then still there.
    """
    temporary = temporary_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep_once(path.parent)
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        log.info("wrote %s, %s bytes", path.absolute(), f"{len(data):,}")
    except OSError as error:
        raise refused(path, error) from error
    finally:
        with suppress(OSError):  # the reason why it could not be written says more
            temporary.unlink(missing_ok=True)


def move(source: Path, path: Path) -> None:
    """Move a whole file onto `path`, in one step. Raises GsmError if the disk refuses; both are then as they were."""
    try:
        source.replace(path)
    except OSError as error:
        raise refused(path, error) from error


def temporary_of(path: Path) -> Path:
    """Where this process may write what shall lie at `path`: a new name beside it, which says whose it is."""
    owner = f"{_host()}-{os.getpid()}-{TOKEN}"
    return path.with_name(f".{path.name}.{owner}-{os.urandom(4).hex()}.tmp")


def prepare(path: Path, remedy: str = ELSEWHERE) -> None:
    """Before long work: make the folder of what it gives. Raises GsmError if that could not be written there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path.parent):
            sweep(path.parent)
    except OSError as error:
        raise refused(path, error, remedy) from error


def refused(path: Path, error: OSError, remedy: str = ELSEWHERE) -> GsmError:
    """What an error of the disk at `path` means to a user."""
    blocked = isinstance(error, FileExistsError | NotADirectoryError)
    dangling = next((each for each in path.parents if blocked and each.is_symlink() and not each.exists()), None)
    reason = "a file stands where its folder should be" if blocked else error.strerror
    reason = f"{dangling} is a link to nowhere" if dangling else reason
    return GsmError(f"{path} cannot be written ({reason}): {remedy}")


def read_bounded(path: Path, most: int) -> bytes:
    """The content of a file of at most so many bytes. Raises OSError, also if it is no file, or a larger one."""
    check_ordinary(path)
    with path.open("rb") as file:
        content = file.read(most + 1)
    log.info("read %s", path.absolute())
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
    return content


def read_stream(place: str | int, most: int, seconds: float) -> bytes:
    """All that a path or a file descriptor gives until it ends, be it a pipe.

    Raises OSError if it has more than so many bytes, or has not ended after so many seconds.
    """
    log.info("read %s", place or "stdin")
    number = place if isinstance(place, int) else os.open(place, os.O_RDONLY | os.O_NONBLOCK)
    content, deadline = b"", time.monotonic() + seconds
    with open(number, "rb", buffering=0, closefd=number is not place):
        while select([number], [], [], max(0.0, deadline - time.monotonic()))[0]:
            content += (part := os.read(number, most + 1 - len(content)))
            if not part:
                return content
            if len(content) > most:
                raise OSError(errno.EFBIG, f"it has more than {most:,} bytes")
    raise OSError(errno.ETIMEDOUT, f"it has not ended after {seconds:g} seconds")


def check_ordinary(path: Path) -> None:
    """Raise OSError unless there is a file at `path`: a pipe or a device may never end."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.ENODEV, "it is no ordinary file", str(path))


def remove(path: Path) -> None:
    """Remove a file, if there is one. Raises GsmError if the disk refuses."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise GsmError(f"{path} must be removed, and cannot ({error.strerror}): remove it yourself") from error


def is_there(path: Path) -> bool:
    """Whether there is something at `path`, as far as one may look."""
    return os.path.exists(path)  # noqa: PTH110  `Path.exists` raises where one may not look


def sweep(folder: Path) -> None:
    """Remove what processes that are gone left half-written in a folder.

    Those of other machines stay for thirty days, because nobody here can know whether they still run.
    """
    with suppress(OSError):
        for path in folder.iterdir():
            found = TEMPORARY.fullmatch(path.name)
            with suppress(OSError):
                if found and _is_left(path, found["host"], int(found["process"]), found["token"]):
                    path.unlink()


_sweep_once = cache(sweep)  # at the first write into a folder


def _is_left(path: Path, host: str, process: int, token: str) -> bool:
    """Whether nobody will end what is half-written here."""
    if host == _host():
        return token != TOKEN if process == os.getpid() else not _runs(process)
    return time.time() - path.stat(follow_symlinks=False).st_mtime > FORGOTTEN


def _host() -> str:
    """What the names of files call this machine."""
    return re.sub(r"[^\w-]", "_", platform.node())


def _runs(process: int) -> bool:
    """Whether a process with that number runs."""
    try:
        os.kill(process, 0)
    except OSError as error:
        return error.errno == errno.EPERM  # it is somebody else's
    except OverflowError:
        return False
    return True
