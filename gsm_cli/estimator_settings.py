"""What the settings of all estimators share, and those of somebody's own. No heavy import."""

import re
from math import exp
from typing import Annotated

import msgspec
from msgspec import Struct

from gsm_cli.rules import PLAIN, Digest, Name, NotNegative, Plain, Positive, Value, said, settings_of

SCHEDULE = ("tau", "tau_min", "tau_rate", "tau_by_epoch")  # from which the parameter `temperature` comes at each step
NO_PARAMETERS = (*SCHEDULE, "entropy_weight", "minus_log_q")  # settings of an objective that its class does not take
COLDEST = 2.0**-126  # the least temperature that float32 holds with all its digits: none falls below it

Tau = Annotated[Positive, said("Temperature at the first step.", option=True, timeless=True)]


class EstimatorSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="objective"):
    """The settings that are an objective's own; the tag is its name.

    Raises ValueError for a temperature that would rise, or fall below the lowest that the objective allows.
    """

    def __post_init__(self) -> None:
        own = self.flat
        if "tau" not in own:
            return
        tau, least, rate = (float(own[name]) for name in ("tau", "tau_min", "tau_rate"))
        rule = settings_of(type(self)).get("tau")
        if least > tau:
            raise ValueError(f"tau_min must be at most tau ({tau}), not {least}: lower it or raise tau")
        if rate and rule and rule.least is not None and least < rule.least:
            where = f"for {self.name} where tau_rate lowers tau"
            raise ValueError(f"tau_min must be at least {rule.least:g} {where}, not {least}: raise it")

    @property
    def name(self) -> str:
        """The objective's name; of somebody's own its file and class, as mine.py:Mine."""
        return str(self.__struct_config__.tag)

    @property
    def flat(self) -> dict[str, Value]:
        """All of them by name."""
        return msgspec.structs.asdict(self)

    @property
    def parameters(self) -> dict[str, Value]:
        """What its class takes besides the temperature."""
        return {name: value for name, value in self.flat.items() if name not in NO_PARAMETERS}

    def temperature(self, step: int, steps: int) -> float | None:
        """max(tau_min, tau exp(-tau_rate step)), never below `COLDEST`; None for an objective that has no temperature.

        The step is from 0 on, and by epoch the first of its epoch, of which each has so many.
        """
        own = self.flat
        if "tau" not in own:
            return None
        tau, least, rate = (float(own[name]) for name in ("tau", "tau_min", "tau_rate"))
        counted = step - step % steps if own["tau_by_epoch"] else step
        return max(COLDEST, least, tau * exp(-rate * counted))


class Annealed(EstimatorSettings, frozen=True):
    """A temperature that may fall, and the weight of the entropy, which the article's code leaves out for Gumbel."""

    tau: Tau = 0.5
    tau_min: Annotated[NotNegative, said("Least temperature, never below 1.2e-38.", option=True, timeless=True)] = 0.0
    tau_rate: Annotated[NotNegative, said("Rate in tau(step) = tau exp(-rate step).", option=True, timeless=True)] = 0.0
    tau_by_epoch: Annotated[bool, said("Whether it falls between epochs alone.", timeless=True)] = False

    entropy_weight: Annotated[NotNegative, said("Weight of H(q(y|a,x)) in the unlabelled bound.", timeless=True)] = 1.0


class Scored(EstimatorSettings, frozen=True):
    """What the score-function estimators have, which sample classes and stay unbiased."""

    minus_log_q: Annotated[bool, said("Whether log q(y|a,x) is summed, not sampled.", timeless=True)] = False


class OwnSettings(EstimatorSettings, frozen=True, tag="own"):
    """Of somebody's own estimator: its file and class, the SHA-256 of the file, and the parameters of the class."""

    of: Name
    sha256: Digest
    values: dict[Plain, Value]

    def __post_init__(self) -> None:
        for what, text in self.values.items():
            if isinstance(text, str) and not re.search(PLAIN, text):
                raise ValueError(f"{what} must be one line without any of < > `, not {text!r}: rename it")
        super().__post_init__()

    @property
    def name(self) -> str:
        return self.of

    @property
    def flat(self) -> dict[str, Value]:
        return self.values
