/*-------------------------------------------------------------------------
 *
 * jws.c
 *	  JWS compact serialization: RFC 7515, Sec. 3.1, 5.1, 5.2, 7.1.
 *
 * What header and payload say is not looked at here: they are bytes.
 *
 *-------------------------------------------------------------------------
 */
#include "base64url.h"
#include "jws.h"
#include "primitive.h"

/* From start to, but without, end. */
static JwtSlice
slice_between(const char *start, const char *end)
{
	JwtSlice	slice;

	slice.data = start;
	slice.len = (size_t) (end - start);
	return slice;
}

/*
 * RFC 7515, Sec. 7.1: BASE64URL(header) || '.' || BASE64URL(payload) || '.'
 * || BASE64URL(signature), hence two dots, no more and no fewer.
 */
JwtStatus
jwt_jws_split(JwtSlice token, JwtJws *jws)
{
	const char *end;
	const char *first;
	const char *second;

	memset(jws, 0, sizeof(*jws));
	if (token.data == NULL || token.len == 0)
		return JWT_E_TOKEN_EMPTY;

	end = token.data + token.len;
	first = memchr(token.data, '.', token.len);
	if (first == NULL || first == token.data)
		return JWT_E_TOKEN_PARTS;

	second = memchr(first + 1, '.', (size_t) (end - (first + 1)));
	if (second == NULL ||
		memchr(second + 1, '.', (size_t) (end - (second + 1))) != NULL)
		return JWT_E_TOKEN_PARTS;

	jws->header = slice_between(token.data, first);
	jws->payload = slice_between(first + 1, second);
	jws->signature = slice_between(second + 1, end);
	jws->signing_input = slice_between(token.data, second);
	return JWT_OK;
}

/* RFC 7515, Sec. 5.2: the signing input is what came, not written anew. */
JwtStatus
jwt_jws_verify(const JwtJws *jws, JwtKey *key, const JwtAlg *alg)
{
	unsigned char sig[JWT_MAX_SIGNATURE_LEN];
	size_t		siglen = 0;
	JwtStatus	status;

	/* Longer than any signature: whatever it is, it is not one. */
	if (jwt_base64url_dec_len(jws->signature.len) > sizeof(sig))
		return JWT_E_SIGNATURE;

	status = jwt_base64url_decode(jws->signature, sig, sizeof(sig), &siglen);
	if (status == JWT_OK)
		status = jwt_key_verify(key, alg, jws->signing_input, sig, siglen);

	/* It is the part of a token that makes the rest worth something. */
	jwt_wipe(sig, siglen);
	return status;
}

size_t
jwt_jws_max_len(size_t header_len, size_t payload_len)
{
	return jwt_base64url_enc_len(header_len) + 1 +
		jwt_base64url_enc_len(payload_len) + 1 +
		jwt_base64url_enc_len(JWT_MAX_SIGNATURE_LEN);
}

JwtStatus
jwt_jws_sign(JwtSlice header, JwtSlice payload, JwtKey *key,
			 const JwtAlg *alg, char *out, size_t *outlen)
{
	unsigned char sig[JWT_MAX_SIGNATURE_LEN];
	size_t		siglen = 0;
	JwtSlice	input;
	char	   *p = out;
	JwtStatus	status;

	*outlen = 0;
	p += jwt_base64url_encode((const unsigned char *) header.data,
							  header.len, p);
	*p++ = '.';
	p += jwt_base64url_encode((const unsigned char *) payload.data,
							  payload.len, p);
	input = slice_between(out, p);

	/* RFC 7515, Sec. 5.1, step 5: what is signed is what is sent. */
	status = jwt_key_sign(key, alg, input, sig, &siglen);
	if (status == JWT_OK)
	{
		*p++ = '.';
		p += jwt_base64url_encode(sig, siglen, p);
		*outlen = (size_t) (p - out);
	}
	else
		jwt_wipe(out, input.len);

	jwt_wipe(sig, siglen);
	return status;
}
