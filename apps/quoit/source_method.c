/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nearest.h"
#include "say.h"
#include "source_parts.h"

#define NAME_BYTES 1024

/* The two parts of a method's name. */
struct name {
        char service[NAME_BYTES];
        const char *method; /* in @service */
};

static bool split(const char *text, struct name *name)
{
        char *at;

        if (*text == '/')
                text++;
        if (strlen(text) >= sizeof(name->service))
                return false;
        strcpy(name->service, text);
        at = strrchr(name->service, '/');
        if (!at)
                at = strrchr(name->service, '.');
        if (!at || at == name->service || !at[1])
                return false;
        *at = '\0';
        name->method = at + 1;
        return true;
}

/* Without its package. */
static const char *last_part(const char *name)
{
        const char *dot = strrchr(name, '.');

        return dot ? dot + 1 : name;
}

/* The only one of @names that is called so, whatever its package. NULL: there is none, or there are several. */
static const char *find_short(const struct strings *names, const char *service)
{
        const char *found = NULL;

        for (size_t i = 0; i < names->count; i++) {
                if (strcmp(last_part(names->at[i]), service) != 0)
                        continue;
                if (found)
                        return NULL;
                found = names->at[i];
        }
        return found;
}

static int say_no_service(
        const struct source *source, const struct strings *names, const char *name)
{
        const char *where = source->connection ? source->connection->target : "the files";
        char hint[NEAREST_HINT_BYTES];
        struct nearest nearest;

        nearest_init(&nearest, name);
        for (size_t i = 0; i < names->count; i++)
                nearest_try(&nearest, names->at[i]);
        for (size_t i = 0; i < names->count && !nearest.best[0] && !strchr(name, '.'); i++) {
                nearest_try(&nearest, last_part(names->at[i]));
                if (nearest.best[0])
                        snprintf(nearest.best, sizeof(nearest.best), "%.255s", names->at[i]);
        }
        return say_usage("no service %s: %s%s", name, where, nearest_hint(&nearest, hint));
}

/* What @name can mean: all of it, or the last part of it. NULL: nothing. */
static const char *find_listed(const struct strings *names, const char *name)
{
        for (size_t i = 0; i < names->count; i++)
                if (!strcmp(names->at[i], name))
                        return name;
        return find_short(names, name);
}

static int find_service(struct source *source, const char *name, const upb_ServiceDef **ret_service)
{
        const upb_ServiceDef *service = source_service(source, name);
        const struct strings *names;
        const char *listed;
        int status;

        if (!service) {
                status = source_services(source, &names);
                if (status != EXIT_DONE)
                        return status;
                if (names->count == 0 && !source_asks(source))
                        return say_usage("no schema: reflection is off, and --proto and --protoset "
                                         "are missing");
                listed = find_listed(names, name);
                if (!listed)
                        return say_no_service(source, names, name);
                service = source_service(source, listed);
                if (!service)
                        return say_failed("%s: %s", listed, source->problem);
        }
        *ret_service = service;
        return EXIT_DONE;
}

static int find_method(
        const upb_ServiceDef *service, const char *name, const upb_MethodDef **ret_method)
{
        const upb_MethodDef *method = upb_ServiceDef_FindMethodByName(service, name);
        char hint[NEAREST_HINT_BYTES];
        struct nearest nearest;

        nearest_init(&nearest, name);
        for (int i = 0; !method && i < upb_ServiceDef_MethodCount(service); i++)
                nearest_try(&nearest, upb_MethodDef_Name(upb_ServiceDef_Method(service, i)));
        if (!method)
                return say_usage("no method %s: service %s%s", name,
                        upb_ServiceDef_FullName(service), nearest_hint(&nearest, hint));
        *ret_method = method;
        return EXIT_DONE;
}

/* ---- what calls take ---- */

static quoit_method_kind kind_of(const upb_MethodDef *method)
{
        if (upb_MethodDef_ClientStreaming(method))
                return upb_MethodDef_ServerStreaming(method) ? QUOIT_BIDI : QUOIT_CLIENT_STREAMING;
        return upb_MethodDef_ServerStreaming(method) ? QUOIT_SERVER_STREAMING : QUOIT_UNARY;
}

static char *spell_path(struct source *source, const upb_MethodDef *method)
{
        const char *service = upb_ServiceDef_FullName(upb_MethodDef_Service(method));
        const char *name = upb_MethodDef_Name(method);
        size_t size = strlen(service) + strlen(name) + 3;
        char *path = upb_Arena_Malloc(source->arena, size);

        if (path)
                snprintf(path, size, "/%s/%s", service, name);
        return path;
}

/* The messages that can be in one, each once. */
struct seen {
        const upb_MessageDef **at;
        size_t count;
};

static bool see(struct seen *seen, const upb_MessageDef *message)
{
        const upb_MessageDef **at;

        for (size_t i = 0; i < seen->count; i++)
                if (seen->at[i] == message)
                        return false;
        at = reallocarray((void *)seen->at, seen->count + 1, sizeof(*at));
        if (!at)
                return false;
        seen->at = at;
        seen->at[seen->count++] = message;
        return true;
}

/* Extensions of options occur in descriptors only, whose extensions are nobody's matter here. */
static bool wants_extensions(const upb_MessageDef *message)
{
        return upb_MessageDef_ExtensionRangeCount(message) > 0 &&
               strncmp(upb_MessageDef_FullName(message), "google.protobuf.", 16) != 0;
}

/* Loads the extensions of @message and of all messages that can be in it. True: there may be some. */
static bool load_extensions(struct source *source, const upb_MessageDef *message)
{
        struct seen seen = { 0 };
        bool has_some = false;

        see(&seen, message);
        for (size_t i = 0; i < seen.count; i++) {
                const upb_MessageDef *at = seen.at[i];

                for (int j = 0; j < upb_MessageDef_FieldCount(at); j++)
                        if (upb_FieldDef_IsSubMessage(upb_MessageDef_Field(at, j)))
                                see(&seen, upb_FieldDef_MessageSubDef(upb_MessageDef_Field(at, j)));
                if (wants_extensions(at)) {
                        source_load_extensions(source, at);
                        has_some = true;
                }
        }
        free((void *)seen.at);
        return has_some;
}

static int make_method(
        struct source *source, const upb_MethodDef *def, struct source_method *ret_method)
{
        struct source_method method = { .def = def,
                .request = upb_MethodDef_InputType(def),
                .reply = upb_MethodDef_OutputType(def) };

        method.quoit = (quoit_method){ .path = spell_path(source, def),
                .kind = kind_of(def),
                .request = upb_MessageDef_MiniTable(method.request),
                .reply = upb_MessageDef_MiniTable(method.reply) };
        if (!method.quoit.path)
                return say_failed("out of memory");
        load_extensions(source, method.request);
        method.has_extensions = load_extensions(source, method.reply);
        *ret_method = method;
        return EXIT_DONE;
}

int source_method(struct source *source, const char *name, struct source_method *ret_method)
{
        const upb_ServiceDef *service = NULL;
        const upb_MethodDef *def = NULL;
        struct name parts;
        int status;

        if (!split(name, &parts))
                return say_usage("'%s' is no method; write pkg.Service/Method", name);
        status = find_service(source, parts.service, &service);
        if (status == EXIT_DONE)
                status = find_method(service, parts.method, &def);
        return status == EXIT_DONE ? make_method(source, def, ret_method) : status;
}
