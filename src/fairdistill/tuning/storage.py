"""Where a study is kept: Optuna's storage, opened, checked and closed; needs Optuna."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from optuna.study import Study, StudyDirection
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from fairdistill._version import __version__
from fairdistill.errors import ResourceError, RunFolderError, UsageError
from fairdistill.metrics import higher_is_better
from fairdistill.tuning import folder
from fairdistill.tuning.identity import difference
from fairdistill.tuning.plan import Plan
from fairdistill.tuning.sampling import build_sampler

_IDENTITY = "fairdistill"
_WAIT_SECONDS = 60.0  # while another process writes; SQLite's default of five is too short on a busy machine


@contextmanager
def opened(plan: Plan) -> Iterator[Study]:
    """Give the study: a new one, or the one that this search continues.

    Raises:
        UsageError: if the storage cannot be opened or is lost, or it holds a different study.
        ResourceError: if its disk is full.
        RunFolderError: if the folder holds another study.
    """
    url = plan.options.storage
    record = folder.StudyRecord(
        identity=plan.identity,
        study=plan.study,
        storage="in this folder" if url is None else shown(url),
        fairdistill=__version__,
    )
    if plan.former is not None:
        _check_folder(plan.out, plan.former, record)
    if url is not None:  # opened before anything is written, since it may fail
        with _connected(url) as storage:
            study = _study(plan, record, storage)
            _begin(plan, record)
            yield study
        return
    _begin(plan, record)
    with ExitStack() as stack:
        with folder.locked(plan.out):  # the first of several processes makes the tables
            storage = stack.enter_context(_connected(f"sqlite:///{(plan.out / 'study.db').absolute()}"))
            study = _study(plan, record, storage)
        yield study


def shown(url: str) -> str:
    """Return a storage URL without its password."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except SQLAlchemyError:
        return url


def _check_folder(out: Path, former: folder.StudyRecord, record: folder.StudyRecord) -> None:
    """Check that a folder holds this study; whether its own code may have changed, the study itself tells."""
    then = {**former.identity, "code": record.identity.get("code")}
    apart = difference(then, record.identity) or difference(
        {"study": former.study, "storage": former.storage}, {"study": record.study, "storage": record.storage}
    )
    if apart is not None:
        raise RunFolderError(f"{out} already holds a study with {apart}; choose another folder with --out")


def _begin(plan: Plan, record: folder.StudyRecord) -> None:
    if plan.former is None:
        folder.begin(plan.out, record)


@contextmanager
def _connected(url: str) -> Iterator[RDBStorage]:
    options: dict[str, Any] = {"connect_args": {"timeout": _WAIT_SECONDS}} if url.startswith("sqlite:") else {}
    try:
        storage = RDBStorage(url, engine_kwargs=options)
    except Exception as error:  # SQLAlchemy's, the database driver's, or Optuna's, which raises bare ones too
        _check_room(url, error)
        raise UsageError(
            f"cannot open the storage {shown(url)}: {_why(error)}. Choose another with --storage, for example "
            "sqlite:///study.db, or omit it"
        ) from error
    try:
        yield storage
    except (SQLAlchemyError, StorageInternalError) as error:
        _check_room(url, error)
        raise UsageError(
            f"lost the storage {shown(url)}: {_why(error)}. Once it is available again, run the same command to "
            "continue"
        ) from error
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _check_room(url: str, error: Exception) -> None:
    """Raise a ResourceError if SQLite lacks room on its disk."""
    if url.startswith("sqlite:") and "disk is full" in (why := _why(error)):
        raise ResourceError(
            f"cannot write {url.removeprefix('sqlite:///')}: {why}. Free some space and run the same command again"
        ) from error


def _why(error: BaseException) -> str:
    """Return the message of the database or its driver, on one line."""
    while (cause := getattr(error, "orig", None) or error.__cause__) is not None:
        error = cause
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


def _study(plan: Plan, record: folder.StudyRecord, storage: RDBStorage) -> Study:
    directions = [
        StudyDirection.MAXIMIZE if higher_is_better(metric) else StudyDirection.MINIMIZE for metric in plan.objectives
    ]
    study = optuna.create_study(
        storage=storage,
        study_name=plan.study,
        directions=directions,
        load_if_exists=True,
        sampler=build_sampler(plan.search, plan.training.seed),
    )
    url = plan.options.storage
    where = f"the study in {plan.out}" if url is None else f"the study {plan.study} in {shown(url)}"
    if _IDENTITY not in study.user_attrs:
        if study.get_trials(deepcopy=False) or study.directions != directions:
            raise UsageError(f"{where} was not created by fairdistill tune; choose another name with --study")
        study.set_user_attr(_IDENTITY, dict(plan.identity))
    then, code = study.user_attrs[_IDENTITY], plan.identity.get("code")
    if then.get("code") != code and not _begun(plan, study):  # a mistake in it ended the first trial
        then = {**then, "code": code}
        study.set_user_attr(_IDENTITY, then)
        if plan.former is not None:
            folder.renew(plan.out, record)
    apart = difference(then, plan.identity)
    if apart is not None:
        way = "folder with --out" if url is None else "name with --study"
        raise UsageError(f"{where} has {apart}; choose another {way}")
    return study


def _begun(plan: Plan, study: Study) -> bool:
    """Return whether anything was trained: a trial has ended, has a run folder, or is on another machine."""
    trials = study.get_trials(deepcopy=False)
    elsewhere = {each.user_attrs.get("host") for each in trials} - {None, socket.gethostname()}
    return (
        bool(elsewhere) or any(each.state.is_finished() for each in trials) or any(plan.out.glob("trial-*/config.yaml"))
    )
