"""The command line: parsing only. Each command calls one public function; the rest is imported when needed."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from fairdistill._version import __version__
from fairdistill.errors import FairdistillError, TrainingError, UsageError
from fairdistill.system.memory import keep_freed_memory

if TYPE_CHECKING:
    from fairdistill.cli.parser import Parser
    from fairdistill.training import TrainOptions

_SUMMARIES = {
    "demo": "a biased model of handwritten digits, and what fix finds; a minute",
    "fix": "your model and data: what is unfair, what to do about it, in a stated time",
    "train": "train one teacher or student into a run folder",
    "tune": "search hyper-parameters: a front, one choice, the test set read once",
    "compare": "put finished runs side by side: accuracy, DEO_A, DEO_M",
    "audit": "how unequally a model treats groups: intervals, noise floor, limits",
    "embed": "t-SNE of a run's features, and what they tell of the group",
    "report": "one HTML page of finished runs, with a model card",
    "bench": "the paper's grid of methods and seeds; bench table: its table",
    "data": "data inspect: cells, splits, duplicates and broken files of a data set",
}

_HELP = f"""usage: fairdistill COMMAND [OPTIONS]

Measure how unequally an image classifier treats groups of people, and distil a
fairer one from it.

commands:
{chr(10).join(f"  {name:<9} {text}" for name, text in _SUMMARIES.items())}

`fairdistill COMMAND --help` lists the options of a command, `fairdistill
--version` the version. To begin: fairdistill demo
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 done, 1 training failed or an audit's limit is broken, 2 bad input, 3 an audit cannot tell, 130 stopped by Ctrl-C.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    commands: dict[str, Callable[[list[str]], int | None]] = {
        "demo": _demo, "train": _train, "compare": _compare, "audit": _audit, "embed": _embed, "report": _report,
        "bench": _bench, "data": _data, "fix": _fix, "tune": _tune,
    }  # fmt: skip
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_HELP, end="")
        return 0 if arguments else 2
    if arguments[0] == "--version":
        print(f"fairdistill {__version__}")
        return 0
    try:
        if arguments[0] not in commands:
            raise UsageError(f"unknown command {arguments[0]!r}; choose {', '.join(commands)}")
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_, **__: print(f"fairdistill: warning: {message}", file=sys.stderr)
            keep_freed_memory()
            code = commands[arguments[0]](arguments[1:])
            sys.stdout.flush()
            return code or 0
    except TrainingError as error:
        print(f"fairdistill: {error}", file=sys.stderr)
        number = getattr(error, "signal_number", None)
        return 1 if number is None else 128 + int(number)
    except FairdistillError as error:
        print(f"fairdistill: error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"fairdistill: error: {where}{error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("fairdistill: stopped", file=sys.stderr)
        return 130
    except SystemExit as stop:  # --help
        return int(stop.code or 0)


def _train(arguments: list[str]) -> None:
    from fairdistill.cli.parser import Parser
    from fairdistill.training import resume, train

    parser = Parser("train", "Train one teacher or student into a run folder.")
    parser.add_argument("--resume", metavar="RUN", type=str, help="continue a stopped run; takes no other option")
    options, others = _training(parser, arguments)
    run = others["resume"]
    if run is None:
        train(options)
        return
    if [item for item in arguments if item not in ("--resume", run, f"--resume={run}")]:
        raise UsageError("--resume takes the run's own options; give no others")
    resume(run)


def _training(parser: Parser, arguments: list[str]) -> tuple[TrainOptions, dict[str, Any]]:
    """Parse the options of a training beside those that the parser has already; return both."""
    from argparse import SUPPRESS

    from fairdistill import data
    from fairdistill.cli.parser import add_options, numbers, peek, split_repeated, split_settings, values_of
    from fairdistill.training import TrainOptions

    name = peek(arguments, "data") or TrainOptions().data
    own = data.entry(name).options
    parser.add_argument("--config", action="config", help="YAML file of options; the command line wins")
    parser.add_argument("--format-version", type=int, help=SUPPRESS)  # so that a run's config.yaml is accepted
    parser.add_argument("--data-options", type=dict, default={}, help=SUPPRESS)
    add_options(parser, TrainOptions, title="run", leave_out=("data_options",))
    add_options(parser, own, title=f"data set {name}", unset=True)
    rest, settings = split_settings(arguments, "set")
    rest, repeated = split_repeated(rest, own)
    given = vars(parser.parse_args(rest))
    for unused in ("config", "format_version"):
        given.pop(unused)
    # The command line wins over a file as a whole: another method has other settings, another budget is the budget.
    own_settings = numbers(settings, "set")
    given["set"] = own_settings if values_of(arguments, "method") else {**given["set"], **own_settings}
    if values_of(arguments, "steps") and not values_of(arguments, "epochs"):
        given["epochs"] = None
    if values_of(arguments, "epochs") and not values_of(arguments, "steps"):
        given["steps"] = None
    # An option of the data set that is not given is left to the teacher's run, or to its default.
    of_data = {field: given.pop(field) for field in own.__dataclass_fields__} | repeated
    data_options = {**given.pop("data_options"), **{k: v for k, v in of_data.items() if v is not None}}
    of_run = {field: given.pop(field) for field in TrainOptions.__dataclass_fields__ if field != "data_options"}
    return TrainOptions(**of_run, data_options=data_options), given


def _tune(arguments: list[str]) -> None:
    from fairdistill.cli.parser import Parser, add_options, split_repeated
    from fairdistill.tuning import TuneOptions, tune
    from fairdistill.tuning.text import text

    summary = "Search hyper-parameters on validation data, choose by a stated rule, read the test set once."
    parser = Parser("tune", summary)
    add_options(parser, TuneOptions, title="search")
    arguments, repeated = split_repeated(arguments, TuneOptions)
    options, others = _training(parser, arguments)
    result = tune(options, TuneOptions(**{**others, **repeated}))
    print(text(result.record))
    print(f"\nWritten: {', '.join(f'{result.out}/{name}' for name in ('tune.json', 'front.md', 'front.svg'))}")


def _data(arguments: list[str]) -> None:
    from fairdistill import data
    from fairdistill.cli.parser import Parser, add_options, peek, split_repeated
    from fairdistill.inspecting import InspectOptions, inspect

    if arguments[:1] != ["inspect"]:
        if arguments[:1] in (["-h"], ["--help"]):
            print("usage: fairdistill data inspect [OPTIONS]; see fairdistill data inspect --help")
            return
        raise UsageError(
            f"expected data inspect, but got data {' '.join(arguments[:1])}; see fairdistill data inspect --help"
        )
    arguments = arguments[1:]
    name = peek(arguments, "data") or "digits-s"
    own = data.entry(name).options
    parser = Parser("data inspect", "Show the subgroups, splits, duplicates and broken files of a data set.")
    text = "data set: digits-s, cifar10s, utkface, celeba, a table (.csv, .tsv, .parquet) or a class folder"
    parser.add_argument("--data", type=str, default=name, metavar="TEXT", help=f"{text} (default: digits-s)")
    add_options(parser, InspectOptions, title="data", leave_out=("data_options",))
    add_options(parser, own, title=f"data set {name}", leave_out=("skip_broken",), unset=True)
    rest, repeated = split_repeated(arguments, own)
    given = vars(parser.parse_args(rest))
    of_data = {field: given.pop(field, None) for field in own.__dataclass_fields__} | repeated
    data_options = {k: v for k, v in of_data.items() if v is not None}
    print(inspect(given.pop("data"), data_options=data_options, **given))


def _compare(arguments: list[str]) -> None:
    from fairdistill.cli.parser import Parser, add_options
    from fairdistill.comparing import CompareOptions, compare, formatted

    summary = "Put finished runs side by side; runs that differ in their seeds alone are one row."
    parser = Parser("compare", summary, arguments="RUN...")
    parser.add_argument("runs", nargs="+", metavar="RUN", type=str, help="run folders")
    add_options(parser, CompareOptions, title="output")
    given = vars(parser.parse_args(arguments))
    runs, options = given.pop("runs"), CompareOptions(**given)
    print(formatted(compare(runs, options=options), options.format))


def _audit(arguments: list[str]) -> int:
    from fairdistill.cli.audit import audit_command
    from fairdistill.cli.parser import peek

    return audit_command(arguments, peek(arguments, "data"))


def _embed(arguments: list[str]) -> None:
    from fairdistill.cli.parser import Parser, add_options
    from fairdistill.embedding import EmbedOptions, embed

    summary = "Put a run's test images into a t-SNE picture and measure what its features tell of the group."
    parser = Parser("embed", summary, arguments="RUN")
    parser.add_argument("run", metavar="RUN", type=str, help="a finished run folder")
    add_options(parser, EmbedOptions, title="embedding")
    given = vars(parser.parse_args(arguments))
    run = given.pop("run")
    print(embed(run, options=EmbedOptions(**given)))
    print(f"\nWritten: {run}/embedding.json, {run}/features.npz")


def _report(arguments: list[str]) -> None:
    from fairdistill.cli.parser import Parser, add_options
    from fairdistill.reporting.report import ReportOptions, report

    summary = "Write one self-contained HTML page of finished runs; runs that differ in their seeds alone are one row."
    parser = Parser("report", summary, arguments="RUN...")
    parser.add_argument("runs", nargs="+", metavar="RUN", type=str, help="run folders")
    add_options(parser, ReportOptions, title="report")
    given = vars(parser.parse_args(arguments))
    for path in report(given.pop("runs"), ReportOptions(**given)):
        print(f"Written: {path}")


def _bench(arguments: list[str]) -> int:
    from fairdistill import data
    from fairdistill.benching import BenchOptions, TableOptions, bench, bench_table, formatted
    from fairdistill.cli.parser import Parser, add_options, split_repeated

    if arguments[:1] == ["table"]:
        parser = Parser("bench table", "Print a grid's finished runs beside the published numbers.", arguments="FOLDER")
        parser.add_argument("FOLDER", type=str, help="a grid's folder")
        add_options(parser, TableOptions, title="output")
        given = vars(parser.parse_args(arguments[1:]))
        table = bench_table(given.pop("FOLDER"), options=TableOptions(**given))
        print(formatted(table, given["format"]))
        return 0
    names = [item for item in arguments if not item.startswith("-")]
    own = data.entry(names[0]).options if names else None
    summary = "Run a grid of methods and seeds; what is done stays done. Exit code 1 if a job failed."
    parser = Parser("bench", summary, arguments=f"{{{','.join(data.DATASETS)}}} | table FOLDER")
    parser.add_argument("DATA", type=str, help="data set")
    add_options(parser, BenchOptions, title="grid", leave_out=("data_options",))
    repeated: dict[str, dict[str, str]] = {}
    if own is not None:
        add_options(parser, own, title=f"data set {names[0]}", leave_out=("workers",), unset=True)
        arguments, repeated = split_repeated(arguments, own)
    given = vars(parser.parse_args(arguments))
    name = given.pop("DATA")
    # Of the two options named workers, the runs at a time are meant; images are decoded with a thread a processor.
    fields = own.__dataclass_fields__.keys() - {"workers"} if own is not None else set()
    of_data = {field: given.pop(field, None) for field in fields} | repeated
    data_options = {k: v for k, v in of_data.items() if v is not None}
    result = bench(name, options=BenchOptions(**given, data_options=data_options))
    print(result)
    return result.exit_code


def _fix(arguments: list[str]) -> None:
    from fairdistill import data
    from fairdistill.cli.parser import Parser, add_options, peek, split_repeated
    from fairdistill.fixing import FixOptions, fix
    from fairdistill.fixing.text import recommendation

    name = peek(arguments, "data")
    own = data.entry(name).options if name is not None else None
    summary = "Audit a model, look for a fairer one in a stated time, and end with one recommendation."
    parser = Parser("fix", summary, arguments="[MODEL]")
    parser.add_argument(
        "MODEL", type=str, nargs="?", help="run folder, file of weights or exported program; none: train"
    )
    add_options(parser, FixOptions, title="fix")
    repeated: dict[str, dict[str, str]] = {}
    if own is not None:
        add_options(parser, own, title=f"data set {name}", unset=True)
        arguments, repeated = split_repeated(arguments, own)
    given = vars(parser.parse_args(arguments))
    if name is None:
        raise UsageError("fix needs --data: a table of images, a folder, or the name of a data set")
    model = given.pop("MODEL")
    of_data = {field: given.pop(field, None) for field in own.__dataclass_fields__} | repeated if own else {}
    options = FixOptions(**given)
    said = fix(model, options, {key: value for key, value in of_data.items() if value is not None})
    print(recommendation(said))
    print(f"\nWritten: {options.out}/recommendation.md, {options.out}/fix.json")


def _demo(arguments: list[str]) -> None:
    from fairdistill.cli.parser import Parser, add_options
    from fairdistill.fixing.demo import DemoOptions, demo

    parser = Parser("demo", "Train a biased model of handwritten digits, and let fix find a fairer one.")
    add_options(parser, DemoOptions, title="demo")
    demo(DemoOptions(**vars(parser.parse_args(arguments))))
