# jwt_auth: builds with PGXS.
#
#   make, make install, make installcheck	as for any extension
#   make setup		install what is missing to build and test (Debian, Ubuntu)
#   make demo		the extension at work, on a throw-away server
#   make test		every test, on throw-away servers
#   make sanitize	the tests with the address and undefined behaviour sanitizers
#   make matrix		every test on each release we can get; MATRIX="17 18": on these
#   make fuzz, make fuzz-sql	hostile input; FUZZ_SECONDS=120
#   make faults		each call fails that may, in the core and in a server
#   make storms		a million calls, cut off anywhere
#   make valgrind, make coverage, make mutation	what memcheck says; what tests reach, and find
#   make check-layers	includes point one way, exports are the SQL functions
#   make indent-check, make indent	the house's C layout
#   make timing		does the time of a compare tell a secret?
#   make bench		measure it beside others: ten minutes, bench/RESULTS.md
#   make bench-quick	the same, rougher: two minutes, build/bench/RESULTS.md
#   make bench-check	instructions of the core's operations, against the record
#   make bench-record	puts today's on record
#   make deb		Debian packages, tested
#   make deb-test		and installed, beside this machine; DEB="15 17": only these
#   make dist		archives for PGXN, of the last commit
#
# PG_CONFIG=/path/to/pg_config chooses another server; WERROR=1 makes warnings
# errors.

EXTENSION = jwt_auth jwt_auth_pgjwt
MODULE_big = jwt_auth
DATA = jwt_auth--1.0.sql jwt_auth_pgjwt--1.0.sql

# Knows nothing of PostgreSQL.
CORE_OBJS = \
	src/core/alg.o \
	src/core/alg_digest.o \
	src/core/alg_ec.o \
	src/core/alg_eddsa.o \
	src/core/alg_hmac.o \
	src/core/alg_rsa.o \
	src/core/base64url.o \
	src/core/claims.o \
	src/core/jws.o \
	src/core/key.o \
	src/core/key_curve.o \
	src/core/key_edwards.o \
	src/core/key_generate.o \
	src/core/key_jwk.o \
	src/core/key_member.o \
	src/core/key_oct.o \
	src/core/key_pem.o \
	src/core/key_rsa.o \
	src/core/key_uri.o \
	src/core/pem_block.o \
	src/core/primitive.o \
	src/core/refresh_token.o \
	src/core/seal.o \
	src/core/self_test.o

OBJS = \
	jwt_auth.o \
	$(CORE_OBJS) \
	src/backend/asker.o \
	src/backend/catalog.o \
	src/backend/catalog_write.o \
	src/backend/claims_hook.o \
	src/backend/deny_filter.o \
	src/backend/event.o \
	src/backend/expression.o \
	src/backend/expression_claims.o \
	src/backend/expression_index.o \
	src/backend/expression_mend.o \
	src/backend/gateway.o \
	src/backend/guc.o \
	src/backend/identity.o \
	src/backend/issuer.o \
	src/backend/json.o \
	src/backend/json_pick.o \
	src/backend/json_value.o \
	src/backend/jwk.o \
	src/backend/key_admin.o \
	src/backend/key_life.o \
	src/backend/key_reseal.o \
	src/backend/key_set.o \
	src/backend/keystore.o \
	src/backend/keystore_row.o \
	src/backend/keystore_file.o \
	src/backend/keystore_fitting.o \
	src/backend/keystore_secret.o \
	src/backend/keystore_uri.o \
	src/backend/purge.o \
	src/backend/rejection.o \
	src/backend/report.o \
	src/backend/request.o \
	src/backend/revocation.o \
	src/backend/role.o \
	src/backend/secret.o \
	src/backend/session.o \
	src/backend/session_close.o \
	src/backend/session_row.o \
	src/backend/signer.o \
	src/backend/source_names.o \
	src/backend/stats.o \
	src/backend/stats_file.o \
	src/backend/stats_memory.o \
	src/backend/stats_shared.o \
	src/backend/token.o \
	src/backend/token_cache.o \
	src/backend/transport.o \
	src/backend/verifier.o \
	src/backend/verifier_rules.o \
	src/backend/verifier_with.o \
	src/sql/access.o \
	src/sql/advise.o \
	src/sql/arguments.o \
	src/sql/check.o \
	src/sql/identity.o \
	src/sql/issuers.o \
	src/sql/jwk.o \
	src/sql/keys.o \
	src/sql/pgjwt.o \
	src/sql/row_check.o \
	src/sql/sessions.o \
	src/sql/stats.o \
	src/sql/tokens.o

OUR_HEADERS = $(wildcard src/*/*.h)

PG_CPPFLAGS = -Isrc/core -Isrc/backend
PG_CFLAGS = -fvisibility=hidden
SHLIB_LINK = -lcrypto

ifdef WERROR
PG_CFLAGS += -Wall -Wextra -Werror \
	-Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers
# PGXS hands clang the flags that PostgreSQL's own compiler understood.
ifneq (,$(findstring clang,$(CC)))
PG_CFLAGS += -Wno-unknown-warning-option -Wno-ignored-optimization-argument
endif
endif

REGRESS = $(filter-out $(SKIP_REGRESS),$(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql))))
ISOLATION = $(patsubst specs/%.spec,%,$(sort $(wildcard specs/*.spec)))
TAP_TESTS = 1
EXTRA_CLEAN = build

# Bitcode for JIT inlining would need clang, for functions that are never
# worth inlining.  "make with_llvm=yes" builds it all the same.
ifneq ($(origin with_llvm),command line)
override with_llvm := no
endif

.DEFAULT_GOAL := all

# Nothing of PostgreSQL is needed to read this file, so that "make setup"
# works on a bare machine.
PG_CONFIG ?= $(shell scripts/find_pg_config.sh)
PGXS := $(if $(PG_CONFIG),$(shell $(PG_CONFIG) --pgxs))

ifneq (,$(PGXS))
export PG_CONFIG
include $(PGXS)

# The server's headers are not ours to warn about.
override CPPFLAGS := $(patsubst -I$(includedir_server),-isystem $(includedir_server),$(CPPFLAGS))

# PostgreSQL's own packages come without dependency tracking.
$(OBJS): $(OUR_HEADERS)
else
all install installcheck:
	@echo "No pg_config with PGXS was found: run \"make setup\", or give PG_CONFIG=..." >&2
	@exit 1
clean:
	rm -rf $(OBJS) $(EXTRA_CLEAN)
endif

# The unit tests: src/core with test/unit, and no PostgreSQL.
UNIT_CFLAGS = -std=c99 -g -O1 -Wall -Wextra
UNIT_OBJS = $(patsubst %.c,build/unit/%.o,$(wildcard src/core/*.c test/unit/*.c))

build/unit/unit: $(UNIT_OBJS) build/unit/vectors.txt
	$(CC) $(UNIT_CFLAGS) -o $@ $(UNIT_OBJS) -lcrypto -pthread \
		-Wl,-z,now -Wl,--wrap=CRYPTO_memcmp,--wrap=OPENSSL_cleanse

build/unit/vectors.txt: test/vectors/flatten.pl $(wildcard test/vectors/*.jsonl)
	@mkdir -p $(@D)
	perl $^ >$@

build/unit/%.o: %.c $(OUR_HEADERS) $(wildcard test/unit/*.h)
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -Isrc/core -Itest/unit -c -o $@ $<

# What follows a set-up runs in a make of its own, which finds the pg_config
# that the set-up may have installed.  "+" hands the job server to the scripts.
PARALLEL = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
AFTER_SETUP = @+$(MAKE) --no-print-directory -s $(PARALLEL)

.PHONY: setup demo run-demo test run-test matrix check-layers indent indent-check

# The benchmarks' programs; libraries beside ours are installed by "make bench".
BENCH_CFLAGS = -O2 -g -Wall -Wextra -Wno-unused-parameter -Isrc/core -Ibench/peers
BENCH_PROGRAMS = $(addprefix build/bench/,floor libjwt libcjose reference.so)

bench-programs: $(BENCH_PROGRAMS)

build/bench/floor: bench/peers/floor_main.c bench/peers/floor.c bench/peers/peer.c src/core/base64url.c
build/bench/floor: BENCH_LIBS = -lcrypto
build/bench/libjwt: bench/peers/libjwt.c bench/peers/peer.c
build/bench/libjwt: BENCH_LIBS = -ljwt
build/bench/libcjose: bench/peers/libcjose.c bench/peers/peer.c
build/bench/libcjose: BENCH_LIBS = -lcjose -ljansson
build/bench/reference.so: bench/peers/reference.c bench/peers/floor.c
build/bench/reference.so: BENCH_LIBS = -shared -fPIC -isystem $(includedir_server) -lcrypto

$(BENCH_PROGRAMS): bench/peers/floor.h bench/peers/peer.h
	@mkdir -p $(@D)
	$(CC) $(BENCH_CFLAGS) -o $@ $(filter %.c,$^) $(BENCH_LIBS)

.PHONY: bench bench-quick run-bench run-bench-quick bench-programs bench-check bench-record

bench bench-quick:
	@scripts/setup.sh bench
	$(AFTER_SETUP) run-$@

run-bench: all bench-programs
	@+bench/run.sh

run-bench-quick: all bench-programs
	@+bench/run.sh quick

bench-check:
	@scripts/setup.sh bench-check
	@CC='$(CC)' bench/instructions/count.sh

bench-record:
	@scripts/setup.sh bench-check
	@CC='$(CC)' bench/instructions/count.sh --record

setup:
	@scripts/setup.sh

demo: setup
	$(AFTER_SETUP) run-demo

run-demo: all
	@+scripts/with_server.sh scripts/demo.sh

test: setup
	$(AFTER_SETUP) run-test

run-test: all build/unit/unit
	@+scripts/test.sh

# In root folders that scripts/root.sh makes and keeps.
.PHONY: matrix sanitize

matrix: setup
	@+scripts/matrix.sh

sanitize:
	@+scripts/sanitize.sh

# And that the faults which "make mutation" seeds are there to be seeded.
check-layers: all
	@CC='$(CC)' scripts/check_layers.sh
	@test/mutation/run.pl --check

indent:
	@scripts/indent.sh

indent-check:
	@scripts/indent.sh --check

# The fuzz targets: src/core with test/fuzz, by clang.  FUZZ=jws runs that one.
FUZZ = $(filter-out fuzz door,$(patsubst test/fuzz/%.c,%,$(wildcard test/fuzz/*.c)))
FUZZ_CC = clang -std=c99 -g -O1 -fno-omit-frame-pointer \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all

.PHONY: fuzz run-fuzz fuzz-sql

fuzz:
	@scripts/setup.sh fuzz
	$(AFTER_SETUP) run-fuzz

fuzz-sql: setup
	@+scripts/fuzz_sql.sh

run-fuzz: $(FUZZ:%=build/fuzz/%)
	@FUZZ_SECONDS='$(FUZZ_SECONDS)' scripts/fuzz.sh $(FUZZ)

FUZZ_OBJS = $(CORE_OBJS:%=build/fuzz/obj/%) build/fuzz/obj/test/fuzz/fuzz.o \
	build/fuzz/obj/test/fuzz/door.o

.SECONDARY: $(FUZZ:%=build/fuzz/obj/test/fuzz/%.o)

build/fuzz/%: build/fuzz/obj/test/fuzz/%.o $(FUZZ_OBJS)
	$(FUZZ_CC) -o $@ $^ -lcrypto

build/fuzz/obj/%.o: %.c $(OUR_HEADERS) test/fuzz/fuzz.h
	@mkdir -p $(@D)
	$(FUZZ_CC) -Wall -Wextra -Isrc/core -Itest/fuzz -c -o $@ $<

# The fault tests: src/core with test/fault, where each call of libcrypto and
# each allocation that it makes fails in turn; and a server, where each call
# does that the library makes.
FAULT_FLAGS = -std=c99 -g -O1 -Wall -Wextra -Isrc/core -Itest/fuzz -Itest/fault
FAULT_OBJS = $(CORE_OBJS:%=build/fault/%)
FAULT_OURS = $(patsubst %.c,build/fault/%.o,$(wildcard test/fault/*.c) test/fuzz/fuzz.c)

.PHONY: faults run-faults core-faults server-faults

faults: setup
	$(AFTER_SETUP) run-faults

run-faults: core-faults server-faults

core-faults: build/fault/fault
	@mkdir -p build/proof
	@FAULT_ALL=1 build/fault/fault >build/fault/log; status=$$?; grep '^not ok' build/fault/log; \
		tail -n 1 build/fault/log | tee build/proof/faults; exit $$status

server-faults: all
	@+JWT_AUTH_FAULT_CALLS=100000 scripts/thorough.sh t/510_faults.pl

# Statements cut off anywhere, a million calls in all.
.PHONY: storms run-storms

storms: setup
	$(AFTER_SETUP) run-storms

run-storms: all
	@+JWT_AUTH_STORM_CALLS=500000 scripts/thorough.sh t/520_storms.pl

build/fault/fault: $(FAULT_OBJS) $(FAULT_OURS)
	$(CC) -g -o $@ $^ -lcrypto -ldl

$(FAULT_OBJS): build/fault/%.o: %.c build/fault/calls.h $(OUR_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(FAULT_FLAGS) -include build/fault/calls.h -c -o $@ $<

build/fault/calls.h: test/fault/calls.sh $(CORE_OBJS:.o=.c)
	@mkdir -p $(@D)
	CC='$(CC)' test/fault/calls.sh >$@

build/fault/test/%.o: test/%.c test/fault/fault.h test/fuzz/fuzz.h $(OUR_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(FAULT_FLAGS) -c -o $@ $<

# The timing test, on demand: src/core as it is shipped, with a compare of ours.
.PHONY: timing run-timing

timing: setup
	$(AFTER_SETUP) run-timing

run-timing: build/timing/timing
	@mkdir -p build/proof
	@build/timing/timing $(TIMING) >build/timing/log; status=$$?; cat build/timing/log; \
		tail -n 1 build/timing/log >build/proof/timing; exit $$status

build/timing/timing: test/timing/timing.c $(CORE_OBJS) $(OUR_HEADERS)
	@mkdir -p $(@D)
	$(CC) -std=c99 -g -O1 -Wall -Wextra -Isrc/core -o $@ $< $(CORE_OBJS) \
		-Wl,--wrap=CRYPTO_memcmp -lcrypto -lm -pthread

.PHONY: docs-check run-docs-check newcomer

docs-check: setup
	$(AFTER_SETUP) run-docs-check

run-docs-check: all
	@+scripts/docs_check.sh

# On an empty machine, which it makes.
newcomer:
	@scripts/newcomer.sh

# Proofs that take longer than a test may.
.PHONY: coverage mutation valgrind run-valgrind

coverage: setup
	@+scripts/coverage.sh

mutation: setup
	@+test/mutation/run.pl

valgrind:
	@scripts/setup.sh valgrind
	$(AFTER_SETUP) run-valgrind

run-valgrind: all build/unit/unit
	@+scripts/valgrind.sh

# Packages: Debian's into build/deb, PGXN's into build/dist.
.PHONY: deb deb-test dist check-meta

deb:
	@scripts/setup.sh deb
	@scripts/deb.sh

deb-test: setup
	@scripts/deb_test.sh $(DEB)

dist:
	@scripts/dist.sh

check-meta:
	@scripts/check_meta.pl
