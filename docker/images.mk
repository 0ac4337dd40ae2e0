# Base images, image layers and their tests; the Makefile includes it.
.PHONY: base-images images test-images image-deps
image-deps:
	@.ci/packages python3 python3-venv
base-images: ## the base images: pulled, or made from packages where no registry can be reached
	@docker/base/engine.sh start
	@docker/base/ensure-base.sh debian:bookworm-slim node:18-slim
images: image-deps ## every image layer of both lines; LINES=, LAYERS=, QUICK=1 choose
	@LINES="$(LINES)" LAYERS="$(LAYERS)" QUICK="$(QUICK)" python3 tests/images/run.py build
test-images: image-deps $(B)/venv-stack/.made ## builds every image layer and runs its test.sh; LINES=, LAYERS=, QUICK=1 choose
	@LINES="$(LINES)" LAYERS="$(LAYERS)" QUICK="$(QUICK)" $(B)/venv-stack/bin/python tests/images/run.py test

LAYER_IMAGES = $(foreach line,4.1.0 3.5.7,spark-k8s:$(line)-hadoop3.4.2 python-deps:$(line)-iceberg \
	jars-iceberg:$(line) jars-rapids:$(line)) spark-baked:3.5.0-phase0
.PHONY: layer-sizes
layer-sizes: ## the image layers that are there, with the size of each step
	@docker/spark-service/sizes.sh $(LAYER_IMAGES)

.PHONY: build-spark-image push-spark-image
build-spark-image: ## the baked image spark-baked:3.5.0-phase0; PHASE= names another
	@docker/base/engine.sh start
	@docker/baked/build.sh
push-spark-image: ## pushes it to IMAGE_REGISTRY, which has no default, and compares digests
	@docker/baked/push.sh
