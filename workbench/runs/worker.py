"""The child process' main: `python -m workbench.runs.worker RUN_DIRECTORY` does the work of one run directory.

It reads the frozen `config.yaml`, speaks by writing into the directory, and never opens the database. Under
`accelerate launch -m workbench.runs.worker RUN_DIRECTORY` the same code trains on several devices.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import workbench
from workbench.data.fingerprints import fingerprints
from workbench.errors import InputError, Stopped, WorkbenchError, WorkError, allowed
from workbench.files import locked, write_folder_whole, write_whole
from workbench.paths import RunPaths
from workbench.records import RunSpec, Settings
from workbench.runs.directory import read_spec, record_worker
from workbench.runs.events import EventLog, utc_now

if TYPE_CHECKING:
    from accelerate import Accelerator

    from workbench.data.pairs import ParallelPairs
    from workbench.data.task import RetrievalTask
    from workbench.encoder import Encoder
    from workbench.evaluation.tables import Tables
    from workbench.synthesis.made import Account

REPORTED = (
    "torch",
    "transformers",
    "accelerate",
    "tokenizers",
    "numpy",
    "pyarrow",
    "faiss-cpu",
    "sentencex",
    "py3langid",
)
"""Packages whose versions a run records, those that are installed."""
LOCK_WAIT_S = 2.0
"""Patience with the run's lock: a view that looks whether a worker lives holds it for an instant."""


@dataclass
class Work:
    """What the stages of one run share."""

    run: RunPaths
    spec: RunSpec
    log: EventLog
    stop_asked: bool = False
    seconds: dict[str, float] = field(default_factory=dict)
    """Wall time by stage."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What `environment.json` holds; taken up from an earlier start of the run."""

    def __post_init__(self) -> None:
        if self.run.environment.is_file():
            self.facts = json.loads(self.run.environment.read_text())
            self.seconds = self.facts.get("seconds", {})

    @property
    def settings(self) -> Settings:
        return self.spec.settings

    @property
    def folder(self) -> Path:
        """Where relative paths start: the folder of the command that made the run, or here on another machine."""
        made_in = Path(self.spec.folder)
        return made_in if made_in.is_dir() else Path.cwd()

    def check_stop(self) -> None:
        if self.stop_asked:
            raise Stopped(f"stopped while {self.log.current}")

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage; a stop that was asked for takes effect at its start."""
        self.check_stop()
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - started, 3)

    def record(self, **facts: Any) -> None:
        self.facts.update(facts, seconds=self.seconds)
        write_json(self.run.environment, self.facts)


def main(arguments: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    if len(arguments) != 1:
        print("usage: python -m workbench.runs.worker RUN_DIRECTORY", file=sys.stderr)
        return InputError.exit_code
    run = RunPaths(Path(arguments[0]).resolve())
    try:
        spec = read_spec(run)
        if os.environ.get("RANK", "0") != "0":
            return helper_process(run, spec)
        with locked(run.lock, wait_s=LOCK_WAIT_S):
            record_worker(run, os.getpid())
            return supervised(Work(run, spec, EventLog(run.events)))
    except BlockingIOError:
        print(f"{run.run_id}: another worker is at it", file=sys.stderr)
        return WorkError.exit_code
    except WorkbenchError as error:
        print(error, file=sys.stderr)
        return error.exit_code


def supervised(work: Work) -> int:
    """Do the work; whatever happens, the last event says how it ended."""

    def ask_stop(*_: object) -> None:
        work.stop_asked = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_stop)
    try:
        work.log.state("preparing")
        try:
            do(work)
        finally:
            work.record(ended=utc_now())
        # in this order: a kill between the two must not cost the training
        work.log.state("finished")
        for folder in (work.run.checkpoints, work.run.vectors):
            shutil.rmtree(folder, ignore_errors=True)
        return 0
    except Stopped as stop:
        work.log.state("stopped", message=str(stop))
        return stop.exit_code
    except WorkbenchError as error:
        return failed(work, error, error.exit_code)
    except Exception as error:  # the one broad catch: a defect must end in a state, with its traceback
        return failed(work, error, WorkError.exit_code)


def failed(work: Work, error: Exception, exit_code: int) -> int:
    message = str(error) if isinstance(error, WorkbenchError) else f"{type(error).__name__}: {error}"
    trace = "".join(traceback.format_exception(error))
    print(trace if not isinstance(error, WorkbenchError) else message, file=sys.stderr, flush=True)
    work.log.write("error", message=message, traceback=trace)
    work.log.state("failed", message=message, exit_code=exit_code)
    return exit_code


def helper_process(run: RunPaths, spec: RunSpec) -> int:
    """A process beside the main one under `accelerate launch`: it trains along and writes nothing."""
    work = Work(run, spec, EventLog(Path(os.devnull)))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: setattr(work, "stop_asked", True))
    try:
        encoder, accelerator = prepare_model(work)
        train_stage(work, load_tasks(work), encoder, accelerator)
    except Stopped as stop:
        return stop.exit_code
    return 0


def do(work: Work) -> None:
    """The stages of a run, one after the other."""
    from workbench.evaluation.tables import write_tables

    work.record(**environment(work))
    with work.stage("preparing"):
        check_fingerprints(work)
        tasks = load_tasks(work)
        keep_task_texts(work, tasks)
        encoder, accelerator = prepare_model(work)
    work.record(
        device=str(accelerator.device),
        model_revision=encoder.revision,
        processes=accelerator.num_processes,
        parameters=sum(p.numel() for p in encoder.parameters()),
    )
    tables = train_stage(work, tasks, encoder, accelerator)
    if work.settings.train is not None and work.settings.keep == "model":
        save_model(work.run, encoder)
    work.log.state("evaluating")
    tables |= evaluate_stage(work, tasks, encoder)
    write_tables(work.run.results, tables)
    write_json(work.run.results / "tasks.json", descriptions(work, tasks))


def evaluate_stage(work: Work, tasks: Mapping[str, RetrievalTask], encoder: Encoder) -> Tables:
    from workbench.evaluation.evaluate import evaluate

    tables, seconds = evaluate(tasks, encoder, work.settings.evaluate, work.run.vectors, Reporter(work))
    work.seconds |= {stage: round(taken, 3) for stage, taken in seconds.items()}
    return tables


def descriptions(work: Work, tasks: Mapping[str, RetrievalTask]) -> list[dict[str, Any]]:
    from workbench.evaluation.evaluate import described

    specs = work.settings.evaluate.tasks
    return [described(key, specs[key], work.spec.fingerprints, task) for key, task in tasks.items()]


class Reporter:
    """Writes progress events, not too many; and is where a stop takes effect."""

    EVERY_S = 1.0

    def __init__(self, work: Work) -> None:
        self.work = work
        self.stage = ""
        self.first = 0
        """What was done when the stage began: taken over from an earlier start of the run."""
        self.started = self.said = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        self.work.check_stop()
        now = time.monotonic()
        new = stage != self.stage
        if new:
            self.stage, self.first, self.started = stage, done, now
        if new or now - self.said > self.EVERY_S or done == total:
            self.said = now
            so_far = done - self.first
            eta = (now - self.started) / so_far * (total - done) if so_far else None
            self.work.log.write("progress", stage=stage, done=done, total=total, eta_s=eta)


def environment(work: Work) -> dict[str, Any]:
    """Where and with what the run works."""
    return {
        "versions": versions(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "host": socket.gethostname(),
        "git_commit": git_commit(),
        "started": work.facts.get("started") or utc_now(),
        "threads": threads(work),
        "fingerprints": dict(work.spec.fingerprints),
    }


def versions() -> dict[str, str]:
    found = {"workbench": workbench.__version__}
    for name in REPORTED:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def threads(work: Work) -> int:
    """CPU threads: the settings', those of the run's first start, the dispatcher's share, else all cores."""
    if work.settings.threads:
        return work.settings.threads
    return int(work.facts.get("threads") or os.environ.get("WORKBENCH_THREADS") or os.cpu_count() or 1)


def git_commit() -> str | None:
    """The commit of the workbench itself, where it is a checkout."""
    try:
        command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def check_fingerprints(work: Work) -> None:
    """The data must still be what the run was made for: its arm and its tasks are named after them."""
    found = fingerprints(work.settings, work.folder)
    for key, expected in work.spec.fingerprints.items():
        if found.get(key) != expected:
            raise InputError(
                f"{key}: the content is not what the run was made for "
                f"(fingerprint {found.get(key)}, expected {expected}); start a new run"
            )


def load_tasks(work: Work) -> Mapping[str, RetrievalTask]:
    from workbench.data.loading import load_task

    tasks = {key: load_task(key, spec, work.folder) for key, spec in work.settings.evaluate.tasks.items()}
    of_name: dict[str, str] = {}
    for key, task in tasks.items():
        if (other := of_name.setdefault(task.name, key)) != key:
            raise InputError(f"evaluate.tasks: {other} and {key} are both called {task.name} in results; keep one")
        check_left_out(key, work.settings.evaluate.tasks[key].leave_out, task)
    return tasks


def keep_task_texts(work: Work, tasks: Mapping[str, RetrievalTask]) -> None:
    """Leave the texts where views find them; a cache that cannot be written is no reason not to work."""
    from workbench.data.texts import keep_texts
    from workbench.evaluation.evaluate import described

    specs = work.settings.evaluate.tasks
    for key, task in tasks.items():
        if specs[key].depth is None:
            try:
                keep_texts(described(key, specs[key], work.spec.fingerprints, task)["task_id"], task)
            except WorkError as error:
                work.log.write("warning", message=f"{error}; views will show {task.name} without its texts")


def check_left_out(key: str, leave_out: Sequence[str], task: RetrievalTask) -> None:
    """A language that the task does not have would be left out of nothing; without any language there is no mean."""
    for language in leave_out:
        if language not in task.languages:
            raise InputError(f"evaluate.tasks.{key}.leave_out: {language!r}; {allowed(language, task.languages)}")
    if set(task.languages) <= set(leave_out):
        raise InputError(f"evaluate.tasks.{key}.leave_out: no language is left: the task has {', '.join(leave_out)}")


def prepare_model(work: Work) -> tuple[Encoder, Accelerator]:
    """The encoder on its device, with everything set that makes a resumed run equal an uninterrupted one."""
    import torch
    from accelerate import Accelerator

    from workbench.encoder import load_encoder

    device = work.settings.device
    if device == "cuda" and not torch.cuda.is_available():
        raise WorkError("device: cuda was asked for and this machine has no GPU that torch sees")
    on_cpu = device == "cpu" or not torch.cuda.is_available()
    torch.set_num_threads(threads(work))
    torch.use_deterministic_algorithms(on_cpu)
    accelerator = Accelerator(cpu=on_cpu)
    encoder = load_encoder(work.settings.model, work.folder, work.settings.seed)
    return encoder.to(accelerator.device), accelerator


def train_stage(work: Work, tasks: Mapping[str, RetrievalTask], encoder: Encoder, accelerator: Accelerator) -> Tables:
    """Train where the settings say so; the tables of what was drawn, what was synthetic, and what leaked.

    Each process looks for leaks by itself, and all find the same.
    """
    import pyarrow as pa

    from workbench.data.loading import load_training_set
    from workbench.runs.leak_check import check_leaks
    from workbench.synthesis.made import PAIRS, TEXTS, as_columns
    from workbench.training.checkpoints import Checkpoints
    from workbench.training.loop import train

    spec = work.settings.train
    if spec is None:
        return {}
    with work.stage("preparing"):
        sets = [load_training_set(name, of, work.folder) for name, of in spec.sets.items()]
    sets, accounts = synthetic_stage(work, sets, accelerator)
    with work.stage("leakage"):
        checked = check_leaks(spec, sets, tasks.values(), Reporter(work))
    if accelerator.is_main_process:
        for message in checked.messages:
            work.log.write("warning", message=message)
        work.record(leakage=checked.facts)
        work.log.state("training")
    with work.stage("training"):
        counts = train(
            spec,
            work.settings.seed,
            checked.sets,
            encoder,
            Checkpoints(work.run.checkpoints),
            work.log,
            accelerator,
            lambda: work.stop_asked,
        )
    schemas = {"synthetic_pairs": PAIRS}
    drawn = {name: pa.table(columns, schema=schemas.get(name)) for name, columns in counts.tables(sets).items()}
    return drawn | {"leakage": checked.table, "synthetic_texts": pa.table(as_columns(accounts), schema=TEXTS)}


def synthetic_stage(
    work: Work, sets: list[ParallelPairs], accelerator: Accelerator
) -> tuple[list[ParallelPairs], list[Account]]:
    """The training sets with their synthetic versions, and how these came about.

    Of processes that train together one makes them; the others wait, and read them.
    """
    from workbench.synthesis.made import stored_accounts, summed_up

    spec = work.settings.train.synthetic if work.settings.train else None
    accounts = [account for pairs in sets for account in stored_accounts(pairs)]
    notes: list[str] = []
    if spec is not None:
        from workbench.synthesis.making import with_synthetic

        with work.stage("synthesis"):
            sets, accounts, notes = with_synthetic(sets, spec, work.folder, accelerator.device.type, Reporter(work))
    if accelerator.is_main_process:
        for note in notes:
            work.log.write("warning", message=note)
        for message in summed_up(accounts):
            work.log.write("synthetic", message=message)
    return sets, accounts


def save_model(run: RunPaths, encoder: Encoder) -> None:
    """`model/`, whole or not at all."""
    from safetensors import SafetensorError

    write_folder_whole(run.model, encoder.save, (SafetensorError,))


def write_json(path: Path, value: object) -> None:
    write_whole(path, json.dumps(value, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    sys.exit(main())
