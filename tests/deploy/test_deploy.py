"""The files in ``deploy/`` name settings, metrics and files that exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from recsys.config import read_toml
from recsys_server.__main__ import app
from recsys_server.metrics.definitions import METRICS
from recsys_server.metrics.service_metrics import ServiceMetrics
from recsys_server.metrics.worker_metrics import WorkerMetrics
from recsys_server.settings import PREFIX, Settings, load_settings

DEPLOY = Path(__file__).parents[2] / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text(encoding="utf-8")))


def samples() -> set[str]:
    """Names of all samples that a service can have."""
    metrics, worker = ServiceMetrics(workers=1), WorkerMetrics()
    for name, definition in METRICS.items():
        labels = ["x"] * len(definition.labels)
        if definition.kind == "histogram":
            worker.histogram(name, *labels).observe(1.0)
        else:
            worker.number(name, *labels).value = 1.0
    metrics.take(0, worker.report())
    return {sample.name for family in metrics.collect() for sample in family.samples}


def expressions() -> Iterator[str]:
    """Expressions of the alerts and of the dashboard."""
    for group in documents("alerts.yml")[0]["groups"]:
        for rule in group["rules"]:
            assert rule["annotations"]["summary"]
            yield rule["expr"]
    dashboard = json.loads((DEPLOY / "grafana/dashboards/recsys.json").read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        assert panel["datasource"]["uid"] == "prometheus"
        for target in panel["targets"]:
            yield target["expr"]


def test_alerts_and_panels_use_metrics_and_labels_that_exist() -> None:
    known = samples()
    labels = {label for each in METRICS.values() for label in each.labels}
    labels |= {"le", "worker", "job"}
    shown = set()
    for text in expressions():
        shown |= (found := set(re.findall(r"recsys_\w+", text)))
        assert found <= known, f"{found - known} in {text}"
        used = re.findall(r"(\w+)\s*(?:=~|!=|=)\s*\"", text)
        used += [
            each.strip() for by in re.findall(r"by \(([^)]*)\)", text) for each in by.split(",")
        ]
        assert set(used) <= labels, text
        assert text.count("(") == text.count(")") and text.count("{") == text.count("}")
    assert len(shown) > 30


def test_every_metric_is_described_for_operators() -> None:
    page = (DEPLOY.parent / "docs/how-to/monitor-the-service.md").read_text(encoding="utf-8")
    stated = {
        name: (kind, labels.replace("`", ""), text)
        for name, kind, labels, text in re.findall(
            r"^\| `(\w+)` \| (\w+) \| (.*?) \| (.*) \|$", page, re.M
        )
    }
    for name, each in METRICS.items():
        shown = f"{name}_total" if each.kind == "counter" else name
        assert stated.pop(shown) == (each.kind, ", ".join(each.labels) or "–", each.text)
    assert set(stated) == {
        "recsys_workers",
        "recsys_workers_ready",
        "recsys_workers_replaced_total",
    }


def test_every_variable_is_a_setting() -> None:
    variables = {
        name
        for path in FILES
        for name in re.findall(rf"\b{PREFIX}\w+", path.read_text(encoding="utf-8"))
    }
    assert len(variables) > 10
    for variable in variables:
        name, _, nested = variable.removeprefix(PREFIX).lower().partition("__")
        kind = Settings.model_fields[name].annotation
        assert not nested or nested in getattr(kind, "model_fields", {})


def test_the_settings_of_the_unit_are_valid_and_it_can_stop_in_time() -> None:
    settings = load_settings({}, file=DEPLOY / "service.toml")
    assert set(read_toml(DEPLOY / "service.toml")) <= set(Settings.model_fields)
    unit = (DEPLOY / "recsys.service").read_text(encoding="utf-8")
    seconds = re.search(r"^TimeoutStopSec=(\d+)$", unit, re.M)
    assert seconds is not None and int(seconds[1]) >= settings.drain + settings.grace + 2
    options = {option for each in get_command(app).params for option in each.opts}
    for line in re.findall(r"^ExecStart\w*=(.*)$", unit, re.M):
        assert "-m recsys_server" in line
        assert {word for word in line.split() if word.startswith("--")} <= options


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "recsys.service"
    text = (DEPLOY / "recsys.service").read_text(encoding="utf-8")
    unit.write_text(
        text.replace("/opt/recsys/bin/python", "/bin/true").replace("recsys\n", "root\n")
    )
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60
    )
    own = [line for line in done.stderr.splitlines() if unit.name in line]
    assert not own, done.stderr


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool of Prometheus")
@pytest.mark.parametrize("check", [["config", "prometheus.yml"], ["rules", "alerts.yml"]])
def test_prometheus_accepts_its_files(check: list[str]) -> None:
    done = subprocess.run(
        ["promtool", "check", *check], cwd=DEPLOY, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl")
def test_kubernetes_knows_every_field() -> None:
    """Kubectl reads the file into its own types, which have no unknown fields."""
    done = subprocess.run(
        ["kubectl", "annotate", "--local", "-f", "kubernetes.yaml", "test=1", "-o", "yaml"],
        cwd=DEPLOY,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    read = list(yaml.safe_load_all(done.stdout))
    for own, theirs in zip(documents("kubernetes.yaml"), read, strict=True):
        assert not set(leaves(own)) - set(leaves(theirs))


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Values of a document by their paths."""
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(each, f"{path}/{key}")
    else:
        yield path, value


def test_the_pods_have_probes_and_time_to_stop() -> None:
    found = {each["kind"]: each for each in documents("kubernetes.yaml")}
    assert set(found) == {"Deployment", "Service", "PodDisruptionBudget"}
    pod = found["Deployment"]["spec"]["template"]
    labels = pod["metadata"]["labels"]
    assert found["Service"]["spec"]["selector"] == labels
    assert found["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    container = pod["spec"]["containers"][0]
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    assert ports == {"grpc": 50051, "metrics": 9090}
    pages = {
        name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")
    }
    assert {page["port"] for page in pages.values()} == {"metrics"}
    assert (pages["readiness"]["path"], pages["liveness"]["path"]) == ("/ready", "/live")
    variables = {each["name"]: each.get("value") for each in container["env"]}
    drain = float(variables["RECSYS_SERVE_DRAIN"])
    assert pod["spec"]["terminationGracePeriodSeconds"] >= drain + 10 + 2
    mounted = {each["name"] for each in container["volumeMounts"]}
    assert mounted == {each["name"] for each in pod["spec"]["volumes"]}


def test_the_compose_file_mounts_files_that_exist() -> None:
    services = documents("compose.yaml")[0]["services"]
    assert set(services) == {"recsys", "prometheus", "grafana"}
    for service in services.values():
        for mount in service.get("volumes", []):
            source = mount.partition(":")[0]
            assert not source.startswith("./") or (DEPLOY / source).exists(), source
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), "published on this machine only"
    scraped = documents("prometheus.yml")[0]["scrape_configs"][0]["static_configs"][0]["targets"]
    assert scraped == ["recsys:9090"]


def test_the_image_copies_files_that_exist_and_stops_by_sigterm() -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    for line in re.findall(r"^COPY (.*) \S+$", text, re.M):
        for source in line.split():
            assert (DEPLOY.parent / source).exists(), source
    assert 'ENTRYPOINT ["python", "-m", "recsys_server"]' in text and "USER recsys" in text
    assert "STOPSIGNAL SIGTERM" in text
