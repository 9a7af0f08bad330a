"""Small records made up by hand, for the tests of statistics and reports."""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np
from msgspec.structs import replace

from gsm_cli.objectives import OBJECTIVES
from gsm_cli.records.cost import CostPlan, CostRecord, CostRow, Step, StepPlan, StepRecord, StepRow, step_key
from gsm_cli.records.curves import Curves, Epoch
from gsm_cli.records.gradients import (
    MEASURED,
    TEMPERATURES,
    GradientPlan,
    GradientRecord,
    GradientRow,
    GradientSubject,
    MeanGradient,
)
from gsm_cli.records.run import Bound, Failure, Reading, RunRecord, Test
from gsm_cli.records.store import Environment
from gsm_cli.settings import build

SIX = {  # test accuracies above 0.9, by objective and seed: whole numbers of 400 images
    "marginalize": [0.00, 0.01, 0.02, 0.01, 0.00, 0.0075],
    "gumbel": [0.00, 0.01, 0.01, 0.01, 0.00, 0.005],
    "straight-through-gumbel": [-0.05, -0.06, -0.04, -0.05, -0.05, -0.05],
    "supervised": [-0.10, -0.11, -0.12, -0.11, -0.10, -0.1075],
}
CODE = "0123456789abcdef"
VALIDATION = 600_000  # images, of which any accuracy with five decimals or in sixtieths is a share
ABACUS = Environment(
    python="3.11",
    torch="2.0",
    numpy="2.0",
    system="Linux abacus",
    device="cpu",
    kernels="BEADS",
    features=[],
    threads=1,
)


def timed(
    whole: RunRecord, seconds: Sequence[float] | None = None, processor_seconds: Sequence[float] | None = None
) -> RunRecord:
    """The same run with other seconds of training for each epoch; what is not named stays."""
    clocks = {"milliseconds": seconds, "processor_milliseconds": processor_seconds}
    given = {name: [round(1000 * each) for each in column] for name, column in clocks.items() if column is not None}
    return replace(whole, epochs=replace(whole.epochs, **given))


def record(objective: str, seed: int, accuracies: Sequence[float] = (0.5, 0.7, 0.8), **settings: object) -> RunRecord:
    """A finished run with these validation accuracies, of which the test has the best and the last less 0.01."""
    config = build({"objective": objective, "seed": seed, "epochs": len(accuracies), **settings})
    tau = config.own.get("tau")
    epochs = [
        Epoch(
            unlabelled_bound=-30.0 + number,
            labelled_bound=-29.0 + number,
            classification=-1.0 / number,
            validation_accuracy=accuracy,
            validation_entropy=1.0 / number,
            modal_share=0.2,
            evaluations={"marginalize": 10.0, "supervised": 0.0}.get(objective, 1.0),
            relaxed_bound=None if tau is None else -25.0 + number,
            one_hot_bound=None if tau is None else -25.5 + number,
            dropped_mass=0.01 / number if "threshold" in OBJECTIVES[objective].settings else None,
            tau=None if tau is None else float(tau),
            kl_weight=1.0,
            learning_rate=1e-3,
            seconds=(seconds := 4.0 if objective == "marginalize" else 2.0),
            processor_seconds=seconds,
            evaluation_seconds=0.1,
        )
        for number, accuracy in enumerate(accuracies, start=1)
    ]
    best = max(accuracies)
    return RunRecord(
        config=config,
        version="0.0.0",
        code=CODE,
        environment=ABACUS,
        split="0" * 64,
        unlabelled=999,
        classes=10,
        parameters=12345,
        epochs=Curves.of(epochs, VALIDATION),
        test=Test(
            chosen=reading(accuracies.index(best) + 1, best - 0.01),
            last=reading(len(accuracies), accuracies[-1] - 0.01),
            bound=None if objective == "supervised" else Bound(mean=-25.0, standard_error=0.5, images=400, draws=1),
        ),
    )


def reading(epoch: int, accuracy: float, images: int = 400) -> Reading:
    """What the test set said of an epoch: the first images wrong, as many as come nearest to that accuracy."""
    errors = round((1 - accuracy) * images)
    return Reading(
        epoch=epoch,
        images=images,
        wrong=b64encode(np.packbits(np.arange(images) < errors).tobytes()).decode(),
        modal=round(0.15 * images),
        unlabelled=1000,
        unlabelled_right=960,
    )


def failed(objective: str, seed: int) -> RunRecord:
    """A run that diverged in its second epoch."""
    whole = record(objective, seed)
    first = record(objective, seed, (0.5,)).epochs
    return replace(whole, epochs=first, test=None, failure=Failure(step=17, reason="the objective is not finite"))


def batch(differences: Mapping[str, Sequence[float]]) -> list[RunRecord]:
    """Runs of several objectives, each with one test accuracy per seed: 0.9 plus a difference."""
    return [
        record(objective, seed, (0.5, 0.7, 0.91 + difference))
        for objective, values in differences.items()
        for seed, difference in enumerate(values)
    ]


def gradient_record(
    *estimators: tuple[str, float | None], epochs: tuple[int, ...] = (), seeds: tuple[int, ...] = (0, 1), **plan: object
) -> GradientRecord:
    """A measurement of these estimators at these temperatures, each worse than the one before and the first exact.

    On the linear function, and on the model of every seed after these epochs, where the biases are twice as large.
    """
    models = [(f"seed {seed}, epoch {epoch}", seed, epoch) for seed in seeds for epoch in epochs]
    subjects = [
        GradientSubject(
            name=name,
            seed=seed,
            epoch=epoch,
            classes=6 if epoch is None else 10,
            images=1 if epoch is None else 50,
            replicates=25_000 if epoch is None else 250,
            largest_share=1.0 if epoch is None else 0.08,
        )
        for name, seed, epoch in [("linear", None, None), *models]
    ]
    rows = [
        GradientRow(
            subject=subject.name,
            estimator=name,
            temperature=tau,
            mean="sampled" if number else "enumerated",
            logits=mean_gradient((2.0 if subject.epoch else 1.0) * 0.1 * number, bool(number)),
            deviation=0.5 * number,
            deviation_error=0.01 if number else 0.0,
        )
        for subject in subjects
        for number, (name, tau) in enumerate(estimators)
    ]
    scored = [name for name, _ in estimators if name in OBJECTIVES and "minus_log_q" in OBJECTIVES[name].settings]
    rows += [msgspec.structs.replace(row, minus_log_q=True) for row in rows if row.estimator in scored]
    config = build({"objective": "marginalize", **{name: plan.pop(name) for name in ("dataset",) if name in plan}})
    taus = tuple(sorted({tau for _, tau in estimators if tau is not None})) or TEMPERATURES
    names = tuple(dict.fromkeys(name for name, _ in estimators)) or MEASURED
    settings = {"config": config, "seeds": seeds, "objectives": names, "temperatures": taus, **plan}
    return GradientRecord(
        version="0.0.0",
        code=CODE,
        environment=ABACUS,
        plan=msgspec.convert(settings, GradientPlan, strict=False),
        subjects=subjects,
        rows=rows,
    )


def mean_gradient(bias: float, sampled: bool, cosine: float | None = None) -> MeanGradient:
    """A mean with this bias, seen if it is 0.05 or more."""
    return MeanGradient(
        cosine=1 - bias if cosine is None else cosine,
        cosine_error=0.01 * sampled,
        squared_bias=bias**2,
        squared_noise=0.0006 * sampled,
        bias_error=0.02 * sampled,
    )


def steps_of(
    records: Iterable[RunRecord], factors: Sequence[float] = (1.0, 1.0), machine: Environment = ABACUS
) -> StepRecord:
    """The steps of these runs, timed: so long that an epoch takes the seconds of the fastest, times a round's factor.

    The factors are those of all objectives but the sum. A step of `sparse-marginalize` takes longer the more it
    evaluates: as long as it says at one class, and that times the classes.
    """
    fastest: dict[str, RunRecord] = {}
    for run in sorted(records, key=lambda run: min(run.epochs.processor_seconds)):
        fastest.setdefault(step_key(run.config), run)
    steps = [Step(config=run.config, pixels=64, classes=run.classes, labelled=100) for run in fastest.values()]
    plan = StepPlan(steps=tuple(steps), rounds=len(factors))
    rows = []
    for number, factor in enumerate(factors):
        for place, count in plan.turns:
            run = fastest[step_key(steps[place].config)]
            seconds = min(run.epochs.processor_seconds) / run.steps * (count or 1.0)
            taken = 5 * seconds * (1.0 if run.config.objective == "marginalize" else factor)
            row = StepRow(
                step=place,
                round=number,
                evaluations=count or run.epochs.evaluations[0],
                steps=5,
                seconds=taken / 0.99,
                processor_seconds=taken,
            )
            rows.append(row)
    return StepRecord(version="0.0.0", code=None, environment=machine, plan=plan, load=0.1, rows=rows)


def cost_record(**costs: Mapping[int, Sequence[float]]) -> CostRecord:
    """For every objective and number of classes the milliseconds of each round."""
    cells = next(iter(costs.values()))
    objectives = tuple(name.replace("_", "-") for name in costs)
    plan = CostPlan(objectives=objectives, classes=tuple(cells), rounds=len(next(iter(cells.values()))))
    rows = [
        cost_row(name, classes, milliseconds)
        for name, of in zip(objectives, costs.values(), strict=True)
        for classes, values in of.items()
        for milliseconds in values
    ]
    return CostRecord(version="0.0.0", code=CODE, environment=ABACUS, plan=plan, rows=rows)


def cost_row(objective: str, classes: int, milliseconds: float, mib: int = 300) -> CostRow:
    """What a process finds whose steps take so long, and half of whose time is lost."""
    return CostRow(
        objective=objective,
        classes=classes,
        seconds=[milliseconds / 1000 * factor for factor in (0.9, 1.0, 1.1)],
        evaluations=float(classes) if objective == "marginalize" else 1.0,
        peak_bytes=mib * 2**20,
    )
