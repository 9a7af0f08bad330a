"""Frames become a film, a GIF; the same frames give the same bytes."""

from collections.abc import Sequence
from io import BytesIO
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels: TypeAlias = NDArray[np.uint8]  # (H, W, 3)
RATE = 12  # frames a second
HOLD = 18  # frames that the film rests at either end
COLOURS = 256  # that a GIF has at most
OWN = 3  # hues that a frame has for certain


def encode(frames: Sequence[Pixels], facts: str) -> bytes:
    """A film that goes through the frames and back again, resting at both ends, with its facts as its comment."""
    palette, nearest = _palette(frames)
    images = [Image.fromarray(nearest[_packed(frame)]) for frame in frames]
    for image in images:
        image.putpalette(palette.tobytes())
    times = [1000 // RATE] * len(frames)  # milliseconds
    times[0] = times[-1] = HOLD * 1000 // RATE
    loop = [*images, *images[-2:0:-1]]
    buffer = BytesIO()
    loop[0].save(
        buffer,
        "GIF",
        save_all=True,
        append_images=loop[1:],
        duration=[*times, *times[-2:0:-1]],
        loop=0,
        comment=facts.encode(),
    )
    return buffer.getvalue()


def _palette(frames: Sequence[Pixels]) -> tuple[Pixels, NDArray[np.uint8]]:
    """At most 256 colours (C, 3), and for every packed colour of the frames the number of the nearest of these.

    The first are the hues that cover most of a single frame, or it would take another's; then come the most frequent.
    """
    packed = [_packed(frame) for frame in frames]
    own = [colour for frame in packed for colour in list(filter(_has_hue, _frequent(frame)))[:OWN]]
    seen = np.array(list(dict.fromkeys([*own, *_frequent(np.concatenate(packed))])))
    colours = np.stack([seen >> 16, seen >> 8 & 255, seen & 255], axis=-1)
    chosen = colours[:COLOURS]
    nearest = np.zeros(2**24, dtype=np.uint8)
    for start in range(0, len(seen), 4096):
        distances = ((colours[start : start + 4096, None] - chosen) ** 2).sum(axis=-1)
        nearest[seen[start : start + 4096]] = distances.argmin(axis=1)
    return chosen.astype(np.uint8), nearest


def _frequent(packed: NDArray[np.int64]) -> list[int]:
    """The packed colours, the most frequent first; of equals the darkest, so that the order is always the same."""
    colours, counts = np.unique(packed, return_counts=True)
    return colours[np.argsort(-counts, kind="stable")].tolist()  # type: ignore[no-any-return]


def _has_hue(colour: int) -> bool:
    channels = (colour >> 16, colour >> 8 & 255, colour & 255)
    return max(channels) - min(channels) > 60


def _packed(frame: Pixels) -> NDArray[np.int64]:
    """Each dot as one number, (H, W)."""
    return np.asarray(frame @ np.array([1 << 16, 1 << 8, 1]))
