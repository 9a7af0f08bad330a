"""A run is locked while somebody trains it, so that two that start it do not train it twice.

The lock is the operating system's, on a file beside the record, and ends with the process that holds it, however that
ends. The file says who holds it. On network file systems the lock reaches as far as their own locks do.
"""

import os
import platform
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, SoftFileLock, Timeout

from gsm_cli.errors import GsmError
from gsm_cli.files import sweep


class RunLock:
    """The lock of the run whose record is to be at `record`."""

    def __init__(self, record: Path) -> None:
        self.path = record.with_name(f".{record.stem}.lock")
        self._lock = FileLock(self.path, timeout=0, thread_local=False)

    def acquire(self) -> bool:
        """Take it, and sweep up what a killed process left; False if somebody else holds it. Raises GsmError."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
            if not isinstance(self._lock, SoftFileLock):  # which says it in its own way, and reads it again
                self.path.write_text(f"{platform.node()}, process {os.getpid()}", "utf-8")
        except Timeout:
            return False
        except (OSError, NotImplementedError) as error:
            reason = getattr(error, "strerror", None) or error
            raise GsmError(
                f"{self.path} must be a file that can be locked, and cannot ({reason}): name another folder with --out"
            ) from error
        sweep(self.path.parent)
        return True

    def holder(self) -> str:
        """Who holds it, as far as the file says."""
        with suppress(OSError, ValueError):
            first, *others = self.path.read_text("utf-8").splitlines() or ["another process"]
            return f"{others[0]}, process {first}" if others else first  # others: of a SoftFileLock
        return "another process"

    def release(self) -> None:
        """Give it back, and remove its file while nobody else can have it."""
        if self._lock.is_locked:
            with suppress(OSError):
                self.path.unlink()
            self._lock.release()
            sweep(self.path.parent)
