/* The checksum that tells an edited file from the one that was applied. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Flyway's: CRC-32 (IEEE 802.3) of the lines without their terminators, a byte order mark dropped, as signed
 * 32 bits. So a file keeps its checksum when its line ends are converted. */
gint32 rp_migration_checksum(const char *text, gsize size_bytes);

G_END_DECLS
