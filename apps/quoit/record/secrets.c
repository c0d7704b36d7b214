/* SPDX-License-Identifier: MIT */
#include "secrets.h"

#include <string.h>

bool secret_is_name(upb_StringView name)
{
        static const char *const parts[] = { "authorization", "cookie", "token", "secret",
                "password", "passwd", "credential", "api-key", "api_key", "apikey", "signature" };

        for (unsigned i = 0; i < sizeof(parts) / sizeof(*parts); i++)
                if (memmem(name.data, name.size, parts[i], strlen(parts[i])))
                        return true;
        return false;
}

bool secret_is_redacted(upb_StringView value)
{
        return upb_StringView_IsEqual(value, upb_StringView_FromString(SECRET_REDACTED));
}
