/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file.h"
#include "google/protobuf/descriptor.upb.h"
#include "say.h"
#include "source_parts.h"

extern char **environ;

/* ---- a FileDescriptorSet ---- */

static int add_file(struct source *source, const google_protobuf_FileDescriptorProto *proto)
{
        upb_StringView name;
        size_t size;
        char *bytes = google_protobuf_FileDescriptorProto_serialize(proto, source->arena, &size);

        if (!bytes)
                return -ENOMEM;
        return source_add_proto(source, upb_StringView_FromDataAndSize(bytes, size), &name);
}

/* @what: for errors. An exit status. */
static int add_set(struct source *source, const char *what, const char *bytes, size_t size)
{
        const google_protobuf_FileDescriptorSet *set =
                google_protobuf_FileDescriptorSet_parse(bytes, size, source->arena);
        const google_protobuf_FileDescriptorProto *const *files;
        size_t count = 0;
        int r = 0;

        if (set)
                files = google_protobuf_FileDescriptorSet_file(set, &count);
        if (count == 0)
                return say_usage("%s: this is no FileDescriptorSet; write one by protoc -o FILE "
                                 "--include_imports",
                        what);
        for (size_t i = 0; r == 0 && i < count; i++)
                r = add_file(source, files[i]);
        for (size_t i = 0; r == 0 && i < count; i++)
                r = source_link(source, google_protobuf_FileDescriptorProto_name(files[i]));
        return r == 0 ? EXIT_DONE : say_usage("%s: %s", what, source->problem);
}

static int read_protoset(struct source *source, const char *path)
{
        char *bytes;
        size_t size;
        int status;

        if (file_read(path, &bytes, &size) < 0)
                return say_usage("--protoset: %s: %s", path, strerror(errno));
        status = add_set(source, path, bytes, size);
        free(bytes);
        return status;
}

/* ---- .proto files, by the machine's protoc ---- */

/* protoc finds a file below the folder that is given for it: without --import-path this folder, and those of the files. */
static int add_import_paths(
        const struct schema_flags *flags, upb_Arena *arena, struct strings *argv)
{
        const struct strings *paths = &flags->import_paths;
        int r = 0;

        for (size_t i = 0; r == 0 && i < paths->count; i++) {
                r = strings_add(argv, "-I");
                if (r == 0)
                        r = strings_add(argv, paths->at[i]);
        }
        if (paths->count || r < 0)
                return r;
        r = strings_add(argv, "-I.");
        for (size_t i = 0; r == 0 && i < flags->protos.count; i++) {
                const char *path = flags->protos.at[i], *slash = strrchr(path, '/');
                size_t size = slash ? (size_t)(slash - path) + 4 : 0;
                char *word = slash ? upb_Arena_Malloc(arena, size) : NULL;

                if (!word)
                        continue;
                snprintf(word, size, "-I%.*s", (int)(slash - path + !(slash - path)), path);
                r = strings_add(argv, word);
        }
        return r;
}

static int make_command(
        const struct schema_flags *flags, const char *out, upb_Arena *arena, struct strings *argv)
{
        int r = strings_add(argv, "protoc");

        if (r == 0)
                r = strings_add(argv, "--include_imports");
        if (r == 0)
                r = strings_add(argv, "--include_source_info");
        if (r == 0)
                r = strings_add(argv, out);
        if (r == 0)
                r = add_import_paths(flags, arena, argv);
        for (size_t i = 0; r == 0 && i < flags->protos.count; i++)
                r = strings_add(argv, flags->protos.at[i]);
        return r == 0 ? strings_add(argv, NULL) : r;
}

/* What is wrong protoc says itself, on stderr. An exit status. */
static int run_protoc(const struct strings *argv)
{
        int r, state;
        pid_t child;

        r = posix_spawnp(&child, argv->at[0], NULL, NULL, (char **)(void *)argv->at, environ);
        if (r == ENOENT)
                return say_usage("--proto: protoc is not installed here; give a --protoset, or use "
                                 "reflection");
        if (r != 0)
                return say_failed("protoc: %s", strerror(r));
        while (waitpid(child, &state, 0) < 0 && errno == EINTR)
                ;
        return WIFEXITED(state) && WEXITSTATUS(state) == 0
                       ? EXIT_DONE
                       : say_usage("--proto: protoc could not read the file");
}

static int read_protos(struct source *source)
{
        int fd = memfd_create("quoit-protoset", 0), status;
        struct strings argv = { 0 };
        char out[64], *bytes;
        size_t size;

        if (fd < 0)
                return say_failed("memfd_create: %s", strerror(errno));
        snprintf(out, sizeof(out), "--descriptor_set_out=/proc/self/fd/%d", fd);
        if (make_command(source->flags, out, source->arena, &argv) < 0)
                status = say_failed("out of memory");
        else
                status = run_protoc(&argv);
        strings_deinit(&argv);
        lseek(fd, 0, SEEK_SET);
        if (status == EXIT_DONE && file_read_all(fd, &bytes, &size) < 0)
                status = say_failed("protoc's output: %s", strerror(errno));
        else if (status == EXIT_DONE) {
                status = add_set(source, "--proto", bytes, size);
                free(bytes);
        }
        close(fd);
        return status;
}

int source_read_files(struct source *source)
{
        const struct strings *sets = &source->flags->protosets;
        int status = EXIT_DONE;

        for (size_t i = 0; status == EXIT_DONE && i < sets->count; i++)
                status = read_protoset(source, sets->at[i]);
        if (status == EXIT_DONE && source->flags->protos.count)
                status = read_protos(source);
        return status;
}
