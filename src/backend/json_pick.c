/*-------------------------------------------------------------------------
 *
 * json_pick.c
 *	  A few members of a JSON text, picked while it is checked.
 *
 * For texts that are to stay as they are, byte for byte, and to be judged by
 * two or three of their members: one pass instead of one for each.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "json_pick.h"
#include "utils/jsonfuncs.h"

typedef struct Pick
{
	JwtAuthPicked *picked;
	int			count;
	int			depth;			/* of open objects and arrays */
	bool		in_object;		/* the outermost value is one */
	JwtAuthPicked *next;		/* that the next value is of; or NULL */
} Pick;

/* A value that has parts has no text. */
static void
open_value(Pick *pick)
{
	if (pick->next != NULL)
	{
		pick->next->isnull = false;
		pick->next->text = "";
		pick->next = NULL;
	}
	pick->depth++;
}

static JwtAuthJsonResult
on_object_start(void *arg)
{
	Pick	   *pick = arg;

	if (pick->depth == 0)
		pick->in_object = true;
	open_value(pick);
	JWTAUTH_JSON_DONE;
}

static JwtAuthJsonResult
on_array_start(void *arg)
{
	open_value(arg);
	JWTAUTH_JSON_DONE;
}

static JwtAuthJsonResult
on_end(void *arg)
{
	Pick	   *pick = arg;

	pick->depth--;
	JWTAUTH_JSON_DONE;
}

static JwtAuthJsonResult
on_field(void *arg, char *name, bool isnull)
{
	Pick	   *pick = arg;

	pick->next = NULL;
	for (int i = 0; pick->depth == 1 && pick->in_object && i < pick->count; i++)
		if (strcmp(name, pick->picked[i].name) == 0)
			pick->next = &pick->picked[i];
	if (pick->next != NULL)
		pick->next->present = true;
	JWTAUTH_JSON_DONE;
}

static JwtAuthJsonResult
on_scalar(void *arg, char *token, JsonTokenType type)
{
	Pick	   *pick = arg;

	if (pick->next != NULL)
	{
		pick->next->isnull = (type == JSON_TOKEN_NULL);
		pick->next->text = token;
		pick->next = NULL;
	}
	JWTAUTH_JSON_DONE;
}

void
jwtauth_json_pick(text * json, JwtAuthPicked *picked, int count)
{
	Pick		pick = {picked, count, 0, false, NULL};
	JsonSemAction actions = {
		.semstate = &pick,
		.object_start = on_object_start,
		.object_end = on_end,
		.array_start = on_array_start,
		.array_end = on_end,
		.object_field_start = on_field,
		.scalar = on_scalar,
	};

	pg_parse_json_or_ereport(jwtauth_json_lex_text(json), &actions);
}
