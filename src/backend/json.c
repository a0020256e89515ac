/*-------------------------------------------------------------------------
 *
 * json.c
 *	  JSON in: one pass of PostgreSQL's parser over the bytes of a token.
 *
 * The server's own jsonb input keeps the last of two members with the same
 * name and raises errors that quote their input.  A token's verdict must not
 * depend on which of two members somebody reads, and its bytes belong into
 * no message, so semantic actions of our own build the jsonb here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "compat.h"
#include "json.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#define MAX_INT64_DIGITS 18		/* with its sign; any such number fits */

typedef struct ObjectParse
{
	JsonbInState out;
	JsonLexContext *lex;
	const char *value;			/* where the value begins that comes next */
	JwtAuthJsonWatch *watch;	/* may be NULL */
	int			watched;		/* the last member, by watch; or -1 */
	int			members[JWTAUTH_JSON_MAX_DEPTH + 1];	/* names seen, by open
														 * object */
	int			depth;
	JwtStatus	status;
} ObjectParse;

static JwtAuthJsonResult
on_object_start(void *arg)
{
	ObjectParse *state = arg;

	pushJsonbValue(&state->out, WJB_BEGIN_OBJECT, NULL);
	state->members[++state->depth] = 0;
	JWTAUTH_JSON_DONE;
}

static JwtAuthJsonResult
on_object_end(void *arg)
{
	ObjectParse *state = arg;
	JsonbValue *object = &jwtauth_jsonb_stack(&state->out)->contVal;

	/* Closing an object drops all but the last member of each name. */
	pushJsonbValue(&state->out, WJB_END_OBJECT, NULL);
	if (object->val.object.nPairs != state->members[state->depth])
		state->status = JWT_E_TOKEN_DUPLICATE;
	state->depth--;
	JWTAUTH_JSON_DONE;
}

static JwtAuthJsonResult
on_array_start(void *arg)
{
	ObjectParse *state = arg;

	pushJsonbValue(&state->out, WJB_BEGIN_ARRAY, NULL);
	state->depth++;
	JWTAUTH_JSON_DONE;
}

static JwtAuthJsonResult
on_array_end(void *arg)
{
	ObjectParse *state = arg;

	pushJsonbValue(&state->out, WJB_END_ARRAY, NULL);
	state->depth--;
	JWTAUTH_JSON_DONE;
}

static void
set_string(JsonbValue *value, const char *start, const char *end)
{
	value->type = jbvString;
	value->val.string.val = unconstify(char *, start);
	value->val.string.len = end - start;
}

/*
 * The name that the lexer has just passed, and the colon behind it.  Where
 * it was not unescaped there is no backslash in all of the text, so that the
 * quotes nearest before the value are those of the name.
 */
static void
set_name(JsonbValue *key, const char *unescaped, const char *value)
{
	const char *start;
	const char *end;

	if (unescaped != NULL)
	{
		set_string(key, unescaped, unescaped + strlen(unescaped));
		return;
	}
	for (end = value - 1; *end != '"'; end--)
		continue;
	for (start = end; start[-1] != '"'; start--)
		continue;
	set_string(key, start, end);
}

static void
note_member(ObjectParse *state, const JsonbValue *key)
{
	JwtAuthJsonWatch *watch = state->watch;

	state->watched = -1;
	for (int i = 0; i < watch->count; i++)
	{
		const char *name = watch->names[i];
		const char *text = key->val.string.val;
		int			len = key->val.string.len;

		/* The first letter tells most names apart without a call. */
		if (len > 0 && name[0] == text[0] &&
			strncmp(name, text, len) == 0 && name[len] == '\0')
		{
			state->watched = i;
			watch->present |= 1 << i;
			return;
		}
	}
}

static JwtAuthJsonResult
on_field(void *arg, char *name, bool isnull)
{
	ObjectParse *state = arg;
	JsonbValue	key;

	state->value = state->lex->token_start;

	/* The text ends behind the colon, which the parser is about to say. */
	if (state->value == NULL)
		JWTAUTH_JSON_DONE;
	set_name(&key, name, state->value);
	if (state->watch != NULL && state->depth == 1)
		note_member(state, &key);
	pushJsonbValue(&state->out, WJB_KEY, &key);
	state->members[state->depth]++;
	JWTAUTH_JSON_DONE;
}

static JwtAuthJsonResult
on_element(void *arg, bool isnull)
{
	ObjectParse *state = arg;

	state->value = state->lex->token_start;
	JWTAUTH_JSON_DONE;
}

/*
 * Numbers that jsonb would store in thousands of digits are of no use in a
 * token, and 1e131071 is a way to make twenty bytes print as a megabyte.
 */
static bool
number_is_sane(const char *number)
{
	const char *e = strpbrk(number, "eE");

	if (strlen(number) > JWTAUTH_JSON_MAX_DIGITS)
		return false;
	if (e == NULL)
		return true;
	e++;
	if (*e == '+' || *e == '-')
		e++;
	while (*e == '0')
		e++;
	return strlen(e) <= 4 && atoi(e) <= JWTAUTH_JSON_MAX_DIGITS;
}

/* Times and counters, without a detour through the server's own input. */
static bool
small_integer(const char *number, int64 *integer)
{
	bool		negative = (*number == '-');
	const char *digit = number + negative;

	for (*integer = 0; *digit >= '0' && *digit <= '9'; digit++)
		*integer = *integer * 10 + (*digit - '0');
	if (negative)
		*integer = -*integer;
	return *digit == '\0';
}

static void
note_integer(ObjectParse *state, int64 integer)
{
	if (state->watch == NULL || state->depth != 1 || state->watched < 0)
		return;
	state->watch->is_integer |= 1 << state->watched;
	state->watch->integer[state->watched] = integer;
}

static bool
set_number(ObjectParse *state, JsonbValue *value, const char *number)
{
	int64		integer;

	value->type = jbvNumeric;
	if (strlen(number) <= MAX_INT64_DIGITS && small_integer(number, &integer))
	{
		value->val.numeric = int64_to_numeric(integer);
		note_integer(state, integer);
	}
	else if (number_is_sane(number))
		value->val.numeric =
			DatumGetNumeric(DirectFunctionCall3(numeric_in,
												CStringGetDatum(number),
												ObjectIdGetDatum(InvalidOid),
												Int32GetDatum(-1)));
	else
		return false;
	return true;
}

static JwtAuthJsonResult
on_scalar(void *arg, char *token, JsonTokenType type)
{
	ObjectParse *state = arg;
	JsonbValue	value;
	JsonbParseState *parent = jwtauth_jsonb_stack(&state->out);

	if (parent == NULL)
	{
		state->status = JWT_E_TOKEN_JSON;
		JWTAUTH_JSON_DONE;
	}

	value.type = jbvNull;
	switch (type)
	{
		case JSON_TOKEN_STRING:
			if (token != NULL)
				set_string(&value, token, token + strlen(token));
			else
				set_string(&value, state->value + 1,
						   state->lex->prev_token_terminator - 1);
			break;
		case JSON_TOKEN_NUMBER:
			if (!set_number(state, &value, token))
			{
				value.type = jbvNull;
				state->status = JWT_E_TOKEN_JSON;
			}
			break;
		case JSON_TOKEN_TRUE:
		case JSON_TOKEN_FALSE:
			value.type = jbvBool;
			value.val.boolean = (type == JSON_TOKEN_TRUE);
			break;
		default:
			break;
	}
	pushJsonbValue(&state->out,
				   parent->contVal.type == jbvArray ? WJB_ELEM : WJB_VALUE,
				   &value);
	JWTAUTH_JSON_DONE;
}

static const JsonSemAction actions_template = {
	.object_start = on_object_start,
	.object_end = on_object_end,
	.array_start = on_array_start,
	.array_end = on_array_end,
	.object_field_start = on_field,
	.array_element_start = on_element,
	.scalar = on_scalar,
};

/* At most so many brackets that no nesting of them could be too deep. */
static bool
has_few_brackets(const char *json, size_t len)
{
	const char *end = json + len;
	int			count = 0;

	for (const char *p = json; (p = memchr(p, '{', end - p)) != NULL; p++)
		if (++count > JWTAUTH_JSON_MAX_DEPTH)
			return false;
	for (const char *p = json; (p = memchr(p, '[', end - p)) != NULL; p++)
		if (++count > JWTAUTH_JSON_MAX_DEPTH)
			return false;
	return true;
}

/*
 * The parser recurses and, before release 16, its actions cannot stop it:
 * count brackets outside of strings first.  For text that is JSON the count
 * is exact; other text is refused by the parser anyway.
 */
static bool
depth_is_sane(const char *json, size_t len)
{
	int			depth = 0;
	bool		in_string = false;

	if (has_few_brackets(json, len))
		return true;
	for (size_t i = 0; i < len; i++)
	{
		char		c = json[i];

		if (in_string)
		{
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		}
		else if (c == '"')
			in_string = true;
		else if (c == '{' || c == '[')
		{
			if (++depth > JWTAUTH_JSON_MAX_DEPTH)
				return false;
		}
		else if ((c == '}' || c == ']') && depth > 0)
			depth--;
	}
	return true;
}

/*
 * The lexer unescapes strings into copies, character by character before
 * release 16.  Text without a backslash needs none of that: its strings are
 * taken where they stand.
 */
static JwtStatus
parse(const char *json, size_t len, Jsonb **object, JwtAuthJsonWatch *watch)
{
	JsonSemAction actions = actions_template;
	bool		has_escapes = memchr(json, '\\', len) != NULL;
	ObjectParse state = {0};
	JsonParseErrorType result;

	state.lex = jwtauth_json_lex(unconstify(char *, json), len,
								 GetDatabaseEncoding(), has_escapes);
	state.watch = watch;
	actions.semstate = &state;
	result = pg_parse_json(state.lex, &actions);
	if (result != JSON_SUCCESS)
		return jwtauth_json_untranslatable(result) ?
			JWT_E_TOKEN_ENCODING : JWT_E_TOKEN_JSON;
	if (state.status != JWT_OK)
		return state.status;
	if (state.out.result == NULL || state.out.result->type != jbvObject)
		return JWT_E_TOKEN_JSON;
	*object = JsonbValueToJsonb(state.out.result);
	return JWT_OK;
}

/*
 * Outside of UTF-8 a \u escape may name a character that the database cannot
 * represent, and release 15 raises that from inside the lexer.  The lexer
 * holds nothing but memory, so catching is safe.
 */
static JwtStatus
parse_converted(const char *json, size_t len, Jsonb **object,
				JwtAuthJsonWatch *watch)
{
	MemoryContext context = CurrentMemoryContext;
	volatile JwtStatus status = JWT_E_TOKEN_JSON;

	PG_TRY();
	{
		status = parse(json, len, object, watch);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (error->sqlerrcode != ERRCODE_UNTRANSLATABLE_CHARACTER &&
			error->sqlerrcode != ERRCODE_FEATURE_NOT_SUPPORTED)
			PG_RE_THROW();
		FlushErrorState();
		FreeErrorData(error);
		status = JWT_E_TOKEN_ENCODING;
	}
	PG_END_TRY();
	return status;
}

static JwtStatus
parse_watching(const char *json, size_t len, Jsonb **object,
			   JwtAuthJsonWatch *watch)
{
	*object = NULL;
	if (!depth_is_sane(json, len))
		return JWT_E_TOKEN_DEPTH;
	return GetDatabaseEncoding() == PG_UTF8 ?
		parse(json, len, object, watch) :
		parse_converted(json, len, object, watch);
}

JwtStatus
jwtauth_json_parse_server(const char *json, size_t len, Jsonb **object)
{
	return parse_watching(json, len, object, NULL);
}

JwtStatus
jwtauth_json_parse(const char *json, size_t len, Jsonb **object,
				   JwtAuthJsonWatch *watch)
{
	int			encoding = GetDatabaseEncoding();
	char	   *converted = unconstify(char *, json);

	*object = NULL;
	if (!pg_verify_mbstr(PG_UTF8, json, len, true))
		return JWT_E_TOKEN_UTF8;
	if (encoding != PG_UTF8 && encoding != PG_SQL_ASCII)
	{
		Oid			proc = FindDefaultConversionProc(PG_UTF8, encoding);
		size_t		room = len * MAX_CONVERSION_GROWTH + 1;

		if (!OidIsValid(proc))
			return JWT_E_TOKEN_ENCODING;
		converted = palloc(room);
		if (pg_do_encoding_conversion_buf(proc, PG_UTF8, encoding,
										  (unsigned char *) unconstify(char *, json),
										  len, (unsigned char *) converted,
										  room, true) != (int) len)
			return JWT_E_TOKEN_ENCODING;
		len = strlen(converted);
	}
	return parse_watching(converted, len, object, watch);
}
