/* SPDX-License-Identifier: MIT */
#include "front/field_path.h"

#include <errno.h>
#include <string.h>

#include "schema/problem.h"

static const upb_FieldDef *find_field(const upb_MessageDef *type, upb_StringView name)
{
        const upb_FieldDef *field =
                upb_MessageDef_FindFieldByNameWithSize(type, name.data, name.size);

        return field ? field : upb_MessageDef_FindByJsonNameWithSize(type, name.data, name.size);
}

/* Takes a field's name off the front of @text: up to a dot, or all of it if that is a name. */
static const upb_FieldDef *take_field(const upb_MessageDef *type, upb_StringView *text)
{
        const char *dot = memchr(text->data, '.', text->size);
        size_t size = dot ? (size_t)(dot - text->data) : text->size;
        const upb_FieldDef *field =
                find_field(type, upb_StringView_FromDataAndSize(text->data, size));

        if (!field) {
                field = find_field(type, *text);
                size = text->size;
        }
        *text = upb_StringView_FromDataAndSize(
                text->data + size, text->size - size); /* ".b", or empty */
        return field;
}

int field_path_find(struct field_path *ret_path, const upb_MessageDef *type, upb_StringView text,
        quoit_problem *ret_problem)
{
        const upb_MessageDef *outermost = type;
        struct field_path path = { .count = 0 };
        upb_StringView rest = text;

        for (;;) {
                const upb_FieldDef *field = rest.size > 0 ? take_field(type, &rest) : NULL;

                if (!field)
                        return problem_set(ret_problem, -EINVAL, "%s has no field \"%.*s\"",
                                upb_MessageDef_FullName(outermost), (int)text.size, text.data);
                path.fields[path.count++] = field;
                if (rest.size == 0)
                        break;
                if (!upb_FieldDef_IsSubMessage(field) || upb_FieldDef_IsRepeated(field))
                        return problem_set(ret_problem, -EINVAL, "\"%.*s\": %s is %s",
                                (int)text.size, text.data, upb_FieldDef_FullName(field),
                                upb_FieldDef_IsMap(field) ? "a map, which has no place in a URL"
                                                          : "not a single message");
                if (path.count == FIELD_PATH_DEPTH_MAX)
                        return problem_set(ret_problem, -EINVAL, "\"%.*s\" is too deep",
                                (int)text.size, text.data);
                type = upb_FieldDef_MessageSubDef(field);
                rest = upb_StringView_FromDataAndSize(rest.data + 1, rest.size - 1);
        }
        *ret_path = path;
        return 0;
}

bool field_path_is_in(const struct field_path *path, const struct field_path *outer)
{
        return path->count >= outer->count &&
               memcmp(path->fields, outer->fields, outer->count * sizeof(*outer->fields)) == 0;
}
