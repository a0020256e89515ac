/*-------------------------------------------------------------------------
 *
 * fault.c
 *	  Drives each operation of src/core through each failure that it can
 *	  meet: the n-th call of libcrypto for every n, the n-th allocation, the
 *	  n-th and all after it.
 *
 * Each must end without a crash, with a right result or with none, with an
 * empty error queue and nothing leaked.  Each operation runs in a process of
 * its own: where libcrypto itself dies for want of memory, that is counted
 * and is not ours.  With FAULT_ALL=1 every n is tried, else some dozen of many.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <execinfo.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/err.h>

#include "fault.h"
#include "fuzz.h"
#include "operation.h"

/* Exit status of a process that died inside libcrypto. */
#define DIED_IN_LIBCRYPTO 99

/* Processes that one operation and kind may lose: more than it has tries. */
#define MAX_DEATHS 10000

/*
 * What libcrypto does wrong, out of memory: OpenSSL 3.0 gives one prime for
 * another if its list of them cannot grow.
 */
static const char known_wrong[] = "write JWK rsa1024";

/* Tries of one operation and kind, where not all are made. */
#define SOME 15

/* What a child tells its parent, even as it dies. */
typedef struct Progress
{
	FaultKind	kind;
	long		n;
	long		step;			/* to the next n that is tried */
	long		runs;
	long		failed;			/* runs in which something failed */
	long		errors;			/* runs that ended with an error */
	bool		done;
	char		problem[400];
} Progress;

static Progress *progress;
static long libcrypto_deaths;

/* Of the running try. */
static FaultKind try_kind;
static long try_n;
static long try_seen;
static bool try_hit;
static bool try_succeeded;
static bool try_failed;
static bool try_never;
static char try_what[200];

static const char *const kind_names[NUM_FAULT_KINDS] = {
	"nothing", "a call", "an allocation", "memory from an allocation on"
};

void
fuzz_one(JwtSlice input)
{
	(void) input;
}

void
hold(bool condition, const char *what)
{
	if (!condition && progress->problem[0] == '\0')
		snprintf(progress->problem, sizeof(progress->problem),
				 "does not hold: %s; %s %ld failed: %s", what,
				 kind_names[try_kind], try_n,
				 try_what[0] != '\0' ? try_what : "nothing");
}

/* Several in one try count on. */
void
begin(void)
{
	ERR_clear_error();
	fault_arm(try_kind, try_n - try_seen);
}

JwtStatus
end(JwtStatus status)
{
	bool		clean = ERR_peek_error() == 0;

	try_seen += fault_disarm();
	if (fault_what() != NULL)
	{
		try_hit = true;
		snprintf(try_what, sizeof(try_what), "%s", fault_what());
	}
	if (status == JWT_OK)
		try_succeeded = true;
	else
		try_failed = true;
	hold(clean, "the error queue is empty");
	hold(status == JWT_OK || try_what[0] != '\0' || try_never,
		 "nothing fails by itself");
	ERR_clear_error();
	return status;
}

/* Blocks that the try left behind. */
static long
run_once(const Operation *op, FaultKind kind, long n)
{
	long		before = fault_live_blocks();

	progress->kind = try_kind = kind;
	progress->n = try_n = n;
	try_seen = 0;
	try_hit = try_succeeded = try_failed = false;
	try_never = op->never;
	try_what[0] = '\0';
	op->run(op->arg);
	progress->runs++;
	progress->failed += try_hit;
	progress->errors += try_hit && try_failed;
	if (op->never)
		hold(!try_succeeded, "what is bad is refused");
	return fault_live_blocks() - before;
}

/* libcrypto keeps some things once; a leak comes back each time. */
static bool
leaks(const Operation *op, FaultKind kind, long n)
{
	return run_once(op, kind, n) > 0 && run_once(op, kind, n) > 0 &&
		run_once(op, kind, n) > 0;
}

/*
 * What libcrypto itself forgets when an allocation of its own fails is not
 * the same in each release; 3.0 forgets nothing in what we call.
 */
static bool
libcrypto_forgets(FaultKind kind)
{
	return kind != FAULT_CALL &&
		(OPENSSL_version_major() > 3 || OPENSSL_version_minor() > 0);
}

static void
try_fault(const Operation *op, FaultKind kind, long n)
{
	if (leaks(op, kind, n))
		hold(libcrypto_forgets(kind), "nothing leaks");
}

/* How many things of that kind can fail in op. */
static long
count_faults(const Operation *op, FaultKind kind)
{
	(void) run_once(op, kind, LONG_MAX);
	if (!op->never)
		hold(try_succeeded && !try_failed, "it works");
	return try_seen;
}

/*
 * A crash inside libcrypto is its own if an allocation of its own failed; one
 * that follows a call that we saw fail is ours.
 */
static void
on_crash(int signal_number)
{
	void	   *frames[4];
	Dl_info		info;

	/* This function, the kernel's way to it, and where it happened */
	if (try_kind != FAULT_CALL && backtrace(frames, 4) >= 3 &&
		dladdr(frames[2], &info) != 0 &&
		strstr(info.dli_fname, "libcrypto") != NULL)
		_exit(DIED_IN_LIBCRYPTO);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static void
run_child(const Operation *op, FaultKind kind, long from)
{
	long		total;
	long		n;
	void	   *frames[1];

	/* The first call allocates; a handler must not. */
	(void) backtrace(frames, 1);
	signal(SIGSEGV, on_crash);
	signal(SIGABRT, on_crash);
	(void) run_once(op, FAULT_NONE, 0);
	total = count_faults(op, kind);
	if (getenv("FAULT_ALL") == NULL && kind != FAULT_CALL && total > SOME)
		progress->step = total / SOME;
	for (n = from; n <= total && progress->problem[0] == '\0';
		 n += progress->step)
		try_fault(op, kind, n);

	/* And afterwards all is well again. */
	(void) count_faults(op, FAULT_NONE);
	hold(!leaks(op, FAULT_NONE, 0), "nothing leaks");
	progress->done = true;
	exit(EXIT_SUCCESS);
}

/*
 * A death inside a try is the try's; the next process goes on behind it.
 * True if none was ours.
 */
static bool
run_kind(const Operation *op, FaultKind kind)
{
	bool		good = true;
	int			lives;
	long		from = 1;

	progress->done = false;
	progress->step = 1;
	for (lives = MAX_DEATHS; lives > 0 && !progress->done &&
		 progress->problem[0] == '\0'; lives--)
	{
		int			status = 0;
		pid_t		pid;

		fflush(stdout);
		pid = fork();
		if (pid == 0)
			run_child(op, kind, from);
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			exit(EXIT_FAILURE);
		if (!progress->done)
		{
			from = progress->n + progress->step;
			if (WIFEXITED(status) && WEXITSTATUS(status) == DIED_IN_LIBCRYPTO)
				libcrypto_deaths++;
			else
			{
				good = false;
				printf("# %s %s died as %s %ld failed\n", op->name, op->arg,
					   kind_names[progress->kind], progress->n);
			}
		}
	}

	/* What was not tried has not been found good. */
	if (!progress->done && progress->problem[0] == '\0')
		snprintf(progress->problem, sizeof(progress->problem),
				 "died too often, at last as %s %ld failed",
				 kind_names[kind], progress->n);
	return good;
}

/* True if all is as it must be. */
static bool
run_operation(const Operation *op)
{
	char		name[100];
	bool		good = true;
	int			kind;

	memset(progress, 0, sizeof(*progress));
	for (kind = FAULT_CALL; kind < NUM_FAULT_KINDS; kind++)
		good = run_kind(op, (FaultKind) kind) && good;

	snprintf(name, sizeof(name), "%s %s", op->name, op->arg);
	if (good && progress->problem[0] != '\0' &&
		strcmp(name, known_wrong) == 0 &&
		strstr(progress->problem, "crypto/stack/stack.c") != NULL)
		printf("ok %s: known: %s\n", name, progress->problem);
	else if (good && progress->problem[0] == '\0')
		printf("ok %s: %ld runs, %ld with a failure, %ld refused\n", name,
			   progress->runs, progress->failed, progress->errors);
	else
	{
		good = false;
		printf("not ok %s: %s\n", name, progress->problem);
	}
	return good;
}

int
main(void)
{
	const Operation *op;
	long		runs = 0;
	long		failed = 0;
	long		errors = 0;
	int			bad = 0;
	int			count = 0;

	progress = mmap(NULL, sizeof(Progress), PROT_READ | PROT_WRITE,
					MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (progress == MAP_FAILED)
		return EXIT_FAILURE;
	fault_install();

	for (op = operations; op->run != NULL; op++)
	{
		count++;
		bad += !run_operation(op);
		runs += progress->runs;
		failed += progress->failed;
		errors += progress->errors;
	}
	printf("faults: %d operations, %ld runs, %ld failures injected, %ld errors, %ld deaths inside libcrypto, %d failed\n",
		   count, runs, failed, errors, libcrypto_deaths, bad);
	return bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
