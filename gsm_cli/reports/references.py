"""Numbers of others, against which a reader may hold a report; each with its source."""

from gsm_cli.config import Dataset
from gsm_cli.reports.markdown import table

ARTICLE = "the article, validation, one seed, read from its curve"
ARTICLE_CURVES = {  # validation accuracy after epochs
    "marginalize": {10: 0.875, 20: 0.92, 117: 0.964},
    "gumbel": {10: 0.875, 20: 0.90, 135: 0.956},
}
JANG_SPEED_UPS = {10: 2.0, 100: 9.9}  # Jang et al. 2017, figure 5: a step of Gumbel over marginalization, by classes
PUBLISHED = (
    ("M2, marginalize", "92.6", "Jang et al. 2017 (arXiv:1611.01144), table 2"),
    ("M2, gumbel", "92.4", "Jang et al. 2017, table 2"),
    ("M2, straight-through", "93.6", "Jang et al. 2017, table 2"),
    ("ADGM, test, 60,000 unlabelled", "99.04", "Maaløe et al. 2016 (arXiv:1602.05473)"),
)


def references(dataset: Dataset) -> list[str]:
    """The section on others' numbers; there are none for digits."""
    if dataset is not Dataset.MNIST:
        return []
    rows = [
        [f"ADGM, {name}, epoch {epoch}", f"{100 * accuracy:.1f}", ARTICLE]
        for name, curve in ARTICLE_CURVES.items()
        for epoch, accuracy in curve.items()
    ]
    rows += [list(row) for row in PUBLISHED]
    return [
        "## What others report",
        "MNIST with 100 labels; numbers of others, not measured here.",
        table(["model and objective", "accuracy %", "source"], rows),
    ]
