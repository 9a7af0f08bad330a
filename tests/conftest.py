"""What the tests share: reproducible hypothesis, an empty working folder, and the command line as a function."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from typer.testing import CliRunner, Result

from gsm_cli.cli.app import app

hypothesis.settings.register_profile("house", deadline=None, derandomize=True, max_examples=50)
hypothesis.settings.load_profile("house")


def pytest_configure() -> None:
    """Workers of a parallel run take one thread each, or they wait for one another's."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        import torch

        torch.set_num_threads(1)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def gsm(folder: Path) -> Callable[..., Result]:
    """Runs `gsm` with these words in an empty folder."""
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words], prog_name="gsm")


@pytest.fixture
def one_thread() -> Iterator[None]:
    """PyTorch with one thread, as runs have that are to be equal bit for bit."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
