"""A whole measurement of gradients: functions of y, and models that the sum and each estimator train."""

from collections.abc import Callable, Iterable, Mapping

from gsm_cli import __version__
from gsm_cli.data.split import Split
from gsm_cli.errors import GsmError
from gsm_cli.extensions import own_code
from gsm_cli.fingerprint import MEASURES, fingerprint
from gsm_cli.measures.gradient_subjects import Subject, model_subjects
from gsm_cli.measures.gradients import compare_estimators, left_out, measure_own, toy_subjects
from gsm_cli.objectives import MARGINALIZE
from gsm_cli.records.gradients import GradientPlan, GradientRecord, GradientRow, GradientSubject
from gsm_cli.runs.environment import environment
from gsm_cli.runs.evaluation import NotFiniteError


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
        say(f"training a model by {config.objective_name} for {config.epochs} epochs, seed {config.seed}")
        try:
            for subject in model_subjects(config, splits[config.seed], plan.images, plan.replicates):
                if config.objective == MARGINALIZE:
                    look(subject, compare_estimators(subject, plan.objectives, plan.temperatures))
                else:
                    look(subject, measure_own(config, subject))
        except NotFiniteError as error:
            raise GsmError(f"the model must train to be measured, and {error}: choose other --seeds") from error
    return GradientRecord(version=__version__, code=code, environment=machine, plan=plan, subjects=subjects, rows=rows)
