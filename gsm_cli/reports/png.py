"""Pictures as they lie on a disk: whole or refused, with the texts that they carry."""

import json
import warnings
from collections.abc import Mapping
from io import BytesIO

from gsm_cli.style import Picture

MOST = 2**26  # bytes of a file, and pixels of its picture


def read_texts(content: bytes) -> Mapping[str, str]:
    """The texts in a PNG. Raises ValueError for what is no whole PNG, or a larger one than any report has."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(BytesIO(content), formats=["PNG"])
            if image.width * image.height > MOST:
                raise ValueError(f"it has more than {MOST:,} pixels")
            image.verify()  # compares checksums, and is the end of this object
            image = Image.open(BytesIO(content), formats=["PNG"])
            image.load()
            return {str(name): str(text) for name, text in image.info.items()}
    except Exception as error:  # of damaged bytes a decoder may say anything
        raise ValueError(str(error) or type(error).__name__) from error


def shows(content: bytes, picture: Picture[object]) -> bool:
    """Whether a PNG carries the title, the description and the data of a picture. Raises ValueError as `read_texts`."""
    carried = {"Title": picture.title, "Description": picture.description, "Comment": json.dumps(picture.carried)}
    return carried.items() <= read_texts(content).items()
