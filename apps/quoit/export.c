/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command_list.h"
#include "look.h"
#include "proto/text.h"
#include "say.h"

struct export_options {
        struct look_flags look;
        const char *path; /* a file or a folder; NULL: standard output */
        const char *file, *folder; /* as grpcurl says it */
};

#define FIELD(name) offsetof(struct export_options, name)

static const struct flag export_flags[] = {
        { "output", 'o', "PATH",
                "a protoset, or a folder (it exists, or ends in /) for .proto files",
                flag_set_string, FIELD(path), 0 },
        { "protoset-out", 0, "FILE", NULL, flag_set_string, FIELD(file), 0 },
        { "proto-out-dir", 0, "DIR", NULL, flag_set_string, FIELD(folder), 0 },
        { 0 },
};

static const struct flag_group groups[] = {
        { "Output", export_flags, 0 },
        { "Schema", schema_flags, FIELD(look.schema) },
        { "Metadata", metadata_flags, FIELD(look.metadata) },
        { "Connection", connection_flags, FIELD(look.connection) },
        { "Protocol", protocol_flags, FIELD(look.connection) },
        { "Limits", look_flags, FIELD(look) },
        { 0 },
};

static const char help[] =
        "  quoit export localhost:50051 -o api.binpb      a protoset: --protoset takes it\n"
        "  quoit export localhost:50051 -o protos/        a folder of .proto files\n"
        "  quoit export localhost:50051 api.Api -o a.bin  what one service needs\n"
        "  quoit export --protoset api.binpb -o protos/   from one to the other\n"
        "\n"
        "A protoset has all imports. A folder does not have google/protobuf/, which\n"
        "protoc has itself. Exit status: 0; 1 no connection, no reflection, a service\n"
        "that the server cannot describe, or the output cannot be written; 2 a mistake\n"
        "in the command, or no such symbol.\n";

/* ---- which files ---- */

/* The files to export: those with the symbols, and all that they import. In the order of the source: imports first. */
struct chosen {
        const upb_FileDef **files;
        size_t count, room;
        bool misses_some; /* of the services, as was said */
};

static bool has(const struct chosen *chosen, const upb_FileDef *file)
{
        for (size_t i = 0; i < chosen->count; i++)
                if (chosen->files[i] == file)
                        return true;
        return false;
}

static int choose(struct chosen *chosen, const upb_FileDef *file)
{
        if (!file || has(chosen, file))
                return 0;
        if (chosen->count == chosen->room) {
                size_t room = 2 * chosen->room + 16;
                const upb_FileDef **files =
                        reallocarray((void *)chosen->files, room, sizeof(*files));

                if (!files)
                        return -ENOMEM;
                chosen->files = files;
                chosen->room = room;
        }
        chosen->files[chosen->count++] = file;
        for (int i = 0; i < upb_FileDef_DependencyCount(file); i++)
                if (choose(chosen, upb_FileDef_Dependency(file, i)) < 0)
                        return -ENOMEM;
        return 0;
}

static int choose_symbol(struct look *look, struct chosen *chosen, const char *symbol)
{
        const upb_FileDef *file = look_file_of(look, symbol);

        if (!file)
                file = look_file_named(look, symbol);
        if (!file)
                return look_say_unknown(look, symbol);
        return choose(chosen, file) < 0 ? say_failed("out of memory") : EXIT_DONE;
}

/* A service that the server names and cannot describe is left out. */
static int choose_service(struct look *look, struct chosen *chosen, const char *name)
{
        const upb_FileDef *file = look_file_of(look, name);

        if (!file) {
                say("%s is left out: %s", name, source_problem(look->source));
                chosen->misses_some = true;
                return EXIT_DONE;
        }
        return choose(chosen, file) < 0 ? say_failed("out of memory") : EXIT_DONE;
}

/* What the user has given, and what the server has services of. */
static int choose_all(struct look *look, struct chosen *chosen)
{
        const struct strings *names;
        int status = look_load_files(look);

        for (size_t i = 0; status == EXIT_DONE && i < source_file_count(look->source); i++)
                if (choose(chosen, look_file_at(look, i)) < 0)
                        status = say_failed("out of memory");
        if (status == EXIT_DONE)
                status = source_services(look->source, &names);
        for (size_t i = 0; status == EXIT_DONE && i < names->count; i++)
                status = choose_service(look, chosen, names->at[i]);
        return status;
}

/* ---- a protoset ---- */

/* One of FileDescriptorSet.file: the field's tag, a length, and the bytes as they came. */
static void write_entry(FILE *out, upb_StringView bytes)
{
        size_t size = bytes.size;

        fputc(1 << 3 | 2, out);
        for (; size >= 0x80; size >>= 7)
                fputc((int)(size & 0x7f) | 0x80, out);
        fputc((int)size, out);
        fwrite(bytes.data, 1, bytes.size, out);
}

static int close_output(FILE *out, const char *path)
{
        int failed = ferror(out);

        if ((out == stdout ? fflush(out) : fclose(out)) != 0 || failed)
                return say_failed("%s: cannot be written: %s", path, strerror(errno));
        return EXIT_DONE;
}

static int write_set(struct look *look, const struct chosen *chosen, const char *path)
{
        FILE *out = path ? fopen(path, "we") : stdout;

        if (!out)
                return say_failed("%s: %s", path, strerror(errno));
        for (size_t i = 0; i < source_file_count(look->source); i++) {
                const upb_FileDef *file = look_file_at(look, i);

                if (file && has(chosen, file))
                        write_entry(out, source_file(look->source, i));
        }
        return close_output(out, path ? path : "standard output");
}

/* ---- a folder ---- */

/* A server's name for a file may not lead out of the folder. */
static bool is_safe(const char *name)
{
        for (const char *part = name;;) {
                size_t size = strcspn(part, "/");

                if (size == 0 || (part[0] == '.' && (size == 1 || (size == 2 && part[1] == '.'))))
                        return false;
                if (part[size] == '\0')
                        break;
                part += size + 1;
        }
        for (const char *c = name; *c; c++)
                if ((unsigned char)*c < ' ' || *c == 0x7f || *c == '\\')
                        return false;
        return true;
}

static int make_folders(char *path)
{
        for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                int r;

                *slash = '\0';
                r = mkdir(path, 0777);
                *slash = '/';
                if (r < 0 && errno != EEXIST)
                        return -errno;
        }
        return 0;
}

static int write_file(struct look *look, const upb_FileDef *file, const char *path)
{
        FILE *out = fopen(path, "we");

        if (!out)
                return say_failed("%s: %s", path, strerror(errno));
        proto_text_file(out, source_pool(look->source), look_descriptor(look, file));
        return close_output(out, path);
}

static int write_in_folder(struct look *look, const upb_FileDef *file, const char *folder)
{
        const char *name = upb_FileDef_Name(file);
        char *path;
        int status, r;

        if (!strncmp(name, "google/protobuf/", 16))
                return EXIT_DONE;
        if (!is_safe(name))
                return say_failed(
                        "%s: no file is written of this name, which the server has", name);
        r = asprintf(&path, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", name);
        if (r < 0)
                return say_failed("out of memory");
        r = make_folders(path);
        status = r < 0 ? say_failed("%s: %s", path, strerror(-r)) : write_file(look, file, path);
        free(path);
        return status;
}

static int write_folder(struct look *look, const struct chosen *chosen, const char *folder)
{
        int status = EXIT_DONE;

        /* It has the names of options. */
        source_load_symbol(look->source, "google.protobuf.FileOptions");
        for (size_t i = 0; status == EXIT_DONE && i < chosen->count; i++)
                status = write_in_folder(look, chosen->files[i], folder);
        return status;
}

/* ---- the command ---- */

static bool is_folder(const char *path)
{
        struct stat s;

        return path[0] &&
               (path[strlen(path) - 1] == '/' || (stat(path, &s) == 0 && S_ISDIR(s.st_mode)));
}

static int export(struct look *look, const struct export_options *options)
{
        const char *path = options->file ? options->file : options->path;
        struct chosen chosen = { 0 };
        int status = look->words.count ? EXIT_DONE : choose_all(look, &chosen);

        for (int i = 0; status == EXIT_DONE && i < look->words.count; i++)
                status = choose_symbol(look, &chosen, look->words.at[i]);
        if (status == EXIT_DONE && options->folder && options->folder[0])
                status = write_folder(look, &chosen, options->folder);
        else if (status == EXIT_DONE && path && is_folder(path))
                status = write_folder(look, &chosen, path);
        else if (status == EXIT_DONE)
                status = write_set(look, &chosen, path);
        free((void *)chosen.files);
        return status == EXIT_DONE && chosen.misses_some ? EXIT_FAILED : status;
}

static int run(int argc, char **argv)
{
        struct export_options options = { .look.connection.protocol = PROTOCOL_FOUND };
        struct words words;
        struct look look = { 0 };
        int status;

        if (!flags_parse(&command_export, argc, argv, &options, &words, &status))
                return status;
        if (!options.path && !options.file && !options.folder && isatty(STDOUT_FILENO))
                status = say_usage("a protoset is not for a terminal: write -o FILE or -o FOLDER/");
        else
                status = look_open(&options.look, words, &look);
        if (status == EXIT_DONE)
                status = export(&look, &options);
        look_close(&look);
        look_flags_deinit(&options.look);
        return status;
}

const struct command command_export = {
        .name = "export",
        .synopsis = "HOST:PORT [SYMBOL...] -o PATH [FLAGS]",
        .summary = "Writes a server's schema into a protoset or .proto files.",
        .help = help,
        .groups = groups,
        .run = run,
};
