/*-------------------------------------------------------------------------
 *
 * inject.c
 *	  Counts, and lets fail what is to fail.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "fault.h"

static FaultKind armed = FAULT_NONE;
static long wanted;
static long seen;
static long live;
static char what[200];

static void *
count_malloc(size_t size, const char *file, int line)
{
	void	   *p;

	if (size == 0)
		return NULL;
	if (armed == FAULT_ALLOCATION || armed == FAULT_MEMORY)
	{
		seen++;
		if (seen == wanted || (armed == FAULT_MEMORY && seen > wanted))
		{
			if (what[0] == '\0')
				snprintf(what, sizeof(what), "allocation in %.150s:%d",
						 file != NULL ? file : "?", line);
			return NULL;
		}
	}
	p = malloc(size);
	live += p != NULL;
	return p;
}

static void
count_free(void *p, const char *file, int line)
{
	(void) file;
	(void) line;
	live -= p != NULL;
	free(p);
}

static void *
count_realloc(void *p, size_t size, const char *file, int line)
{
	void	   *grown;

	if (p == NULL)
		return count_malloc(size, file, line);
	if (size == 0)
	{
		count_free(p, file, line);
		return NULL;
	}

	/* What cannot grow stays as it is. */
	grown = count_malloc(1, file, line);
	if (grown == NULL)
		return NULL;
	count_free(grown, file, line);
	return realloc(p, size);
}

void
fault_install(void)
{
	if (CRYPTO_set_mem_functions(count_malloc, count_realloc,
								 count_free) != 1)
	{
		fprintf(stderr, "libcrypto has allocated already\n");
		exit(EXIT_FAILURE);
	}
}

void
fault_arm(FaultKind kind, long n)
{
	what[0] = '\0';
	seen = 0;
	wanted = n;
	armed = kind;
}

long
fault_disarm(void)
{
	armed = FAULT_NONE;
	return seen;
}

const char *
fault_what(void)
{
	return what[0] != '\0' ? what : NULL;
}

long
fault_live_blocks(void)
{
	return live;
}

/* As libcrypto does, it leaves a word about it in the error queue. */
bool
fault_hit(const char *name, const char *file, int line)
{
	if (armed != FAULT_CALL || ++seen != wanted)
		return false;

	snprintf(what, sizeof(what), "%.80s in %.100s:%d", name, file, line);
	ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);
	return true;
}
