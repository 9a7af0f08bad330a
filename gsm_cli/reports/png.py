"""Pictures as they lie on a disk: whole or refused, and with a stamp that says what they were drawn from."""

import struct
import warnings
import zlib
from hashlib import sha256
from io import BytesIO

MOST = 2**26  # bytes of a file, and pixels of its picture
HEADER = 33  # bytes of a PNG before its second chunk, where the stamp is
LEAD = b"tEXtDrawn\0"
STAMP = 128  # letters of a stamp: two SHA-256 in hexadecimal digits


def check_png(content: bytes) -> None:
    """Raise ValueError for what is no whole PNG, or a larger one than any report has."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(BytesIO(content), formats=["PNG"])
            if image.width * image.height > MOST:
                raise ValueError(f"it has more than {MOST:,} pixels")
            image.verify()  # compares checksums, and is the end of this object
            Image.open(BytesIO(content), formats=["PNG"]).load()
    except Exception as error:  # of damaged bytes a decoder may say anything
        raise ValueError(str(error) or type(error).__name__) from error


def stamped(content: bytes, stamp: str) -> bytes:
    """A PNG with a stamp of 128 letters among its texts, and behind it the SHA-256 of everything else."""
    text = LEAD + f"{stamp}{sha256(content).hexdigest()}".encode("latin-1")
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    return content[:HEADER] + chunk + content[HEADER:]


def stamp_of(content: bytes) -> str | None:
    """The stamp of a picture; None if it has none, or if a byte is not as it was written."""
    start = HEADER + 4 + len(LEAD)
    stamp = content[start : start + STAMP].decode("latin-1")
    picture = content[:HEADER] + content[start + STAMP + 68 :]  # behind a SHA-256 and the checksum of the chunk
    return stamp if stamped(picture, stamp) == content else None
