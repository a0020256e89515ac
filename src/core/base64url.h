/*-------------------------------------------------------------------------
 *
 * base64url.h
 *	  Strict base64url without padding: RFC 4648, Sec. 5; RFC 7515, Sec. 2.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWT_BASE64URL_H
#define JWT_BASE64URL_H

#include "slice.h"
#include "status.h"

/* Exact number of characters that srclen bytes become. */
extern size_t jwt_base64url_enc_len(size_t srclen);

/* Exact number of bytes that srclen characters become, if they decode. */
extern size_t jwt_base64url_dec_len(size_t srclen);

/*
 * Writes jwt_base64url_enc_len(srclen) characters, no terminator, and
 * returns that number.
 */
extern size_t jwt_base64url_encode(const unsigned char *src, size_t srclen,
								   char *dst);

/*
 * Decodes into dst, which has room for dstcap bytes.  JWT_E_TOKEN_BASE64 for
 * anything but the one canonical spelling (padding, white space, the +/
 * alphabet, a length of 4n+1, unused bits that are not zero) and for a
 * result larger than dstcap; dst is then all zeroes.
 */
extern JwtStatus jwt_base64url_decode(JwtSlice src, unsigned char *dst,
									  size_t dstcap, size_t *dstlen);

#endif							/* JWT_BASE64URL_H */
