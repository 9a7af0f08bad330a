"""One run and many: settings and a split in, a record out. As a function, the records of a folder as a DataFrame."""

import sys
from importlib import import_module
from types import ModuleType


class _Runs(ModuleType):
    """The room bears the name under which others ask for what lies in a folder: `gsm_cli.runs("reports/mnist-100")`."""

    def __call__(self, path: str, epochs: bool = False) -> object:
        """A pandas DataFrame, a row for each run in the folder, or for each of their epochs."""
        return import_module("gsm_cli.reports.frames").frame(path, epochs)


sys.modules[__name__].__class__ = _Runs
