/*-------------------------------------------------------------------------
 *
 * test_vectors.c
 *	  The vectors of test/vectors, as far as the core can judge them.
 *
 * They come as lines, see test/vectors/flatten.pl; the build writes them to
 * build/unit/vectors.txt.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>

#include "base64url.h"
#include "harness.h"
#include "jws.h"

#define MAX_LINE 262144
#define MAX_LINES 24

/* One vector: its lines, and where name and value of each begin. */
typedef struct Vector
{
	int			count;
	char	   *name[MAX_LINES];
	JwtSlice	value[MAX_LINES];
} Vector;

static void
forget(Vector *v)
{
	while (v->count > 0)
		free(v->name[--v->count]);
}

/* False at the end of the file. */
static bool
read_vector(FILE *file, Vector *v)
{
	static char line[MAX_LINE];

	forget(v);
	while (fgets(line, sizeof(line), file) != NULL && v->count < MAX_LINES)
	{
		size_t		len = strcspn(line, "\n");
		char	   *copy = malloc(len + 1);
		char	   *space;

		if (copy == NULL)
			return false;
		memcpy(copy, line, len);
		copy[len] = '\0';
		space = strchr(copy, ' ');
		if (space == NULL)
		{
			free(copy);
			return true;
		}
		*space = '\0';
		v->name[v->count] = copy;
		v->value[v->count] = slice_of_bytes(space + 1,
											len - (size_t) (space + 1 - copy));
		v->count++;
	}
	return false;
}

/* The value of that name, or absent. */
static JwtSlice
get(const Vector *v, const char *name)
{
	int			i;

	for (i = 0; i < v->count; i++)
	{
		if (strcmp(v->name[i], name) == 0)
			return v->value[i];
	}
	return slice_of_bytes(NULL, 0);
}

/* A value that stands in base64url; the caller frees it. */
static JwtSlice
get_bytes(const Vector *v, const char *name)
{
	JwtSlice	text = get(v, name);
	unsigned char *bytes = malloc(text.len + 1);
	JwtSlice	slice = {(const char *) bytes, 0};

	if (bytes == NULL ||
		jwt_base64url_decode(text, bytes, text.len, &slice.len) != JWT_OK)
		exit(EXIT_FAILURE);
	return slice;
}

static JwtStatus
make_vector_key(const Vector *v, JwtKey **key)
{
	JwtSlice	ops = get(v, "ops");
	JwtJwk		jwk;
	JwtSlice	pem;
	JwtStatus	status;
	char		name[20];
	int			i;

	if (get(v, "pem").data != NULL)
	{
		pem = get_bytes(v, "pem");
		status = jwt_key_from_pem(pem, NULL, &default_limits, key);
		free((char *) pem.data);
		return status;
	}

	memset(&jwk, 0, sizeof(jwk));
	for (i = 0; i < JWT_JWK_NUM_MEMBERS; i++)
	{
		snprintf(name, sizeof(name), "key.%s",
				 jwt_jwk_member_name((JwtJwkMember) i));
		jwk.member[i] = get(v, name);
	}
	jwk.has_key_ops = ops.data != NULL;
	if (ops.data != NULL)
		jwk.key_ops = (unsigned) (ops.data[0] - '0');
	return jwt_key_from_jwk(&jwk, &default_limits, key);
}

/* Decodes and forgets: is it strict base64url? */
static JwtStatus
check_part(JwtSlice part)
{
	unsigned char *bytes = malloc(part.len + 1);
	size_t		len;
	JwtStatus	status = jwt_base64url_decode(part, bytes, part.len, &len);

	free(bytes);
	return status;
}

/* The verdict, as a caller of the core that reads no JSON would find it. */
static bool
is_valid(const Vector *v)
{
	JwtSlice	token = get_bytes(v, "token");
	JwtSlice	name = get(v, "alg");
	JwtJws		jws;
	JwtKey	   *key = NULL;
	JwtStatus	status = jwt_jws_split(token, &jws);

	if (status == JWT_OK)
		status = check_part(jws.header);
	if (status == JWT_OK)
		status = check_part(jws.payload);
	if (status == JWT_OK)
		status = make_vector_key(v, &key);
	if (status == JWT_OK)
		status = jwt_jws_verify(&jws, key, jwt_alg_find(name));

	jwt_key_free(key);
	free((char *) token.data);
	return status == JWT_OK;
}

static void
vectors_are_judged(void)
{
	FILE	   *file = fopen("build/unit/vectors.txt", "r");
	static Vector v;
	int			count = 0;
	int			decided = 0;

	CHECK(file != NULL);
	if (file == NULL)
		return;
	while (read_vector(file, &v))
	{
		JwtSlice	id = get(&v, "id");
		bool		expected = get(&v, "expect").data[0] == 'v';
		bool		core = get(&v, "core").data[0] == '1';
		bool		valid = is_valid(&v);

		count++;
		decided += core;
		if (valid != expected && (core || expected))
			printf("vector %s: %s\n", id.data, valid ? "valid" : "invalid");
		CHECK(valid == expected || (!core && !expected));
	}
	forget(&v);
	fclose(file);

	/* An empty file would be no test. */
	CHECK(count > 1100 && decided > 700);
	printf("proof vectors: %d through the core, %d decided there\n", count,
		   decided);
}

const Test	vector_tests[] = {
	{"vectors: verdicts", vectors_are_judged},
	{NULL, NULL}
};
