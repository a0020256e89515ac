/*-------------------------------------------------------------------------
 *
 * json_value.c
 *	  JSON values: read a member, build an object, write compact text.
 *
 * Parsing is in json.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "compat.h"
#include "json.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/numeric.h"

/*
 * NumericDates are refused outside of the years -4700 and 285,000, so that
 * sums with any leeway stay inside int64 and inside timestamptz.
 */
#define MIN_SECONDS INT64CONST(-210000000000)
#define MAX_SECONDS INT64CONST(9000000000000)

struct JwtAuthJsonBuilder
{
	JsonbInState out;
};

bool
jwtauth_json_member(Jsonb *object, const char *name, JsonbValue *value)
{
	return getKeyJsonValueFromContainer(&object->root, name, strlen(name),
										value) != NULL;
}

JwtSlice
jwtauth_json_slice(const JsonbValue *value)
{
	JwtSlice	slice = {NULL, 0};

	if (value->type == jbvString)
	{
		slice.data = value->val.string.val;
		slice.len = value->val.string.len;
	}
	return slice;
}

JwtSlice
jwtauth_json_string(Jsonb *object, const char *name)
{
	JsonbValue	value;
	JwtSlice	none = {NULL, 0};

	if (!jwtauth_json_member(object, name, &value))
		return none;
	return jwtauth_json_slice(&value);
}

bool
jwtauth_json_seconds(int64 seconds, int64 *unix_us)
{
	if (seconds < MIN_SECONDS || seconds > MAX_SECONDS)
		return false;
	*unix_us = seconds * USECS_PER_SEC;
	return true;
}

bool
jwtauth_json_time(const JsonbValue *value, int64 *unix_us)
{
	double		seconds;

	if (value->type != jbvNumeric)
		return false;
	seconds = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
												 NumericGetDatum(value->val.numeric)));
	if (!(seconds >= (double) MIN_SECONDS && seconds <= (double) MAX_SECONDS))
		return false;

	/*
	 * A double holds microseconds exactly until the year 2255; round down, so
	 * that no token lives longer than it says.
	 */
	if (fabs(seconds) < 9.0e9)
		*unix_us = (int64) floor(seconds * USECS_PER_SEC + 1e-3);
	else
		*unix_us = (int64) floor(seconds) * USECS_PER_SEC;
	return true;
}

/* A NumericDate: whole seconds, or with a fraction if one is needed. */
static void
from_time(JsonbValue *value, int64 unix_us)
{
	value->type = jbvNumeric;
	if (unix_us % USECS_PER_SEC == 0)
		value->val.numeric = int64_to_numeric(unix_us / USECS_PER_SEC);
	else
		value->val.numeric = int64_div_fast_to_numeric(unix_us, 6);
}

JwtAuthJsonBuilder *
jwtauth_json_begin(void)
{
	JwtAuthJsonBuilder *b = palloc0(sizeof(JwtAuthJsonBuilder));

	pushJsonbValue(&b->out, WJB_BEGIN_OBJECT, NULL);
	return b;
}

void
jwtauth_json_put(JwtAuthJsonBuilder *b, const char *name, JsonbValue *value)
{
	JsonbValue	key;

	key.type = jbvString;
	key.val.string.val = unconstify(char *, name);
	key.val.string.len = strlen(name);
	pushJsonbValue(&b->out, WJB_KEY, &key);
	pushJsonbValue(&b->out, WJB_VALUE, value);
}

void
jwtauth_json_put_slice(JwtAuthJsonBuilder *b, const char *name, JwtSlice text)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = unconstify(char *, text.data);
	value.val.string.len = text.len;
	jwtauth_json_put(b, name, &value);
}

void
jwtauth_json_put_string(JwtAuthJsonBuilder *b, const char *name,
						const char *text)
{
	jwtauth_json_put_slice(b, name, jwt_slice_of(text));
}

void
jwtauth_json_put_bool(JwtAuthJsonBuilder *b, const char *name, bool boolean)
{
	JsonbValue	value;

	value.type = jbvBool;
	value.val.boolean = boolean;
	jwtauth_json_put(b, name, &value);
}

void
jwtauth_json_put_int(JwtAuthJsonBuilder *b, const char *name, int64 number)
{
	JsonbValue	value;

	value.type = jbvNumeric;
	value.val.numeric = int64_to_numeric(number);
	jwtauth_json_put(b, name, &value);
}

void
jwtauth_json_put_time(JwtAuthJsonBuilder *b, const char *name, int64 unix_us)
{
	JsonbValue	value;

	from_time(&value, unix_us);
	jwtauth_json_put(b, name, &value);
}

static bool
is_named(JwtSlice name, const char *const *names, int count)
{
	for (int i = 0; i < count; i++)
		if (jwt_slice_equal(name, jwt_slice_of(names[i])))
			return true;
	return false;
}

void
jwtauth_json_put_others(JwtAuthJsonBuilder *b, Jsonb *object,
						const char *const *names, int count)
{
	JsonbIterator *it = JsonbIteratorInit(&object->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	bool		wanted = false;

	/* Nested values stay packed: skipNested. */
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			wanted = !is_named(jwtauth_json_slice(&value), names, count);
		if (wanted && (token == WJB_KEY || token == WJB_VALUE))
			pushJsonbValue(&b->out, token, &value);
	}
}

void
jwtauth_json_put_all(JwtAuthJsonBuilder *b, Jsonb *object)
{
	jwtauth_json_put_others(b, object, NULL, 0);
}

Jsonb *
jwtauth_json_end(JwtAuthJsonBuilder *b)
{
	pushJsonbValue(&b->out, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(b->out.result);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
jwtauth_parse_uuid(JwtSlice text, pg_uuid_t *uuid)
{
	const char *p = text.data;

	if (text.data == NULL || text.len != 36)
		return false;
	for (int i = 0; i < UUID_LEN; i++)
	{
		int			high;
		int			low;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && *p++ != '-')
			return false;
		high = hex_digit(p[0]);
		low = hex_digit(p[1]);
		if (high < 0 || low < 0)
			return false;
		uuid->data[i] = (unsigned char) (high << 4 | low);
		p += 2;
	}
	return true;
}

void
jwtauth_json_need_object(Jsonb *value, const char *argument)
{
	if (!JB_ROOT_IS_OBJECT(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be a JSON object", argument)));
}

/* What we write we must be able to read again. */
static void
refuse_json(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("JSON cannot be put into a token"),
			 errdetail("%s", detail)));
}

/* As it is, if nothing in it needs an escape: RFC 8259, Sec. 7. */
static void
write_string(StringInfo buf, const char *string, int len)
{
	for (int i = 0; i < len; i++)
	{
		unsigned char c = string[i];

		if (c < ' ' || c == '"' || c == '\\')
		{
			escape_json(buf, pnstrdup(string, len));
			return;
		}
	}
	appendStringInfoChar(buf, '"');
	appendBinaryStringInfo(buf, string, len);
	appendStringInfoChar(buf, '"');
}

static void
write_scalar(StringInfo buf, const JsonbValue *value)
{
	char	   *number;

	switch (value->type)
	{
		case jbvNull:
			appendStringInfoString(buf, "null");
			break;
		case jbvBool:
			appendStringInfoString(buf, value->val.boolean ? "true" : "false");
			break;
		case jbvNumeric:
			number = DatumGetCString(DirectFunctionCall1(numeric_out,
														 NumericGetDatum(value->val.numeric)));
			if (strlen(number) > JWTAUTH_JSON_MAX_DIGITS)
				refuse_json(_("A number in it has too many digits."));
			appendStringInfoString(buf, number);
			break;
		case jbvString:
			write_string(buf, value->val.string.val, value->val.string.len);
			break;
		default:
			elog(ERROR, "unexpected jsonb value type %d", (int) value->type);
	}
}

/*
 * The server's own output puts a blank after each colon and comma; in a
 * token those travel with every request, and RFC 8037, App. A.4 has none.
 */
static void
write_compact(StringInfo buf, JsonbContainer *container)
{
	JsonbIterator *it = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue	value;
	bool		first = true;
	int			depth = 0;

	while ((token = JsonbIteratorNext(&it, &value, false)) != WJB_DONE)
	{
		if (token == WJB_BEGIN_OBJECT || token == WJB_BEGIN_ARRAY)
			depth++;
		else if (token == WJB_END_OBJECT || token == WJB_END_ARRAY)
			depth--;
		if (depth > JWTAUTH_JSON_MAX_DEPTH)
			refuse_json(_("It is nested too deeply."));
		if ((token == WJB_KEY || token == WJB_ELEM ||
			 token == WJB_BEGIN_OBJECT || token == WJB_BEGIN_ARRAY) &&
			!first && buf->data[buf->len - 1] != ':')
			appendStringInfoChar(buf, ',');
		first = false;

		switch (token)
		{
			case WJB_KEY:
				write_scalar(buf, &value);
				appendStringInfoChar(buf, ':');
				break;
			case WJB_VALUE:
			case WJB_ELEM:
				write_scalar(buf, &value);
				break;
			case WJB_BEGIN_OBJECT:
				appendStringInfoChar(buf, '{');
				first = true;
				break;
			case WJB_END_OBJECT:
				appendStringInfoChar(buf, '}');
				break;
			case WJB_BEGIN_ARRAY:
				if (!value.val.array.rawScalar)
					appendStringInfoChar(buf, '[');
				first = true;
				break;
			case WJB_END_ARRAY:
				if (!value.val.array.rawScalar)
					appendStringInfoChar(buf, ']');
				break;
			default:
				break;
		}
	}
}

/* What was written in the encoding of the database, as UTF-8. */
static void
append_as_utf8(StringInfo buf, StringInfo text)
{
	char	   *utf8 = text->data;

	if (GetDatabaseEncoding() == PG_SQL_ASCII)
	{
		if (!pg_verify_mbstr(PG_UTF8, text->data, text->len, true))
			ereport(ERROR,
					(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
					 errmsg("JSON is not valid UTF-8"),
					 errdetail("Tokens are UTF-8, and this database does not say what its encoding is.")));
	}
	else
		utf8 = pg_server_to_any(text->data, text->len, PG_UTF8);
	appendStringInfoString(buf, utf8);
}

void
jwtauth_json_write(StringInfo buf, Jsonb *value)
{
	StringInfoData text;

	if (GetDatabaseEncoding() == PG_UTF8)
	{
		write_compact(buf, &value->root);
		return;
	}
	initStringInfo(&text);
	write_compact(&text, &value->root);
	append_as_utf8(buf, &text);
}

void
jwtauth_json_write_both(StringInfo buf, Jsonb *first, Jsonb *second)
{
	int			seam;

	if (JB_ROOT_COUNT(first) == 0 || JB_ROOT_COUNT(second) == 0)
	{
		jwtauth_json_write(buf, JB_ROOT_COUNT(first) == 0 ? second : first);
		return;
	}
	jwtauth_json_write(buf, first);
	seam = buf->len;
	jwtauth_json_write(buf, second);

	/* The two brackets in the middle become one comma. */
	buf->data[seam - 1] = ',';
	memmove(buf->data + seam, buf->data + seam + 1, buf->len - seam);
	buf->len--;
}
