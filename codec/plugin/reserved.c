/* SPDX-License-Identifier: MIT */
#include "codec/plugin/reserved.h"

#include <stdlib.h>
#include <string.h>

/* Sorted, for bsearch(). */
/* clang-format off */
static const char *const words[] = {
        "BUFSIZ", "CHAR_BIT", "CHAR_MAX", "CHAR_MIN", "CLOCKS_PER_SEC", "DOMAIN", "EACCES",
        "EAGAIN", "EBUSY", "EDOM", "EEXIST", "EILSEQ", "EINTR", "EINVAL", "EIO", "ENOENT", "ENOMEM",
        "EOF", "EPERM", "EPIPE", "ERANGE", "EXIT_FAILURE", "EXIT_SUCCESS", "FALSE", "FILE",
        "FILENAME_MAX", "FOPEN_MAX", "FP_INFINITE", "FP_NAN", "FP_NORMAL", "FP_SUBNORMAL",
        "FP_ZERO", "HUGE_VAL", "HUGE_VALF", "HUGE_VALL", "INFINITY", "INT16_MAX", "INT16_MIN",
        "INT32_MAX", "INT32_MIN", "INT64_MAX", "INT64_MIN", "INT8_MAX", "INT8_MIN", "INTMAX_MAX",
        "INTMAX_MIN", "INTPTR_MAX", "INTPTR_MIN", "INT_MAX", "INT_MIN", "LLONG_MAX", "LLONG_MIN",
        "LONG_MAX", "LONG_MIN", "L_tmpnam", "MATH_ERREXCEPT", "MATH_ERRNO", "MB_CUR_MAX",
        "MB_LEN_MAX", "M_E", "M_PI", "NAME_MAX", "NAN", "NULL", "OVERFLOW", "PATH_MAX", "PIPE_BUF",
        "PLOSS", "PTRDIFF_MAX", "PTRDIFF_MIN", "RAND_MAX", "SCHAR_MAX", "SCHAR_MIN", "SEEK_CUR",
        "SEEK_END", "SEEK_SET", "SHRT_MAX", "SHRT_MIN", "SIGABRT", "SIGFPE", "SIGHUP", "SIGILL",
        "SIGINT", "SIGKILL", "SIGPIPE", "SIGSEGV", "SIGTERM", "SIG_ATOMIC_MAX", "SIG_ATOMIC_MIN",
        "SIG_DFL", "SIG_ERR", "SIG_IGN", "SING", "SIZE_MAX", "SSIZE_MAX", "TIME_UTC", "TLOSS",
        "TMP_MAX", "TRUE", "UCHAR_MAX", "UINT16_MAX", "UINT32_MAX", "UINT64_MAX", "UINT8_MAX",
        "UINTMAX_MAX", "UINTPTR_MAX", "UINT_MAX", "ULLONG_MAX", "ULONG_MAX", "UNDERFLOW",
        "USHRT_MAX", "WCHAR_MAX", "WCHAR_MIN", "WINT_MAX", "WINT_MIN", "_Alignas", "_Alignof",
        "_Atomic", "_Bool", "_Complex", "_GNU_SOURCE", "_Generic", "_Imaginary", "_Noreturn",
        "_Static_assert", "_Thread_local", "abort", "abs", "acos", "alignas", "aligned_alloc",
        "alignof", "alloca", "and", "and_eq", "arena", "array", "asin", "asm", "assert", "atan",
        "atan2", "atexit", "atof", "atoi", "atol", "atoll", "auto", "basename", "bcmp", "bcopy",
        "bitand", "bitor", "bool", "break", "bsearch", "buf", "bzero", "call", "calloc", "case",
        "catch", "ceil", "char", "char16_t", "char32_t", "char8_t", "class", "clearerr", "clock",
        "clock_t", "co_await", "co_return", "co_yield", "compl", "concept", "const", "const_cast",
        "consteval", "constexpr", "constinit", "continue", "cos", "cosh", "decltype", "default",
        "default_val", "delete", "div", "div_t", "do", "double", "dynamic_cast", "else", "enum",
        "erf", "errno", "exit", "exp", "explicit", "export", "extern", "fabs", "false", "fclose",
        "fd_set", "feof", "ferror", "fflush", "ffs", "fgetc", "fgetpos", "fgets", "field", "file",
        "float", "floor", "fmod", "fopen", "for", "fpos_t", "fprintf", "fputc", "fputs", "fread",
        "free", "freopen", "frexp", "friend", "fscanf", "fseek", "fsetpos", "ftell", "fwrite",
        "gamma", "getc", "getchar", "getenv", "gets", "gid_t", "goto", "handler", "i386", "if",
        "implementation", "import", "index", "inline", "int", "int16_t", "int32_t", "int64_t",
        "int8_t", "intmax_t", "intptr_t", "isfinite", "isinf", "isnan", "isnormal", "item", "iter",
        "j0", "j1", "jmp_buf", "jn", "key", "labs", "ldexp", "ldiv", "ldiv_t", "len", "linux",
        "llabs", "lldiv", "lldiv_t", "log", "log10", "long", "longjmp", "main", "malloc", "map",
        "max_align_t", "mblen", "mbstowcs", "mbtowc", "memccpy", "memchr", "memcmp", "memcpy",
        "memmove", "memset", "message", "mode_t", "modf", "module", "msg", "mutable", "namespace",
        "new", "noexcept", "not", "not_eq", "nullptr", "nullptr_t", "off_t", "offsetof", "operator",
        "options", "or", "or_eq", "perror", "pid_t", "pow", "printf", "private", "protected",
        "ptrdiff_t", "public", "putc", "putchar", "putenv", "puts", "qsort", "quick_exit", "raise",
        "rand", "random", "realloc", "register", "registry", "reinterpret_cast", "remove", "rename",
        "reply", "request", "requires", "restrict", "ret", "return", "rewind", "rindex", "round",
        "scanf", "select", "server", "setbuf", "setenv", "setjmp", "setvbuf", "short", "signal",
        "signbit", "signed", "sin", "sinh", "size", "size_t", "sizeof", "snprintf", "sprintf",
        "sqrt", "srand", "srandom", "sscanf", "ssize_t", "state", "static", "static_assert",
        "static_cast", "std", "stderr", "stdin", "stdout", "strcat", "strchr", "strcmp", "strcoll",
        "strcpy", "strcspn", "strdup", "strerror", "strlen", "strncat", "strncmp", "strncpy",
        "strndup", "strnlen", "strpbrk", "strrchr", "strsep", "strsignal", "strspn", "strstr",
        "strtod", "strtof", "strtok", "strtol", "strtold", "strtoll", "strtoul", "strtoull",
        "struct", "strxfrm", "sub", "switch", "system", "table", "tan", "tanh", "template", "this",
        "thread_local", "throw", "time", "time_t", "timespec", "timeval", "tm", "tmpfile", "tmpnam",
        "true", "trunc", "try", "typedef", "typeid", "typename", "typeof", "typeof_unqual", "uid_t",
        "uint16_t", "uint32_t", "uint64_t", "uint8_t", "uintmax_t", "uintptr_t", "ungetc", "union",
        "unix", "unsetenv", "unsigned", "user", "using", "va_arg", "va_copy", "va_end", "va_list",
        "va_start", "val", "value", "vfprintf", "virtual", "void", "volatile", "vprintf",
        "vsnprintf", "vsprintf", "wchar_t", "wcstombs", "wctomb", "while", "xor", "xor_eq", "y0",
        "y1", "yn",
};
/* clang-format on */

static int reserved_compare(const void *key, const void *word)
{
        return strcmp(key, *(const char *const *)word);
}

bool reserved_word(const char *name)
{
        return bsearch(
                name, words, sizeof(words) / sizeof(*words), sizeof(*words), reserved_compare);
}
