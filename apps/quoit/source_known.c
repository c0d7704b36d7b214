/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "known_files.h"
#include "source_parts.h"

static bool add(struct source *source, const quoit_file_descriptor *file)
{
        upb_StringView name;

        return source_add_proto(
                       source, upb_StringView_FromDataAndSize(file->bytes, file->size), &name) == 0;
}

bool source_add_known(struct source *source, upb_StringView name)
{
        for (size_t i = 0; known_files[i]; i++)
                if (upb_StringView_IsEqual(name, upb_StringView_FromString(known_files[i]->name)))
                        return add(source, known_files[i]);
        return false;
}

void source_link_known(struct source *source)
{
        if (source->has_known)
                return;
        source->has_known = true;
        for (size_t i = 0; known_files[i]; i++)
                if (add(source, known_files[i]))
                        source_link(source, upb_StringView_FromString(known_files[i]->name));
}
