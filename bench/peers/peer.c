/*-------------------------------------------------------------------------
 *
 * peer.c
 *	  main() of the programs that measure other libraries; see peer.h.
 *
 *-------------------------------------------------------------------------
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "peer.h"

static void
fail(const char *what, const char *alg)
{
	fprintf(stderr, "%s: %s: %s\n", peer.name, alg, what);
	exit(1);
}

static PeerText
load(const char *folder, const char *alg, const char *suffix)
{
	char		path[1000];
	PeerText	text = {NULL, 0};
	size_t		room = 0;
	FILE	   *file;

	snprintf(path, sizeof(path), "%s/%s%s", folder, alg, suffix);
	file = fopen(path, "rb");
	if (file == NULL)
		fail("could not open its file", path);
	do
	{
		room = room * 2 + 65536;
		text.data = realloc(text.data, room + 1);
		if (text.data == NULL)
			fail("out of memory", path);
		text.len += fread(text.data + text.len, 1, room - text.len, file);
	} while (text.len == room);
	text.data[text.len] = '\0';
	fclose(file);
	return text;
}

/* Cuts lines in place. */
static void
cut_tokens(PeerInput *input, PeerText all)
{
	char	   *line;
	char	   *rest = NULL;

	input->tokens = NULL;
	input->count = 0;
	for (line = strtok_r(all.data, "\n", &rest); line != NULL;
		 line = strtok_r(NULL, "\n", &rest))
	{
		input->tokens = realloc(input->tokens,
								(input->count + 1) * sizeof(PeerText));
		if (input->tokens == NULL)
			fail("out of memory", input->alg);
		input->tokens[input->count].data = line;
		input->tokens[input->count].len = strlen(line);
		input->count++;
	}
	if (input->count == 0)
		fail("no tokens", input->alg);
}

/* Time that this process had a processor. */
static double
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Nanoseconds a call, over at least that long. */
static double
measure(const PeerInput *input, bool (*operation) (const PeerInput *, int),
		double at_least)
{
	double		start = now_ns();
	double		passed;
	long		calls = 0;

	do
	{
		int			i;

		for (i = 0; i < 10; i++)
			if (!operation(input, (int) (calls++ % input->count)))
				fail("refused", input->alg);
		passed = now_ns() - start;
	} while (passed < at_least);
	return passed / calls;
}

static void
measure_alg(const char *folder, const char *alg, double at_least)
{
	PeerInput	input;

	input.alg = alg;
	input.key = load(folder, alg, ".key");
	input.public_key = load(folder, alg, ".pub");
	input.jwk = load(folder, alg, ".jwk");
	input.claims = load(folder, "claims", ".json");
	cut_tokens(&input, load(folder, alg, ".tokens"));
	if (!peer.prepare(&input))
		return;
	(void) measure(&input, peer.verify, at_least / 4);
	printf("%s/verify/%s %.1f\n", alg, peer.name,
		   measure(&input, peer.verify, at_least));
	(void) measure(&input, peer.sign, at_least / 4);
	printf("%s/sign/%s %.1f\n", alg, peer.name,
		   measure(&input, peer.sign, at_least));
}

int
main(int argc, char **argv)
{
	int			i;

	if (argc < 4)
	{
		fprintf(stderr, "usage: %s FOLDER MILLISECONDS ALG...\n", argv[0]);
		return 2;
	}
	for (i = 3; i < argc; i++)
		measure_alg(argv[1], argv[i], atof(argv[2]) * 1e6);
	return 0;
}
