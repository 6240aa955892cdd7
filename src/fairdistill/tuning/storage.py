"""Where a study is kept: Optuna's storage, opened, checked and closed again; needs Optuna."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from optuna.study import Study, StudyDirection
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from fairdistill._version import __version__
from fairdistill.errors import RunFolderError, UsageError
from fairdistill.tuning import folder
from fairdistill.tuning.identity import difference
from fairdistill.tuning.plan import Plan
from fairdistill.tuning.sampling import build_sampler

_IDENTITY = "fairdistill"
_WAIT_SECONDS = 60.0  # while another process writes; SQLite's own five are few on a busy machine


@contextmanager
def opened(plan: Plan) -> Iterator[Study]:
    """Give the study, a new one or the one that this search goes on with.

    Raises:
        UsageError: if the storage cannot be opened or is lost, or the study in it is another.
        RunFolderError: if the folder holds another study.
    """
    kept = {"study": plan.study, "storage": "in this folder" if plan.storage is None else shown(plan.storage)}
    if plan.former is not None:
        _check_folder(plan, kept)
    if plan.storage is not None:  # it may not open, so before anything is written
        with _connected(plan.storage) as storage:
            study = _study(plan, storage)
            _begin(plan, kept)
            yield study
        return
    _begin(plan, kept)
    with _connected(f"sqlite:///{(plan.out / 'study.db').absolute()}") as storage:
        yield _study(plan, storage)


def shown(url: str) -> str:
    """Return a storage URL without its password."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except SQLAlchemyError:
        return url


def _check_folder(plan: Plan, kept: Mapping[str, str]) -> None:
    assert plan.former is not None
    apart = difference(plan.former["identity"], plan.identity) or difference(
        {name: plan.former[name] for name in kept}, kept
    )
    if apart is not None:
        raise RunFolderError(f"{plan.out} holds a study with {apart}; give another folder with --out")


def _begin(plan: Plan, kept: Mapping[str, str]) -> None:
    if plan.former is None:
        folder.begin(plan.out, {"identity": plan.identity, **kept, "fairdistill": __version__})


@contextmanager
def _connected(url: str) -> Iterator[RDBStorage]:
    options: dict[str, Any] = {"connect_args": {"timeout": _WAIT_SECONDS}} if url.startswith("sqlite:") else {}
    try:
        storage = RDBStorage(url, engine_kwargs=options)
    except Exception as error:  # of SQLAlchemy, of the database's driver, or of Optuna, which raises bare ones too
        raise UsageError(
            f"cannot open the storage {shown(url)}: {_why(error)}; give another with --storage, such as "
            "sqlite:///study.db, or leave it out"
        ) from error
    try:
        yield storage
    except (SQLAlchemyError, StorageInternalError) as error:
        raise UsageError(
            f"the storage {shown(url)} cannot be used: {_why(error)}; when it can be, the same command goes on"
        ) from error
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _why(error: BaseException) -> str:
    """Return what the database or its driver said, in one line."""
    while (cause := getattr(error, "orig", None) or error.__cause__) is not None:
        error = cause
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


def _study(plan: Plan, storage: RDBStorage) -> Study:
    directions = [
        StudyDirection.MAXIMIZE if metric == "accuracy" else StudyDirection.MINIMIZE for metric in plan.objectives
    ]
    study = optuna.create_study(
        storage=storage,
        study_name=plan.study,
        directions=directions,
        load_if_exists=True,
        sampler=build_sampler(plan.sampler, plan.space, plan.options.seed),
    )
    where = f"the study {plan.study} in {shown(plan.storage or '')}" if plan.storage else f"the study in {plan.out}"
    if _IDENTITY not in study.user_attrs:
        if study.get_trials(deepcopy=False) or study.directions != directions:
            raise UsageError(f"{where} was not made by fairdistill tune; give another name with --study")
        study.set_user_attr(_IDENTITY, dict(plan.identity))
    apart = difference(study.user_attrs[_IDENTITY], plan.identity)
    if apart is not None:
        raise UsageError(f"{where} has {apart}; give another name with --study")
    return study
