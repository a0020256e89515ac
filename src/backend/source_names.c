/*-------------------------------------------------------------------------
 *
 * source_names.c
 *	  The names in a source of SQL or PL/pgSQL.
 *
 * The server's own scanner raises an error for what it cannot read; a source
 * that was never run may hold anything, and here it may not matter.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "compat.h"
#include "miscadmin.h"
#include "parser/scansup.h"
#include "source_names.h"

static bool
begins_name(char c)
{
	return isalpha((unsigned char) c) || c == '_' || IS_HIGHBIT_SET(c);
}

static bool
goes_on_name(char c)
{
	return begins_name(c) || isdigit((unsigned char) c) || c == '$';
}

/* Behind the comment that begins there; the same place if none does. */
static const char *
skip_comment(const char *s)
{
	int			depth = 0;

	if (s[0] == '-' && s[1] == '-')
		return s + strcspn(s, "\n\r");
	if (s[0] != '/' || s[1] != '*')
		return s;
	do
	{
		if (s[0] == '/' && s[1] == '*')
		{
			depth++;
			s++;
		}
		else if (s[0] == '*' && s[1] == '/')
		{
			depth--;
			s++;
		}
		s++;
	} while (depth > 0 && *s != '\0');
	return s;
}

/* From the opening quote to behind the closing one. */
static const char *
skip_string(const char *s, bool has_escapes)
{
	for (s++; *s != '\0'; s++)
	{
		if (*s == '\\' && has_escapes && s[1] != '\0')
			s++;
		else if (*s == '\'' && s[1] == '\'')
			s++;
		else if (*s == '\'')
			return s + 1;
	}
	return s;
}

/* Behind a string in dollar quotes; the next place if it is none. */
static const char *
skip_dollars(const char *s)
{
	const char *end = s + 1;
	const char *close;
	char	   *tag;

	if (begins_name(*end))
		while (goes_on_name(*end) && *end != '$')
			end++;
	if (*end != '$')
		return s + 1;
	tag = pnstrdup(s, end + 1 - s);
	close = strstr(end + 1, tag);
	end = close ? close + strlen(tag) : s + strlen(s);
	pfree(tag);
	return end;
}

static const char *
skip_blank(const char *s)
{
	const char *before;

	do
	{
		before = s;
		s = skip_comment(s + strspn(s, " \t\n\r\f\v"));
	} while (s != before);
	return s;
}

/* A name in double quotes, without them. */
static const char *
read_quoted(const char *s, char **name)
{
	StringInfoData text;

	initStringInfo(&text);
	for (s++; *s != '\0'; s++)
	{
		if (*s == '"' && s[1] != '"')
			break;
		if (*s == '"')
			s++;
		appendStringInfoChar(&text, *s);
	}
	truncate_identifier(text.data, text.len, false);
	*name = text.data;
	return *s == '"' ? s + 1 : s;
}

/* The name that begins there, and the place behind it; NULL if none does. */
static const char *
read_name(const char *s, char **name)
{
	const char *end = s;

	if (*s == '"')
		return read_quoted(s, name);
	if (!begins_name(*s))
		return NULL;
	while (goes_on_name(*end))
		end++;
	*name = downcase_truncate_identifier(s, end - s, false);
	return end;
}

/* A name and those that follow it, each behind a dot. */
static const char *
read_names(const char *s, JwtAuthSourceSink sink, void *arg)
{
	JwtAuthSourceName name = {NULL, NULL, false};

	for (;;)
	{
		char	   *part;
		const char *end = read_name(s, &part);
		const char *next;

		CHECK_FOR_INTERRUPTS();
		if (end == NULL)
			break;
		next = skip_blank(end);
		if (name.qualifier != NULL)
			pfree(name.qualifier);
		name.qualifier = name.name;
		name.name = part;
		name.is_called = *next == '(';
		sink(&name, arg);
		s = end;
		if (*next != '.')
			break;
		s = skip_blank(next + 1);
	}
	if (name.qualifier != NULL)
		pfree(name.qualifier);
	if (name.name != NULL)
		pfree(name.name);
	return s;
}

void
jwtauth_source_names(const char *source, JwtAuthSourceSink sink, void *arg)
{
	const char *s = source;

	while (*s != '\0')
	{
		const char *behind = skip_comment(s);

		CHECK_FOR_INTERRUPTS();
		if (behind != s)
			s = behind;
		else if ((*s == 'e' || *s == 'E') && s[1] == '\'')
			s = skip_string(s + 1, true);
		else if (*s == '\'')
			s = skip_string(s, false);
		else if (*s == '$')
			s = skip_dollars(s);
		else if (*s == '"' || begins_name(*s))
			s = read_names(s, sink, arg);
		else if (isdigit((unsigned char) *s))
			while (goes_on_name(*s))
				s++;
		else
			s++;
	}
}
