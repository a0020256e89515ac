/*-------------------------------------------------------------------------
 *
 * slice.h
 *	  A run of bytes that belongs to somebody else.
 *
 * Slices borrow: whoever makes one keeps the bytes alive.  data == NULL
 * means "absent", which is not the same as present and empty.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWT_SLICE_H
#define JWT_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct JwtSlice
{
	const char *data;
	size_t		len;
} JwtSlice;

/* True if both hold the same bytes; not for secrets, its time varies. */
static inline bool
jwt_slice_equal(JwtSlice a, JwtSlice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline JwtSlice
jwt_slice_of(const char *cstring)
{
	JwtSlice	slice = {cstring, strlen(cstring)};

	return slice;
}

#endif							/* JWT_SLICE_H */
