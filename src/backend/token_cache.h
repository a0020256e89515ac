/*-------------------------------------------------------------------------
 *
 * token_cache.h
 *	  Tokens whose signature was verified before in this backend.
 *
 * The cache remembers what a token says and which key verified it, not that
 * it is good: that is judged each time anew.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_TOKEN_CACHE_H
#define JWTAUTH_TOKEN_CACHE_H

#include "token.h"

/* The token of exactly these bytes, or NULL. */
extern JwtAuthToken *jwtauth_token_cache_find(JwtSlice text);

/*
 * Keeps a copy and returns it.  It stays until the next call, or as long as
 * it is pinned.
 */
extern JwtAuthToken *jwtauth_token_cache_keep(const JwtAuthToken *token);

/*
 * Pins the token in force, one at a time; NULL: none.  Answers whether it is
 * one of the cache's: of no other may the address be remembered.
 */
extern bool jwtauth_token_cache_pin(JwtAuthToken *token);

#endif							/* JWTAUTH_TOKEN_CACHE_H */
