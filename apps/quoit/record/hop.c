/* SPDX-License-Identifier: MIT */
#include "hop.h"

bool hop_has(upb_StringView name)
{
        static const char *const names[] = { "accept-encoding", "connection", "content-encoding",
                "content-length", "content-type", "expect", "host", "keep-alive",
                "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "user-agent" };

        for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
                if (upb_StringView_IsEqual(name, upb_StringView_FromString(names[i])))
                        return true;
        return false;
}
