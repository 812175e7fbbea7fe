import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runs.conftest import make_spec, wait_for
from workbench.errors import InputError, WorkError
from workbench.files import locked
from workbench.paths import RunPaths, RunsPaths
from workbench.records import PairSetSpec, SamplingSpec, State, TrainSpec
from workbench.runs.directory import (
    Worker,
    create_run,
    delete_run,
    is_live,
    is_running,
    list_runs,
    queue_locked,
    read_spec,
    read_worker,
    record_worker,
    resolve,
    run_folders,
    status,
    this_host,
)
from workbench.runs.events import EventLog, read_events


def say(run: RunPaths, state: State, **fields: object) -> None:
    with EventLog(run.events) as events:
        events.state(state, **fields)


def write_worker(run: RunPaths, pid: int, create_time: float, host: str | None = None) -> None:
    plain = {"pid": pid, "create_time": create_time, "host": host or this_host(), "started": "2026-11-22T14:03:00"}
    run.worker.write_text(json.dumps(plain))


@pytest.fixture
def run(runs: RunsPaths) -> RunPaths:
    return create_run(runs, make_spec())


@pytest.fixture
def ended() -> tuple[int, float]:
    """Pid and start time of a process that is gone."""
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as child:
        started = psutil.Process(child.pid).create_time()
    return child.pid, started


@pytest.fixture
def zombie() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-S", "-c", ""]) as child:
        wait_for(lambda: psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE, "an unreaped child")
        yield child


def test_a_new_run_is_whole_and_queued(runs: RunsPaths) -> None:
    run = create_run(runs, make_spec())
    assert read_spec(run) == make_spec()
    assert [(event["kind"], event["state"]) for event in read_events(run.events)] == [("state", "queued")]
    assert [path.name for path in runs.root.iterdir()] == [run.run_id]
    assert run.root.stat().st_mode & 0o777 == 0o755


@settings(max_examples=40, deadline=None)
@given(name=st.text(min_size=1), path=st.none() | st.text(), seed=st.integers(0, 2**31 - 1), rate=st.floats(0, 1))
def test_the_config_comes_back_as_it_was_frozen(
    tmp_path_factory: pytest.TempPathFactory, name: str, path: str | None, seed: int, rate: float
) -> None:
    runs = RunsPaths(tmp_path_factory.mktemp("frozen"))
    train = TrainSpec(sets={name: PairSetSpec(path=path, languages=("no", "on"))}, learning_rate=rate, epochs=1.5)
    spec = make_spec(name=name, seed=seed, train=train)
    assert read_spec(create_run(runs, spec)) == spec


def test_runs_made_at_once_under_one_name_get_names_of_their_own(runs: RunsPaths) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: create_run(runs, make_spec("one")), range(8)))
    assert sorted(run.run_id for run in made) == ["one", *(f"one-{number}" for number in range(2, 9))]
    assert all(read_spec(run).run_id == run.run_id for run in made)
    assert len(list(runs.root.iterdir())) == 8


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("run_id: [", "while parsing"),
        ("just a word", "damaged"),
        ("run_id: a", "missing"),
        ("run_id: a\nzeal: 1", "zeal"),
        ("\0", "damaged"),
    ],
)
def test_a_damaged_config_is_one_clear_line_and_a_listing_goes_on(
    runs: RunsPaths, run: RunPaths, content: str, reason: str
) -> None:
    run.config.write_text(content)
    with pytest.raises(InputError, match=reason) as raised:
        read_spec(run)
    assert str(run.config) in str(raised.value) and "\n" not in str(raised.value)
    other = create_run(runs, make_spec("20261123-0900-mono-s0-aaaa"))
    assert [(each.run_id, each.state) for each in list_runs(runs)] == [
        (other.run_id, "queued"),
        (run.run_id, "damaged"),
    ]
    assert reason in (list_runs(runs)[1].message or "")


def test_a_missing_config_names_its_file(run: RunPaths) -> None:
    run.config.unlink()
    with pytest.raises(InputError, match=r"config\.yaml: No such file"):
        read_spec(run)
    assert status(run).state == "damaged"


def test_events_that_are_gone_make_a_run_damaged(run: RunPaths) -> None:
    run.events.write_bytes(b"\0" * 300)
    assert status(run).state == "damaged" and "no event" in (status(run).message or "")


def test_folders_that_are_no_runs_are_not_listed(runs: RunsPaths, run: RunPaths) -> None:
    for name in (".new-x", "notes", ".tombstones"):
        (runs.root / name).mkdir()
    (runs.root / "file").write_text("")
    assert [each.run_id for each in list_runs(runs)] == [run.run_id]
    assert list_runs(RunsPaths(runs.root / "absent")) == []


def test_a_listing_line_says_what_one_filters_by_and_how_far_it_is(run: RunPaths) -> None:
    record_worker(run, os.getpid())
    say(run, "training")
    with EventLog(run.events) as events:
        events.write("step", step=3, steps=10, loss=1.25, eta_s=7.0)
    now = status(run)
    assert (now.experiment, now.arm, now.sampling, now.alpha) == ("quick", "hybrid-a50-1c9e07", "hybrid", 0.5)
    assert (now.seed, now.model, now.device, now.host) == (0, "builtin", "auto", this_host())
    assert (now.state, now.step, now.steps, now.loss, now.eta_s) == ("training", 3, 10, 1.25, 7.0)
    assert now.updated == read_events(run.events)[-1]["time"]
    run.environment.write_text('{"device": "cpu"}')
    say(run, "evaluating")
    with EventLog(run.events) as events:
        events.write("progress", stage="encoding", done=1, total=2, eta_s=3.0)
    assert (status(run).device, status(run).step, status(run).eta_s) == ("cpu", 3, 3.0)
    say(run, "finished")
    assert (status(run).state, status(run).loss, status(run).eta_s) == ("finished", 1.25, None)


def test_alpha_and_sampling_stand_only_where_there_are_some(runs: RunsPaths) -> None:
    mono = TrainSpec(sets={"demo": PairSetSpec()}, sampling=SamplingSpec("mono"), steps=1)
    assert status(create_run(runs, make_spec(train=mono))).alpha is None
    untrained = status(create_run(runs, make_spec(train=None)))
    assert (untrained.sampling, untrained.alpha, untrained.step) == (None, None, None)


@pytest.mark.parametrize("state", ["preparing", "training", "evaluating"])
def test_a_working_run_whose_process_is_gone_is_lost(run: RunPaths, ended: tuple[int, float], state: State) -> None:
    say(run, state)
    assert status(run).state == "lost"  # no worker at all
    write_worker(run, *ended)
    assert status(run).state == "lost"
    record_worker(run, os.getpid())
    assert status(run).state == state


@pytest.mark.parametrize("state", ["queued", "finished", "failed", "stopped"])
def test_a_run_that_does_not_work_is_never_lost(run: RunPaths, ended: tuple[int, float], state: State) -> None:
    write_worker(run, *ended)
    say(run, state)
    assert status(run).state == state


def test_a_queued_run_whose_worker_has_not_spoken_yet_is_preparing(run: RunPaths) -> None:
    record_worker(run, os.getpid())
    assert status(run).state == "preparing"


def test_a_pid_that_another_process_has_now_is_a_worker_gone(run: RunPaths) -> None:
    say(run, "training")
    write_worker(run, os.getpid(), psutil.Process().create_time() - 3600)
    assert status(run).state == "lost"


def test_a_zombie_is_a_worker_gone(run: RunPaths, zombie: subprocess.Popen[bytes]) -> None:
    say(run, "training")
    record_worker(run, zombie.pid)
    assert status(run).state == "lost"


def test_a_run_of_another_host_is_never_lost(run: RunPaths, ended: tuple[int, float]) -> None:
    say(run, "training")
    write_worker(run, *ended, host="elsewhere")
    assert status(run).state == "training" and not is_live(run)
    # the same pid here is not its worker either
    assert not is_running(Worker(os.getpid(), psutil.Process().create_time(), "elsewhere", ""))


def test_a_held_lock_means_a_living_worker(run: RunPaths) -> None:
    say(run, "training")
    with locked(run.lock):
        assert status(run).state == "training"
    assert status(run).state == "lost"


def test_looking_leaves_no_files(run: RunPaths) -> None:
    say(run, "training")
    before = sorted(run.root.iterdir())
    status(run)
    assert sorted(run.root.iterdir()) == before


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}', '{"pid": null, "create_time": 1}'])
def test_a_damaged_worker_file_names_nobody(run: RunPaths, content: str) -> None:
    run.worker.write_text(content)
    assert read_worker(run) is None


def test_a_failed_run_says_why_and_a_queued_one_no_longer(run: RunPaths) -> None:
    with EventLog(run.events) as events:
        events.write("error", message="step 3: the loss is NaN")
        events.state("failed")
    assert status(run).message == "step 3: the loss is NaN"
    say(run, "queued")
    say(run, "training")
    assert (status(run).state, status(run).message) == ("lost", None)


def test_resolve_knows_ids_folders_and_parts(runs: RunsPaths) -> None:
    one, two = (create_run(runs, make_spec(f"20261122-1403-{arm}-s0-7f3c")) for arm in ("mono", "cross"))
    assert resolve(runs, one.run_id) == one
    assert resolve(runs, f"{two.root}/") == two
    assert resolve(runs, "mono") == one
    longer = create_run(runs, make_spec(one.run_id))
    assert resolve(runs, one.run_id) == one and resolve(runs, longer.run_id) == longer
    for text, reason in (
        ("1403", "several are meant"),
        ("momo", "did you mean 20261122-1403-mono"),
        ("", "no such run"),
    ):
        with pytest.raises(InputError, match=reason):
            resolve(runs, text)
    with pytest.raises(InputError, match="there is none yet"):
        resolve(RunsPaths(runs.root / "absent"), "x")


def test_a_deleted_run_leaves_a_tombstone_and_never_its_name(runs: RunsPaths, run: RunPaths) -> None:
    say(run, "stopped")
    delete_run(runs, run)
    assert not run.root.exists() and list_runs(runs) == []
    assert runs.tombstone(run.run_id).exists()
    assert create_run(runs, make_spec(run.run_id)).run_id == f"{run.run_id}-2"


def test_a_live_run_is_not_deleted(runs: RunsPaths, run: RunPaths) -> None:
    record_worker(run, os.getpid())
    for state in ("training", "finished"):
        say(run, state)  # type: ignore[arg-type]
        with pytest.raises(InputError, match=f"is {state}; stop it"):
            delete_run(runs, run)
    write_worker(run, 1, 0.0, host="elsewhere")
    say(run, "evaluating")
    with pytest.raises(InputError, match="on another host"):
        delete_run(runs, run)
    assert read_spec(run) == make_spec()


def test_a_damaged_run_can_be_deleted(runs: RunsPaths, run: RunPaths) -> None:
    run.config.unlink()
    run.events.write_bytes(b"")
    delete_run(runs, run)
    assert not Path(run.root).exists()


def test_a_run_of_a_host_that_is_gone_is_deleted_by_force_while_its_lock_is_free(
    runs: RunsPaths, run: RunPaths
) -> None:
    write_worker(run, os.getpid(), psutil.Process().create_time(), host="elsewhere")
    say(run, "training")
    with locked(run.lock), pytest.raises(InputError, match="is training; stop it"):
        delete_run(runs, run, force=True)
    with pytest.raises(InputError, match="use --force where that host is gone"):
        delete_run(runs, run)
    delete_run(runs, run, force=True)
    assert not run.root.exists() and runs.tombstone(run.run_id).exists()


def test_force_is_no_way_to_delete_what_works_here(runs: RunsPaths, run: RunPaths) -> None:
    record_worker(run, os.getpid())
    say(run, "training")
    with pytest.raises(InputError, match="is training; stop it"):
        delete_run(runs, run, force=True)


def test_a_file_given_as_runs_directory_is_one_clear_line(tmp_path: Path) -> None:
    file = RunsPaths(tmp_path / "file")
    file.root.write_text("")
    for action in (
        lambda: run_folders(file),
        lambda: create_run(file, make_spec()),
        lambda: queue_locked(file).__enter__(),
        lambda: resolve(file, "x"),
    ):
        with pytest.raises(InputError, match=r"file: is no folder"):
            action()
    with pytest.raises(InputError, match="Not a directory"):
        run_folders(RunsPaths(file.root / "below"))
    with pytest.raises(WorkError, match="cannot be written: Not a directory"):
        create_run(RunsPaths(file.root / "below"), make_spec())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_runs_directory_for_reading_only_is_one_clear_line(runs: RunsPaths, run: RunPaths) -> None:
    runs.root.chmod(0o555)
    try:
        for action in (lambda: create_run(runs, make_spec()), lambda: delete_run(runs, run)):
            with pytest.raises(WorkError, match="cannot be written: Permission denied"):
                action()
    finally:
        runs.root.chmod(0o755)


def test_a_tombstone_that_cannot_be_written_leaves_the_run(runs: RunsPaths, run: RunPaths) -> None:
    runs.tombstone(run.run_id).parent.write_text("")
    with pytest.raises(WorkError, match="cannot be written"):
        delete_run(runs, run)
    assert read_spec(run) == make_spec()
