"""Pictures as they lie on a disk: whole or refused, never larger than they may be, and with a digest of their pixels.

What a report compares of a picture is the data that it carries and this digest: other processors and other builds of
matplotlib may draw the same data with other pixels.
"""

import struct
import warnings
import zlib
from hashlib import sha256
from io import BytesIO

from PIL import Image

MOST = 2**26  # bytes of a file, and pixels of its picture
DIGEST = "Pixels"  # the text of a PNG that holds the SHA-256 of what it shows
HEADER = 33  # bytes of a PNG before its second chunk


def read_png(content: bytes) -> Image.Image:
    """The picture, decoded. Raises ValueError if it is no whole PNG, or a larger one than any report has."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(BytesIO(content), formats=["PNG"])
            if image.width * image.height > MOST:
                raise ValueError(f"it has more than {MOST:,} pixels")
            image.verify()  # compares checksums, and is the end of this object
            image = Image.open(BytesIO(content), formats=["PNG"])
            image.load()
    except Exception as error:  # of damaged bytes a decoder may say anything
        raise ValueError(str(error) or type(error).__name__) from error
    return image


def texts(image: Image.Image) -> dict[str, str]:
    """The texts that a picture carries, by name."""
    return {str(name): text for name, text in image.info.items() if isinstance(text, str)}


def digest(image: Image.Image) -> str:
    """The SHA-256 of what a picture shows."""
    return sha256(f"{image.mode} {image.width} {image.height} ".encode() + image.tobytes()).hexdigest()


def stamp(content: bytes) -> bytes:
    """A PNG with the digest of its pixels among its texts."""
    text = b"tEXt" + f"{DIGEST}\0{digest(read_png(content))}".encode("latin-1")
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    return content[:HEADER] + chunk + content[HEADER:]
