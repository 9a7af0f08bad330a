"""The commands that a report suggests, pasted into a shell: they make what it lacks, in its own folder."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path


def suggested(text: str) -> list[str]:
    """What a reader pastes: the lines of a page's console blocks."""
    blocks = re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]


def paste(command: str, folder: Path) -> str:
    """What a shell prints of the command in that folder."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GSM_")}
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=clean | {"PATH": path}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_in_an_empty_folder_the_report_gets_what_it_lacks(tmp_path):
    first = (
        "gsm train-ssl --objective gumbel --seeds 0-1 --epochs 1 --set hidden=8 --report try --out 'my runs' --jobs 1"
    )
    paste(first, tmp_path)
    page = tmp_path / "my runs/try/report.md"
    (command,) = suggested(page.read_text("utf-8"))
    assert "marginalize" in command
    paste(command, tmp_path)
    assert "marginalize | 2 |" in page.read_text("utf-8")
    made = suggested(page.with_name("details.md").read_text("utf-8"))
    assert len(made) == 1
    (found,) = (json.loads(paste(f"{line} --dry-run --json", tmp_path)) for line in made)
    assert [run["finished"] for run in found["results"]["runs"]] == [True] * 4
    assert [path.name for path in tmp_path.iterdir()] == ["my runs"]
