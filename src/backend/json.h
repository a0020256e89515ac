/*-------------------------------------------------------------------------
 *
 * json.h
 *	  JSON in and out: PostgreSQL's parser, with the strictness of RFC 7515.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_JSON_H
#define JWTAUTH_JSON_H

#include "lib/stringinfo.h"
#include "slice.h"
#include "status.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

#define JWTAUTH_JSON_MAX_DEPTH 64	/* nested objects and arrays */
#define JWTAUTH_JSON_MAX_DIGITS 1000	/* of a number, and its exponent */
#define JWTAUTH_JSON_MAX_WATCHED 8

/*
 * Members of the outermost object that the parser notes in passing, so that
 * they need not be looked for afterwards: bit i stands for names[i].
 */
typedef struct JwtAuthJsonWatch
{
	const char *const *names;
	int			count;			/* of names, at most JWTAUTH_JSON_MAX_WATCHED */
	uint32		present;
	uint32		is_integer;		/* of at most 18 characters */
	int64		integer[JWTAUTH_JSON_MAX_WATCHED];
} JwtAuthJsonWatch;

/*
 * Parses UTF-8 bytes that must be one JSON object: no duplicate member names
 * at any level, nesting and numbers capped.  The result is in the encoding
 * of the database.  JWT_E_TOKEN_UTF8, _JSON, _DUPLICATE, _DEPTH, _ENCODING.
 * watch may be NULL.
 */
extern JwtStatus jwtauth_json_parse(const char *json, size_t len,
									Jsonb **object, JwtAuthJsonWatch *watch);

/* The same for text that is in the encoding of the database already. */
extern JwtStatus jwtauth_json_parse_server(const char *json, size_t len,
										   Jsonb **object);

/* Appends compact JSON in UTF-8; raises what UTF-8 cannot represent. */
extern void jwtauth_json_write(StringInfo buf, Jsonb *value);

/* The same for one object made of two that share no member. */
extern void jwtauth_json_write_both(StringInfo buf, Jsonb *first,
									Jsonb *second);

/* One member of an object; false if it is absent. */
extern bool jwtauth_json_member(Jsonb *object, const char *name,
								JsonbValue *value);

/* A string member: data is NULL if it is absent or no string. */
extern JwtSlice jwtauth_json_string(Jsonb *object, const char *name);

/* The bytes of a string value. */
extern JwtSlice jwtauth_json_slice(const JsonbValue *value);

/*
 * A NumericDate (RFC 7519, Sec. 2) as Unix microseconds; false if the value
 * is no number, or lies further off than any timestamp.
 */
extern bool jwtauth_json_time(const JsonbValue *value, int64 *unix_us);

/* The same for whole seconds. */
extern bool jwtauth_json_seconds(int64 seconds, int64 *unix_us);

/*
 * Builds an object: begin, put members, end.  A name that is put twice
 * keeps its last value.
 */
typedef struct JwtAuthJsonBuilder JwtAuthJsonBuilder;
extern JwtAuthJsonBuilder *jwtauth_json_begin(void);
extern void jwtauth_json_put(JwtAuthJsonBuilder *b, const char *name,
							 JsonbValue *value);
extern void jwtauth_json_put_slice(JwtAuthJsonBuilder *b, const char *name,
								   JwtSlice value);
extern void jwtauth_json_put_string(JwtAuthJsonBuilder *b, const char *name,
									const char *value);
extern void jwtauth_json_put_bool(JwtAuthJsonBuilder *b, const char *name,
								  bool value);
extern void jwtauth_json_put_int(JwtAuthJsonBuilder *b, const char *name,
								 int64 value);
extern void jwtauth_json_put_time(JwtAuthJsonBuilder *b, const char *name,
								  int64 unix_us);

/* Puts every member of an object. */
extern void jwtauth_json_put_all(JwtAuthJsonBuilder *b, Jsonb *object);

/* The same, but for those named. */
extern void jwtauth_json_put_others(JwtAuthJsonBuilder *b, Jsonb *object,
									const char *const *names, int count);
extern Jsonb *jwtauth_json_end(JwtAuthJsonBuilder *b);

/*
 * A UUID in its canonical form (RFC 9562, Sec. 4), 36 characters; false for
 * any other text.  PostgreSQL's own input takes more forms, and raises.
 */
extern bool jwtauth_parse_uuid(JwtSlice text, pg_uuid_t *uuid);

/* Raises 22023 unless the argument is an object. */
extern void jwtauth_json_need_object(Jsonb *value, const char *argument);

#endif							/* JWTAUTH_JSON_H */
