/* UUIDs: their text, and version 5, which makes the same UUID of the same name. */
#pragma once

#include "base/span.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    guint8 bytes[16];
} RpUuid;

/* The namespace of `uuid5` where a mapping gives none: UUIDv5 of the DNS name redis2pg.invalid. */
extern const RpUuid RP_UUID_DEFAULT_NAMESPACE;

/* Reads 8-4-4-4-12 hex digits, or 32 without hyphens; any case. */
gboolean rp_uuid_parse(RpSpan text, RpUuid *uuid);

/* Writes the 36 characters and a NUL. */
void rp_uuid_format(const RpUuid *uuid, char text[37]);

/* UUIDv5 (RFC 9562, section 5.5) of the parts joined with ':'. */
void rp_uuid_v5(const RpUuid *name_space, const RpSpan *parts, guint n_parts, RpUuid *uuid);

G_END_DECLS
