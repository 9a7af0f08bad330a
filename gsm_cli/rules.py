"""Types with their rules, and what a field of settings says of itself: it is told once, beside the field."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

GREATEST = sys.float_info.max  # what is finite
LARGEST = 2**63 - 1  # what every other program can count

Value = float | int | bool | str
Count = Annotated[int, Meta(ge=1, le=LARGEST, description="a whole number from 1 on")]
Natural = Annotated[int, Meta(ge=0, le=LARGEST, description="a whole number from 0 on")]
Positive = Annotated[float, Meta(gt=0, le=GREATEST, description="positive and finite")]
NotNegative = Annotated[float, Meta(ge=0, le=GREATEST, description="finite and not negative")]
AtLeastOne = Annotated[float, Meta(ge=1, le=GREATEST, description="finite and at least 1")]
LessThanOne = Annotated[float, Meta(ge=0, lt=1, description="at least 0 and less than 1")]
Share = Annotated[float, Meta(ge=0, le=1, description="between 0 and 1")]
# A text that is shown in terminals, in tables and in Markdown: one line, without what these take for their own
PLAIN = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069<>`]{0,4096}\Z"
Plain = Annotated[str, Meta(pattern=PLAIN, description="one line without any of < > `")]
NAME = PLAIN.replace("<>`", r"<>`*|&#~$@\\\[\]")  # of an objective: nor what Markdown and pictures obey
Name = Annotated[str, Meta(pattern=NAME, description="one line without any of < > ` * | & # ~ $ @ \\ [ ]")]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z", description="a SHA-256 in hex digits")]


def whole(least: int, most: int) -> Meta:
    """The rule of a number that costs memory or time: more would not fit, and is refused before anything starts."""
    return Meta(ge=least, le=most, description=f"a whole number from {least} to {most:,}")


def said(meaning: str, *, option: bool = False, timeless: bool = False) -> Meta:
    """What a setting means; whether the command line has an option for it, and whether a step takes as long with any.

    What has no option stands behind --set.
    """
    return Meta(extra={"meaning": meaning, "option": option, "timeless": timeless})


@dataclass(frozen=True)
class Setting:
    """All that is known of a setting: its type with its rule, its default, and what its field says of it."""

    type: Any
    default: Any
    meaning: str = ""
    option: bool = False
    timeless: bool = False

    @property
    def least(self) -> float | None:
        """The least value that the rule names."""
        return next((meta.ge for meta in _metas(self.type) if meta.ge is not None), None)


@cache
def settings_of(kind: type[Struct]) -> Mapping[str, Setting]:
    """The settings of a struct by name: its fields that say what they mean."""
    types = get_type_hints(kind, include_extras=True)
    extras = {name: [meta.extra for meta in _metas(each) if meta.extra] for name, each in types.items()}
    defaults = {field.name: field.default for field in msgspec.structs.fields(kind)}
    return {name: Setting(types[name], defaults[name], **extra[-1]) for name, extra in extras.items() if extra}


def without_none(kind: Any) -> tuple[Any, bool]:
    """A type without None, and whether it had it."""
    plain = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if get_origin(plain) not in (Union, UnionType):
        return kind, False
    (base,) = (each for each in get_args(plain) if each is not NoneType)
    return base, True


def rule_of(kind: Any) -> str:
    """What a value of that type must be, in words."""
    base, optional = without_none(kind)
    if optional:
        return f"{rule_of(base)}, or none"
    if described := [meta.description for meta in _metas(base) if meta.description]:
        return described[-1]
    plain = get_args(base)[0] if get_origin(base) is Annotated else base
    if get_origin(plain) is Literal:
        return f"one of {', '.join(get_args(plain))}"
    return "true or false" if plain is bool else "a word"


def _metas(kind: Any) -> list[Meta]:
    return [each for each in getattr(kind, "__metadata__", ()) if isinstance(each, Meta)]
