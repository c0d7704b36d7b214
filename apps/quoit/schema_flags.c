/* SPDX-License-Identifier: MIT */
#include "schema_flags.h"

#include <errno.h>
#include <string.h>

#include "say.h"

static int set_reflection(const struct flag *flag, const char *text, void *field)
{
        static const char *const names[] = {
                [REFLECTION_AUTO] = "auto",
                [REFLECTION_V1] = "v1",
                [REFLECTION_V1ALPHA] = "v1alpha",
                [REFLECTION_ON] = "on",
                [REFLECTION_OFF] = "off",
        };

        for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
                if (!strcmp(names[i], text)) {
                        *(int *)field = (int)i;
                        return 0;
                }
        }
        say_usage("--%s: '%s' is not auto, v1, v1alpha, on or off", flag->name, text);
        return -EINVAL;
}

/* grpcurl's --use-reflection=false */
static int use_reflection(const struct flag *flag, const char *text, void *field)
{
        bool is_used;

        if (flag_set_true(flag, text, &is_used) < 0)
                return -EINVAL;
        *(int *)field = is_used ? REFLECTION_ON : REFLECTION_OFF;
        return 0;
}

const struct flag schema_flags[] = {
        { "reflect", 0, "HOW", "ask the server: auto, v1, v1alpha, on (beside files too), off",
                set_reflection, offsetof(struct schema_flags, reflection), 0 },
        { "proto", 0, "FILE", "a .proto file, read by protoc", flag_add_string,
                offsetof(struct schema_flags, protos), 0 },
        { "import-path", 'I', "FOLDER", "where its imports are", flag_add_string,
                offsetof(struct schema_flags, import_paths), 0 },
        { "protoset", 0, "FILE", "a FileDescriptorSet, as protoc -o writes it", flag_add_string,
                offsetof(struct schema_flags, protosets), 0 },
        { "use-reflection", .set = use_reflection,
                .offset = offsetof(struct schema_flags, reflection) },
        { 0 },
};

void schema_flags_deinit(struct schema_flags *flags)
{
        strings_deinit(&flags->protos);
        strings_deinit(&flags->import_paths);
        strings_deinit(&flags->protosets);
}
