"""The image, the compose file and the systemd unit: linted, and their commands done here as they stand there."""

from __future__ import annotations

import configparser
import fnmatch
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from daemons import wait_for
from psycopg.conninfo import conninfo_to_dict

from aiops import __version__
from aiops.db.embedded.ports import free_port
from aiops.settings import Settings, load_settings
from workers.supervisor import STOP_SECONDS

ROOT = Path(__file__).parent.parent
DOCKERFILE = ROOT / "Dockerfile"
UNIT = ROOT / "docs" / "systemd" / "aiops-worker.service"


def instructions():
    """The Dockerfile's instructions: (name, text) with lines joined."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    joined = re.sub(r"\\\n\s*", " ", text)
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def stages():
    found = []
    for name, text in instructions():
        if name == "FROM":
            found.append([])
        found[-1].append((name, text))
    return found


def environment_of_image():
    """What the last stage's ENV sets."""
    words = [word for name, text in stages()[-1] if name == "ENV" for word in shlex.split(text)]
    return dict(word.split("=", 1) for word in words)


def command_of_image(name):
    """The words of CMD, or of HEALTHCHECK's CMD."""
    (text,) = [text for instruction, text in stages()[-1] if instruction == name]
    words = json.loads(text[text.index("[") :])
    assert words
    return words


# --- the Dockerfile ---------------------------------------------------------------------------------------------


def test_hadolint_finds_nothing():
    program = Path(sys.executable).parent / "hadolint"
    if not program.exists():
        pytest.skip("hadolint is not installed (the extra dev brings it)")
    said = subprocess.run([program, DOCKERFILE], capture_output=True, text=True, timeout=60, check=False)
    assert (said.returncode, said.stdout) == (0, "")


def test_what_is_copied_is_there_and_gets_past_dockerignore():
    patterns = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert patterns[0] == "*", "everything is left out but what is named"
    let_in = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    copied = [word for name, text in stages()[0] if name == "COPY" for word in text.split()[:-1]]
    for word in copied:
        assert (ROOT / word).exists(), word
        assert any(fnmatch.fnmatch(word, pattern) for pattern in let_in), word
    assert set(copied) == set(let_in), "what is let in and not copied is sent for nothing"


def test_the_worker_runs_without_rights_and_is_told_by_a_signal_that_it_knows():
    last = dict(stages()[-1])
    uid = int(last["USER"])
    assert uid >= 1000
    assert any(f"--uid {uid}" in text for name, text in stages()[-1] if name == "RUN")
    assert last["STOPSIGNAL"] == "SIGTERM"
    assert last["EXPOSE"] == environment_of_image()["HEALTH_PORT"]
    ours = {name.upper() for name in Settings.model_fields}
    assert environment_of_image().keys() - ours == {"PATH", "PYTHONUNBUFFERED", "OMP_NUM_THREADS"}


# --- its steps, here --------------------------------------------------------------------------------------------


def build(folder, *, with_dependencies):
    """Do what the first stage does, below a folder; the folder of programs.

    Args:
        folder: stands for the root of the image.
        with_dependencies: whether pip installs them, too, as in the image; else those of the tests' environment are
            lent, and only the wheel of this project is made and installed.
    """
    source, target = folder / "src", folder / "opt"
    source.mkdir()
    words = {"EXTRAS": ""}
    for name, text in stages()[0]:
        if name == "COPY":
            *sources, _ = text.split()
            for one in sources:
                copy = shutil.copytree if (ROOT / one).is_dir() else shutil.copy2
                copy(ROOT / one, source / one)
        elif name == "RUN":
            command = text.replace("/opt/aiops", str(target)).replace("python -m venv", f"{sys.executable} -m venv")
            assert command != text
            if not with_dependencies:
                command = command.replace("--constraint constraints.txt", "--no-deps")
            done = subprocess.run(
                ["sh", "-c", command], cwd=source, env={**os.environ, **words}, capture_output=True, text=True,
                timeout=1200, check=False,
            )  # fmt: skip
            said = done.stdout + done.stderr
            if done.returncode and re.search(r"No matching distribution|Connection|NewConnectionError|Temporary", said):
                pytest.skip(f"no package index is reachable from here: {said.strip().splitlines()[-1]}")
            assert done.returncode == 0, said
    if not with_dependencies:
        (site,) = target.glob("lib/python*/site-packages")
        (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    shutil.rmtree(source)  # the second stage has only what was installed
    return target / "bin"


def image(tmp_path_factory, *, with_dependencies):
    folder = tmp_path_factory.mktemp("image")
    programs = build(folder, with_dependencies=with_dependencies)
    elsewhere = folder / "var"
    elsewhere.mkdir()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV"))}
    path = environment_of_image()["PATH"].replace("/opt/aiops/bin", str(programs)).replace("$PATH", os.environ["PATH"])
    environment = {**inherited, **environment_of_image(), "PATH": path}
    return SimpleNamespace(programs=programs, folder=elsewhere, environment=environment)


@pytest.fixture(scope="module")
def light_image(tmp_path_factory):
    return image(tmp_path_factory, with_dependencies=False)


@pytest.fixture(scope="module")
def whole_image(tmp_path_factory):
    return image(tmp_path_factory, with_dependencies=True)


@pytest.fixture(params=["light_image", pytest.param("whole_image", marks=pytest.mark.slow)])
def installed(request):
    """The image's environment: with lent dependencies, and with its own."""
    return request.getfixturevalue(request.param)


def run_in(image, *words, timeout=60, **settings):
    return subprocess.run(
        words, cwd=image.folder, env={**image.environment, **settings}, capture_output=True, text=True,
        timeout=timeout, check=False,
    )  # fmt: skip


def test_the_program_and_its_sql_are_installed_whole(installed):
    said = run_in(installed, "aiops", "--version")
    assert (said.returncode, said.stdout) == (0, f"aiops {__version__}\n"), said.stderr
    look = (
        "import aiops, workers; from aiops.db.statements import sql_directory as home; "
        "print(aiops.__file__, workers.__file__, *sorted(str(p.relative_to(home())) for p in home().rglob('*.sql')))"
    )
    ours, theirs, *files = run_in(installed, "python", "-c", look).stdout.split()
    assert Path(ours).is_relative_to(installed.programs.parent)
    assert Path(theirs).is_relative_to(installed.programs.parent)
    assert files == sorted(str(path.relative_to(ROOT / "sql")) for path in (ROOT / "sql").rglob("*.sql"))
    for marker in ("aiops/py.typed", "workers/py.typed"):
        assert (Path(ours).parent.parent / marker).exists()


@pytest.mark.daemon
def test_the_worker_is_healthy_until_it_is_told_to_stop(installed, database):
    settings = {
        "DATABASE_URL": database,
        "HEALTH_PORT": str(free_port()),
        "PARALLEL_WORKERS": "1",
        "ONDEMAND_WORKERS": "1",
    }

    def healthy():
        return run_in(installed, *command_of_image("HEALTHCHECK"), **settings).returncode == 0

    assert not healthy()
    with (installed.folder / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            command_of_image("CMD"), cwd=installed.folder, env={**installed.environment, **settings}, stdout=log,
            stderr=log, executable=installed.programs / command_of_image("CMD")[0],
        )  # fmt: skip
    try:
        wait_for(lambda: worker.poll() is not None or healthy())
        said = (installed.folder / "worker.log").read_text(encoding="utf-8")
        assert worker.poll() is None, said
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(STOP_SECONDS + 30) == 0
    finally:
        if worker.poll() is None:
            worker.kill()
            worker.wait()
    assert not healthy()
    lines = (installed.folder / "worker.log").read_text(encoding="utf-8").splitlines()
    assert all(json.loads(line)["event"] for line in lines if line.startswith("{")), "LOG_FORMAT=json"
    assert any(line.startswith("{") for line in lines)


# --- compose.yaml -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


def seconds(text):
    return int(text.removesuffix("s"))


def test_the_workers_of_compose_have_only_settings_that_there_are_and_time_to_stop(compose):
    workers = {name: one for name, one in compose["services"].items() if name.startswith("worker")}
    assert len(workers) >= 2
    for one in workers.values():
        assert one["environment"].keys() <= {name.upper() for name in Settings.model_fields}
        assert seconds(one["stop_grace_period"]) > STOP_SECONDS
        assert one.keys() & {"command", "entrypoint"} == set(), "the image's own CMD and HEALTHCHECK hold"
        for name, how in one["depends_on"].items():
            assert name in compose["services"]
            assert how["condition"] != "service_healthy" or "healthcheck" in compose["services"][name]
        assert (ROOT / one["build"] / "Dockerfile").exists()
        assert one["cap_drop"] == ["ALL"]


REFERENCE = re.compile(r"\$\{(\w+):([-?])([^}]*)\}")
HERE = {
    "POSTGRES_PASSWORD": "it's a=b", "DATABASE_URL": "postgresql://me@127.0.0.1:5433/mine", "DATABASE_PORT": "5433",
    "DATABASE_DIRECT_URL": "postgresql://me@127.0.0.1:5434/mine", "DATABASE_HOST": "127.0.0.1", "DATABASE_NAME": "mine",
    "DATABASE_USER": "me", "DATABASE_PASSWORD": "mine", "HEALTH_HOST": "127.0.0.1", "HEALTH_PORT": "9000",
    "API_HOST": "127.0.0.2", "API_PORT": "9001",
}  # fmt: skip
"""What a .env says of the machine that it stands on, and a container must not take over."""
EVERYWHERE = {
    "PARALLEL_WORKERS": "3", "ONDEMAND_WORKERS": "4", "SCHEDULE_TIMEZONE": "Europe/Paris", "BATCH_SIZE": "20",
    "HAZARD_SCHEDULE_MONTH": "5", "SCHEDULE_CATCH_UP_DAYS": "3", "CHUNK_SECONDS": "77", "BUILDING_SEARCH_M": "9",
    "NOTIFY_CHANNEL": "elsewhere", "LOG_RETENTION_DAYS": "8", "WEBHOOK_SECRET": "a secret of 16 signs or more",
    "SMTP_HOST": "mail.example.org", "SMTP_FROM": "aiops@example.org", "SMTP_USER": "aiops", "SMTP_PASSWORD": "hush",
    "DAMAGE_SET": "reference", "LOG_FORMAT": "console", "LOG_LEVEL": "warning", "API_KEY": "a key of 16 signs or more",
    "API_RATE_LIMIT": "7", "API_CORS_ORIGINS": "https://app.example.org", "API_ALLOWED_HOSTS": "climate.example.org",
}  # fmt: skip


def referred(text, given):
    """A text of compose.yaml with what stands in a .env or, if it does not, with the default that is named."""
    return REFERENCE.sub(lambda one: given.get(one[1]) or (one[3] if one[2] == "-" else ""), str(text))


@pytest.fixture
def settings_in(compose, monkeypatch):
    """The settings in a container of compose.yaml, beside which a .env says this: the image's, the file's, its own."""

    def settings_in(service, given):
        assert service["env_file"] == [{"path": ".env", "required": False}]
        own = {name: referred(value, given) for name, value in service["environment"].items()}
        for name, value in {**environment_of_image(), **given, **own}.items():
            if name.lower() in Settings.model_fields:
                monkeypatch.setenv(name, value)
        return load_settings()

    return settings_in


@pytest.mark.parametrize("name", ["worker-1", "worker-2", "api"])
def test_a_setting_of_env_holds_in_a_container_and_what_it_says_of_this_machine_does_not(compose, settings_in, name):
    found = settings_in(compose["services"][name], HERE | EVERYWHERE)
    assert conninfo_to_dict(found.conninfo()) == {
        "host": "postgres", "port": "5432", "dbname": "aiops", "user": "aiops", "password": HERE["POSTGRES_PASSWORD"],
    }  # fmt: skip
    assert found.direct_conninfo() == found.conninfo()
    image = environment_of_image()
    assert (found.health_host, str(found.health_port)) == (image["HEALTH_HOST"], image["HEALTH_PORT"])
    for setting, value in EVERYWHERE.items():
        held = getattr(found, setting.lower())
        held = held.get_secret_value() if hasattr(held, "get_secret_value") else held
        assert held == type(held)(value), setting


@pytest.mark.parametrize("name", ["worker-1", "api"])
def test_without_a_file_of_settings_a_container_has_its_own_and_the_defaults(compose, settings_in, name):
    found = settings_in(compose["services"][name], {})
    assert conninfo_to_dict(found.conninfo())["host"] == "postgres"
    assert (found.parallel_workers, found.log_format, found.api_key, found.smtp_host) == (2, "json", None, None)


def test_the_api_of_compose_answers_where_its_port_leads_whatever_env_says(compose):
    api = compose["services"]["api"]
    for given, here in (({}, "8000"), ({"API_PORT": "9001"}, "9001")):
        (port,) = (referred(one, given) for one in api["ports"])
        assert port == f"127.0.0.1:{here}:8000"
    assert api["command"][-2:] == ["--port", "8000"]
    assert "127.0.0.1:8000/healthz" in api["healthcheck"]["test"][-1]


def test_the_server_of_compose_has_connections_for_its_workers(compose):
    """20 sessions a daemon and 4 a compute process: docs/scaling.md."""
    command = compose["services"]["postgres"]["command"]
    most = int(re.search(r"max_connections=(\d+)", command)[1])
    needed = 0
    for name, one in compose["services"].items():
        if name.startswith("worker"):
            processes, ondemand = (
                int(re.search(r":-(\d+)", one["environment"][setting])[1])
                for setting in ("PARALLEL_WORKERS", "ONDEMAND_WORKERS")
            )
            needed += 6 + 7 * ondemand + 4 * processes
    assert needed < most - 3


def test_a_password_has_to_be_set_and_volumes_are_declared(compose):
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert "${POSTGRES_PASSWORD:?" in text
    assert re.findall(r"^ *POSTGRES_PASSWORD: +(.)", text, flags=re.MULTILINE) == ["$"]
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in compose["volumes"]


def test_the_servers_health_command_is_one_that_its_program_knows(compose):
    kind, *words = compose["services"]["postgres"]["healthcheck"]["test"]
    command = shlex.split(words[0]) if kind == "CMD-SHELL" else words
    assert command[0] == "pg_isready"
    program = shutil.which(command[0])
    if program is None:
        pytest.skip("there is no pg_isready here")
    text = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=30, check=True).stdout
    assert all(word in text for word in command if word.startswith("--"))


# --- the systemd unit -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def unit():
    found = configparser.ConfigParser(strict=True, interpolation=None)
    found.optionxform = str
    found.read_string(UNIT.read_text(encoding="utf-8"))
    return found


def test_the_unit_starts_the_worker_and_gives_it_time_to_stop(unit):
    service = unit["Service"]
    program, *arguments = shlex.split(service["ExecStart"])
    assert (Path(program).name, arguments) == ("aiops", ["worker"])
    assert int(service["TimeoutStopSec"]) > STOP_SECONDS
    assert service["KillMode"] == "mixed", "only the parent is told; it hands the stop on"
    assert service["RestartPreventExitStatus"] == "2"
    assert service["User"] != "root"
    documentation = Path(unit["Unit"]["Documentation"].removeprefix("file:///opt/aiops/"))
    assert (ROOT / documentation).exists()
    assert unit["Install"]["WantedBy"] == "multi-user.target"


def test_systemd_understands_the_unit(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze here")
    # What it starts has to be there: the program of this environment in place of the installed one.
    text = re.sub(
        r"^ExecStart=\S+", f"ExecStart={sys.executable}", UNIT.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    copy = tmp_path / UNIT.name
    copy.write_text(text, encoding="utf-8")
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, timeout=60, check=False
    )
    ours = [line for line in said.stderr.splitlines() if UNIT.name in line]
    assert ours == []
    assert said.returncode == 0, said.stderr
