"""Files from their mirrors, with pooch."""

from collections.abc import Sequence
from pathlib import Path

from gsm_cli.data.files import read_verified
from gsm_cli.errors import DataError
from gsm_cli.files import OF_THE_DISK, prepare, refused, temporary_of

REMEDY = "see to that folder, or name one that has the files with --data-dir, or another cache with XDG_CACHE_HOME"


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
