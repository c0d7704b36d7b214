/* SPDX-License-Identifier: MIT */
#pragma once

#include "codec/plugin/unit.h"

/*
 * The parts of a service's code. Both printers of the unit know its names: $service$, the prefix of what users call; $table$, that of
 * linker symbols; and $full_name$.
 */

/* Gives @p the names of @method: $method$, $member$, $method_name$, $index$, $request$, $reply$, their tables, and $thunk$. */
void services_set_method(struct unit *u, struct printer *p, const upb_MethodDef *method);

/* handlers.c: a server's half. What users implement, how they register it, and how they answer; and the thunks. */
void handlers_emit_struct(struct unit *u, const upb_ServiceDef *service);
void handlers_emit_functions(struct unit *u, const upb_ServiceDef *service);
void handlers_emit_thunks(struct unit *u, const upb_ServiceDef *service);
/* Its members of the method's entry in the table. */
void handlers_emit_entry(struct unit *u, const upb_MethodDef *method);

/* stubs.c: a client's half. The functions, and the tables of thunks. */
void stubs_emit(struct unit *u, const upb_ServiceDef *service);
void stubs_emit_thunks(struct unit *u, const upb_ServiceDef *service);

/* blocking_stubs.c: those that wait. */
void blocking_stubs_emit(struct unit *u, const upb_MethodDef *method);
