/* SPDX-License-Identifier: MIT */
#include "codec/plugin/reserved.h"

#include <stdlib.h>
#include <string.h>

/* All are sorted, for bsearch(). */
/* clang-format off */

/* Names that headers define, found at build time: see reserved-words. */
static const struct header_name {
        const char *name; /* first member: it is compared */
        bool is_macro;
} headers[] = {
#include "codec/plugin/reserved_words.inc"
};

/* Keywords of C and C++, in any version. */
static const char *const keywords[] = {
        "_Alignas", "_Alignof", "_Atomic", "_BitInt", "_Bool", "_Complex", "_Decimal128",
        "_Decimal32", "_Decimal64", "_Generic", "_Imaginary", "_Noreturn", "_Static_assert",
        "_Thread_local", "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor",
        "bool", "break", "case", "catch", "char", "char16_t", "char32_t", "char8_t", "class",
        "co_await", "co_return", "co_yield", "compl", "concept", "const", "const_cast", "consteval",
        "constexpr", "constinit", "continue", "decltype", "default", "delete", "do", "double",
        "dynamic_cast", "else", "enum", "explicit", "export", "extern", "false", "float", "for",
        "friend", "goto", "if", "import", "inline", "int", "long", "module", "mutable", "namespace",
        "new", "noexcept", "not", "not_eq", "nullptr", "operator", "or", "or_eq", "private",
        "protected", "public", "register", "reinterpret_cast", "requires", "restrict", "return",
        "short", "signed", "sizeof", "static", "static_assert", "static_cast", "std", "struct",
        "switch", "template", "this", "thread_local", "throw", "true", "try", "typedef", "typeid",
        "typename", "typeof", "typeof_unqual", "union", "unsigned", "using", "virtual", "void",
        "volatile", "wchar_t", "while", "xor", "xor_eq",
};

/* Parameters and locals of generated functions. */
static const char *const locals[] = {
        "arena", "array", "buf", "call", "channel", "default_val", "field", "file", "handler",
        "implementation", "item", "iter", "key", "len", "map", "message", "msg", "on_done",
        "options", "receiver", "registry", "reply", "request", "ret", "ret_call", "ret_error",
        "ret_message", "ret_reply", "server", "size", "state", "status", "stream", "sub", "table",
        "target", "user", "val", "value",
};

/* Names on other systems, compilers and versions, and main(). */
static const char *const others[] = {
        "DOMAIN", "FALSE", "OVERFLOW", "PLOSS", "SING", "TLOSS", "TRUE", "UNDERFLOW", "gets",
        "i386", "linux", "main", "nullptr_t", "unix",
};
/* clang-format on */

static int reserved_compare(const void *key, const void *word)
{
        return strcmp(key, *(const char *const *)word);
}

#define RESERVED_IN(words, name)                                                                   \
        bsearch(name, words, sizeof(words) / sizeof(*words), sizeof(*words), reserved_compare)

bool reserved_member(const char *name)
{
        const struct header_name *found = RESERVED_IN(headers, name);

        return (found && found->is_macro) || RESERVED_IN(keywords, name) ||
               RESERVED_IN(others, name);
}

bool reserved_word(const char *name)
{
        return RESERVED_IN(headers, name) || RESERVED_IN(keywords, name) ||
               RESERVED_IN(locals, name) || RESERVED_IN(others, name);
}
