/* SPDX-License-Identifier: MIT */

/* TLS of a channel as its program sees it: sessions that are resumed, files that are read again. */

#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "pki.h"

/* A file without a name in a folder. */
struct file {
        int fd; /* a memfd, */
        char name[32]; /* and what opens it */
};

/* A server of a certificate, and a client that trusts those of its own file. */
struct world {
        struct stage stage;
        struct pki pki, other;
        struct file ca;
};

static void write_file(const struct file *file, const char *from)
{
        int fd = open(from, O_RDONLY | O_CLOEXEC);
        struct stat about;

        assert_int_equal(fstat(fd, &about), 0);
        assert_int_equal(ftruncate(file->fd, 0), 0);
        assert_int_equal(lseek(file->fd, 0, SEEK_SET), 0);
        assert_int_equal(
                sendfile(file->fd, fd, &(off_t){ 0 }, (size_t)about.st_size), about.st_size);
        close(fd);
}

static void file_init(struct file *file, const char *from)
{
        file->fd = memfd_create("tls", MFD_CLOEXEC);
        snprintf(file->name, sizeof(file->name), "/proc/self/fd/%d", file->fd);
        write_file(file, from);
}

static struct world *world_new(quoit_channel_tls tls)
{
        struct world *world = calloc(1, sizeof(*world));

        stage_init(&world->stage, &(quoit_client_limits){ .backoff_initial_ms = 20 });
        pki_init(&world->pki, "DNS:localhost");
        pki_init(&world->other, "DNS:localhost");
        file_init(&world->ca, world->pki.certificate_file);
        world->stage.tls = pki_rules(&world->pki, NULL);
        stage_serve(&world->stage, 0, 0, NULL);
        tls.ca_file = world->ca.name;
        tls.server_name = "localhost";
        stage_open_with(&world->stage, world->stage.servers[0].target,
                &(quoit_channel_options){ .tls = &tls });
        return world;
}

static void world_free(struct world *world)
{
        stage_deinit(&world->stage);
        quoit_tls_free(world->stage.tls);
        pki_deinit(&world->pki);
        pki_deinit(&world->other);
        close(world->ca.fd);
        free(world);
}

/* A new connection: the server ends, and begins anew at its address. */
static void serve_again(struct world *world)
{
        uint16_t port = world->stage.servers[0].port;

        stage_end_server(&world->stage, 0);
        stage_serve(&world->stage, 0, port, NULL);
}

static quoit_status call(struct world *world, quoit_wait wait, quoit_error *ret_error)
{
        upb_Arena *arena = upb_Arena_New();
        script_Ask *ask = script_Ask_new(arena);
        const struct upb_Message *reply;
        quoit_status status = quoit_unary_blocking(world->stage.channel, script_method(QUOIT_UNARY),
                arena, (const struct upb_Message *)ask,
                &(quoit_call_options){ .wait_for_ready = wait, .timeout_ms = 20000 }, &reply,
                ret_error);

        upb_Arena_Free(arena);
        return status;
}

static void call_ok(struct world *world)
{
        assert_int_equal(call(world, QUOIT_WAIT_FOR_READY, NULL), QUOIT_OK);
}

static void assert_handshakes(const struct world *world, uint64_t all, uint64_t resumed)
{
        quoit_handshake_statistics seen;

        quoit_channel_get_handshakes(world->stage.channel, &seen);
        assert_int_equal(seen.handshakes, all);
        assert_int_equal(seen.resumed, resumed);
}

static void test_resumes(void **state)
{
        struct world *world = world_new((quoit_channel_tls){ 0 });

        (void)state;
        assert_handshakes(world, 0, 0);
        call_ok(world);
        call_ok(world);
        assert_handshakes(world, 1, 0);
        for (unsigned i = 1; i < 4; i++) {
                serve_again(world);
                call_ok(world);
                assert_handshakes(world, 1 + i, i);
        }
        world_free(world);
}

static void test_does_not_resume(void **state)
{
        struct world *world = world_new((quoit_channel_tls){ .no_resumption = true });

        (void)state;
        call_ok(world);
        serve_again(world);
        call_ok(world);
        assert_handshakes(world, 2, 0);
        world_free(world);
}

static void test_reload(void **state)
{
        struct world *world = world_new((quoit_channel_tls){ 0 });
        quoit_error error;

        (void)state;
        call_ok(world);
        /* its server has a certificate that the old file does not vouch for */
        quoit_tls_free(world->stage.tls);
        world->stage.tls = pki_rules(&world->other, NULL);
        serve_again(world);
        assert_int_equal(call(world, QUOIT_WAIT_NEVER, &error), QUOIT_UNAVAILABLE);
        assert_non_null(strstr(error.text, "certificate is refused"));
        write_file(&world->ca, world->other.certificate_file);
        assert_int_equal(quoit_channel_reload_tls(world->stage.channel, &error), 0);
        call_ok(world);
        assert_handshakes(world, 2, 0);
        /* files that say the same: sessions from before are forgotten all the same */
        assert_int_equal(quoit_channel_reload_tls(world->stage.channel, NULL), 0);
        call_ok(world); /* on the connection that there is */
        assert_handshakes(world, 2, 0);
        serve_again(world);
        call_ok(world);
        assert_handshakes(world, 3, 0);
        serve_again(world);
        call_ok(world);
        assert_handshakes(world, 4, 1);
        world_free(world);
}

/* A server that wants to see the client's, and knows the other one. */
static void test_reload_of_the_certificate(void **state)
{
        struct pki wrong;
        struct file certificate, key;
        struct world *world;
        quoit_error error;

        (void)state;
        pki_init(&wrong, "DNS:localhost");
        file_init(&certificate, wrong.certificate_file);
        file_init(&key, wrong.key_file);
        world = world_new(
                (quoit_channel_tls){ .certificate_file = certificate.name, .key_file = key.name });
        quoit_tls_free(world->stage.tls);
        world->stage.tls = pki_rules(
                &world->pki, &(quoit_tls_options){ .client_auth = QUOIT_TLS_CLIENT_AUTH_REQUIRE,
                                     .client_ca_file = world->other.certificate_file });
        serve_again(world);
        assert_int_equal(call(world, QUOIT_WAIT_NEVER, &error), QUOIT_UNAVAILABLE);
        write_file(&certificate, world->other.certificate_file);
        assert_int_equal(quoit_channel_reload_tls(world->stage.channel, &error), -EINVAL);
        assert_non_null(strstr(error.text, key.name));
        write_file(&key, world->other.key_file);
        assert_int_equal(quoit_channel_reload_tls(world->stage.channel, &error), 0);
        call_ok(world);
        world_free(world);
        pki_deinit(&wrong);
        close(certificate.fd);
        close(key.fd);
}

static void test_reload_of_a_bad_file(void **state)
{
        struct world *world = world_new((quoit_channel_tls){ 0 });
        quoit_error error;

        (void)state;
        call_ok(world);
        write_file(&world->ca, world->pki.key_file);
        assert_int_equal(quoit_channel_reload_tls(world->stage.channel, &error), -EINVAL);
        assert_int_equal(error.status, QUOIT_INVALID_ARGUMENT);
        assert_non_null(strstr(error.text, world->ca.name));
        assert_non_null(strstr(error.text, "holds no CA certificates"));
        /* what was read before stays, and its sessions too */
        serve_again(world);
        call_ok(world);
        assert_handshakes(world, 2, 1);
        world_free(world);
}

static void test_reload_without_tls(void **state)
{
        struct stage stage;
        quoit_error error;

        (void)state;
        stage_begin(&stage);
        assert_int_equal(quoit_channel_reload_tls(stage.channel, &error), -EINVAL);
        assert_string_equal(error.text, "INVALID_ARGUMENT: the channel has no TLS");
        stage_deinit(&stage);
}

static void test_check(void **state)
{
        struct pki pki, other;
        quoit_channel_tls tls = { 0 };
        quoit_error error;

        (void)state;
        pki_init(&pki, "DNS:localhost");
        pki_init(&other, "DNS:localhost");
        assert_int_equal(quoit_channel_tls_check(&tls, &error), 0);
        tls.certificate_file = pki.certificate_file;
        assert_int_equal(quoit_channel_tls_check(&tls, &error), -EINVAL);
        assert_non_null(strstr(error.text, "needs a key_file"));
        tls.key_file = other.key_file;
        assert_int_equal(quoit_channel_tls_check(&tls, &error), -EINVAL);
        assert_non_null(strstr(error.text, other.key_file));
        tls.key_file = pki.key_file;
        assert_int_equal(quoit_channel_tls_check(&tls, &error), 0);
        pki_deinit(&pki);
        pki_deinit(&other);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_resumes),
                cmocka_unit_test(test_does_not_resume),
                cmocka_unit_test(test_reload),
                cmocka_unit_test(test_reload_of_the_certificate),
                cmocka_unit_test(test_reload_of_a_bad_file),
                cmocka_unit_test(test_reload_without_tls),
                cmocka_unit_test(test_check),
        };

        return RUN_ON_BOTH_ENGINES("client/tls", tests);
}
