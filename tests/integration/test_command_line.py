"""Flags, settings and exit codes; no JVM is started here."""

import json
import os
import subprocess

import pytest

from harness.paths import SERVICE_BIN, free_port

CLEAN = {name: value for name, value in os.environ.items()
         if not name.startswith(("SPARK_SERVICE_", "MYSQL_"))}


def run(*arguments, **env):
    return subprocess.run([SERVICE_BIN, *arguments], env=CLEAN | env, capture_output=True,
                          text=True, timeout=20, stdin=subprocess.DEVNULL)


def test_help_names_every_documented_setting():
    done = run("--help")
    assert done.returncode == 0
    for name in ("LISTEN", "DATA_ROOTS", "WORKERS", "QUEUE_LENGTH", "QUERY_TIMEOUT_MS",
                 "QUERY_TIMEOUT_MAX_MS", "QUEUE_TIMEOUT_MS", "DRAIN_MS", "MAX_CONNECTIONS",
                 "MAX_BODY_BYTES", "STATE_DIR", "SPARK_MASTER", "SPARK_CONF", "HEAP", "SPARK_UI",
                 "ICEBERG_WAREHOUSE", "MYSQL_HOSTS", "LOG_LEVEL"):
        assert "--" + name.lower().replace("_", "-") in done.stdout, name


def test_check_config_accepts_the_defaults(tmp_path):
    done = run("--check-config", SPARK_SERVICE_STATE_DIR=str(tmp_path / "state"))
    assert done.returncode == 0, done


@pytest.mark.parametrize("env", [
    {"SPARK_SERVICE_WORKERS": "many"}, {"SPARK_SERVICE_WORKERS": "0"},
    {"SPARK_SERVICE_QUEUE_LENGTH": "-1"}, {"SPARK_SERVICE_HEAP": "lots"},
    {"SPARK_SERVICE_LISTEN": "nowhere"}, {"SPARK_SERVICE_LISTEN": "0.0.0.0:8000"},
    {"SPARK_SERVICE_DATA_ROOTS": "relative/path"}, {"SPARK_SERVICE_LOG_LEVEL": "chatty"},
    {"SPARK_SERVICE_TYPO": "1"}, {"SPARK_SERVICE_SPARK_UI": "maybe"},
    {"SPARK_SERVICE_CONFIG": "/nonexistent/file"}, {"SPARK_SERVICE_MYSQL_HOSTS": "a b:3306"},
    {"MYSQL_HOST": "h", "MYSQL_PORT": "99999"},
    {"MYSQL_HOST": "h", "MYSQL_PASSWORD_FILE": "/nonexistent/file"},
], ids=lambda env: ",".join(env) + "=" + next(iter(env.values())))
@pytest.mark.parametrize("action", [["--check-config"], []], ids=["checked", "started"])
def test_wrong_setting_stops_with_one_clear_line(tmp_path, env, action):
    done = run(*action, **({"SPARK_SERVICE_STATE_DIR": str(tmp_path / "s")} | env))
    assert done.returncode == 2, done
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    name = next(name for name in reversed(env))
    assert name.removeprefix("SPARK_SERVICE_") in lines[0]


def test_unknown_flag_stops_with_one_clear_line():
    done = run("--no-such-flag")
    assert done.returncode == 2
    assert "--no-such-flag" in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_password_is_not_a_flag():
    assert run("--mysql-password", "x").returncode == 2


def test_flag_wins_over_environment_and_environment_over_file(tmp_path):
    file = tmp_path / "settings"
    file.write_text("# comment\nWORKERS=bad\nQUEUE_LENGTH=7\n")
    env = {"SPARK_SERVICE_STATE_DIR": str(tmp_path / "s"), "SPARK_SERVICE_CONFIG": str(file)}
    assert run("--check-config", **env).returncode == 2
    file.write_text("WORKERS=3\nQUEUE_LENGTH=7\n")
    done = run("--check-config", "--workers", "5", SPARK_SERVICE_QUEUE_LENGTH="9", **env)
    assert done.returncode == 0, done
    shown = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    shown = {name.strip().removeprefix("SPARK_SERVICE_"): value.strip()
             for name, value in shown.items()}
    assert (shown["WORKERS"], shown["QUEUE_LENGTH"]) == ("5", "9")


def test_check_config_shows_no_password(tmp_path):
    done = run("--check-config", SPARK_SERVICE_STATE_DIR=str(tmp_path / "s"), MYSQL_HOST="h",
               MYSQL_USER="u", MYSQL_PASSWORD="never-shown-word")
    assert done.returncode == 0
    assert "never-shown-word" not in done.stdout + done.stderr


@pytest.mark.parametrize("source, place", [
    ({"host": "h", "user": "u", "port": 0}, "sources.shop.port: "),
    ({"host": "h?allowLoadLocalInfile=true", "user": "u"}, "sources.shop.host: "),
    ({"host": "h", "user": "u", "tls": {"mode": "verify_identity"}}, "sources.shop.tls: "),
    ({"host": "h", "user": "u", "password": "never-shown-word"}, "sources.shop.password: "),
    ({"host": "h", "user": "u", "propertis": {}}, "sources.shop: 'propertis' "),
    ({"host": "h", "user": "u", "timeouts": {"query_ms": 5}}, None)], ids=lambda value: str(value)[:40])
def test_check_config_reads_the_sources(tmp_path, source, place):
    file = tmp_path / "sources.json"
    file.write_text(json.dumps({"sources": {"shop": source}}))
    file.chmod(0o644)
    done = run("--check-config", SPARK_SERVICE_STATE_DIR=str(tmp_path / "s"),
               SPARK_SERVICE_SOURCES_FILE=str(file))
    assert "never-shown-word" not in done.stdout + done.stderr
    if place is None:
        assert done.returncode == 0, done
    else:
        assert done.returncode == 2 and f"SOURCES_FILE: {place}" in done.stderr, done


@pytest.mark.parametrize("what", ["ready", "live"])
def test_probe_is_red_when_nobody_listens(what):
    done = run("probe", what, SPARK_SERVICE_LISTEN=f"127.0.0.1:{free_port()}")
    assert done.returncode not in (0, 2)
