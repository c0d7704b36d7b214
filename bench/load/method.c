/* SPDX-License-Identifier: MIT */
#include "bench/load/method.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/load/h2.h"
#include "bench/load/options.h"

static int frame_message(struct method *method, const struct options_message *message)
{
        method->framed_bytes = MESSAGE_PREFIX_BYTES + message->size;
        method->framed = malloc(method->framed_bytes);
        if (!method->framed)
                return -ENOMEM;
        method->framed[0] = 0;
        h2_put_u32(method->framed + 1, (uint32_t)message->size);
        if (message->size > 0)
                memcpy(method->framed + MESSAGE_PREFIX_BYTES, message->bytes, message->size);
        return 0;
}

/* The number of messages in a good answer to a call of its kind. */
static int64_t messages_by_kind(const struct options *options)
{
        if (options->kind == METHOD_SERVER_STREAM)
                return EXPECT_ANY;
        return options->kind == METHOD_BIDI ? options->messages : 1;
}

int method_init(struct method *method, const struct options *options)
{
        *method = (struct method){
                .messages = options->messages,
                .kind = options->kind,
                .expect_messages = options->expect_messages,
                .expect_bytes = options->expect_bytes,
        };
        if (method->expect_messages == EXPECT_ANY)
                method->expect_messages = messages_by_kind(options);
        if (options->expects_message) {
                method->expect_message = options->expect_message.bytes;
                method->expect_message_bytes = options->expect_message.size;
        }
        hpack_request_init(&method->request, options->target, options->path);
        return frame_message(method, &options->message);
}

int method_init_second(struct method *method, const struct options *options)
{
        *method = (struct method){
                .messages = 1,
                .kind = METHOD_UNARY,
                .expect_messages = 1,
                .expect_bytes = EXPECT_ANY,
        };
        hpack_request_init_second(&method->request, options->target, options->mix_path);
        return frame_message(method, &options->mix_message);
}

void method_deinit(struct method *method)
{
        free(method->framed);
}
