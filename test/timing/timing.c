/*-------------------------------------------------------------------------
 *
 * timing.c
 *	  Does the time that a compare takes tell where a tag is wrong?
 *
 * After Reparaz, Balasch and Verbauwhede, "Dude, is my code constant time?":
 * one operation is timed with inputs of two classes, here a tag that is wrong
 * in its first byte and one that is wrong in its last, and Welch's t-test
 * says whether the two sets of times have one mean.
 *
 * The operations are those of src/core, in the object files that are
 * shipped; only the compare at their end is another at times (the linker's
 * --wrap), so that each run also shows what it would have seen:
 *
 *	core	libcrypto's, as shipped: must show nothing
 *	bytes	stops at the first byte that differs: must be seen
 *	memcmp	the C library's, to know; many look at 32 bytes at once and
 *			do not show where they differ
 *
 * The machine may be busy.  Class and compare are drawn anew for each
 * measurement, so that whatever else happens hits all alike; the slowest
 * ones, which an interrupt or another process made slow, are left out; and
 * a difference counts only if it comes back, in the same direction, each
 * time that the whole is measured again.
 *
 * "timing N" takes N measurements of each operation.
 *
 *-------------------------------------------------------------------------
 */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#if defined(__x86_64__) || defined(__i386__)
#include <x86intrin.h>
#endif

#include "key.h"
#include "refresh_token.h"

#define LEAK 4.5				/* |t| from which two means are not the same */
#define SEEN 10.0				/* |t| that a leak must show to be called seen */
#define ATTEMPTS 3
#define MEASUREMENTS 1200000
#define MIN_MEASUREMENTS 10000

typedef enum Compare
{
	COMPARE_CORE,
	COMPARE_BYTES,
	COMPARE_MEMCMP
} Compare;

#define NUM_COMPARES (COMPARE_MEMCMP + 1)

static const char *const compare_names[] = {"core", "bytes", "memcmp"};

/* What is timed: prepare() once, then run() with tag wrong somewhere. */
typedef struct Operation
{
	const char *name;
	const char *arg;
	void		(*prepare) (const char *arg);
	JwtStatus	(*run) (void);
} Operation;

typedef struct Measurement
{
	uint64_t	time;
	unsigned char last;			/* class: is the last byte wrong? */
	unsigned char compare;
} Measurement;

static volatile Compare compare = COMPARE_CORE;

/* What is compared with the right one, and where it lies. */
static unsigned char *tag;
static size_t taglen;

static JwtKey *key;
static const JwtAlg *alg;
static unsigned char signature[JWT_MAX_SIGNATURE_LEN];
static JwtRefreshToken token;
static unsigned char tag_key[JWT_REFRESH_TAG_KEY_LEN] = {1, 2, 3};
static unsigned char stored_hash[JWT_SHA256_LEN];

extern int	__wrap_CRYPTO_memcmp(const void *a, const void *b, size_t len);
extern int	__real_CRYPTO_memcmp(const void *a, const void *b, size_t len);

static int
compare_bytes(const unsigned char *a, const unsigned char *b, size_t len)
{
	size_t		i;

	for (i = 0; i < len; i++)
		if (a[i] != b[i])
			return 1;
	return 0;
}

int
__wrap_CRYPTO_memcmp(const void *a, const void *b, size_t len)
{
	switch (compare)
	{
		case COMPARE_BYTES:
			return compare_bytes(a, b, len);
		case COMPARE_MEMCMP:
			return memcmp(a, b, len);
		case COMPARE_CORE:
			break;
	}
	return __real_CRYPTO_memcmp(a, b, len);
}

static void
demand(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "timing: %s\n", what);
	exit(EXIT_FAILURE);
}

static const char signed_text[] =
"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiIsImV4cCI6MTk5OTk5OTk5OX0";

/* The MAC of a JWT. */
static void
prepare_mac(const char *arg)
{
	static const JwtKeyLimits limits = {JWT_MIN_RSA_BITS};
	JwtJwk		jwk;

	memset(&jwk, 0, sizeof(jwk));
	jwk.member[JWT_JWK_KTY] = jwt_slice_of("oct");
	jwk.member[JWT_JWK_K] = jwt_slice_of("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_"
										 "T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
	alg = jwt_alg_find(jwt_slice_of(arg));
	jwt_key_free(key);
	demand(alg != NULL && jwt_key_from_jwk(&jwk, &limits, &key) == JWT_OK &&
		   jwt_key_sign(key, alg, jwt_slice_of(signed_text), signature,
						&taglen) == JWT_OK, "cannot sign");
	tag = signature;
}

static JwtStatus
verify_mac(void)
{
	return jwt_key_verify(key, alg, jwt_slice_of(signed_text), signature,
						  taglen);
}

/* The tag of a refresh token. */
static void
prepare_token(const char *arg)
{
	(void) arg;
	memset(&token, 0, sizeof(token));
	token.generation = 7;
	demand(jwt_refresh_token_seal(&token, tag_key) == JWT_OK, "cannot seal");
	tag = token.tag;
	taglen = sizeof(token.tag);
}

static JwtStatus
check_token(void)
{
	return jwt_refresh_token_check(&token, tag_key);
}

/* The hash of its secret beside a session's: as session.c looks it up. */
static void
prepare_hash(const char *arg)
{
	prepare_token(arg);
	demand(jwt_refresh_token_hash(&token, stored_hash) == JWT_OK,
		   "cannot hash");
	tag = stored_hash;
	taglen = sizeof(stored_hash);
}

static JwtStatus
look_up_hash(void)
{
	unsigned char hash[JWT_SHA256_LEN];
	JwtStatus	status = jwt_refresh_token_hash(&token, hash);

	if (status == JWT_OK &&
		!jwt_equal_consttime(hash, stored_hash, sizeof(hash)))
		status = JWT_E_SIGNATURE;
	return status;
}

static const Operation operations[] = {
	{"HS256", "HS256", prepare_mac, verify_mac},
	{"HS512", "HS512", prepare_mac, verify_mac},
	{"refresh token, tag", NULL, prepare_token, check_token},
	{"refresh token, hash", NULL, prepare_hash, look_up_hash}
};

#define NUM_OPERATIONS (sizeof(operations) / sizeof(operations[0]))

/* Ticks of the finest clock there is; nothing moves across it. */
static uint64_t
now(void)
{
#if defined(__x86_64__) || defined(__i386__)
	uint64_t	ticks;

	_mm_lfence();
	ticks = __rdtsc();
	_mm_lfence();
	return ticks;
#else
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t) t.tv_sec * 1000000000 + (uint64_t) t.tv_nsec;
#endif
}

/* xorshift64*: what is drawn need not be secret, only without a pattern. */
static uint32_t
draw(void)
{
	static uint64_t state = UINT64_C(0x9E3779B97F4A7C15);

	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t) ((state * UINT64_C(0x2545F4914F6CDD1D)) >> 32);
}

static void
measure(const Operation *op, Measurement *m, size_t n)
{
	size_t		i;

	op->prepare(op->arg);
	demand(op->run() == JWT_OK, "the right tag is refused");
	for (i = 0; i < n; i++)
	{
		unsigned	last = draw() & 1;
		uint64_t	began;
		JwtStatus	status;

		/* The same two bytes are written for either class. */
		tag[0] ^= (unsigned char) (1 - last);
		tag[taglen - 1] ^= (unsigned char) last;
		compare = (Compare) (draw() % NUM_COMPARES);

		began = now();
		status = op->run();
		m[i].time = now() - began;
		m[i].last = (unsigned char) last;
		m[i].compare = (unsigned char) compare;
		demand(status == JWT_E_SIGNATURE, "a wrong tag is not refused");

		tag[0] ^= (unsigned char) (1 - last);
		tag[taglen - 1] ^= (unsigned char) last;
	}
	compare = COMPARE_CORE;
}

static int
by_time(const void *a, const void *b)
{
	const Measurement *x = a;
	const Measurement *y = b;

	return (x->time > y->time) - (x->time < y->time);
}

/* Welch's t of the measurements with that compare; 0 if they are too few. */
static double
welch(const Measurement *m, size_t n, Compare which)
{
	double		count[2] = {0, 0};
	double		mean[2] = {0, 0};
	double		square[2] = {0, 0}; /* sum of squared distances */
	double		error;
	size_t		i;

	for (i = 0; i < n; i++)
	{
		unsigned	class = m[i].last;
		double		distance = (double) m[i].time - mean[class];

		if (m[i].compare != which)
			continue;
		count[class]++;
		mean[class] += distance / count[class];
		square[class] += distance * ((double) m[i].time - mean[class]);
	}
	if (count[0] < 100 || count[1] < 100)
		return 0;
	error = square[0] / (count[0] - 1) / count[0] +
		square[1] / (count[1] - 1) / count[1];
	return error > 0 ? (mean[1] - mean[0]) / sqrt(error) : 0;
}

/*
 * The t that is farthest from 0 when only the fastest 60, 80, 90, 95 or 99 %
 * are looked at.  m is sorted; where it is cut does not depend on the class.
 */
static double
largest_t(const Measurement *m, size_t n, Compare which)
{
	static const int percent[] = {60, 80, 90, 95, 99};
	double		largest = 0;
	size_t		i;

	for (i = 0; i < sizeof(percent) / sizeof(percent[0]); i++)
	{
		double		t = welch(m, n / 100 * (size_t) percent[i], which);

		if (fabs(t) > fabs(largest))
			largest = t;
	}
	return largest;
}

/* What came back of a difference: nothing if its direction did not. */
static double
repeated(double t, double again)
{
	if (t * again <= 0)
		return 0;
	return fabs(again) < fabs(t) ? again : t;
}

/*
 * Measures until core shows nothing and bytes are seen, or it is out of
 * attempts.  For core t is what came back each time, else the largest.
 */
static void
judge(const Operation *op, Measurement *m, size_t n, double t[NUM_COMPARES],
	  double *measured)
{
	int			attempt = 0;

	do
	{
		int			i;

		measure(op, m, n);
		*measured += (double) n;
		qsort(m, n, sizeof(m[0]), by_time);
		for (i = 0; i < NUM_COMPARES; i++)
		{
			double		found = largest_t(m, n, (Compare) i);

			if (attempt == 0)
				t[i] = found;
			else if (i == COMPARE_CORE)
				t[i] = repeated(t[i], found);
			else if (fabs(found) > fabs(t[i]))
				t[i] = found;
		}
	} while ((fabs(t[COMPARE_CORE]) >= LEAK || fabs(t[COMPARE_BYTES]) <= SEEN) &&
			 ++attempt < ATTEMPTS);
}

int
main(int argc, char **argv)
{
	size_t		n = argc > 1 ? strtoul(argv[1], NULL, 10) : MEASUREMENTS;
	Measurement *m;
	double		measured = 0;
	double		worst = 0;
	double		dimmest = INFINITY;
	const char *verdict = "no leak";
	size_t		i;

	demand(n >= MIN_MEASUREMENTS, "that is too few measurements");
	m = calloc(n, sizeof(*m));
	demand(m != NULL, "no memory");

	printf("t of a tag wrong in its last byte beside one wrong in its first\n"
		   "%-20s", "");
	for (i = 0; i < NUM_COMPARES; i++)
		printf(" %10s", compare_names[i]);
	printf("\n");
	for (i = 0; i < NUM_OPERATIONS; i++)
	{
		double		t[NUM_COMPARES];

		judge(&operations[i], m, n, t, &measured);
		printf("%-20s %10.1f %10.1f %10.1f\n", operations[i].name,
			   t[COMPARE_CORE], t[COMPARE_BYTES], t[COMPARE_MEMCMP]);
		fflush(stdout);
		worst = fmax(worst, fabs(t[COMPARE_CORE]));
		dimmest = fmin(dimmest, fabs(t[COMPARE_BYTES]));
	}
	free(m);
	jwt_key_free(key);

	if (worst >= LEAK)
		verdict = "IT LEAKS";
	else if (dimmest <= SEEN)
		verdict = "TOO NOISY HERE TO TELL";
	printf("timing: %s: largest |t| %.1f, must be below %.1f; a compare that stops early"
		   " shows %.1f, must be above %.1f; %.0f measurements\n",
		   verdict, worst, LEAK, dimmest, SEEN, measured);
	return worst < LEAK && dimmest > SEEN ? EXIT_SUCCESS : EXIT_FAILURE;
}
