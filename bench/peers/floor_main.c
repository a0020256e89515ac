/*-------------------------------------------------------------------------
 *
 * floor_main.c
 *	  libcrypto alone: signature of a signing input that lies there ready.
 *
 * No base64url, no JSON, no claims: nobody can be faster with libcrypto.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "base64url.h"
#include "floor.h"
#include "peer.h"

typedef struct Ready
{
	size_t		input_len;
	unsigned char sig[FLOOR_MAX_SIGNATURE];
	size_t		siglen;
} Ready;

static Floor *kept;
static Ready *ready;

static bool
prepare_one(const PeerText *token, Ready *r)
{
	const char *dot = strrchr(token->data, '.');
	unsigned char raw[FLOOR_MAX_SIGNATURE];
	size_t		len = 0;

	if (dot == NULL ||
		jwt_base64url_decode(jwt_slice_of(dot + 1), raw, sizeof(raw),
							 &len) != JWT_OK)
		return false;
	r->input_len = (size_t) (dot - token->data);
	r->siglen = floor_signature(kept, raw, len, r->sig);
	return r->siglen > 0;
}

static bool
prepare(const PeerInput *input)
{
	int			i;

	kept = floor_new(input->alg, input->key.data, input->key.len);
	ready = calloc((size_t) input->count, sizeof(Ready));
	if (kept == NULL || ready == NULL)
		abort();
	for (i = 0; i < input->count; i++)
		if (!prepare_one(&input->tokens[i], &ready[i]))
			abort();
	return true;
}

static bool
verify(const PeerInput *input, int i)
{
	return floor_verify(kept, input->tokens[i].data, ready[i].input_len,
						ready[i].sig, ready[i].siglen);
}

static bool
sign(const PeerInput *input, int i)
{
	return floor_sign(kept, input->tokens[i].data, ready[i].input_len);
}

const Peer	peer = {"openssl", prepare, verify, sign};
