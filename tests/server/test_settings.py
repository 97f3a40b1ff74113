"""Settings from options, environment variables and a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from recsys.errors import ConfigError
from recsys_server.settings import Settings, load_settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "service.toml"
    path.write_text('bundles = "runs/a/bundles"\nworkers = 2\nport = 1\n[limits]\nk = 20\n')
    return path


def test_options_come_before_variables_before_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECSYS_SERVE_PORT", "2")
    monkeypatch.setenv("RECSYS_SERVE_WORKERS", "3")
    monkeypatch.setenv("RECSYS_SERVE_LIMITS__HISTORY", "44")
    settings = load_settings({"workers": 4, "host": None}, file=file)
    assert (settings.workers, settings.port, settings.host) == (4, 2, "127.0.0.1")
    assert (settings.limits.k, settings.limits.history, settings.limits.batch) == (20, 44, 128)
    assert settings.bundles == file.parent / "runs/a/bundles"


def test_settings_reach_a_worker_unchanged(file: Path) -> None:
    settings = load_settings({}, file=file)
    assert Settings.model_validate(settings.model_dump(mode="json")) == settings


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"port": 70_000}, "'port': Input should be less than or equal to 65535"),
        ({"grace": -1}, "'grace': Input should be greater than or equal to 0"),
        ({"grace": float("inf")}, "'grace': Input should be a finite number"),
        ({"unknown_user": "x"}, "'unknown_user': Input should be 'error', 'empty_history' or 'pop"),
        ({"log": "xml"}, "'log': Input should be 'text' or 'json'"),
    ],
)
def test_a_wrong_value_names_its_key(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_settings({"bundles": Path("b"), **options})


def test_an_unknown_key_and_an_unknown_variable_are_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "service.toml"
    file.write_text('bundels = "x"\n')
    with pytest.raises(ConfigError, match="unknown key 'bundels': did you mean 'bundles'"):
        load_settings({}, file=file)
    monkeypatch.setenv("RECSYS_SERVE_WORKER", "3")
    with pytest.raises(ConfigError, match="RECSYS_SERVE_WORKER names no setting; did you mean"):
        load_settings({"bundles": Path("b")})
