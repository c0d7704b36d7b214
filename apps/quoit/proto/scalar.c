/* SPDX-License-Identifier: MIT */
#include "scalar.h"

#include <stddef.h>

#include "upb/reflection/def.h"

const char *scalar_name(int type)
{
        static const char *const names[] = {
                [kUpb_FieldType_Double] = "double",
                [kUpb_FieldType_Float] = "float",
                [kUpb_FieldType_Int64] = "int64",
                [kUpb_FieldType_UInt64] = "uint64",
                [kUpb_FieldType_Int32] = "int32",
                [kUpb_FieldType_Fixed64] = "fixed64",
                [kUpb_FieldType_Fixed32] = "fixed32",
                [kUpb_FieldType_Bool] = "bool",
                [kUpb_FieldType_String] = "string",
                [kUpb_FieldType_Bytes] = "bytes",
                [kUpb_FieldType_UInt32] = "uint32",
                [kUpb_FieldType_SFixed32] = "sfixed32",
                [kUpb_FieldType_SFixed64] = "sfixed64",
                [kUpb_FieldType_SInt32] = "sint32",
                [kUpb_FieldType_SInt64] = "sint64",
        };

        return type > 0 && (size_t)type < sizeof(names) / sizeof(*names) ? names[type] : NULL;
}
