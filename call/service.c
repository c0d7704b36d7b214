/* SPDX-License-Identifier: MIT */
#include <quoit/service.h>

#include <string.h>

/* The part of @path behind its last slash. */
static const char *name_of(const char *path)
{
        return strrchr(path, '/') + 1;
}

const quoit_method *quoit_service_method(const quoit_service *service, const char *name)
{
        for (size_t i = 0; i < service->method_count; i++) {
                if (strcmp(name_of(service->methods[i].path), name) == 0)
                        return service->methods + i;
        }
        return NULL;
}
