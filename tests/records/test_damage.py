"""What records may not say: every kind of damage that was ever believed, one by one."""

import json
import os

import msgspec
import pytest
from records_of import cost_record, failed, gradient_record, record, steps_of

from gsm_cli.errors import DataError, UsageError
from gsm_cli.records.cost import read_cost, read_steps
from gsm_cli.records.gradients import read_gradients
from gsm_cli.records.run import read_run
from gsm_cli.settings import build

NUMBERS = ("nan", "1e999", "-1", '"high"', "null", "[]", "true")
RUN, FAILED = record("gumbel", 0), failed("gumbel", 2)
GRADIENTS = gradient_record(("gumbel", 0.5), ("reinforce", None), epochs=(1,))
COSTS = cost_record(marginalize={2: (8.0,), 10: (9.0,)}, gumbel={2: (7.0,), 10: (7.1,)})

STEPS = steps_of([RUN, record("sparse-marginalize", 0)])


def written(whole: msgspec.Struct, changes: dict[str, str]) -> bytes:
    """A record with JSON in the place of some of its values, each named by a path with dots."""
    data = msgspec.to_builtins(whole)
    for number, place in enumerate(changes):
        *way, last = (int(name) if name.isdigit() else name for name in place.split("."))
        part = data
        for name in way:
            part = part[name]
        part[last] = f"CHANGED {number}"
    text = json.dumps(data)
    for number, value in enumerate(changes.values()):
        text = text.replace(f'"CHANGED {number}"', value)
    return text.encode()


def column(name: str, *values: object) -> dict[str, str]:
    return {f"epochs.{name}": json.dumps(values)}


def shortened(count: int) -> dict[str, str]:
    """So many entries in every column."""
    columns = msgspec.structs.asdict(RUN.epochs).items()
    return {f"epochs.{name}": json.dumps((2 * each)[:count]) for name, each in columns if isinstance(each, list)}


READING = msgspec.to_builtins(RUN.test.chosen)
WRONG_RUNS = {
    **{f"predicted {value}": {"test.chosen.modal": value} for value in (*NUMBERS, "401", "2.5")},
    **{f"assigned {value}": {"test.last.unlabelled_right": value} for value in (*NUMBERS, "1001")},
    **{f"bound {value}": {"epochs.unlabelled_bound.1": value} for value in NUMBERS if value != "-1"},
    **{f"seconds {value}": {"epochs.milliseconds.0": value} for value in (*NUMBERS, "0", "0.5")},
    **{f"validation {value}": {"epochs.right.0": value} for value in (*NUMBERS, "600001", "2.5")},
    **{f"most often {value}": {"epochs.modal.0": value} for value in (*NUMBERS, "600001")},
    **{f"relaxed {value}": {"epochs.relaxed_bounds": f'{{"1": {value}}}'} for value in NUMBERS if value != "-1"},
    **{f"relaxed after {n}": {"epochs.relaxed_bounds": f'{{"{n}": 1.0}}'} for n in ("0", "4", "-1", "1.5", "a")},
    **{f"code {value}": {"code": value} for value in ('"0.1.0"', f'"{17 * "0"}"', f'"{16 * "g"}"', "16", "[]")},
    **{f"a bound of log p(x) {value}": {"test.bound.mean": value} for value in NUMBERS if value != "-1"},
    **{f"a standard error {value}": {"test.bound.standard_error": value} for value in NUMBERS if value != "null"},
    **{f"classes {value}": {"classes": value} for value in (*NUMBERS, "0", "1", "2.5")},
    **{f"parameters {value}": {"parameters": value} for value in (*NUMBERS, "0")},
    **{f"threads {value}": {"environment.threads": value} for value in (*NUMBERS, "0")},
    **{f"seed {value[:9]}": {"config.seed": value} for value in (*NUMBERS, "9" * 400, "9" * 19)},
    "an environment that is a list": {"environment": "[]"},
    "no draws": {"test.bound.draws": "0"},
    "a bound of no images": {"test.bound.images": "0"},
    "no epochs": shortened(0),
    "an epoch too few": shortened(2),
    "an epoch twice": shortened(4),
    "a column that is too short": column("milliseconds", 1, 2),
    "another epoch chosen than the best": column("right", 7000, 6000, 5000),
    "a test of an epoch beyond the last": {"test.chosen.epoch": "4"},
    "a test of epoch 0": {"test.chosen.epoch": "0"},
    "a last epoch that is not the last": {"test.last.epoch": "2"},
    "errors that are no base64": {"test.chosen.wrong": '"§"'},
    "errors of fewer images": {"test.chosen.images": "392", "test.chosen.wrong": '"////"'},
    "errors of more images": {"test.last.images": "401"},
    "two numbers of images": {"test.last.images": "399", "test.last.modal": "1"},
    "no whole batch": {"unlabelled": "49"},
    "neither tested nor failed": {"test": "null"},
    "tested and failed": {"failure": '{"step": 3, "reason": "it did"}'},
    "a version in two lines": {"version": r'"1\n2"'},
    "a version with a tag": {"version": '"<script>"'},
    "a version that a terminal obeys": {"version": r'"\u001b[31m"'},
    "a kernel with a tag": {"environment.kernels": '"<b>"'},
    "a split that is no digest": {"split": '"a"'},
    "an objective with a tag": {"config.objective": '"a.py:<b>"', "config.objective_sha256": '"0"'},
    "a data set in two lines": {"config.dataset": r'"a\nb.npz"'},
    "a setting of its own that breaks the line": {"config.estimator.tau": r'"a\nb"'},
    "nested too deep": {"failure": "[" * 50_000 + "]" * 50_000},
    "unheard of and nested too deep": {"version": '"", "more": ' + "[" * 50_000 + "]" * 50_000},
    "the kind of another": {"schema": '4, "kind": "cost"'},
    "a schema of 400 digits": {"schema": "9" * 400},
    "a schema that is a text": {"schema": '"4"'},
}
WRONG_FAILURES = {
    "more epochs than asked for": {"config.epochs": "0"},
    "a step below 0": {"failure.step": "-1"},
    "a reason of a megabyte": {"failure.reason": f'"{"a" * 2**20}"'},
}
WRONG_GRADIENTS = {
    **{f"deviation {value}": {"rows.0.deviation": value} for value in NUMBERS},
    **{f"cosine {value}": {"rows.0.logits.cosine": value} for value in ("nan", "1e999", "-2", '"high"', "2")},
    **{f"temperature {value}": {"rows.0.temperature": value} for value in (*NUMBERS, "0", "0.7")},
    "no rows": {"rows": "[]"},
    "half of the rows": {"rows": json.dumps(msgspec.to_builtins(GRADIENTS.rows)[::2])},
    "a row twice": {"rows": json.dumps(msgspec.to_builtins([*GRADIENTS.rows, GRADIENTS.rows[0]]))},
    "no subjects": {"subjects": "[]"},
    "a subject twice": {"subjects": json.dumps(msgspec.to_builtins(2 * GRADIENTS.subjects))},
    "a subject too few": {"subjects": json.dumps(msgspec.to_builtins(GRADIENTS.subjects[1:]))},
    "neither rows nor subjects": {"rows": "[]", "subjects": "[]"},
    "an estimator with a tag": {"rows.0.estimator": '"<b>"'},
    "a subject with a line break": {"rows.0.subject": r'"a\nb"'},
}
WRONG_COSTS = {
    **{f"seconds {value}": {"rows.0.seconds.0": value} for value in (*NUMBERS, "0")},
    **{f"memory {value}": {"rows.0.peak_bytes": value} for value in (*NUMBERS, "0", "9" * 400)},
    "no rows": {"rows": "[]"},
    "half of the rows": {"rows": json.dumps(msgspec.to_builtins(COSTS.rows)[::2])},
    "a row twice": {"rows": json.dumps(msgspec.to_builtins([*COSTS.rows, COSTS.rows[0]]))},
    "a row in the place of another": {"rows.0.classes": "10"},
    "a row of nothing that was asked": {"rows.0.objective": '"reinforce"'},
    "no seconds": {"rows.0.seconds": "[]"},
    "more rounds than anybody measures": {"plan.rounds": "9" * 18},
    "no objectives": {"plan.objectives": "[]"},
    "no classes": {"plan.classes": "[]"},
}
WRONG_STEPS = {
    **{f"seconds {value}": {"rows.0.seconds": value} for value in (*NUMBERS, "0")},
    **{f"processor {value}": {"rows.0.processor_seconds": value} for value in (*NUMBERS, "0")},
    **{f"evaluations {value}": {"rows.0.evaluations": value} for value in NUMBERS},
    **{f"number of steps {value}": {"rows.0.steps": value} for value in (*NUMBERS, "0", "9" * 400)},
    **{f"load {value}": {"load": value} for value in NUMBERS if value != "null"},
    "no rows": {"rows": "[]"},
    "no steps": {"plan.steps": "[]"},
    "half of the rows": {"rows": json.dumps(msgspec.to_builtins(STEPS.rows)[::2])},
    "a row twice": {"rows": json.dumps(msgspec.to_builtins([*STEPS.rows[1:], STEPS.rows[2]]))},
    "a row of no step": {"rows.0.step": "9"},
    "a row of no round": {"rows.0.round": "2"},
    "more rounds than anybody measures": {"plan.rounds": "9" * 18},
    "no pixels": {"plan.steps.0.pixels": "0"},
    "a rate that is none": {"plan.steps.0.config.learning_rate": "-1"},
}
ALL = [
    *((read_run, RUN, name, changes) for name, changes in WRONG_RUNS.items()),
    *((read_run, FAILED, name, changes) for name, changes in WRONG_FAILURES.items()),
    *((read_gradients, GRADIENTS, name, changes) for name, changes in WRONG_GRADIENTS.items()),
    *((read_cost, COSTS, name, changes) for name, changes in WRONG_COSTS.items()),
    *((read_steps, STEPS, name, changes) for name, changes in WRONG_STEPS.items()),
]


@pytest.mark.parametrize(
    ("read", "whole"),
    [(read_run, RUN), (read_run, FAILED), (read_gradients, GRADIENTS), (read_cost, COSTS), (read_steps, STEPS)],
)
def test_without_a_change_they_are_whole(tmp_path, read, whole):
    path = tmp_path / "a.json"
    path.write_bytes(written(whole, {}))
    assert read(path) == whole


@pytest.mark.parametrize(("read", "whole", "changes"), [(r, w, c) for r, w, _, c in ALL], ids=[n for _, _, n, _ in ALL])
def test_what_is_wrong_is_refused_in_one_line_that_names_the_file(tmp_path, read, whole, changes):
    path = tmp_path / "strange.json"
    path.write_bytes(written(whole, changes))
    with pytest.raises(DataError) as caught:
        read(path)
    sentence = str(caught.value)
    assert sentence.startswith(f"{path} must ")
    assert "remove it and run again" in sentence
    assert sentence.isprintable()
    assert len(sentence) < 1000


@pytest.mark.parametrize("read", [read_run, read_gradients, read_cost, read_steps])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "gigabyte"])
def test_what_is_no_record_at_all_is_never_waited_for(tmp_path, read, kind):
    path = tmp_path / "strange.json"
    if kind == "gigabyte":
        with path.open("wb") as file:
            file.truncate(2**40)
    else:
        {"pipe": lambda: os.mkfifo(path), "device": lambda: path.symlink_to("/dev/zero"), "folder": path.mkdir}[kind]()
    with pytest.raises(DataError, match=r"strange\.json must be a whole record, and cannot be read \(.+\): restore it"):
        read(path)


@pytest.mark.parametrize("name", ["a\nb.npz", "<b>.npz", "a`b.npz", "a\x1bb.npz"])
def test_what_no_record_may_say_no_run_is_called(name):
    """So that every record that is written can be read."""
    with pytest.raises(UsageError, match="dataset must be one line without any of"):
        build({"dataset": name})
