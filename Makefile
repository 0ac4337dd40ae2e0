# spark-service. `make help` lists the targets; V=1 shows the commands.
SPARK ?= 4.1.0
B     := build
LIB   := $(B)/lib/spark-$(SPARK)
Q     := $(if $(V),,@)

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
# Compiles on every core, whatever the caller's -j.
PARALLEL := --no-print-directory -j$(shell nproc)

VERSION := 0.1.0

# ---- packages -------------------------------------------------------------
BUILD_PACKAGES := gcc g++ make pkg-config libevent-dev libssl-dev libjansson-dev uthash-dev node-llhttp libmariadb-dev \
	zlib1g-dev libzstd-dev openjdk-17-jdk-headless maven curl
TEST_PACKAGES := libcmocka-dev python3 python3-venv mariadb-server libaio1 libnuma1 chromium \
	chromium-driver gcovr openssl

# ---- C --------------------------------------------------------------------
CC       := gcc
CXX      := g++
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Werror
JAVA_HOME_BUILD ?= $(patsubst %/bin/javac,%,$(realpath $(firstword \
	$(wildcard /usr/lib/jvm/java-17-openjdk-*/bin/javac) $(shell command -v javac))))
# The JVM that the service will run: the CDS archive is valid for no other.
JAVA_HOME_RUN ?= $(JAVA_HOME_BUILD)

# MODE: plain, asan (address and undefined behaviour), tsan (data races), cov (coverage), fuzz (libFuzzer)
MODE           ?= plain
FLAGS_plain    := -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2
FLAGS_asan     := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FLAGS_tsan     := -O1 -fsanitize=thread -fno-omit-frame-pointer
FLAGS_cov      := -O0 --coverage
FLAGS_fuzz     := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
ifeq ($(MODE),fuzz)
CC  := clang
CXX := clang++
endif
COMMON_FLAGS   := -g $(FLAGS_$(MODE)) -D_GNU_SOURCE -DHASH_NONFATAL_OOM=1 -DSPARK_SERVICE_VERSION='"$(VERSION)"' \
	-Iservice -Ijni -pthread
# Oracle's libmysqlclient does as well as MariaDB Connector/C.
MYSQL_CLIENT   := $(firstword $(shell for p in libmariadb mysqlclient; do \
	pkg-config --exists $$p && echo $$p; done))
LLHTTP_INCLUDE := -I/usr/share/include/llhttp
CFLAGS   := -std=gnu11 $(WARNINGS) $(COMMON_FLAGS)
CXXFLAGS := -std=c++17 -Wall -Wextra -Wshadow -Wconversion -Werror -fno-exceptions -fno-rtti \
	$(COMMON_FLAGS)
LDFLAGS  := $(FLAGS_$(MODE)) -pthread -Wl,-z,relro,-z,now
LDLIBS   := -levent_openssl -levent_core -levent_extra -lssl -lcrypto -ljansson $(shell pkg-config --libs $(MYSQL_CLIENT)) -lzstd -lz \
	-lstdc++ -lm -ldl

OBJ      := $(B)/obj/$(MODE)
SERVICE_SOURCES := $(filter-out service/main.c,$(wildcard service/*.c)) $(wildcard service/*.cc)
LLHTTP_OBJECTS  := $(OBJ)/llhttp/llhttp.o $(OBJ)/llhttp/api.o $(OBJ)/llhttp/http.o
SERVICE_OBJECTS := $(patsubst %,$(OBJ)/%.o,$(basename $(SERVICE_SOURCES)))
JNI_OBJECTS     := $(patsubst %.c,$(OBJ)/%.o,$(wildcard jni/*.c))
SERVICE_LIBRARY := $(OBJ)/libservice.a
PROGRAM := $(B)/bin/spark-service
ifneq ($(MODE),plain)
PROGRAM := $(OBJ)/bin/spark-service
endif

$(OBJ)/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

$(OBJ)/%.o: %.cc
	@mkdir -p $(@D)
	$(Q)$(CXX) $(CXXFLAGS) -MMD -MP -c $< -o $@

$(OBJ)/service/http_reader.o: CFLAGS += $(LLHTTP_INCLUDE) -DLLHTTP_STRICT_MODE=1
$(OBJ)/service/mysql_%.o $(OBJ)/tests/unit/test_mysql_columns.o $(OBJ)/tests/unit/test_mysql_text.o: CFLAGS += $(shell pkg-config --cflags $(MYSQL_CLIENT))
$(OBJ)/service/openapi.o: service/openapi.json
$(OBJ)/service/console.o: $(wildcard service/console/*)
$(OBJ)/jni/%.o: CFLAGS += -I$(JAVA_HOME_BUILD)/include -I$(JAVA_HOME_BUILD)/include/linux

$(OBJ)/llhttp/%.o: /usr/share/llhttp/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(COMMON_FLAGS) $(LLHTTP_INCLUDE) -DLLHTTP_STRICT_MODE=1 -c $< -o $@

$(SERVICE_LIBRARY): $(SERVICE_OBJECTS) $(LLHTTP_OBJECTS)
	$(Q)rm -f $@ && ar rcs $@ $^

$(PROGRAM): $(OBJ)/service/main.o $(JNI_OBJECTS) $(SERVICE_LIBRARY)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

# ---- Java -----------------------------------------------------------------
BRIDGE_FILES := $(shell find jni/bridge -name '*.java' -o -name 'pom.xml' -o -path '*/resources/*' -type f)
MAVEN := JAVA_HOME=$(JAVA_HOME_BUILD) mvn -B -q -f jni/bridge/pom.xml -Dspark=$(SPARK) \
	-Dbuild.root=$(abspath $(B))
JAVA  := $(JAVA_HOME_RUN)/bin/java
JVM_OPTIONS = $$(grep -v -e '^\#' -e '^$$' jni/jvm.options)
# The same class path, in the same order, as jni/jvm.c builds: the CDS archive depends on it.
CLASS_PATH = $$(ls -1 $(abspath $(LIB))/jars/*.jar | LC_ALL=C sort | paste -sd:)

$(LIB)/.jars: $(BRIDGE_FILES)
	@echo "resolving the jars of Spark $(SPARK) and compiling the bridge (the first time: minutes)"
	@mkdir -p $(LIB) && rm -rf $(LIB)/jars
	$(Q)$(MAVEN) -DskipTests package
	@touch $@

$(LIB)/jvm.options: jni/jvm.options
	@mkdir -p $(LIB) && cp $< $@

$(LIB)/compiler.directives: jni/compiler.directives
	@mkdir -p $(LIB) && cp $< $@

$(LIB)/java-home: $(LIB)/.jars
	@echo $(JAVA_HOME_RUN) > $@

# ---- sample data and the CDS archive --------------------------------------
SAMPLE := $(B)/sample
SAMPLE_SQL := $(wildcard sql/1*-users-*.sql)

$(SAMPLE)/.made: $(SAMPLE_SQL) | $(LIB)/.jars
	@echo "making the sample tables below $(SAMPLE)"
	@rm -rf $(SAMPLE) && mkdir -p $(SAMPLE)
	$(Q)$(JAVA) $(JVM_OPTIONS) -Xmx1g -cp "$(CLASS_PATH)" sparkservice.bridge.SqlScript \
		--warehouse $(abspath $(SAMPLE))/iceberg --set parquet=$(abspath $(SAMPLE))/parquet \
		--set delta=$(abspath $(SAMPLE))/delta --set iceberg=$(abspath $(SAMPLE))/iceberg \
		$(SAMPLE_SQL)
	@touch $@

$(LIB)/app.jsa: $(LIB)/.jars $(LIB)/jvm.options | $(SAMPLE)/.made
	@echo "making the class data archive of Spark $(SPARK) (about a minute)"
	$(Q)rm -rf $@ $(B)/warmup-scratch && $(JAVA) $(JVM_OPTIONS) -Xmx1g -XX:ArchiveClassesAtExit=$(abspath $@) \
		-cp "$(CLASS_PATH)" sparkservice.bridge.ArchiveRecorder \
		--sample $(abspath $(SAMPLE)) --local-dir $(abspath $(B))/warmup-scratch \
		> $(LIB)/warmup.log 2>&1 || { cat $(LIB)/warmup.log; exit 1; }

# ---- what people type -----------------------------------------------------
.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | \
		awk -F'\t' '{printf "  make %-18s %s\n", $$1, $$2}'
	@echo
	@echo "  SPARK=3.5.7 before any of them picks the other Spark line; V=1 shows commands."

.PHONY: deps test-deps
deps: ## install the system packages that building needs
	@.ci/packages $(BUILD_PACKAGES)
test-deps: deps ## install the system packages that testing needs
	@.ci/packages $(TEST_PACKAGES)

.PHONY: build
build: deps ## everything under build/: program, jars, CDS archive
	$(Q)$(MAKE) $(PARALLEL) $(PROGRAM) $(LIB)/.jars $(LIB)/jvm.options $(LIB)/compiler.directives \
		$(LIB)/java-home $(LIB)/app.jsa

.PHONY: sample
sample: ## the sample tables below build/sample
	$(Q)$(MAKE) --no-print-directory $(SAMPLE)/.made

.PHONY: run start stop
run: build sample ## build, make sample data, run in the foreground (Ctrl-C drains)
	@service/dev.sh run $(SPARK)
start: build sample ## the same in the background
	@service/dev.sh start $(SPARK)
stop: ## stop what `make start` started
	@service/dev.sh stop $(SPARK)

# ---- tests ----------------------------------------------------------------
RESULTS := $(B)/test-results/$(SPARK)
UNIT_TESTS := $(patsubst tests/unit/%.c,$(OBJ)/unit/%,$(wildcard tests/unit/test_*.c))
PYTHON := $(B)/venv/bin/python

# A test names further files it links in a line: /* needs: fakes/x.c unit/y.c */
needs = $(patsubst %.c,$(OBJ)/tests/%.o,$(shell sed -n 's|.*/\* needs: \(.*\) \*/.*|\1|p' tests/$(1).c))

.SECONDARY: # keep objects between runs
.SECONDEXPANSION:
$(OBJ)/unit/test_%: $(OBJ)/tests/unit/test_%.o $$(call needs,unit/test_$$*) $(SERVICE_LIBRARY)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) $^ -lcmocka $(LDLIBS) -o $@

# A fuzz target replays its corpus; in MODE=fuzz libFuzzer drives it instead.
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,$(OBJ)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_DRIVER  := $(if $(filter fuzz,$(MODE)),,$(OBJ)/tests/fuzz/replay.o)
FUZZ_LINK    := $(if $(filter fuzz,$(MODE)),-fsanitize=fuzzer,-lcmocka)
$(OBJ)/fuzz/fuzz_%: $(OBJ)/tests/fuzz/fuzz_%.o $$(call needs,fuzz/fuzz_$$*) $(OBJ)/tests/fuzz/input.o \
		$(FUZZ_DRIVER) $(SERVICE_LIBRARY)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) $^ $(FUZZ_LINK) $(LDLIBS) -o $@

$(OBJ)/tests/%.o: CFLAGS += -Itests/unit -Itests/fakes $(LLHTTP_INCLUDE)
$(OBJ)/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -Wno-missing-prototypes -MMD -MP -c $< -o $@

# The service with a scripted engine instead of the JVM: what sanitizers can watch whole.
FAKE_PROGRAM := $(OBJ)/bin/fake-service
$(FAKE_PROGRAM): $(OBJ)/service/main.o $(OBJ)/tests/fakes/fake_engine.o $(SERVICE_LIBRARY)
	@mkdir -p $(@D) $(OBJ)/lib/spark-4.1.0
	$(Q)$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

# The same with calls that can be made to fail.
TORTURE_PROGRAM := $(OBJ)/bin/torture-service
$(TORTURE_PROGRAM): $(OBJ)/service/main.o $(OBJ)/tests/fakes/fake_engine.o $(OBJ)/tests/torture/faults.o \
		$(SERVICE_LIBRARY)
	@mkdir -p $(@D) $(OBJ)/lib/spark-4.1.0
	$(Q)$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@
.PHONY: torture-program
torture-program: $(TORTURE_PROGRAM)

$(B)/venv/.made: tests/requirements.txt
	@echo "installing the Python packages of the tests"
	@rm -rf $(B)/venv && python3 -m venv $(B)/venv
	$(Q)$(PYTHON) -m pip install -q -r tests/requirements.txt
	@touch $@

$(B)/venv/.hostile: tests/hostile/requirements.txt $(B)/venv/.made
	$(Q)$(PYTHON) -m pip install -q -r $<
	@touch $@

$(B)/venv/.bench: tests/bench/requirements.txt $(B)/venv/.made
	$(Q)$(PYTHON) -m pip install -q -r $<
	@touch $@

.PHONY: test test-unit test-unit-one test-asan test-tsan test-bridge test-integration
# coverage is test-unit with counters.
STEPS ?= check coverage test-asan test-tsan test-hostile test-bridge test-integration
test: test-deps build sample ## everything; ends with the counts
	@rm -rf $(RESULTS) && mkdir -p $(RESULTS)
	@failed=0; \
	for step in $(STEPS); do \
		echo "== $$step"; $(MAKE) --no-print-directory $$step || failed=1; \
	done; \
	python3 tests/check/summary.py $(RESULTS) || failed=1; exit $$failed

test-unit: ## unit tests of the C side (well under a minute)
	$(Q)$(MAKE) $(PARALLEL) MODE=plain test-unit-one
test-asan: ## the same under AddressSanitizer and UBSan
	$(Q)$(MAKE) $(PARALLEL) MODE=asan test-unit-one
test-tsan: ## the same under ThreadSanitizer
	$(Q)$(MAKE) $(PARALLEL) MODE=tsan test-unit-one

FUZZ_SECONDS ?= 60
.PHONY: fuzz fuzz-one
fuzz: ## every fuzz target for FUZZ_SECONDS (60); what is new goes to build/fuzz
	@.ci/packages clang
	$(Q)$(MAKE) --no-print-directory MODE=fuzz fuzz-one
fuzz-one: $(FUZZ_TARGETS)
	@tests/fuzz/run.sh $(FUZZ_SECONDS) $(B)/fuzz $(FUZZ_TARGETS)

# Memory bounds are tests too: what is freed mustn't wait in a quarantine of 256 MiB.
test-unit-one: export ASAN_OPTIONS := quarantine_size_mb=16
test-unit-one: $(UNIT_TESTS) $(FUZZ_TARGETS) $(FAKE_PROGRAM)
	@mkdir -p $(RESULTS)/unit-$(MODE)
	@printf '%s\n' $(UNIT_TESTS) $(FUZZ_TARGETS) | REPORTS=$(RESULTS)/unit-$(MODE) \
		FAKE_SERVICE=$(FAKE_PROGRAM) xargs -P $$(nproc) -n 1 tests/unit/run.sh
	@echo "unit tests ($(MODE)): all of $(words $(UNIT_TESTS) $(FUZZ_TARGETS)) programs passed"

test-bridge: ## JUnit tests of the Java bridge
	$(Q)mkdir -p $(RESULTS)/bridge; rc=0; $(MAVEN) test || rc=$$?; \
	cp $(B)/bridge-$(SPARK)/surefire-reports/*.xml $(RESULTS)/bridge/; exit $$rc

# What the tests of the direct engine run against real servers.
.PHONY: sanitized
sanitized:
	$(Q)for mode in asan tsan; do $(MAKE) $(PARALLEL) MODE=$$mode fake-program; done
.PHONY: fake-program
fake-program: $(FAKE_PROGRAM)

PYTEST_ARGS ?=
# The full spans take longer than the limit of one test in pytest.ini.
ifdef LONG
export PYTEST_TIMEOUT ?= 3600
endif
test-integration: $(B)/venv/.made sanitized $(OBJ)/unit/test_arrow_ipc ## the real service over HTTP: conformance and behaviour
	$(Q)mkdir -p $(RESULTS); SPARK=$(SPARK) $(PYTHON) -m pytest tests/integration \
		--junitxml=$(RESULTS)/integration.xml $(PYTEST_ARGS)

.PHONY: test-hostile
test-hostile: $(B)/venv/.hostile ## malformed requests, slow clients, failing calls, against the scripted engine
	$(Q)$(MAKE) $(PARALLEL) MODE=plain fake-program
	$(Q)$(MAKE) $(PARALLEL) MODE=asan fake-program torture-program
	$(Q)mkdir -p $(RESULTS); $(PYTHON) -m pytest tests/hostile --junitxml=$(RESULTS)/hostile.xml $(PYTEST_ARGS)

.PHONY: torture schemathesis
torture: $(B)/venv/.hostile ## each call that can fail, failing, in every scenario (minutes)
	$(Q)$(MAKE) --no-print-directory MODE=asan torture-program
	$(Q)$(PYTHON) tests/torture/torture.py
schemathesis: $(B)/venv/.hostile ## 20 000 requests made from /openapi.json
	$(Q)$(MAKE) --no-print-directory MODE=asan fake-program
	$(Q)LONG=1 $(PYTHON) -m pytest tests/hostile -s -k schema

# Lines of the C side that unit tests, corpora and the service with the scripted engine run.
COVERAGE_MIN ?= 90
.PHONY: coverage
coverage: ## unit tests with line coverage; fails below COVERAGE_MIN (90) per cent
	@.ci/packages gcovr
	$(Q)find $(B)/obj/cov -name '*.gcda' -delete 2>/dev/null || true
	$(Q)$(MAKE) $(PARALLEL) MODE=cov test-unit-one
	$(Q)tests/check/coverage.sh $(B)/obj/cov $(COVERAGE_MIN)

# Tables, programs and classes of `make bench`.
BENCH_TABLES  := $(B)/bench-tables
BENCH_CLASSES := $(B)/bench-classes
BENCH_PROGRAMS := $(addprefix $(OBJ)/bench/,load_client static_server peers/mysql/point_query)
$(BENCH_TABLES)/.made: tests/bench/tables.sql | $(LIB)/.jars
	@echo "making the tables of the bench below $(BENCH_TABLES)"
	@rm -rf $(BENCH_TABLES) && mkdir -p $(BENCH_TABLES)
	$(Q)$(JAVA) $(JVM_OPTIONS) -Xmx1g -cp "$(CLASS_PATH)" sparkservice.bridge.SqlScript \
		--warehouse $(abspath $(BENCH_TABLES))/iceberg --set parquet=$(abspath $(BENCH_TABLES))/parquet \
		--set delta=$(abspath $(BENCH_TABLES))/delta $<
	@touch $@
$(BENCH_CLASSES)/.made: $(wildcard tests/bench/peers/java/*.java) | $(LIB)/.jars
	@rm -rf $(BENCH_CLASSES) && mkdir -p $(BENCH_CLASSES)
	$(Q)$(JAVA_HOME_BUILD)/bin/javac -proc:none -cp "$(LIB)/jars/*" -d $(BENCH_CLASSES) \
		$(filter %.java,$^)
	@touch $@
$(OBJ)/tests/bench/peers/mysql/point_query.o: CFLAGS += $(shell pkg-config --cflags $(MYSQL_CLIENT))
.PHONY: bench
bench: test-deps build $(B)/venv/.bench $(BENCH_TABLES)/.made $(BENCH_CLASSES)/.made $(BENCH_PROGRAMS) ## every case beside its peers; CASES=, PEERS=, TURNS=, REPORT_ONLY=1
	$(Q)SPARK=$(SPARK) JAVA_HOME=$(JAVA_HOME_RUN) $(PYTHON) tests/bench/bench.py

.PHONY: bench-overhead bench-stream bench-small bench-json bench-formats bench-tuning bench-start
bench-overhead: build sample $(B)/venv/.made ## time the service adds to the bridge's own
	$(Q)SPARK=$(SPARK) $(PYTHON) tests/bench/bench_overhead.py
bench-stream: build $(B)/venv/.bench ## a million rows to a fast client, beside DuckDB's COPY
	$(Q)SPARK=$(SPARK) $(PYTHON) tests/bench/bench_stream.py
bench-tuning: build sample $(B)/venv/.made ## one setting at a time against the service as it is (TUNING=name,…)
	$(Q)SPARK=$(SPARK) $(PYTHON) tests/bench/bench_tuning.py
bench-start: build sample $(B)/venv/.bench ## from exec to the first rows, beside spark-sql -e; the queries behind it
	$(Q)SPARK=$(SPARK) $(PYTHON) tests/bench/bench_start.py
bench-small: build $(B)/venv/.made ## small and new statements, beside a loop inside a JVM
	$(Q)SPARK=$(SPARK) $(PYTHON) tests/bench/bench_small.py
bench-json: $(OBJ)/bench/bench_result_json ## rows per second of the JSON writer
	@$<
bench-formats: $(OBJ)/bench/bench_formats ## rows per second of every format and content coding
	@$<
$(OBJ)/bench/%: $(OBJ)/tests/bench/%.o $(OBJ)/tests/bench/bench_batch.o $(OBJ)/tests/unit/arrow_build.o \
		$(SERVICE_LIBRARY)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

.PHONY: soak
soak: build sample $(B)/venv/.made ## 20 000 mixed requests; what stays in the process, as slopes
	$(Q)SPARK=$(SPARK) $(PYTHON) tests/soak/soak.py

# ---- form -----------------------------------------------------------------
.PHONY: check check-layers check-settings check-headers check-restart check-bench format
check: check-layers check-settings check-headers check-restart check-bench ## borders, settings, headers, restarts, the bench's arithmetic
check-layers: ## who may include what
	@tests/check/layers.sh
check-settings: $(FAKE_PROGRAM) ## README's settings table against the program's
	@tests/check/settings.sh $(FAKE_PROGRAM)
check-restart: ## compose and Kubernetes restart the service
	@tests/check/restart.sh
check-bench: ## figures, bounds, report and chart of the bench
	@python3 -m unittest -q tests/bench/test_bench.py
check-headers: ## every header compiles alone
	@printf '%s\n' service/*.h jni/spark_engine.h | xargs -P $$(nproc) -I{} \
		$(CC) $(CFLAGS) $(shell pkg-config --cflags $(MYSQL_CLIENT)) -fsyntax-only -x c -include {} /dev/null
format: ## clang-format over the C sources
	@command -v clang-format >/dev/null || .ci/packages clang-format
	@clang-format -i $$(git ls-files '*.c' '*.h' '*.cc')

# ---- images and the compose stack -----------------------------------------
include $(wildcard docker/*.mk)

compile_commands.json: ## for editors and clang tools
	@command -v bear >/dev/null || .ci/packages bear
	@bear --output $@ -- $(MAKE) -B --no-print-directory MODE=plain $(SERVICE_LIBRARY) $(JNI_OBJECTS) \
		$(OBJ)/service/main.o

.PHONY: clean
clean: ## remove build/
	@rm -rf $(B)
