# SPDX-License-Identifier: MIT
"""What deploy/ has for Docker and Kubernetes, as far as it can be looked over without them. deploy/docker/test runs the images."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.request

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from servers import PATIENCE, Server
from toolchains import docker_profile, python_package

KUSTOMIZATIONS = ["base", "io-uring", "autoscaling"]
KUBERNETES = ["1.28", "1.37"]  # the oldest for which the schemas are at hand, and the newest
IO_URING = {"io_uring_enter", "io_uring_register", "io_uring_setup"}


@pytest.fixture(scope="module")
def validator():
    """validator(words...): kubernetes-validate's result. It brings PyYAML along."""
    folder = python_package("kubernetes-validate", "1.37.0")

    def run(*words):
        command = [sys.executable, folder / "bin" / "kubernetes-validate", *words]
        return subprocess.run(command, env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True, text=True)

    run.folder = folder
    return run


def built(root, folder):
    """The manifests that a kustomization makes."""
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is missing")
    command = ["kubectl", "kustomize", root / "deploy" / "kubernetes" / folder]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def documents(validator, text):
    """YAML as Python has it, with no key twice."""
    program = (
        "import sys, json, yaml\n"
        "class Strict(yaml.SafeLoader): pass\n"
        "def mapping(loader, node):\n"
        "    keys = [loader.construct_object(key) for key, value in node.value if key.tag != 'tag:yaml.org,2002:merge']\n"
        "    assert len(keys) == len(set(keys)), keys\n"
        "    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)\n"
        "Strict.add_constructor('tag:yaml.org,2002:map', mapping)\n"
        "print(json.dumps(list(yaml.load_all(sys.stdin, Strict))))\n"
    )
    env = {**os.environ, "PYTHONPATH": str(validator.folder)}
    result = subprocess.run([sys.executable, "-c", program], input=text, env=env, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def sources(root):
    return [path for path in sorted((root / "deploy/kubernetes").rglob("*.yaml"))
            if path.name not in ("kustomization.yaml", "adapter.yaml")]  # fmt: skip


@pytest.mark.parametrize("version", KUBERNETES)
def test_manifests_have_the_schema_of_kubernetes(root, validator, version):
    result = validator("--strict", "-k", version, *sources(root))
    assert result.returncode == 0 and result.stdout.count(" passed ") >= 9, result.stdout + result.stderr


def test_the_schema_is_looked_at(root, validator, tmp_path):
    text = (root / "deploy/kubernetes/base/quoit-api.yaml").read_text()
    for right, wrong in ("replicas: 2", "replicas: two"), ("periodSeconds: 1", "periodSecond: 1"):
        assert right in text
        (tmp_path / "wrong.yaml").write_text(text.replace(right, wrong))
        assert validator("--strict", tmp_path / "wrong.yaml").returncode != 0


def test_all_yaml_is_strict(root, validator):
    for path in sorted((root / "deploy").rglob("*.y*ml")):
        assert all(documents(validator, path.read_text())), path


@pytest.mark.parametrize("folder", KUSTOMIZATIONS)
def test_kustomizations(root, validator, tmp_path, folder):
    (tmp_path / "all.yaml").write_text(built(root, folder))
    result = validator("--strict", "--quiet", tmp_path / "all.yaml")
    assert result.returncode == 0, result.stdout + result.stderr


def test_io_uring_is_what_its_kustomization_adds(root, validator):
    def profiles(folder):
        made = documents(validator, built(root, folder))
        return [one["spec"]["template"]["spec"]["securityContext"]["seccompProfile"] for one in made if one["kind"] == "Deployment"]

    assert profiles("base") == 2 * [{"type": "RuntimeDefault"}]
    assert profiles("io-uring") == 2 * [{"type": "Localhost", "localhostProfile": "profiles/quoit.json"}]


def api_pod(root, validator):
    text = (root / "deploy/kubernetes/base/quoit-api.yaml").read_text()
    return documents(validator, text)[0]["spec"]["template"]["spec"]


def test_the_grace_period_is_long_enough(root, validator):
    pod = api_pod(root, validator)
    seconds = [int(re.search(rf"--{name}=(\d+)s", " ".join(pod["containers"][0]["args"])).group(1)) for name in ("lame-duck", "drain")]
    assert sum(seconds) < pod["terminationGracePeriodSeconds"]


def test_quoit_api_takes_the_arguments(root, build, validator):
    (container,) = api_pod(root, validator)["containers"]
    arguments = [re.sub(r":?\d+$", lambda port: ":0" if ":" in port[0] else "0", word) if "port" in word or "admin" in word else word
                 for word in container["args"]]  # fmt: skip
    server = Server(build / "bin" / "quoit-api", *arguments)
    server.signal()  # the lame-duck time
    server.signal()  # is over
    assert server.wait() == 0


def test_pods_scale_by_a_metric_that_there_is(root, start, validator):
    """From the HorizontalPodAutoscaler by prometheus-adapter's rule to what quoit-api shows."""
    folder = root / "deploy/kubernetes/autoscaling"
    (scaler,) = documents(validator, (folder / "quoit-api.yaml").read_text())
    (adapter,) = documents(validator, (folder / "adapter.yaml").read_text())
    (rule,) = adapter["rules"]
    assert scaler["spec"]["metrics"][0]["pods"]["metric"]["name"] == rule["name"]["as"]
    server = start("quoit-api", "--port", 0, "--metrics")
    with urllib.request.urlopen(f"http://{server.target}/metrics", timeout=PATIENCE) as answer:
        names = re.findall(r"^# TYPE (\w+?)(?:_total)? counter$", answer.read().decode(), re.M)
    assert rule["seriesQuery"].partition("{")[0].removesuffix("_total") in names


@pytest.mark.parametrize("name", ["quoit-api", "quoit-web"])
def test_probes_are_answered(root, start, validator, name):
    text = (root / f"deploy/kubernetes/base/{name}.yaml").read_text()
    (container,) = documents(validator, text)[0]["spec"]["template"]["spec"]["containers"]
    server = start(name, "--port", 0)
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        if "httpGet" in container[probe]:
            path = container[probe]["httpGet"]["path"]
            with urllib.request.urlopen(f"http://{server.target}{path}", timeout=PATIENCE) as answer:
                assert answer.status == 200
        else:
            with grpc.insecure_channel(server.target) as channel:
                request = health_pb2.HealthCheckRequest()
                health = health_pb2_grpc.HealthStub(channel).Check(request, timeout=PATIENCE)
                assert health.status == health_pb2.HealthCheckResponse.SERVING


def test_the_compose_file(root):
    if not shutil.which("docker-compose"):
        pytest.skip("docker-compose is missing")
    result = subprocess.run(["docker-compose", "config"], cwd=root / "deploy", capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    for line in ("read_only: true", "no-new-privileges:true", "BACKEND_HOST: backend"):
        assert line in result.stdout


# --- seccomp ------------------------------------------------------------------------------------------------------------------


def rules(profile):
    """{(name, arguments): error or None} of the rules that need neither a capability nor another processor."""
    found = {}
    for rule in profile["syscalls"]:
        includes, excludes = rule.get("includes") or {}, rule.get("excludes") or {}
        if includes.get("caps") or includes.get("minKernel"):
            continue
        if includes.get("arches") and "amd64" not in includes["arches"]:
            continue
        assert not set(excludes) - {"caps", "arches"}
        arguments = tuple((one["index"], one["op"], one["value"], one.get("valueTwo") or 0) for one in rule.get("args") or ())
        for name in rule["names"]:
            found[name, arguments] = None if rule["action"] == "SCMP_ACT_ALLOW" else rule["errnoRet"]
    return found


@pytest.fixture(scope="module")
def profile(root):
    return json.loads((root / "deploy/docker/seccomp.json").read_text())


def test_the_profile_adds_io_uring_and_nothing_else(profile):
    docker = json.loads(docker_profile())
    ours, theirs = rules(profile), rules(docker)
    # they allow every family up to 2 by one rule
    for family in (1, 2):
        assert theirs.pop(("socket", ((0, "SCMP_CMP_LT", 3, 0),)), None) is None or family == 1
        theirs["socket", ((0, "SCMP_CMP_EQ", family, 0),)] = None
    assert profile["defaultAction"] == docker["defaultAction"] and profile["defaultErrnoRet"] == docker["defaultErrnoRet"]
    added = {name for (name, arguments), error in ours.items() if theirs.get((name, arguments), "") != error}
    assert added == IO_URING


@pytest.mark.parametrize("engine", ["io_uring", "epoll"])
def test_the_profile_has_all_that_a_server_asks_for(api, build, profile, tmp_path, engine):
    if not shutil.which("strace"):
        pytest.skip("strace is missing")
    trace = tmp_path / "trace"
    command = ["strace", "-f", "-qq", "-o", trace, "-e", "signal=none"]
    server = Server(*command, build / "bin" / "quoit-api", "--port", "0", "--workers", "2", "--engine", engine)
    with grpc.insecure_channel(server.target) as channel:
        stub = api.Stub(channel)
        assert stub.sayHello(api.HelloRequest(name="you"), timeout=PATIENCE).message
        assert len(list(stub.getStream(api.ApiRequest(length=1000), timeout=PATIENCE))) == 1000
    children = pathlib.Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    os.kill(int(children[0]), 15)
    assert server.wait() == 0
    asked = set(re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)[( ]", trace.read_text(), re.M))
    allowed = {name for rule in profile["syscalls"] for name in rule["names"]}
    assert asked and asked <= allowed, asked - allowed
