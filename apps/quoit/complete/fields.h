/* SPDX-License-Identifier: MIT */
#pragma once

#include "offers.h"
#include "upb/reflection/def.h"

/* Offers what may come next in the word, JSON of a message of that type: fields, values of enums. */
void fields_offer(struct offers *offers, const upb_MessageDef *type);
