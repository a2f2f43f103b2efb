"""Docker runs the same processes as `make run`, from the same lock, and all it names exists."""

import json
import re
import sysconfig
from importlib import import_module
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

from stack import commands, install
from stack.checkout import ROOT

PUBLIC_BIND = ["--bind", "0.0.0.0:8000"]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "web", "worker", "beat")


def dockerfile_lines(instruction: str) -> list[str]:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    return [line.split(" ", 1)[1] for line in lines if line.startswith(f"{instruction} ")]


@pytest.mark.parametrize(
    ("service", "command"),
    [
        ("migrate", commands.MIGRATE),
        ("web", (*commands.WEB, *PUBLIC_BIND)),
        ("worker", commands.WORKER),
        ("beat", commands.BEAT),
    ],
)
def test_a_container_runs_the_command_that_make_run_runs(
    service: str, command: tuple[str, ...]
) -> None:
    assert SERVICES[service]["command"] == list(command)


def test_the_image_serves_the_site_by_itself() -> None:
    assert [json.loads(line) for line in dockerfile_lines("CMD")] == [SERVICES["web"]["command"]]


def test_what_the_commands_name_exists() -> None:
    assert commands.WEB[3].replace(":", ".") == settings.WSGI_APPLICATION
    assert import_module(commands.WEB[2]).__file__ == str(ROOT / "stack" / "web.py")
    assert import_module(commands.WORKER[4]).celery_app.main == commands.BEAT[4]
    assert (ROOT / commands.MIGRATE[1]).is_file()
    assert commands.MIGRATE[2] in get_commands()


def test_the_image_installs_the_lock_with_hashes_and_gives_up_root() -> None:
    assert any(
        "--require-hashes" in line and "requirements.lock" in line
        for line in dockerfile_lines("RUN")
    )
    assert dockerfile_lines("USER") == ["budget"]
    assert (ROOT / "requirements.lock").is_file()


@pytest.mark.parametrize("service", ["web", "worker", "beat"])
def test_nothing_starts_before_the_migrations_are_done(service: str) -> None:
    waits_for = SERVICES[service]["depends_on"]
    assert waits_for["migrate"] == {"condition": "service_completed_successfully"}
    assert waits_for["redis"] == {"condition": "service_healthy"}


@pytest.mark.parametrize("service", OURS)
def test_a_container_refuses_to_start_without_secrets(service: str) -> None:
    environment = SERVICES[service]["environment"]
    assert environment["SECRET_KEY"].startswith("${SECRET_KEY:?")
    assert "${POSTGRES_PASSWORD:?" in environment["DATABASE_URL"]


def test_every_variable_of_the_containers_is_a_setting() -> None:
    text = (ROOT / "budget_manager" / "settings.py").read_text()
    unknown = [n for n in SERVICES["web"]["environment"] if f'("{n}"' not in text]
    assert unknown == []


def test_every_volume_and_every_awaited_service_is_declared() -> None:
    mounted = {v.split(":")[0] for s in SERVICES.values() for v in s.get("volumes", [])}
    awaited = {name for s in SERVICES.values() for name in s.get("depends_on", {})}
    assert mounted == set(COMPOSE["volumes"])
    assert awaited <= set(SERVICES)
    for name in awaited - {"migrate"}:
        assert "healthcheck" in SERVICES[name]


def pins(listing: str) -> set[str]:
    found = re.findall(r"(?m)^([a-z0-9_.-]+)(?:\[.*\])?(==[^ ;\n]+)", listing)
    return {name + version for name, version in found}


def test_the_lock_holds_every_requirement_with_hashes_and_names_no_index() -> None:
    wanted = (ROOT / "requirements.txt").read_text()
    lock = install.LOCK.read_text()
    asked = [line for line in wanted.splitlines() if line and not line.startswith("#")]
    assert len(pins(wanted)) == len(asked)
    assert pins(wanted) <= pins(lock)
    assert len(re.findall(r"(?m)==.*\\\n +--hash=sha256:", lock)) == len(pins(lock))
    assert "://" not in lock


def test_musl_systems_install_everything_but_the_embedded_servers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lock = install.LOCK.read_text()
    assert install.for_this_system(lock) == lock
    monkeypatch.setattr(sysconfig, "get_config_var", lambda name: "cpython-312-x86_64-linux-musl")
    left_out = pins(lock) - pins(install.for_this_system(lock))
    assert {pin.split("==")[0] for pin in left_out} == set(install.EMBEDDED_SERVERS)
