"""The manifests against the Kubernetes API's schemas, and against each other and the image."""

import copy

import kubernetes_validate
import pytest
import yaml

from engine import ROOT, VERSION

API_VERSIONS = ("1.28", "1.34")
FILES = sorted((ROOT / "docker/k8s").glob("*.yaml"))
DOCUMENTS = [(f"{file.stem}-{document['kind']}", document)
             for file in FILES for document in yaml.safe_load_all(file.read_text())]


def named(kind, name):
    return next(document for _, document in DOCUMENTS
                if (document["kind"], document["metadata"]["name"]) == (kind, name))


def workloads():
    return [document for _, document in DOCUMENTS if document["kind"] in ("Deployment", "Job")]


@pytest.mark.parametrize("version", API_VERSIONS)
@pytest.mark.parametrize("document", [document for _, document in DOCUMENTS],
                         ids=[name for name, _ in DOCUMENTS])
def test_manifest_is_valid(document, version):
    kubernetes_validate.validate(document, version, strict=True)


def test_a_misspelt_field_is_found():
    broken = copy.deepcopy(named("Deployment", "spark-service"))
    container = broken["spec"]["template"]["spec"]["containers"][0]
    container["readynessProbe"] = container.pop("readinessProbe")
    with pytest.raises(kubernetes_validate.ValidationError, match="readynessProbe"):
        kubernetes_validate.validate(broken, API_VERSIONS[0], strict=True)


def test_selectors_meet_labels():
    labels = named("Deployment", "spark-service")["spec"]["template"]["metadata"]["labels"]
    assert named("Service", "spark-service")["spec"]["selector"].items() <= labels.items()
    policy = named("NetworkPolicy", "spark-service")["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    job = named("Job", "spark-service-sample")["spec"]["template"]["metadata"]["labels"]
    assert not policy["podSelector"]["matchLabels"].items() <= job.items()


def test_only_mysql_the_object_store_and_names_are_reached():
    policy = named("NetworkPolicy", "spark-service")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert [[port["port"] for port in rule["ports"]] for rule in policy["egress"]] == [
        [3306], [9000], [53, 53]]
    assert all(rule["to"] for rule in policy["egress"])


def test_all_three_probes_are_there():
    container = named("Deployment", "spark-service")["spec"]["template"]["spec"]["containers"][0]
    paths = [container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "readiness", "liveness")]
    assert paths == ["/startupz", "/readyz", "/livez"]


@pytest.mark.parametrize("workload", workloads(), ids=lambda document: document["kind"])
def test_workload_is_locked_down(workload):
    pod = workload["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"]
    # else SPARK_SERVICE_PORT of the Service stops the program: an unknown setting
    assert pod["enableServiceLinks"] is False
    for container in pod["containers"]:
        security = container["securityContext"]
        assert security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"]
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["requests"]["memory"] == container["resources"]["limits"]["memory"]
        assert container["image"] == f"spark-service:{VERSION}-slim"
