"""How good each estimator's gradient is, against the exact one: known, because the sum over classes is finite.

The subjects: three functions of y on one law, and the conditional bound of models in training, which the sum trains,
or the estimator itself. What is differentiated is the mean over images of E_{q(y)}[bound(y)], with respect to the
logits of q(y), for fixed draws of a and z.

The mean of an estimator's gradient is found in two ways:

* enumerated: where it depends on one-hot samples alone, the sum over all their outcomes (`Outcomes`), without noise;
* sampled: for the others, whose noise is continuous.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from math import isfinite, sqrt

import torch
from torch import Tensor

from gsm_cli import __version__
from gsm_cli.config import RunConfig
from gsm_cli.data.split import Split
from gsm_cli.errors import GsmError
from gsm_cli.extensions import find_objective, own_code
from gsm_cli.fingerprint import MEASURES, fingerprint
from gsm_cli.law.request import read_law
from gsm_cli.measures.gradient_statistics import deviation, exact_mean, sampled_mean
from gsm_cli.measures.gradient_subjects import REPLICATES, Subject, model_subjects
from gsm_cli.model.bounds import Bound, Estimator
from gsm_cli.model.categorical import Outcomes
from gsm_cli.model.estimators import Marginal
from gsm_cli.objectives import MARGINALIZE
from gsm_cli.records.gradients import GradientPlan, GradientRecord, GradientRow, GradientSubject
from gsm_cli.rules import rule_of
from gsm_cli.runs.build import Averaging, stream
from gsm_cli.runs.environment import environment
from gsm_cli.runs.evaluation import NotFiniteError
from gsm_cli.settings import build
from gsm_cli.streams import Purpose
from gsm_cli.words import counted

CHUNK = 4_000  # images at once
OF_ONE_LAW = 100  # times as many replicates on a function of one law, where they cost little
CENTRE, POWER = 0.45, 1.5  # of the polynomial


def toy_subjects(classes: int | None, replicates: int, seed: int) -> list[Subject]:
    """f(y) = w . y, f(y) = w . y + y A y and f(y) = |b - 0.45|^1.5 on one law; w and A are fixed and have both signs.

    The last is of b = y . (0, ..., 1), evenly spaced: with two classes a term of the polynomial programme on which
    ReinMax was shown (Liu et al. 2023, section 5.1); REBAR's has the power 2 (Tucker et al. 2017, section 5.1).
    The law is the article's with six classes, or a random one of so many `classes` as the figures' own.
    """
    logits = torch.from_numpy(read_law(None, None, classes, seed).logits)[None]
    count = logits.shape[-1]
    weights = torch.linspace(-1.0, 1.0, count, dtype=torch.float64).flip(0).roll(1)
    places = torch.linspace(0.0, 1.0, count, dtype=torch.float64)
    matrix = torch.cos(torch.arange(count**2, dtype=torch.float64)).view(count, count)
    functions: dict[str, Bound] = {
        "linear": lambda y, images=None, /: y @ weights,
        "quadratic": lambda y, images=None, /: y @ weights + ((y @ matrix) * y).sum(dim=-1),
        "polynomial": lambda y, images=None, /: (y @ places - CENTRE).abs() ** POWER,
    }

    def subject(name: str, bound: Bound) -> Subject:
        return Subject(name, logits, lambda copies: bound, OF_ONE_LAW * replicates, seed)

    return [subject(name, bound) for name, bound in functions.items()]


def enumerate_outcomes(estimator: Estimator, subject: Subject, most: int) -> tuple[Tensor, float] | None:
    """The exact mean of an estimator's gradient, (B * K,), over all outcomes of its one-hot samples, and its tr S.

    None where it draws other noise too, or has more than `most` outcomes, K for each sample.
    """
    images, classes = subject.logits.shape
    probe = Outcomes(torch.zeros(images, dtype=torch.long))
    try:
        _gradients(estimator, subject, 1, probe)
    except ValueError:  # its samples have other dimensions
        return None
    if probe.drew or classes**probe.draws > most:
        return None
    weights, gradients = [], []
    for numbers in torch.split(torch.arange(classes**probe.draws), max(1, CHUNK // images)):
        rng = Outcomes(numbers.repeat_interleave(images))
        gradients.append(_gradients(estimator, subject, len(numbers), rng))
        weights.append(rng.log_q.exp().view(-1, images, 1))
    q, samples = torch.cat(weights), torch.cat(gradients)
    samples = torch.where(q > 0.0, samples, 0.0)
    mean = (q * samples).sum(dim=0)
    return mean.flatten(), (q * (samples - mean).square()).sum().item()


@lru_cache(maxsize=1)
def exact_gradient(subject: Subject) -> Tensor:
    """The gradient of the sum over classes, (B * K,)."""
    exact = enumerate_outcomes(Marginal(), subject, 1)
    assert exact is not None
    return exact[0]


def sample_gradients(estimator: Estimator, subject: Subject, rng: torch.Generator) -> Tensor:
    """Independent estimates of the gradient with respect to the logits, (R, B * K)."""
    parts = torch.split(torch.arange(subject.replicates), max(1, CHUNK // len(subject.logits)))
    return torch.cat([_gradients(estimator, subject, len(part), rng).flatten(1) for part in parts])


def _gradients(estimator: Estimator, subject: Subject, copies: int, rng: torch.Generator) -> Tensor:
    """Those of so many copies of the images, (copies, B, K)."""
    logits = subject.logits.repeat(copies, 1)[None].requires_grad_()
    values = estimator(subject.bound(copies), logits, rng)
    (gradient,) = torch.autograd.grad(values.sum() / len(subject.logits), logits)
    return gradient.view(copies, *subject.logits.shape).double()


def measure(
    name: str,
    estimator: Estimator,
    subject: Subject,
    rng: torch.Generator,
    tau: float | None = None,
    minus_log_q: bool = False,
) -> GradientRow:
    """Bias and cosine of the mean gradient, and the deviation of one estimate, in units of the exact one's norm."""
    exact = exact_gradient(subject)
    found = enumerate_outcomes(estimator, subject, subject.replicates)
    if found is not None:
        mean, variance = found
        logits = exact_mean(mean, exact)
        spread, error = sqrt(variance) / exact.norm().item(), 0.0
    else:
        samples = sample_gradients(estimator, subject, rng)
        logits = sampled_mean(samples, exact)
        spread, error = deviation(samples, exact)
    if not all(map(isfinite, (spread, error, logits.bias))):
        at = "" if tau is None else f" at temperature {tau:g}"
        raise GsmError(f"a gradient must be finite to be measured, and that of {name}{at} on {subject.name} is not")
    return GradientRow(
        subject=subject.name,
        estimator=name,
        temperature=tau,
        minus_log_q=minus_log_q,
        mean="enumerated" if found else "sampled",
        logits=logits,
        deviation=spread,
        deviation_error=error,
    )


def compare_estimators(
    subject: Subject, objectives: Sequence[str], temperatures: Sequence[float]
) -> Iterator[GradientRow]:
    """The estimators of these objectives on one subject, those with a temperature at each that their rule allows.

    Those that may take log q from their learning signal are measured with and without. All start from the same noise.
    """
    for name in objectives:
        for minus_log_q in [False, True] if "minus_log_q" in find_objective(name).settings else [False]:
            config = build({"objective": name} | ({"minus_log_q": True} if minus_log_q else {}))
            averaging = Averaging(config)
            yield from (measure_run(config, averaging, subject, tau) for tau in allowed(name, temperatures))


def measure_run(config: RunConfig, averaging: Averaging, subject: Subject, tau: float | None) -> GradientRow:
    """The estimator of a run's settings on one subject, at a temperature."""
    rng, minus_log_q = stream(subject.seed, Purpose.GRADIENTS, REPLICATES), config.own.get("minus_log_q", False)
    return measure(config.objective_name, averaging.at(tau), subject, rng, tau, minus_log_q)


def left_out(objectives: Sequence[str], temperatures: Sequence[float]) -> list[str]:
    """A sentence for every objective whose rule forbids some of the temperatures."""
    sentences = []
    for name in objectives:
        row = find_objective(name)
        out = [f"{tau:g}" for tau in temperatures if row.relaxed and tau not in allowed(name, temperatures)]
        if out:
            sentences.append(f"{name} leaves out tau {', '.join(out)}: it must be {rule_of(row.settings['tau'].type)}")
    return sentences


def allowed(name: str, temperatures: Sequence[float]) -> Sequence[float | None]:
    """Those that an objective's rule allows; None once for one that has none."""
    row = find_objective(name)
    if not row.relaxed:
        return [None]
    least = row.settings["tau"].least
    return [tau for tau in temperatures if least is None or tau >= least]


@own_code()
def measure_plan(plan: GradientPlan, splits: Mapping[int, Split], say: Callable[[str], None]) -> GradientRecord:
    """Train, and measure on all subjects, with the data of every seed; `say` is told what goes on.

    Raises GsmError where a model does not train, or a gradient is not finite.
    """
    code, machine = fingerprint(MEASURES), environment("cpu")
    subjects: list[GradientSubject] = []
    rows: list[GradientRow] = []

    def look(subject: Subject, measured: Iterable[GradientRow]) -> None:
        subjects.append(subject.facts())
        say(f"measuring gradients: {subject.name}")
        rows.extend(measured)

    for sentence in left_out(plan.objectives, plan.temperatures):
        say(sentence)
    for subject in toy_subjects(plan.classes, plan.replicates, plan.seeds[0]):
        look(subject, compare_estimators(subject, plan.objectives, plan.temperatures))
    for config in plan.models:
        say(f"training a model by {config.objective_name} for {counted(config.epochs, 'epoch')}, seed {config.seed}")
        try:
            for subject in model_subjects(config, splits[config.seed], plan.images, plan.replicates):
                if config.objective == MARGINALIZE:
                    look(subject, compare_estimators(subject, plan.objectives, plan.temperatures))
                else:
                    tau = config.estimator.temperature(0, 1)
                    look(subject, [measure_run(config, Averaging(config), subject, tau)])
        except NotFiniteError as error:
            raise GsmError(f"the model must train to be measured, and {error}: choose other --seeds") from error
    return GradientRecord(version=__version__, code=code, environment=machine, plan=plan, subjects=subjects, rows=rows)
