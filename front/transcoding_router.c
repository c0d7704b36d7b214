/* SPDX-License-Identifier: MIT */
#include "front/transcoding_router.h"

#include <errno.h>
#include <string.h>

#include "front/transcoding_rule.h"

struct transcoding_node {
        struct transcoding_node *next; /* with the same parent */
        struct transcoding_node *literals;
        struct transcoding_node *one; /* for "*"; NULL: none */
        upb_StringView literal; /* of its parent's literals */
        struct transcoding_rule *ends; /* rules whose segments end here */
        struct transcoding_rule
                *any; /* rules that go on with "**"; those with more segments first */
};

struct transcoding_verb {
        struct transcoding_verb *next;
        upb_StringView text;
};

/* ---- filling ---- */

static struct transcoding_node *node_new(upb_Arena *arena)
{
        struct transcoding_node *node = upb_Arena_Malloc(arena, sizeof(*node));

        if (node)
                *node = (struct transcoding_node){ 0 };
        return node;
}

/* The child of @node for @segment, which is not "**"; made if there is none. NULL: no memory. */
static struct transcoding_node *child_for(
        struct transcoding_node *node, const struct path_segment *segment, upb_Arena *arena)
{
        struct transcoding_node **place = segment->kind == PATH_ONE ? &node->one : &node->literals;

        while (*place && !upb_StringView_IsEqual((*place)->literal, segment->literal))
                place = &(*place)->next;
        if (!*place) {
                *place = node_new(arena);
                if (*place)
                        (*place)->literal = segment->literal;
        }
        return *place;
}

static int add_verb(struct transcoding_router *router, upb_StringView text, upb_Arena *arena)
{
        struct transcoding_verb **place = &router->verbs, *verb;

        while (*place && (*place)->text.size >= text.size) {
                if (upb_StringView_IsEqual((*place)->text, text))
                        return 0;
                place = &(*place)->next;
        }
        verb = upb_Arena_Malloc(arena, sizeof(*verb));
        if (!verb)
                return -ENOMEM;
        *verb = (struct transcoding_verb){ .next = *place, .text = text };
        *place = verb;
        return 0;
}

static int add_to(struct transcoding_rule **list, struct transcoding_rule *rule,
        const struct transcoding_rule **ret_other)
{
        for (const struct transcoding_rule *other = *list; other; other = other->next) {
                if (!path_template_is_same(&other->path, &rule->path) ||
                        !upb_StringView_IsEqual(other->http_method, rule->http_method))
                        continue;
                *ret_other = other;
                return -EEXIST;
        }
        while (*list && (*list)->path.segment_count >= rule->path.segment_count)
                list = &(*list)->next;
        rule->next = *list;
        *list = rule;
        return 0;
}

int transcoding_router_add(struct transcoding_router *router, struct transcoding_rule *rule,
        upb_Arena *arena, const struct transcoding_rule **ret_other)
{
        const struct path_template *path = &rule->path;
        struct transcoding_node *node;

        if (path->verb.size > 0 && add_verb(router, path->verb, arena) < 0)
                return -ENOMEM;
        if (!router->root)
                router->root = node_new(arena);
        node = router->root;
        for (unsigned i = 0; node && i < path->any; i++)
                node = child_for(node, path->segments + i, arena);
        if (!node)
                return -ENOMEM;
        return add_to(path->any < path->segment_count ? &node->any : &node->ends, rule, ret_other);
}

/* ---- searching ---- */

struct search {
        upb_StringView path; /* without the verb */
        upb_StringView verb;
        upb_StringView http_method;
        char *allow; /* NULL, or which methods would have matched; then none is found */
        size_t allow_size;
};

static bool has_word(const char *list, size_t size, upb_StringView word)
{
        for (const char *at = list; at; at = memchr(at, ',', size - (size_t)(at - list))) {
                if (at > list)
                        at += 2;
                if (size - (size_t)(at - list) >= word.size &&
                        memcmp(at, word.data, word.size) == 0 &&
                        (at + word.size == list + size || at[word.size] == ','))
                        return true;
        }
        return false;
}

static void note_allowed(struct search *search, upb_StringView method)
{
        size_t size = search->allow_size;

        if (size + 2 + method.size >= TRANSCODING_ALLOW_BYTES ||
                (size > 0 && has_word(search->allow, size, method)))
                return;
        if (size > 0) {
                memcpy(search->allow + size, ", ", 2);
                size += 2;
        }
        memcpy(search->allow + size, method.data, method.size);
        search->allow_size = size + method.size;
}

/* After the "**", which the rule has, other segments must match. */
static bool tail_fits(const struct path_template *template, upb_StringView path)
{
        upb_StringView segments[PATH_TEMPLATE_SEGMENTS_MAX];

        if (!path_template_cut(template, path, segments))
                return false;
        for (unsigned i = template->any + 1; i < template->segment_count; i++)
                if (template->segments[i].kind == PATH_LITERAL &&
                        !path_segment_is(segments[i], template->segments[i].literal))
                        return false;
        return true;
}

static bool is_any_method(upb_StringView method)
{
        return method.size == 1 && *method.data == '*';
}

/* The rule of a node's @list that is meant: one with the very method before one with "*". */
static const struct transcoding_rule *choose(
        struct search *search, const struct transcoding_rule *list, bool has_any)
{
        const struct transcoding_rule *found = NULL;

        for (; list; list = list->next) {
                if (!upb_StringView_IsEqual(list->path.verb, search->verb) ||
                        (has_any && !tail_fits(&list->path, search->path)))
                        continue;
                if (search->allow)
                        note_allowed(search, list->http_method);
                else if (upb_StringView_IsEqual(list->http_method, search->http_method))
                        return list;
                else if (!found && is_any_method(list->http_method))
                        found = list;
        }
        return found;
}

/*
 * Visits each node of the tree at most once, as only one way leads to it: so a path costs no more than there are rules. As deep
 * as the longest template.
 */
static const struct transcoding_rule *walk(
        struct search *search, const struct transcoding_node *node, upb_StringView rest)
{
        const struct transcoding_rule *found = NULL;
        upb_StringView segment;

        if (!path_next(&rest, &segment)) {
                found = choose(search, node->ends, false);
                return found ? found : choose(search, node->any, true);
        }
        for (const struct transcoding_node *child = node->literals; child && !found;
                child = child->next)
                if (path_segment_is(segment, child->literal))
                        found = walk(search, child, rest);
        if (!found && node->one && segment.size > 0)
                found = walk(search, node->one, rest);
        return found ? found : choose(search, node->any, true);
}

static const struct transcoding_rule *find(
        const struct transcoding_router *router, struct search *search)
{
        return router->root ? walk(search, router->root, path_begin(search->path)) : NULL;
}

/* Whether the last segment of @path ends with ':' and @verb. */
static bool has_verb(upb_StringView path, upb_StringView verb)
{
        const char *end = path.data + path.size;

        return path.size > verb.size + 1 && memcmp(end - verb.size, verb.data, verb.size) == 0 &&
               end[-(ssize_t)verb.size - 1] == ':';
}

static const struct transcoding_rule *find_with_verbs(
        const struct transcoding_router *router, struct search *search)
{
        const struct transcoding_rule *found = NULL;
        upb_StringView path = search->path;

        for (const struct transcoding_verb *verb = router->verbs; verb && !found;
                verb = verb->next) {
                if (!has_verb(path, verb->text))
                        continue;
                search->verb = verb->text;
                search->path.size = path.size - verb->text.size - 1;
                found = find(router, search);
        }
        search->verb.size = 0;
        search->path = path;
        return found ? found : find(router, search);
}

const struct transcoding_rule *transcoding_router_find(
        const struct transcoding_router *router, upb_StringView http_method, upb_StringView path)
{
        struct search search = { .path = path, .http_method = http_method };

        return find_with_verbs(router, &search);
}

size_t transcoding_router_allow(const struct transcoding_router *router, upb_StringView path,
        char ret_methods[TRANSCODING_ALLOW_BYTES])
{
        struct search search = { .path = path, .allow = ret_methods };

        (void)find_with_verbs(router, &search);
        ret_methods[search.allow_size] = '\0';
        return search.allow_size;
}
