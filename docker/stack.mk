# The service image, the compose stack and their tests; the Makefile includes it.
SERVICE_IMAGE := spark-service:$(VERSION)-spark$(SPARK)

.PHONY: image-service image-service-full image-sizes stack-images
image-service: ## the image spark-service:<version>-slim
	@docker/base/engine.sh start
	@docker/base/ensure-base.sh debian:bookworm-slim
	@docker/spark-service/build.sh slim $(SPARK)
image-service-full: ## the same on the intermediate layer jars-iceberg, which must be there
	@docker/spark-service/build.sh full $(SPARK)
image-sizes: ## the service images, layer by layer
	@docker/spark-service/sizes.sh $(SERVICE_IMAGE)-slim $(SERVICE_IMAGE)
stack-images: ## every image of the compose stack
	@docker/base/engine.sh start
	@docker/stack-images.sh $(SPARK)

.PHONY: up down
up: stack-images ## the compose stack, in the background
	@SPARK_SERVICE_IMAGE=$(SERVICE_IMAGE)-slim docker/stack.sh up -d --no-build
	@docker/stack.sh ps
down: ## ends the compose stack; data and volumes stay
	@docker/stack.sh --profile direct down

STACK_VENV := $(B)/venv-stack
$(STACK_VENV)/.made: tests/images/stack/requirements.txt
	@echo "installing the Python packages of the stack tests"
	@rm -rf $(STACK_VENV) && python3 -m venv $(STACK_VENV)
	$(Q)$(STACK_VENV)/bin/python -m pip install -q -r $<
	@touch $@

.PHONY: test-backend test-stack
test-backend: build sample ## the backend of the stack: its client and page against the real service
	$(Q)$(MAKE) --no-print-directory -C docker/backend test SPARK=$(SPARK)
test-stack: image-deps $(STACK_VENV)/.made ## the service image and the compose stack; LONG=1: the full spans
	$(Q)mkdir -p $(RESULTS); SPARK=$(SPARK) LONG=$(LONG) tests/images/stack/run.sh \
		$(STACK_VENV)/bin/python --junitxml=$(RESULTS)/stack.xml $(PYTEST_ARGS)
