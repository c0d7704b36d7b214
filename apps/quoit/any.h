/* SPDX-License-Identifier: MIT */
#pragma once

#include "source.h"
#include "upb/mem/arena.h"
#include "upb/message/message.h"

/*
 * Makes every google.protobuf.Any in @message, of the type @type, one that JSON can say: loads the types that are not known yet, and what
 * nobody knows becomes a type of that name with one member, "@value", its bytes. Such an Any is changed, in @arena. 0; -ENOMEM.
 */
int any_resolve(
        struct source *source, const upb_MessageDef *type, upb_Message *message, upb_Arena *arena);
