/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  Differences between PostgreSQL releases, newest first.
 *
 * PG_VERSION_NUM appears in this file and nowhere else.  Each block says
 * which release did what, and offers the newest form to the older ones
 * wherever that can be done.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_COMPAT_H
#define JWTAUTH_COMPAT_H

#include "catalog/pg_proc.h"
#include "common/jsonapi.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "utils/acl.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"
#include "utils/jsonb.h"

/* Of the library; the control file's default_version is the script's. */
#define JWTAUTH_VERSION "1.0"

/*
 * 19: pushJsonbValue() takes a JsonbInState and returns nothing; the result
 * stands in its member.  Older: a stack pointer, and the result is returned.
 */
#if PG_VERSION_NUM >= 190000
#define jwtauth_jsonb_stack(state) ((state)->parseState)
#else
typedef struct JsonbInState
{
	JsonbParseState *parseState;
	JsonbValue *result;
} JsonbInState;

static inline void
jwtauth_push_jsonb(JsonbInState *state, JsonbIteratorToken seq,
				   JsonbValue *value)
{
	state->result = pushJsonbValue(&state->parseState, seq, value);
}

#define pushJsonbValue(state, seq, value) jwtauth_push_jsonb(state, seq, value)
#define jwtauth_jsonb_stack(state) ((state)->parseState)
#endif

/*
 * 19: the name of an LWLock's tranche is shared; one who makes a named
 * segment may be handed something.
 */
#if PG_VERSION_NUM >= 190000
#define jwtauth_new_tranche(name) LWLockNewTrancheId(name)
#define jwtauth_name_tranche(tranche, name) ((void) (tranche))
#else
#define jwtauth_new_tranche(name) LWLockNewTrancheId()
#define jwtauth_name_tranche(tranche, name) LWLockRegisterTranche(tranche, name)
#endif

/* 19: a scan of a table has flags. */
#if PG_VERSION_NUM >= 190000
#define jwtauth_beginscan(rel, snapshot) \
	table_beginscan(rel, snapshot, 0, NULL, SO_NONE)
#else
#define jwtauth_beginscan(rel, snapshot) \
	table_beginscan(rel, snapshot, 0, NULL)
#endif

/*
 * 19: a publication of all tables may leave some out.
 */
#if PG_VERSION_NUM >= 190000
#define GetRelationPublications(rel) GetRelationIncludedPublications(rel)
#define jwtauth_publications_without(rel) GetRelationExcludedPublications(rel)
#else
#define jwtauth_publications_without(rel) NIL
#endif

/*
 * 18: a module may say its name and version; a primary key may be
 * deferrable, which ours are not; pg_noreturn stands before the function; a
 * constraint may be one that is not enforced.
 */
#if PG_VERSION_NUM >= 180000
#define jwtauth_primary_key(rel) RelationGetPrimaryKeyIndex(rel, false)
#define JWTAUTH_MODULE_MAGIC \
	PG_MODULE_MAGIC_EXT(.name = "jwt_auth", .version = JWTAUTH_VERSION)
#define jwtauth_is_enforced(check) ((check)->ccenforced)
#else
#define pg_noreturn __attribute__((noreturn))
#define jwtauth_primary_key(rel) RelationGetPrimaryKeyIndex(rel)
#define JWTAUTH_MODULE_MAGIC PG_MODULE_MAGIC
#define jwtauth_is_enforced(check) true
#endif

/*
 * 17: shared memory can be had by name, without shared_preload_libraries.
 */
#if PG_VERSION_NUM >= 170000
#include "storage/dsm_registry.h"
#define JWTAUTH_HAS_DSM_REGISTRY 1
#if PG_VERSION_NUM >= 190000
static inline void
jwtauth_make_segment(void *memory, void *maker)
{
	((void (*) (void *)) maker) (memory);
}

#define jwtauth_named_segment(name, size, maker, found) \
	GetNamedDSMSegment(name, size, jwtauth_make_segment, found, (void *) (maker))
#else
#define jwtauth_named_segment(name, size, maker, found) \
	GetNamedDSMSegment(name, size, maker, found)
#endif
#else
#define JWTAUTH_HAS_DSM_REGISTRY 0
#endif

/*
 * 17: a transaction may time out.  Is a wait of ours to end, so that
 * CHECK_FOR_INTERRUPTS() can throw?  For what calls back from within another
 * library, where nothing may.
 */
static inline bool
jwtauth_must_stop(void)
{
#if PG_VERSION_NUM >= 170000
	if (TransactionTimeoutPending)
		return true;
#endif
	return QueryCancelPending || ProcDiePending;
}

/*
 * 17: the lexer's state belongs to the caller.
 */
#if PG_VERSION_NUM >= 170000
#define jwtauth_json_lex(json, len, encoding, unescape) \
	makeJsonLexContextCstringLen(NULL, json, len, encoding, unescape)
#define jwtauth_json_lex_text(json) makeJsonLexContext(NULL, json, true)
#else
#define jwtauth_json_lex(json, len, encoding, unescape) \
	makeJsonLexContextCstringLen(json, len, encoding, unescape)
#define jwtauth_json_lex_text(json) makeJsonLexContext(json, true)
#endif

/*
 * 17: JSON_VALUE() and its kin are a node of their own; what they look into,
 * and their path.
 */
#if PG_VERSION_NUM >= 170000
static inline Node *
jwtauth_json_expr(Node *node, Node **path)
{
	if (!IsA(node, JsonExpr))
		return NULL;
	*path = ((JsonExpr *) node)->path_spec;
	return ((JsonExpr *) node)->formatted_expr;
}
#else
#define jwtauth_json_expr(node, path) ((void) (path), (Node *) NULL)
#endif

/*
 * 16: PGDLLEXPORT makes a symbol visible; before, it did nothing, and we
 * compile with everything hidden.
 */
#if PG_VERSION_NUM < 160000
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

/*
 * 16: semantic actions of the JSON parser return a status; varatt.h stands
 * alone; settings are listed with their number; backends' states have
 * another reader; a membership may be granted WITH SET FALSE; one function
 * checks the privileges of every kind of object; a number that does not parse
 * is told through a node, before through a flag; an escape that the encoding
 * lacks is told by the JSON parser's result, before by an error; a relation's
 * file has another name.
 */
#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#include "varatt.h"
typedef JsonParseErrorType JwtAuthJsonResult;
#define jwtauth_backend_status(i) \
	(&pgstat_get_local_beentry_by_index(i)->backendStatus)
#define jwtauth_all_settings(count) get_guc_variables(count)
#define jwtauth_relation_file(rel) ((rel)->rd_locator.relNumber)
#define JWTAUTH_JSON_DONE return JSON_SUCCESS
#define jwtauth_json_untranslatable(result) \
	((result) == JSON_UNICODE_UNTRANSLATABLE)
#define jwtauth_may_set_role(member, role) member_can_set_role(member, role)
#define jwtauth_may_execute(function) \
	(object_aclcheck(ProcedureRelationId, function, GetUserId(), \
					 ACL_EXECUTE) == ACLCHECK_OK)

static inline bool
jwtauth_float8_of(char *text, double *value)
{
	ErrorSaveContext error = {T_ErrorSaveContext};

	*value = float8in_internal(text, NULL, "double precision", text,
							   (Node *) &error);
	return !error.error_occurred;
}
#else
typedef void JwtAuthJsonResult;
#define jwtauth_backend_status(i) pgstat_fetch_stat_beentry(i)
#define jwtauth_relation_file(rel) ((rel)->rd_node.relNode)
#define jwtauth_all_settings(count) \
	(*(count) = GetNumConfigOptions(), get_guc_variables())
#define JWTAUTH_JSON_DONE return
#define jwtauth_json_untranslatable(result) false
#define jwtauth_may_set_role(member, role) is_member_of_role(member, role)
#define jwtauth_may_execute(function) \
	(pg_proc_aclcheck(function, GetUserId(), ACL_EXECUTE) == ACLCHECK_OK)

static inline bool
jwtauth_float8_of(char *text, double *value)
{
	bool		failed = false;

	*value = float8in_internal_opt_error(text, NULL, "double precision", text,
										 &failed);
	return !failed;
}
#endif

#endif							/* JWTAUTH_COMPAT_H */
