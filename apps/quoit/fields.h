/* SPDX-License-Identifier: MIT */
#pragma once

/* Names in a schema that somebody has probably meant. */

#include "nearest.h"
#include "upb/reflection/def.h"

/* All fields of @type, and of the messages that can be in it, as JSON spells them. */
void fields_try(struct nearest *nearest, const upb_MessageDef *type);

/* The values of all enums of these fields. */
void enumerators_try(struct nearest *nearest, const upb_MessageDef *type);
