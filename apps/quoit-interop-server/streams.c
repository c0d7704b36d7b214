/* SPDX-License-Identifier: MIT */
#include "interop.h"

#include <stdlib.h>

#define STEPS_MAX ((size_t)100000) /* messages that one call has requested and not got yet */
#define US_PER_MS 1000

/* ---- pending answers ---- */

struct step {
        int32_t bytes;
        int32_t interval_us; /* before it */
        bool compressed;
};

/* Of the interval before the next step. */
enum rest { NO_REST, RESTING, RESTED };

/* The state of a call that streams answers. */
struct output {
        enum rest rest;
        struct step *steps;
        size_t next;
        size_t count;
        size_t room;
        bool is_last;    /* nothing will be added: finish after the last step */
        bool reads_on;   /* reads a further request when all steps are done */
};

static void output_on_done(quoit_call *call, void *state)
{
        struct output *output = state;

        (void)call;
        free(output->steps);
}

/* NULL, and the call is finished: no memory. */
static struct output *output_new(quoit_call *call)
{
        struct output *output = quoit_call_alloc(call, sizeof(*output));

        interop_echo_metadata(call);
        if (output)
                quoit_call_on_done(call, output_on_done, output);
        else
                interop_out_of_memory(call);
        return output;
}

static bool output_make_room(struct output *output, size_t count)
{
        size_t room = output->room;
        struct step *steps;

        if (output->next == output->count)
                output->next = output->count = 0;
        if (output->count + count <= room)
                return true;
        room = 2 * room > output->count + count ? 2 * room : output->count + count;
        steps = reallocarray(output->steps, room, sizeof(*steps));
        if (!steps)
                return false;
        output->steps = steps;
        output->room = room;
        return true;
}

static struct step step_of(const grpc_testing_ResponseParameters *parameters)
{
        const grpc_testing_BoolValue *compressed =
                grpc_testing_ResponseParameters_compressed(parameters);

        return (struct step){
                .bytes = grpc_testing_ResponseParameters_size(parameters),
                .interval_us = grpc_testing_ResponseParameters_interval_us(parameters),
                .compressed = compressed && grpc_testing_BoolValue_value(compressed),
        };
}

/* Adds the steps of @request, or finishes the call with an error. */
static void output_add(quoit_call *call, struct output *output,
        const grpc_testing_StreamingOutputCallRequest *request)
{
        size_t count;
        const grpc_testing_ResponseParameters *const *parameters =
                grpc_testing_StreamingOutputCallRequest_response_parameters(request, &count);

        if (interop_finish_as_asked(
                    call, grpc_testing_StreamingOutputCallRequest_response_status(request)))
                return;
        if (count > STEPS_MAX || output->count - output->next + count > STEPS_MAX) {
                quoit_call_finishf(call, QUOIT_RESOURCE_EXHAUSTED,
                        "more than %zu answers are asked for at once", STEPS_MAX);
                return;
        }
        if (!output_make_room(output, count)) {
                interop_out_of_memory(call);
                return;
        }
        for (size_t i = 0; i < count; i++) {
                struct step step = step_of(parameters[i]);

                if (step.compressed) /* works if the client accepts it, and the headers were not sent */
                        (void)quoit_call_set_compression(call, QUOIT_GZIP);
                output->steps[output->count++] = step;
        }
}

static void on_rested(quoit_call *call, void *arg)
{
        struct output *output = arg;

        (void)call; /* the pump runs next */
        output->rest = RESTED;
}

static void rest(quoit_call *call, struct output *output, int32_t us)
{
        uint32_t ms = ((uint32_t)us + US_PER_MS - 1) / US_PER_MS;

        output->rest = RESTING;
        if (quoit_call_after(call, ms, on_rested, output) < 0)
                interop_out_of_memory(call);
}

static void send_step(quoit_call *call, const struct step *step)
{
        upb_Arena *arena = quoit_call_scratch(call);
        grpc_testing_Payload *payload = interop_payload(call, step->bytes, arena);
        grpc_testing_StreamingOutputCallResponse *message;

        if (!payload)
                return;
        message = grpc_testing_StreamingOutputCallResponse_new(arena);
        if (!message) {
                interop_out_of_memory(call);
                return;
        }
        grpc_testing_StreamingOutputCallResponse_set_payload(message, payload);
        quoit_call_set_message_compression(call, step->compressed);
        /* the three methods answer with the same type */
        grpc_testing_TestService_FullDuplexCall_send(call, message);
}

static void output_pump(quoit_call *call, void *state)
{
        struct output *output = state;

        while (output->rest != RESTING && output->next < output->count &&
                quoit_call_writable(call)) {
                const struct step *step = &output->steps[output->next];

                if (step->interval_us > 0 && output->rest == NO_REST) {
                        rest(call, output, step->interval_us);
                        return;
                }
                output->rest = NO_REST;
                output->next++;
                send_step(call, step);
        }
        if (output->next < output->count)
                return;
        if (output->is_last)
                quoit_call_finish(call, QUOIT_OK, NULL);
        else if (output->reads_on)
                quoit_call_set_read_credits(call, 1);
}

static void streaming_output_call(
        quoit_call *call, const grpc_testing_StreamingOutputCallRequest *request, void *user)
{
        struct output *output = output_new(call);

        (void)user;
        if (!output)
                return;
        output->is_last = true;
        output_add(call, output, request);
        quoit_call_pump(call, output_pump, output);
}

/* ---- StreamingInputCall ---- */

struct input {
        uint64_t bytes;
};

static void *input_start(quoit_call *call, void *user)
{
        struct input *input = quoit_call_alloc(call, sizeof(*input));

        (void)user;
        interop_echo_metadata(call);
        if (!input)
                interop_out_of_memory(call);
        return input;
}

static void input_message(
        quoit_call *call, const grpc_testing_StreamingInputCallRequest *message, void *state)
{
        struct input *input = state;
        const grpc_testing_Payload *payload =
                grpc_testing_StreamingInputCallRequest_payload(message);
        const grpc_testing_BoolValue *expected =
                grpc_testing_StreamingInputCallRequest_expect_compressed(message);

        if (interop_check_compression(call, expected) && payload)
                input->bytes += grpc_testing_Payload_body(payload).size;
}

static void input_half_close(quoit_call *call, void *state)
{
        const struct input *input = state;
        grpc_testing_StreamingInputCallResponse *reply =
                grpc_testing_StreamingInputCallResponse_new(quoit_call_arena(call));

        if (!reply) {
                interop_out_of_memory(call);
                return;
        }
        if (input->bytes > INT32_MAX) {
                quoit_call_finish(
                        call, QUOIT_OUT_OF_RANGE, "more than 2 GiB: int32 has no room for it");
                return;
        }
        grpc_testing_StreamingInputCallResponse_set_aggregated_payload_size(
                reply, (int32_t)input->bytes);
        grpc_testing_TestService_StreamingInputCall_reply(call, reply);
}

/* ---- FullDuplexCall: one request at a time, the next when the last is answered ---- */

static void *full_duplex_start(quoit_call *call, void *user)
{
        struct output *output = output_new(call);

        (void)user;
        if (!output)
                return NULL;
        output->reads_on = true;
        quoit_call_set_read_credits(call, 1);
        quoit_call_pump(call, output_pump, output);
        return output;
}

static void duplex_message(
        quoit_call *call, const grpc_testing_StreamingOutputCallRequest *message, void *state)
{
        output_add(call, state, message);
}

static void full_duplex_half_close(quoit_call *call, void *state)
{
        struct output *output = state;

        (void)call; /* the pump runs next */
        output->is_last = true;
}

/* ---- HalfDuplexCall ---- */

static void *half_duplex_start(quoit_call *call, void *user)
{
        (void)user;
        return output_new(call);
}

static void half_duplex_half_close(quoit_call *call, void *state)
{
        struct output *output = state;

        output->is_last = true;
        quoit_call_pump(call, output_pump, output);
}

void streams_add(grpc_testing_TestService_service *service)
{
        service->StreamingOutputCall = streaming_output_call;
        service->StreamingInputCall = (grpc_testing_TestService_StreamingInputCall_handler){
                .on_start = input_start,
                .on_message = input_message,
                .on_half_close = input_half_close,
        };
        service->FullDuplexCall = (grpc_testing_TestService_FullDuplexCall_handler){
                .on_start = full_duplex_start,
                .on_message = duplex_message,
                .on_half_close = full_duplex_half_close,
        };
        service->HalfDuplexCall = (grpc_testing_TestService_HalfDuplexCall_handler){
                .on_start = half_duplex_start,
                .on_message = duplex_message,
                .on_half_close = half_duplex_half_close,
        };
}
