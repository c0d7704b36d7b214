/* SPDX-License-Identifier: MIT */
#include "client/health_messages.h"

#include <quoit/message.h>

static const upb_MiniTableField service = { 1, 8, 0, 65535, kUpb_FieldType_String,
        (int)kUpb_FieldMode_Scalar | (int)kUpb_FieldRep_StringView << kUpb_FieldRep_Shift };

static const upb_MiniTable request = {
        &service,
        24,
        1,
        kUpb_ExtMode_NonExtendable,
        1,
        QUOIT_FASTTABLE_MASK(255),
        0,
};

static const upb_MiniTableField status = { 1, 8, 0, 65535, kUpb_FieldType_Int32,
        (int)kUpb_FieldMode_Scalar | (int)kUpb_FieldRep_4Byte << kUpb_FieldRep_Shift };

static const upb_MiniTable response = {
        &status,
        16,
        1,
        kUpb_ExtMode_NonExtendable,
        1,
        QUOIT_FASTTABLE_MASK(255),
        0,
};

const quoit_method health_watch = {
        .path = "/grpc.health.v1.Health/Watch",
        .kind = QUOIT_SERVER_STREAMING,
        .request = &request,
        .reply = &response,
};

struct upb_Message *health_request_new(struct upb_Arena *arena, upb_StringView name)
{
        upb_Message *message = upb_Message_New(&request, arena);

        if (message)
                upb_Message_SetBaseField(message, &service, &name);
        return message;
}

int32_t health_response_status(const struct upb_Message *message)
{
        int32_t none = 0, value;

        _upb_Message_GetNonExtensionField(message, &status, &none, &value);
        return value;
}
