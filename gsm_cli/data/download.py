"""MNIST from its mirrors, with pooch and a progress bar on stderr."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from gsm_cli.data.split import MNIST_FILES, MNIST_MIRRORS, read_verified
from gsm_cli.errors import DataError


def fetch_mnist(name: str, path: Path) -> None:
    """Download a file of MNIST to `path`, from the first mirror that gives its true content. Raises OSError."""
    import pooch

    pooch.get_logger().setLevel("ERROR")
    failures = []
    for mirror in MNIST_MIRRORS:
        temporary = path.with_name(f".{path.name}.download")
        try:
            with _Bar(path.name) as bar:
                pooch.retrieve(
                    mirror + path.name,
                    known_hash=None,  # the content is what is verified, below
                    fname=temporary.name,
                    path=path.parent,
                    downloader=pooch.HTTPDownloader(progressbar=bar, timeout=20),
                )
            read_verified(temporary, MNIST_FILES[name])
            temporary.replace(path)
            return
        except (OSError, ValueError, DataError) as error:
            failures.append(f"{mirror}: {type(error).__name__}")
        finally:
            temporary.unlink(missing_ok=True)
    raise OSError("; ".join(failures))


class _Bar:
    """The four methods that pooch asks of a progress bar."""

    def __init__(self, name: str) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        self.progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self.task = self.progress.add_task(name)

    def __enter__(self) -> "_Bar":
        self.progress.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.progress.stop()

    @property
    def total(self) -> float | None:
        return self.progress.tasks[0].total

    @total.setter
    def total(self, size: int) -> None:
        self.progress.update(self.task, total=size)

    def update(self, size: int) -> None:
        self.progress.advance(self.task, size)

    def reset(self) -> None:
        self.progress.reset(self.task)

    def close(self) -> None:
        self.progress.refresh()
