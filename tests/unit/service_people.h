/*
 * Tills and users for tests of the service: of the register without enrolment, by a key that is theirs at once.
 */
#pragma once

#include "service_world.h"

/* A user of this role. Returns its number. */
uint64_t add_user(struct service_world *world, enum role role, const char *name);
uint64_t add_till(struct service_world *world, const char *store, const char *till);
/* As an operation does it: the event, then the register. */
void change_identity(struct service_world *world, enum identity_act act, const struct identity *after);

/* Connects as one of them, and says hello for a lane: requests go over this connection from now on. Returns its name. */
uint64_t join_as(struct service_world *world, uint64_t identity, uint64_t epoch);
/* What of the body of its last refusal is for people. */
void assert_detail(const struct service_world *world, const char *want);
