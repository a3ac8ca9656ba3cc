/* UUID text and version 5. */
#include "mapping/uuid.h"

#include <nettle/sha1.h>

/* uuid5(6ba7b810-9dad-11d1-80b4-00c04fd430c8, "redis2pg.invalid"); tests/unit/test_uuid.c computes it. */
const RpUuid RP_UUID_DEFAULT_NAMESPACE = {
    {0x41, 0x4f, 0xb8, 0x53, 0x7c, 0x64, 0x57, 0xc2, 0xa4, 0xea, 0xb0, 0x77, 0xbb, 0x75, 0x68, 0x84}};

gboolean rp_uuid_parse(RpSpan text, RpUuid *uuid) {
    const gboolean has_hyphens = text.size == 36;
    if (!has_hyphens && text.size != 32)
        return FALSE;
    const char *at = text.data;
    for (int i = 0; i < 16; i++) {
        if (has_hyphens && (i == 4 || i == 6 || i == 8 || i == 10) && *at++ != '-')
            return FALSE;
        const int high = g_ascii_xdigit_value(at[0]);
        const int low = high < 0 ? -1 : g_ascii_xdigit_value(at[1]);
        if (low < 0)
            return FALSE;
        uuid->bytes[i] = (guint8)(high * 16 + low);
        at += 2;
    }
    return TRUE;
}

void rp_uuid_format(const RpUuid *uuid, char text[37]) {
    static const char digits[] = "0123456789abcdef";
    char *at = text;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = digits[uuid->bytes[i] >> 4];
        *at++ = digits[uuid->bytes[i] & 15];
    }
    *at = '\0';
}

void rp_uuid_v5(const RpUuid *name_space, const RpSpan *parts, guint n_parts, RpUuid *uuid) {
    struct sha1_ctx sha1;
    sha1_init(&sha1);
    sha1_update(&sha1, sizeof name_space->bytes, name_space->bytes);
    for (guint i = 0; i < n_parts; i++) {
        if (i > 0)
            sha1_update(&sha1, 1, (const guint8 *)":");
        if (parts[i].size > 0)
            sha1_update(&sha1, parts[i].size, (const guint8 *)parts[i].data);
    }
    sha1_digest(&sha1, sizeof uuid->bytes, uuid->bytes);
    uuid->bytes[6] = (guint8)((uuid->bytes[6] & 0x0f) | 0x50);
    uuid->bytes[8] = (guint8)((uuid->bytes[8] & 0x3f) | 0x80);
}
