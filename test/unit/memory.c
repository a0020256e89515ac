/*-------------------------------------------------------------------------
 *
 * memory.c
 *	  libcrypto's heap and a stack of our own, watched; see memory.h.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#include <openssl/crypto.h>

#include "base64url.h"
#include "harness.h"
#include "memory.h"

#define STACK_SIZE	(1024 * 1024)
#define MAX_LOOK_FOR 512
#define NUM_FORMS	3

static long blocks;
static long countdown;			/* allocations until they fail; 0: never */
static bool once;				/* only that one */
static bool failed;
static long compares;

/* What is looked for, in its forms; none unless watched for. */
static bool looking;
static bool found;				/* in a block that was given back */
static bool wiped;				/* by our own code */
static unsigned char form[NUM_FORMS][2 * MAX_LOOK_FOR];
static size_t form_len[NUM_FORMS];

static bool
holds_secret(const void *block, size_t len)
{
	int			i;

	for (i = 0; i < NUM_FORMS; i++)
	{
		if (memmem(block, len, form[i], form_len[i]) != NULL)
			return true;
	}
	return false;
}

static bool
must_fail(void)
{
	if (countdown > 0 && --countdown == 0)
	{
		failed = true;
		return true;
	}
	return failed && !once;
}

/* Filled with zeroes, so that what is found was written. */
static void *
watched_malloc(size_t size, const char *file, int line)
{
	void	   *block;

	(void) file;
	(void) line;
	block = size == 0 || must_fail() ? NULL : calloc(1, size);
	if (block != NULL)
		blocks++;
	return block;
}

static void
watched_free(void *block, const char *file, int line)
{
	(void) file;
	(void) line;
	if (block == NULL)
		return;
	if (looking && holds_secret(block, malloc_usable_size(block)))
		found = true;
	blocks--;
	free(block);
}

static void *
watched_realloc(void *block, size_t size, const char *file, int line)
{
	size_t		old = block != NULL ? malloc_usable_size(block) : 0;
	void	   *moved = watched_malloc(size, file, line);

	if (moved != NULL && block != NULL)
		memcpy(moved, block, old < size ? old : size);
	if (moved != NULL || size == 0)
		watched_free(block, file, line);
	return moved;
}

void
memory_watch(void)
{
	if (CRYPTO_set_mem_functions(watched_malloc, watched_realloc,
								 watched_free) != 1)
		abort();
}

long
memory_blocks(void)
{
	return blocks;
}

void
memory_fail_from(long n, bool only_that)
{
	countdown = n;
	once = only_that;
	failed = false;
}

bool
memory_failed(void)
{
	return failed;
}

static void
look_for(JwtSlice secret)
{
	size_t		i;

	for (i = 0; i < secret.len; i++)
	{
		form[0][i] = (unsigned char) secret.data[i];
		form[1][i] = (unsigned char) secret.data[secret.len - 1 - i];
	}
	form_len[0] = form_len[1] = secret.len;
	form_len[2] = jwt_base64url_encode(form[0], secret.len, (char *) form[2]);
	found = wiped = false;
	looking = true;
}

typedef struct Call
{
	void		(*run) (void *arg);
	void	   *arg;
	sem_t		done;
	sem_t		looked_at;
} Call;

/* So deep that nothing which comes after it reaches its part of the stack. */
__attribute__((noinline))
static void
run_deep(const Call *c)
{
	volatile char gap[8192];

	gap[0] = 0;
	c->run(c->arg);
	gap[1] = gap[0];
}

/* The thread's end would write over what is to be looked at. */
static void *
call(void *arg)
{
	Call	   *c = arg;

	run_deep(c);
	(void) sem_post(&c->done);
	while (sem_wait(&c->looked_at) != 0)
		;
	return NULL;
}

/*
 * valgrind takes what lies beyond a stack's end for nobody's, and a sanitizer
 * of addresses spills what it watches.
 */
static bool
can_look_at_stacks(void)
{
#ifdef __SANITIZE_ADDRESS__
	return false;
#else
	return getenv("JWT_AUTH_VALGRIND") == NULL;
#endif
}

bool
memory_is_clean_after(void (*run) (void *arg), void *arg, JwtSlice secret)
{
	Call		c;
	unsigned char *stack = aligned_alloc(4096, STACK_SIZE);
	pthread_attr_t attr;
	pthread_t	thread;
	bool		clean;

	if (stack == NULL || secret.len == 0 || secret.len > MAX_LOOK_FOR)
		abort();
	memset(stack, 0, STACK_SIZE);
	look_for(secret);
	c.run = run;
	c.arg = arg;
	if (sem_init(&c.done, 0, 0) != 0 || sem_init(&c.looked_at, 0, 0) != 0 ||
		pthread_attr_init(&attr) != 0 ||
		pthread_attr_setstack(&attr, stack, STACK_SIZE) != 0 ||
		pthread_create(&thread, &attr, call, &c) != 0)
		abort();
	while (sem_wait(&c.done) != 0)
		;

	clean = !found && (!can_look_at_stacks() ||
					   !holds_secret(stack, STACK_SIZE));
	looking = false;
	if (sem_post(&c.looked_at) != 0 || pthread_join(thread, NULL) != 0)
		abort();
	(void) pthread_attr_destroy(&attr);
	(void) sem_destroy(&c.done);
	(void) sem_destroy(&c.looked_at);
	free(stack);
	return clean;
}

bool
memory_was_wiped(void)
{
	return wiped;
}

/* The linker puts these in the places of libcrypto's own: see the Makefile. */
extern int	__wrap_CRYPTO_memcmp(const void *a, const void *b, size_t len);
extern int	__real_CRYPTO_memcmp(const void *a, const void *b, size_t len);
extern void __wrap_OPENSSL_cleanse(void *block, size_t len);
extern void __real_OPENSSL_cleanse(void *block, size_t len);

int
__wrap_CRYPTO_memcmp(const void *a, const void *b, size_t len)
{
	compares++;
	return __real_CRYPTO_memcmp(a, b, len);
}

void
__wrap_OPENSSL_cleanse(void *block, size_t len)
{
	if (looking && holds_secret(block, len))
		wiped = true;
	__real_OPENSSL_cleanse(block, len);
}

long
memory_compares(void)
{
	return compares;
}
