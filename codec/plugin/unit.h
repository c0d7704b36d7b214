/* SPDX-License-Identifier: MIT */
#pragma once

#include "codec/plugin/comments.h"
#include "codec/plugin/names.h"
#include "codec/plugin/outline.h"
#include "codec/plugin/printer.h"

/* One .proto file on its way to NAME.quoit.h (@h) and NAME.quoit.c (@c). */
struct unit {
        upb_Arena *arena;
        const struct names *names;
        const struct comments *comments;
        const google_protobuf_FileDescriptorProto *proto;
        const upb_FileDef *file;
        struct outline outline;
        const struct options *options;
        struct printer h;
        struct printer c;
};

/* Each writes its part; see the file of that name. */
void enums_emit(struct unit *u);
void enums_emit_tables(struct unit *u);
void messages_emit(struct unit *u);
void fields_emit(struct unit *u, const upb_MessageDef *m);
void repeated_emit(struct unit *u, const upb_FieldDef *f);
void maps_emit(struct unit *u, const upb_FieldDef *f);
void oneofs_emit(struct unit *u, const upb_MessageDef *m);
void extensions_emit(struct unit *u);
void tables_declare(struct unit *u);
void tables_emit(struct unit *u);
void descriptor_declare(struct unit *u);
void descriptor_emit(struct unit *u);
void services_emit(struct unit *u);

/* Fills the header and the source. */
void unit_emit(struct unit *u);
