"""No sentence of a document has more than 25 words."""

import re
from collections.abc import Iterator

import pytest
from tree import PAPERS, ROOT

MOST = 25
READ = [path.relative_to(ROOT).as_posix() for path in PAPERS]

UNREAD = re.compile(r"```.*?```|<!--.*?-->|^\|[^\n]*$", re.DOTALL | re.MULTILINE)  # code, comments, rows of tables
LINK = re.compile(r"!?\[((?:[^\[\]]|\[[^\]]*\])*)\]\([^)]*\)")
ONE_WORD = re.compile(r"`[^`]*`|[+-]?[\d.,]+ \[[^\]]*\]")  # code, and a number with its interval
PARAGRAPH = re.compile(r"\n\s*\n|\n\s*(?:[*-]|#+|\d+\.) ")
END = re.compile(r"(?<=[.!?:])\)?\s+")  # a semicolon ends no sentence


def sentences(text: str) -> Iterator[str]:
    """The sentences of a Markdown text as a reader hears them: a link is its words, code is one word."""
    for paragraph in PARAGRAPH.split(UNREAD.sub("", text)):
        plain = ONE_WORD.sub("x", LINK.sub(r"\1", paragraph)).replace("*", "").replace("et al.", "et al")
        yield from filter(words, END.split(plain.strip()))


def words(sentence: str) -> int:
    """A dash or a bullet is no word."""
    return sum(bool(re.search(r"\w", word)) for word in sentence.split())


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("One two. Three four five!\nSix?", [2, 3, 1]),
        ("**One two?** Three: four; five (six). Seven.", [2, 1, 3, 1]),
        ("# A title\n\nOne two\n* three\n* four – five\n1. six", [2, 2, 1, 2, 1]),
        ("See [the `one` report](a/b.md#c) and `gsm report --check`.", [6]),
        ("![A picture. Of two](a.png)", [2, 2]),
        ("It is -0.27 [-0.45, -0.09] points (Jang et al. 2017).", [8]),
        (
            "One.\n\n```console\n$ two\n```\n<!-- claim: three\nfour -->\n\n| five |\n| --- |\n\nSix seven.",
            [1, 2],
        ),
    ],
)
def test_words_are_counted_as_a_reader_hears_them(text, counts):
    assert [words(sentence) for sentence in sentences(text)] == counts


def test_the_longest_sentence_that_may_be_and_one_word_more():
    sentence = " ".join(["word"] * MOST)
    assert [words(part) for part in sentences(f"Short. {sentence}. {sentence} `more`.")] == [1, MOST, MOST + 1]


@pytest.mark.parametrize("name", READ)
def test_sentences_are_short(name):
    spoken = list(sentences((ROOT / name).read_text("utf-8")))
    assert len(spoken) > 3
    assert not [f"{words(sentence)}: {sentence}" for sentence in spoken if words(sentence) > MOST]
