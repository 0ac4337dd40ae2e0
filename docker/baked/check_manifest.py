"""check_manifest.py FILE IMAGE: the Job is valid, runs IMAGE, and downloads nothing. `ok` and `not ok` lines."""

import json
import sys

import kubernetes_validate
import yaml

API_VERSIONS = ("1.28", "1.34")


def main(path, image):
    with open(path) as file:
        job, policy = yaml.safe_load_all(file)
    container = job["spec"]["template"]["spec"]["containers"][0]
    text = json.dumps([job, policy])
    facts = {
        "its container is spark-driver": container["name"] == "spark-driver",
        f"it runs {image}": container["image"] == image,
        "it sets no spark.jars.packages": "spark.jars.packages" not in text,
        "it runs no pip install": "pip" not in [word for arg in container["args"] for word in arg.split()],
        "its policy is of its own pods, and of both directions": policy["spec"]["podSelector"]["matchLabels"].items()
        <= job["spec"]["template"]["metadata"]["labels"].items()
        and policy["spec"]["policyTypes"] == ["Ingress", "Egress"],
    }
    for document in (job, policy):
        for version in API_VERSIONS:
            name = f"its {document['kind']} is valid in Kubernetes {version}"
            try:
                kubernetes_validate.validate(document, version, strict=True)
                facts[name] = True
            except kubernetes_validate.ValidationError as error:
                facts[name] = False
                print(error, file=sys.stderr)
    for name, holds in facts.items():
        print(f"{'ok' if holds else 'not ok'} {name}")
    return 0 if all(facts.values()) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
