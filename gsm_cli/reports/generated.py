"""The section of a report on what its models generate."""

from gsm_cli.reports.groups import Group
from gsm_cli.reports.markdown import numbered

DESCRIPTION = "For each objective a sheet of generated images: in a column one class, in a row one z with every class."


def generated_images(each: Group) -> dict[str, str]:
    """A PNG in base64 for every series that kept one: of its first seed."""
    return {series.name: series.generated for series in each.series if series.generated}


def generated_name(number: int) -> str:
    """The file of a group's picture; the groups are numbered from 1."""
    return numbered("generated", number)


def generated_section(each: Group, number: int) -> list[str]:
    """The picture and how to read it; nothing if no images were kept."""
    if not generated_images(each):
        return []
    return [
        "## What the models generate",
        f"![{DESCRIPTION}]({generated_name(number)})",
        "Mean images of p(x|y,z), of each objective's first seed at the epoch that validation chose: in a column one "
        "class, in a row every class with one z from N(0, I). Where y means the class, a column is one digit, and "
        "where z means the style, a row keeps it.",
    ]
