/* SPDX-License-Identifier: MIT */
#include "front/path_template.h"

#include <errno.h>
#include <string.h>

#include "codec/percent.h"
#include "front/url.h"

/* ---- parsing ---- */

struct parser {
        const char *at, *end;
        struct path_template *template;
        upb_Arena *arena;
        const char *problem;
};

static int fail(struct parser *parser, const char *problem)
{
        parser->problem = problem;
        return -EINVAL;
}

static bool is_next(const struct parser *parser, char c)
{
        return parser->at < parser->end && *parser->at == c;
}

static bool take(struct parser *parser, char c)
{
        if (!is_next(parser, c))
                return false;
        parser->at++;
        return true;
}

static bool is_alphanumeric(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* pchar of RFC 3986, section 3.3, without those that the template's syntax has. ':' only where @allows_colon. */
static bool is_literal(char c, bool allows_colon)
{
        return is_alphanumeric(c) || (c != '\0' && strchr("-._~%!$&'()+,;@", c)) ||
               (allows_colon && c == ':');
}

/*
 * A literal, decoded, so that a path may be encoded in any of the ways that mean the same. In the last segment a ':' begins the
 * verb; a verb may have more of them.
 */
static int take_literal(struct parser *parser, bool allows_colon, upb_StringView *ret_literal)
{
        const char *begin = parser->at;
        ssize_t decoded;
        char *copy;

        while (parser->at < parser->end && is_literal(*parser->at, allows_colon))
                parser->at++;
        if (parser->at == begin)
                return fail(parser, "a segment is empty, or has a character that it may not have");
        copy = upb_Arena_Malloc(parser->arena, (size_t)(parser->at - begin));
        if (!copy)
                return -ENOMEM;
        decoded = url_decode(copy, begin, (size_t)(parser->at - begin), URL_SEGMENT);
        if (decoded < 0)
                return fail(parser, "a '%' has no two hexadecimal digits after it");
        *ret_literal = upb_StringView_FromDataAndSize(copy, (size_t)decoded);
        return 0;
}

static int add_segment(struct parser *parser, enum path_segment_kind kind, upb_StringView literal)
{
        struct path_template *template = parser->template;

        if (template->segment_count == PATH_TEMPLATE_SEGMENTS_MAX)
                return fail(parser, "it has too many segments (32 are the most)");
        template->segments[template->segment_count++] =
                (struct path_segment){ .kind = kind, .literal = literal };
        return 0;
}

/* Whether a ':' in the literal that begins here is a part of it: another segment follows. */
static bool colon_is_literal(const struct parser *parser)
{
        const char *slash = memchr(parser->at, '/', (size_t)(parser->end - parser->at));

        return slash != NULL;
}

/* "*", "**" or a literal. */
static int take_plain_segment(struct parser *parser, bool allows_colon)
{
        upb_StringView literal = { NULL, 0 };
        int r;

        if (take(parser, '*')) {
                if (!take(parser, '*'))
                        return add_segment(parser, PATH_ONE, literal);
                if (parser->template->any != PATH_TEMPLATE_SEGMENTS_MAX)
                        return fail(parser, "it has more than one \"**\"");
                parser->template->any = parser->template->segment_count;
                return add_segment(parser, PATH_ANY, literal);
        }
        r = take_literal(parser, allows_colon, &literal);
        return r < 0 ? r : add_segment(parser, PATH_LITERAL, literal);
}

/* IDENT { "." IDENT } */
static int take_field_path(struct parser *parser, upb_StringView *ret_path)
{
        const char *begin = parser->at;
        size_t size;
        char *copy;

        while (parser->at < parser->end &&
                (is_alphanumeric(*parser->at) || *parser->at == '_' || *parser->at == '.'))
                parser->at++;
        size = (size_t)(parser->at - begin);
        if (size == 0)
                return fail(parser, "a variable has no name");
        copy = upb_Arena_Malloc(parser->arena, size);
        if (!copy)
                return -ENOMEM;
        *ret_path = upb_StringView_FromDataAndSize(memcpy(copy, begin, size), size);
        return 0;
}

static int take_variable_segments(struct parser *parser)
{
        upb_StringView none = { NULL, 0 };
        int r;

        if (!take(parser, '='))
                return add_segment(parser, PATH_ONE, none);
        do {
                if (is_next(parser, '{'))
                        return fail(parser, "a variable is in another one");
                r = take_plain_segment(parser, true);
        } while (r == 0 && take(parser, '/'));
        return r;
}

/* After its '{'. */
static int take_variable(struct parser *parser)
{
        struct path_template *template = parser->template;
        struct path_variable variable = { .first = template->segment_count };
        int r;

        if (template->variable_count == PATH_TEMPLATE_VARIABLES_MAX)
                return fail(parser, "it has too many variables (16 are the most)");
        r = take_field_path(parser, &variable.field_path);
        if (r == 0)
                r = take_variable_segments(parser);
        if (r < 0)
                return r;
        if (!take(parser, '}'))
                return fail(parser, "a variable does not end with '}'");
        variable.count = template->segment_count - variable.first;
        variable.is_multiple =
                variable.count > 1 || template->segments[variable.first].kind == PATH_ANY;
        template->variables[template->variable_count++] = variable;
        return 0;
}

static int take_segments(struct parser *parser)
{
        int r;

        do {
                if (take(parser, '{'))
                        r = take_variable(parser);
                else
                        r = take_plain_segment(parser, colon_is_literal(parser));
        } while (r == 0 && take(parser, '/'));
        return r;
}

static int take_template(struct parser *parser)
{
        int r = 0;

        if (!take(parser, '/'))
                return fail(parser, "it does not begin with '/'");
        if (parser->at < parser->end)
                r = take_segments(parser);
        if (r == 0 && take(parser, ':'))
                r = take_literal(parser, true, &parser->template->verb);
        if (r == 0 && parser->at < parser->end)
                return fail(parser, "a segment has a character that it may not have");
        return r;
}

int path_template_parse(struct path_template *ret_template, upb_StringView text, upb_Arena *arena,
        const char **ret_problem)
{
        struct path_template template = { .any = PATH_TEMPLATE_SEGMENTS_MAX };
        struct parser parser = {
                .at = text.data, .end = text.data + text.size, .template = &template, .arena = arena
        };
        int r = take_template(&parser);

        if (r == -EINVAL)
                *ret_problem = parser.problem;
        if (r < 0)
                return r;
        if (template.any == PATH_TEMPLATE_SEGMENTS_MAX)
                template.any = template.segment_count;
        *ret_template = template;
        return 0;
}

bool path_template_is_same(const struct path_template *a, const struct path_template *b)
{
        if (a->segment_count != b->segment_count || !upb_StringView_IsEqual(a->verb, b->verb))
                return false;
        for (unsigned i = 0; i < a->segment_count; i++)
                if (a->segments[i].kind != b->segments[i].kind ||
                        !upb_StringView_IsEqual(a->segments[i].literal, b->segments[i].literal))
                        return false;
        return true;
}

/* ---- matching ---- */

upb_StringView path_begin(upb_StringView path)
{
        if (path.size <= 1)
                return upb_StringView_FromDataAndSize(NULL, 0);
        return upb_StringView_FromDataAndSize(path.data + 1, path.size - 1);
}

bool path_next(upb_StringView *rest, upb_StringView *ret_segment)
{
        const char *slash;
        size_t size;

        if (!rest->data)
                return false;
        slash = memchr(rest->data, '/', rest->size);
        size = slash ? (size_t)(slash - rest->data) : rest->size;
        *ret_segment = upb_StringView_FromDataAndSize(rest->data, size);
        *rest = slash ? upb_StringView_FromDataAndSize(slash + 1, rest->size - size - 1)
                      : upb_StringView_FromDataAndSize(NULL, 0);
        return true;
}

/* As path_next(), at the end. */
static bool path_last(upb_StringView *rest, upb_StringView *ret_segment)
{
        const char *slash;
        size_t front;

        if (!rest->data)
                return false;
        slash = memrchr(rest->data, '/', rest->size);
        front = slash ? (size_t)(slash - rest->data) + 1 : 0;
        *ret_segment = upb_StringView_FromDataAndSize(rest->data + front, rest->size - front);
        *rest = slash ? upb_StringView_FromDataAndSize(rest->data, front - 1)
                      : upb_StringView_FromDataAndSize(NULL, 0);
        return true;
}

static bool fits(const struct path_segment *segment, upb_StringView text)
{
        return segment->kind != PATH_ONE || text.size > 0;
}

bool path_template_cut(const struct path_template *template, upb_StringView text,
        upb_StringView ret_segments[PATH_TEMPLATE_SEGMENTS_MAX])
{
        upb_StringView rest = path_begin(text);
        const char *end = text.data + text.size;

        for (unsigned i = 0; i < template->any; i++)
                if (!path_next(&rest, ret_segments + i) ||
                        !fits(template->segments + i, ret_segments[i]))
                        return false;
        for (unsigned i = template->segment_count; i > template->any + 1; i--) {
                if (!path_last(&rest, ret_segments + i - 1) ||
                        !fits(template->segments + i - 1, ret_segments[i - 1]))
                        return false;
                end = ret_segments[i - 1].data;
        }
        if (template->any == template->segment_count)
                return !rest.data;
        /* none: an empty one, where it would be */
        ret_segments[template->any] = rest.data ? rest : upb_StringView_FromDataAndSize(end, 0);
        return true;
}

upb_StringView path_template_value(
        const struct path_variable *variable, const upb_StringView *segments)
{
        const upb_StringView *first = segments + variable->first;
        const upb_StringView *last = first + variable->count - 1;

        if (last->size == 0 && last > first)
                last--; /* a "**" that stands for nothing: without the slash before it */
        return upb_StringView_FromDataAndSize(
                first->data, (size_t)(last->data + last->size - first->data));
}

bool path_segment_is(upb_StringView segment, upb_StringView literal)
{
        size_t at = 0;

        for (size_t i = 0; i < segment.size; i++) {
                int byte = (unsigned char)segment.data[i];

                if (byte == '%') {
                        byte = percent_read(segment.data + i, segment.size - i);
                        i += 2;
                }
                if (at == literal.size || (unsigned char)literal.data[at++] != byte)
                        return false;
        }
        return at == literal.size;
}
