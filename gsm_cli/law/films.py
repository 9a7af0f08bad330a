"""Frames become a film: a GIF through Pillow, an MP4 through ffmpeg; the same frames give the same bytes."""

import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gsm_cli.errors import GsmError, UsageError
from gsm_cli.style import FilmFormat

Pixels: TypeAlias = NDArray[np.uint8]  # (H, W, 3)
RATE = 12  # frames a second
HOLD = 18  # frames that the film rests at either end
COLOURS = 256  # that a GIF has at most
OWN = 3  # hues that a frame has for certain


def check_film(formats: Sequence[FilmFormat]) -> None:
    """Refuse an MP4 where there is no ffmpeg. Raises UsageError."""
    if "mp4" in formats and shutil.which("ffmpeg") is None:
        raise UsageError("--format mp4 needs ffmpeg, which is not on the PATH: install it, or take --format gif")


def encode(frames: Sequence[Pixels], format: FilmFormat, facts: str) -> bytes:
    """A film that goes through the frames and back again, resting at both ends, with its facts as its comment."""
    back = range(len(frames) - 2, 0, -1)
    order = [*range(len(frames)), *back]
    rests = [HOLD if number in (0, len(frames) - 1) else 1 for number in order]
    write = _gif if format == "gif" else _mp4
    return write(frames, order, rests, facts)


def _gif(frames: Sequence[Pixels], order: Sequence[int], rests: Sequence[int], facts: str) -> bytes:
    palette, nearest = _palette(frames)
    images = [Image.fromarray(nearest[_packed(frame)]) for frame in frames]
    for image in images:
        image.putpalette(palette.tobytes())
    first, *others = (images[number] for number in order)
    buffer = BytesIO()
    times = [rest * 1000 // RATE for rest in rests]  # milliseconds
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=times, loop=0, comment=facts.encode())
    return buffer.getvalue()


def _palette(frames: Sequence[Pixels]) -> tuple[Pixels, NDArray[np.uint8]]:
    """At most 256 colours (C, 3), and for every packed colour of the frames the number of the nearest of these.

    The first are the hues that cover most of a single frame, or it would take another's; then come the most frequent.
    """
    counts = [_count(frame) for frame in frames]
    total = sum(counts, Counter[int]())
    own = [colour for count in counts for colour in list(filter(_has_hue, _frequent(count)))[:OWN]]
    seen = np.array(list(dict.fromkeys([*own, *_frequent(total)])))
    colours = np.stack([seen >> 16, seen >> 8 & 255, seen & 255], axis=-1)
    chosen = colours[:COLOURS]
    nearest = np.zeros(2**24, dtype=np.uint8)
    for start in range(0, len(seen), 4096):
        distances = ((colours[start : start + 4096, None] - chosen) ** 2).sum(axis=-1)
        nearest[seen[start : start + 4096]] = distances.argmin(axis=1)
    return chosen.astype(np.uint8), nearest


def _count(frame: Pixels) -> Counter[int]:
    """How often each colour, packed into 24 bits, is in a frame."""
    image = Image.fromarray(frame)
    found = image.getcolors(image.width * image.height) or []
    return Counter({red << 16 | green << 8 | blue: count for count, (red, green, blue) in found})  # type: ignore[misc]


def _frequent(counts: Counter[int]) -> list[int]:
    """The colours, the most frequent first; of equals the darkest, so that the order is always the same."""
    return sorted(counts, key=lambda colour: (-counts[colour], colour))


def _has_hue(colour: int) -> bool:
    channels = (colour >> 16, colour >> 8 & 255, colour & 255)
    return max(channels) - min(channels) > 60


def _packed(frame: Pixels) -> NDArray[np.int64]:
    red, green, blue = np.moveaxis(frame.astype(np.int64), -1, 0)
    return np.asarray(red << 16 | green << 8 | blue)


def _mp4(frames: Sequence[Pixels], order: Sequence[int], rests: Sequence[int], facts: str) -> bytes:
    """Raises GsmError with the last words of ffmpeg where it fails."""
    height, width, _ = frames[0].shape
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(RATE), "-i", "-"]
    corner = bytes(frames[0][0, 0]).hex()
    even = f"pad=ceil(iw/2)*2:ceil(ih/2)*2:color=0x{corner}"  # sides must be even
    coded = ["-vf", even, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "20", "-threads", "1"]
    plain = ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-movflags", "+faststart"]
    shown = b"".join(frames[number].tobytes() * rest for number, rest in zip(order, rests, strict=True))
    with TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        command = ["ffmpeg", "-v", "error", *source, *coded, *plain, "-metadata", f"comment={facts}", str(film)]
        finished = subprocess.run(command, input=shown, capture_output=True)
        if finished.returncode:
            words = finished.stderr.decode(errors="replace").strip().splitlines() or ["no word of it"]
            raise GsmError(f"ffmpeg made no MP4 ({words[-1]}): take --format gif")
        return film.read_bytes()
