/* The checksum of SQL files. */
#include "migrations/checksum.h"

#include <string.h>

static guint32 crc_step(guint32 crc, guint8 byte) {
    crc ^= byte;
    for (guint bit = 0; bit < 8; bit++)
        crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
    return crc;
}

gint32 rp_migration_checksum(const char *text, gsize size_bytes) {
    const gsize start = size_bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    guint32 crc = 0xffffffffu;
    for (gsize i = start; i < size_bytes; i++)
        if (text[i] != '\n' && text[i] != '\r')
            crc = crc_step(crc, (guint8)text[i]);
    return (gint32)~crc;
}
