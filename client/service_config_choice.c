/* SPDX-License-Identifier: MIT */

/* A service config for some clients: the list that a name's record of TXT has (gRPC's proposal A2). */

#include <errno.h>
#include <strings.h>

#include "client/service_config_read.h"

#define LANGUAGE "c"

/* Who asks. */
struct asker {
        const char *host_name;
        unsigned percent;
};

/* Whether the member @name, a list of strings, has @wanted in it, or is missing. 0 or -EINVAL. */
static int read_list(const struct place *up, const struct json *object, const char *name,
        const char *wanted, bool *ret_fits)
{
        struct field list;
        unsigned index = 0;
        bool fits = false;
        int r = config_find(up, object, name, JSON_ARRAY, &list);

        for (const struct json *json = r == 0 && list.json ? list.json->first : NULL; json;
                json = json->next) {
                struct place place = element_place(&list.place, index++);

                if (config_want(&place, json, JSON_STRING) < 0)
                        return -EINVAL;
                fits |= strlen(wanted) == json->text.size &&
                        strncasecmp(json->text.data, wanted, json->text.size) == 0;
        }
        if (r == 0 && list.json)
                *ret_fits &= fits;
        return r;
}

static int read_percentage(
        const struct place *up, const struct json *object, unsigned percent, bool *ret_fits)
{
        struct field field;
        uint64_t number;
        int r = config_find(up, object, "percentage", JSON_NUMBER, &field);

        if (r < 0 || !field.json)
                return r;
        if (json_whole(field.json, 100, &number) < 0)
                return config_refuse(&field.place, "a whole number from 0 to 100 is wanted");
        *ret_fits &= percent <= number;
        return 0;
}

/* The proposal's "clientHostname" is "clientHostName" to some. */
static int read_choice(const struct place *place, const struct json *object,
        const struct asker *asker, bool *ret_fits)
{
        int r = config_want(place, object, JSON_OBJECT);

        *ret_fits = true;
        if (r == 0)
                r = read_list(place, object, "clientLanguage", LANGUAGE, ret_fits);
        if (r == 0)
                r = read_list(place, object, "clientHostname", asker->host_name, ret_fits);
        if (r == 0)
                r = read_list(place, object, "clientHostName", asker->host_name, ret_fits);
        return r < 0 ? r : read_percentage(place, object, asker->percent, ret_fits);
}

/* *@ret_found: where the chosen one is, or NULL in its `json`. @ret_place is what that refers to. All are checked. */
static int find_choice(const struct place *whole, const struct json *list,
        const struct asker *asker, struct place *ret_place, struct field *ret_found)
{
        unsigned index = 0;
        int r = config_want(whole, list, JSON_ARRAY);

        ret_found->json = NULL;
        for (const struct json *json = r == 0 ? list->first : NULL; r == 0 && json;
                json = json->next) {
                struct place place = element_place(whole, index++);
                struct field config;
                bool fits;

                r = read_choice(&place, json, asker, &fits);
                if (r == 0)
                        r = config_find(&place, json, "serviceConfig", JSON_OBJECT, &config);
                if (r == 0 && !config.json)
                        return config_refuse(&config.place, "it is missing");
                if (r < 0 || !fits || ret_found->json)
                        continue;
                *ret_place = place;
                *ret_found = config;
                ret_found->place.up = ret_place;
        }
        return r;
}

int service_config_choose(upb_StringView text, const char *host_name, unsigned percent,
        struct service_config **ret_config, char ret_problem[static SERVICE_CONFIG_PROBLEM_BYTES])
{
        const struct asker asker = { .host_name = host_name, .percent = percent };
        struct place whole = { .problem = ret_problem }, place;
        struct service_config *config = config_new();
        const struct json *list;
        struct field found = { 0 };
        int r = config ? config_parse(&whole, text, config->arena, &list) : -ENOMEM;

        if (r == 0)
                r = find_choice(&whole, list, &asker, &place, &found);
        if (r == 0 && found.json)
                r = config_read(config, &found.place, found.json);
        if (r < 0 || !found.json)
                config = service_config_unref(config);
        if (r == 0)
                *ret_config = config;
        return r;
}
