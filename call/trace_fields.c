/* SPDX-License-Identifier: MIT */
#include "call/trace_fields.h"

#include <errno.h>
#include <string.h>

#include <quoit/interceptor.h>

#include "call/call.h"
#include "call/here.h"

static const char key;

/* Name and value, one behind the other. False: there is no memory. */
static bool copy(struct quoit_call *call, const quoit_metadata *from, quoit_metadata *to)
{
        size_t name_size = strlen(from->name) + 1;
        char *name = call_alloc(call, name_size + from->value.size);

        if (!name)
                return false;
        memcpy(name, from->name, name_size);
        if (from->value.size > 0)
                memcpy(name + name_size, from->value.data, from->value.size);
        *to = (quoit_metadata){ name,
                upb_StringView_FromDataAndSize(name + name_size, from->value.size) };
        return true;
}

int quoit_call_set_trace(quoit_call *call, const quoit_metadata *fields, size_t count)
{
        struct trace_fields *made;

        if (!call_is_here(call, __func__))
                return -EPERM;
        made = call_alloc(call, sizeof(*made) + count * sizeof(*made->of));
        if (!made)
                return -ENOMEM;
        for (; made->count < count; made->count++)
                if (!copy(call, fields + made->count, made->of + made->count))
                        return -ENOMEM;
        return quoit_call_attach(call, &key, made);
}

const struct trace_fields *trace_fields_find(const struct quoit_call *call)
{
        return quoit_call_attachment(call, &key);
}
